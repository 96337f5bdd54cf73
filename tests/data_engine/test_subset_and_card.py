"""A part of a catalogue in another store, and the card written from a store: against counts made
with networkx and by hand.
"""

import json
from dataclasses import replace
from datetime import date

import networkx as nx
import pytest
import yaml

from data_engine.datasets.dataset_card import write_card
from data_engine.datasets.parquet import write_verl
from data_engine.datasets.subset import Subset
from data_engine.errors import DataError
from data_engine.importers.world import WorldConfig, make_world
from data_engine.store.database import Store
from tests.conftest import hand_catalogue
from tests.test_cli import rerec


def kept(tmp_path, **what):
    """Rows of the subset of a small world, and the store."""
    with Store.open(tmp_path / "part.duckdb", create=True) as store:
        store.replace_catalogue(Subset(path=tmp_path / "whole.duckdb", **what))
        return {
            table: store.rows(f"FROM {table} ORDER BY ALL")
            for table in ("items", "edges", "interactions", "attributes")
        }, store.meta("source")


@pytest.fixture
def world(tmp_path):
    """A small world in whole.duckdb, as a catalogue."""
    made = make_world(WorldConfig(items=120, users=60, ratings_per_user=20, seed=4))
    with Store.open(tmp_path / "whole.duckdb", create=True) as store:
        store.replace_catalogue(made)
    return made


@pytest.mark.parametrize("core", [2, 4, 6])
def test_the_k_core_is_networkxs(tmp_path, world, core):
    graph = nx.Graph((("u", user), ("i", item)) for user, item, _, _ in world.interactions)
    left = nx.k_core(graph, core)
    rows, source = kept(tmp_path, core=core)
    assert {(u, i) for u, i, *_ in rows["interactions"]} == {
        (u, i) for u, i, _, _ in world.interactions if left.has_edge(("u", u), ("i", i))
    }
    assert {i for i, _ in rows["items"]} == {
        i for kind, i in left if kind == "i"
    } and f"{core}-core" in source
    assert {e[0] for e in rows["edges"]} <= {i for i, _ in rows["items"]} and {
        a for a, _ in rows["attributes"]
    } == {e[2] for e in rows["edges"]}


def test_a_window_and_relations(tmp_path, world):
    times = sorted(row[3] for row in world.interactions)
    since = date.fromtimestamp(times[len(times) // 3])
    until = date.fromtimestamp(times[2 * len(times) // 3])
    rows, source = kept(tmp_path, since=since, until=until, relations=("genre", "director"))
    days = {date.fromtimestamp(row[3]) for row in rows["interactions"]}
    assert (
        min(days) >= since
        and max(days) < until
        and len(rows["interactions"]) < len(world.interactions)
    )
    assert {e[1] for e in rows["edges"]} == {"genre", "director"} and "genre+director" in source


@pytest.mark.journey
def test_what_cannot_be_cut_is_refused(tmp_path, world):
    with pytest.raises(DataError, match="no relation 'mood': choose from"):
        kept(tmp_path, relations=("mood",))
    with Store.open(tmp_path / "whole.duckdb") as store:
        store.replace_catalogue(
            replace(world, interactions=[(*row[:3], None) for row in world.interactions])
        )
    with pytest.raises(DataError, match="without a time"):
        kept(tmp_path, since=date(2000, 1, 1))
    done = rerec("data", "subset", tmp_path / "whole.duckdb", "--store", tmp_path / "whole.duckdb")
    assert done.returncode == 1 and "is the store to read from" in done.stderr
    done = rerec(
        "data",
        "subset",
        tmp_path / "new.duckdb",
        "--store",
        tmp_path / "whole.duckdb",
        "--core",
        99,
    )
    assert done.returncode == 1 and not (tmp_path / "new.duckdb").exists()


def test_the_card_has_hugging_faces_head_true_figures_and_its_pictures(tmp_path, film_store):
    (tmp_path / "sft.parquet").write_bytes(b"")
    with pytest.raises(DataError, match="sft.parquet is no parquet file"):
        write_card(film_store, tmp_path, "cc-by-4.0", ["sft"])
    write_verl(tmp_path / "sft.parquet", [{"prompt": "?", "graph_digest": "another"}])
    with pytest.raises(DataError, match=r"sft.parquet is of graph another, the store holds"):
        write_card(film_store, tmp_path, "cc-by-4.0", ["sft"])
    write_verl(tmp_path / "sft.parquet", [{"prompt": "?"}])
    page = write_card(film_store, tmp_path, "cc-by-4.0", ["sft"]).read_text()
    head = yaml.safe_load(page.split("---")[1])
    assert head["license"] == "cc-by-4.0" and head["size_categories"] == ["n<1K"]
    assert head["dataset_info"]["features"] == [{"name": "prompt", "dtype": "string"}]
    assert head["dataset_info"]["splits"][0]["num_examples"] == 1
    assert head["configs"][0]["data_files"] == [{"split": "sft", "path": "sft.parquet"}]
    assert (
        "| items | 400 |" in page
        and "| Examples, sft | 80 |" in page
        and "| Examples, explicit | 40 |" in page
    )
    facts = json.loads(page.split("```json")[1].split("```")[0])
    with Store.open(film_store, read_only=True) as store:
        assert facts["graph_digest"] == store.graph_digest and facts["examples"]["seed"] == 5
    for name in ("degree", "coverage", "time", "reach", "neighbourhood"):
        assert (
            f"card/{name}.png" in page
            and (tmp_path / f"card/{name}.png").read_bytes()[:4] == b"\x89PNG"
        )


def test_reach_is_counted_right_on_the_hand_made_graph(hand_store):
    from data_engine.datasets.dataset_card import _reach
    from data_engine.graphs.evidence import Evidence

    catalogue = hand_catalogue()
    graph = nx.Graph((("i", i), ("a", r, a)) for i, r, a, _ in catalogue.edges)
    items = [n for n in graph if n[0] == "i"]
    for hops, share in _reach(Evidence.load(hand_store).attributes).items():
        near = [
            sum(1 for n in nx.single_source_shortest_path_length(graph, item, hops) if n[0] == "i")
            - 1
            for item in items
        ]
        assert share == pytest.approx(sum(near) / len(near) / (len(items) - 1))


def test_synthesised_parquet_loads_with_datasets(tmp_path, film_store):
    from datasets import load_dataset

    from agents.commands import _write
    from data_engine.store.database import Store

    with Store.open(film_store, read_only=True) as store:
        _write(tmp_path, store.examples())
    write_card(film_store, tmp_path, "other", [path.stem for path in tmp_path.glob("*.parquet")])
    whole = load_dataset(
        "parquet",
        data_files={"sft": str(tmp_path / "sft.parquet")},
        cache_dir=str(tmp_path / "cache"),
    )
    assert whole["sft"].num_rows == 80 and whole["sft"][0]["prompt"][0]["role"] == "user"
    by_card = load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in by_card.items()} == {
        "sft": 80,
        "rl": 40,
        "validation": 20,
        "test": 20,
    }
