"""A six-user, twelve-item world small enough to check by hand, and a synthesised store of invented
films.
"""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from agents.llm.smollm2 import make_smollm2
from agents.synthesis.config import SynthConfig
from agents.synthesis.labels import label
from agents.synthesis.run import synthesise
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.interactions import InteractionGraph
from data_engine.importers.world import WorldConfig, make_world
from data_engine.preference import Likes, embed, make_model
from data_engine.schema import Chain, Claim, Condition, Example, Provenance
from data_engine.store.catalogue import Catalogue
from data_engine.store.database import Store
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response

LONGEST = (
    "test_journey",
    "test_robust_runs",
    "test_rporec",
    "test_crashes",
    "test_sft_resume",
    "test_docs",
)  # minutes each, in few tests
SHARED = Path(__file__).resolve().parents[1].parent / "shared/data"
TORCH = find_spec("torch") is not None
OF_TRAINING = re.compile(
    r"^(?:import|from) (?:torch|train|transformers|tests\.agents\.test_naturalness)\b", re.MULTILINE
)
settings.register_profile("rerec", deadline=None)  # no test asserts a time
settings.load_profile("rerec")


def pytest_ignore_collect(collection_path):
    """Without torch (`just pythons`) the test files of what needs it are left out."""
    if not TORCH and collection_path.suffix == ".py":
        return True if OF_TRAINING.search(collection_path.read_text(encoding="utf-8")) else None
    return None


def pytest_collection_modifyitems(items):
    """A test is `unit` unless it says otherwise. The longest files come first, so that no worker is
    left with one when the others are done.
    """
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if not {"journey", "long", "vllm", "doors", "bench"} & marks:
            item.add_marker(pytest.mark.unit)
    items.sort(
        key=lambda item: (
            LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST)
        )
    )


def hand_catalogue() -> Catalogue:
    """Twelve films i1..i12: three directors with four films each, two genres by parity, stars s1
    (i1–i6) and s2 (i5–i12).
    """
    items = [(f"i{n}", f"Film {chr(64 + n)} ({1980 + n})") for n in range(1, 13)]
    edges = []
    for n in range(1, 13):
        edges.append((f"i{n}", "director", f"d{(n - 1) // 4 + 1}", 0))
        edges.append((f"i{n}", "genre", "Drama" if n % 2 else "Comedy", 0))
        stars = [s for s, films in (("s1", range(1, 7)), ("s2", range(5, 13))) if n in films]
        edges += [(f"i{n}", "starring", s, k) for k, s in enumerate(stars)]
        edges.append((f"i{n}", "composer", "c1" if n <= 8 else "c2", 0))
    names = {
        "d1": "Ann Arden",
        "d2": "Bo Berg",
        "d3": "Cy Cole",
        "s1": "Sue Stone",
        "s2": "Tim Tate",
        "c1": "Max Muse",
        "c2": "Nan Note",
    }
    attributes = [(a, names.get(a, a)) for a in dict.fromkeys(e[2] for e in edges)]
    interactions = [
        (f"u{u}", f"i{(u + 2 * k) % 12 + 1}", 5.0 if k < 6 else 2.0, 1000 * u + k)
        for u in range(1, 7)
        for k in range(8)
    ]
    return Catalogue(
        "films",
        "hand",
        items,
        attributes,
        edges,
        sorted(set(interactions), key=lambda r: (r[0], r[3])),
    )


@pytest.fixture(scope="session")
def hand_store(tmp_path_factory) -> Path:
    """The hand-made catalogue in a store."""
    path = tmp_path_factory.mktemp("hand") / "hand.duckdb"
    with Store.open(path, create=True) as store:
        store.replace_catalogue(hand_catalogue())
    return path


@pytest.fixture(scope="session")
def film_store(tmp_path_factory) -> Path:
    """Invented films, embedded, with 160 Examples."""
    path = tmp_path_factory.mktemp("films") / "films.duckdb"
    method = "lightgcn" if TORCH else "als"
    with Store.open(path, create=True) as store:
        store.replace_catalogue(make_world(WorldConfig(items=400, users=150, seed=3)))
        found = embed(
            Likes.of(InteractionGraph.from_store(store)),
            make_model(method, dims=16, layers=3, epochs=3, seed=0, checkpoint=None),
        )
        store.save_embeddings(found.items, found.vectors, {})
    config = SynthConfig(
        counts={"sft": 80, "rl": 40, "validation": 20, "test": 20},
        seed=5,
        workers=1,
        writer="terse",
    )
    examples = synthesise(path, config)
    with Store.open(path) as store:
        store.replace_examples(examples)
    return path


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory):
    """A folder with a small chat model; half a gigabyte, so it is removed at the end."""
    path = tmp_path_factory.mktemp("smollm2") / "model"
    make_smollm2(path)
    yield path
    shutil.rmtree(path)


def example(graph, candidates=("i1", "i2", "i9"), gold=("i1",)) -> Example:
    """Drama with Sue Stone among three films."""
    conditions = (
        Condition(relation="starring", value="s1", name="Sue Stone"),
        Condition(relation="genre", value="Drama", name="Drama"),
    )
    claims = tuple(Claim(kind="need", relation=c.relation, value=c.value) for c in conditions)
    chains = (Chain(steps=(label("need", "Need.", claims, graph, conditions),), answer=gold[0]),)
    return Example(
        domain="films",
        kind="explicit",
        user="u1",
        query="?",
        conditions=conditions,
        candidates=candidates,
        shuffle_seed=0,
        gold=gold,
        chains=chains,
        difficulty=0.5,
        split="test",
        provenance=Provenance(seed=0, graph_digest="", writer="test", prompt_hash=""),
    ).named()


@pytest.fixture(scope="session")
def asked_store(hand_store, tmp_path_factory) -> Path:
    """The hand-made world without embeddings, with one Example."""
    path = tmp_path_factory.mktemp("scored") / "s.duckdb"
    path.write_bytes(hand_store.read_bytes())
    with Store.open(path) as store:
        store.replace_examples([example(AttributeGraph.from_store(store))])
    return path


@pytest.fixture(scope="session")
def snapshot(asked_store):
    """`asked_store` as the reward server holds it."""
    return Snapshot.load(asked_store)


@pytest.fixture(scope="session")
def scored(snapshot):
    """score(text) → Score."""
    (example_id,) = snapshot.targets
    return lambda text, profile="rerec": snapshot.score(
        [Response(example_id=example_id, response=text)], PROFILES[profile]
    )[0]
