"""Artefacts of rerec 0.1 at f96f93a: today's code opens them, scores as it did, and goes on with
them.

before.zip was made there by `data import world --items 60 --users 25`, `data embed --dims 8
--epochs 2` and `synth --sft 4 --rl 4 --validation 2 --test 2 --workers 1 --out`; responses.jsonl
holds every chain as a policy would write it, and the other .jsonl what `score --json` said of them.
"""

import json
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest

from data_engine.datasets.parquet import read_examples
from data_engine.graphs.attributes import AttributeGraph
from data_engine.store.database import Store
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response
from tests.test_cli import rerec

COUNTS = ("--sft", "4", "--rl", "4", "--validation", "2", "--test", "2", "--workers", "1")
DIGEST = "1c3c63007875bba5"


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """The folder of the old artefacts."""
    folder = tmp_path_factory.mktemp("before")
    ZipFile(Path(__file__).parent / "migration/before.zip").extractall(folder)
    return folder


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def rounded(value):
    """A JSON value with its floats to ten digits: the last ones are another machine's."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return round(value, 10) if isinstance(value, float) else value


def test_the_old_store_opens(before):
    with Store.open(before / "store.duckdb", read_only=True) as store:
        examples, vectors, graph = store.examples(), store.embeddings(), store.graph_digest
        attributes = AttributeGraph.from_store(store)
        assert store.counts()["interactions"] == 1067
    assert graph == DIGEST and len(vectors) == 60 and len(attributes.titles) == 60
    assert [e.split for e in examples] == ["sft"] * 4 + ["rl"] * 4 + ["validation"] * 2 + [
        "test"
    ] * 2
    assert all(e.named() == e for e in examples)
    assert all(attributes.meets(e.gold[0], e.conditions) for e in examples)


def test_the_old_parquet_reads(before):
    with Store.open(before / "store.duckdb", read_only=True) as store:
        assert read_examples(before / "rl.parquet") == store.examples("rl")


@pytest.mark.parametrize("profile", ["rerec", "open-catalogue"])
def test_the_old_examples_score_as_they_did(before, profile):
    snapshot = Snapshot.load(before / "store.duckdb")
    responses = [Response(**row) for row in lines(before / "responses.jsonl")]
    known = lines(before / f"{profile}.jsonl")
    found = msgspec.to_builtins(snapshot.score(responses, PROFILES[profile]))
    assert len(found) == len(known) > 30
    for score, expected in zip(found, known, strict=True):
        assert rounded(score) == rounded(expected)


WORDS = {"example_id", "query", "turns", "style", "provenance"}


def facts(example):
    """All of an Example but its words, and what follows from them."""
    return example.model_dump(exclude=WORDS)


@pytest.mark.journey
def test_work_goes_on_in_the_old_store(before):
    """The same seeds make the same vectors and the same facts; the template writer's words are
    others since.
    """
    path = before / "store.duckdb"
    with Store.open(path, read_only=True) as store:
        vectors, examples = store.embeddings(), store.examples()
    done = rerec("data", "embed", "--store", path, "--dims", "8", "--epochs", "2")
    assert done.returncode == 0, done.stderr
    done = rerec("synth", "--store", path, *COUNTS)
    assert done.returncode == 0, done.stderr
    with Store.open(path, read_only=True) as store:
        again, made = store.embeddings(), store.examples()
    for item in vectors:  # about .03: the last digits of float32 are another machine's
        assert again[item].tolist() == pytest.approx(vectors[item].tolist(), abs=1e-6)
    assert [facts(e) for e in made] == [facts(e) for e in examples]
    assert rerec("verify", "--store", path).returncode == 0
