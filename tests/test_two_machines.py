"""Synthesis and embeddings on a Ray cluster of two nodes, both on this machine."""

import json
import os
import shutil
import statistics

import pytest
from ray.cluster_utils import Cluster

from data_engine.store.database import Store
from tests.test_cli import rerec

pytestmark = pytest.mark.long
MACHINE = {"num_cpus": 2, "object_store_memory": 100_000_000}  # logical cores


@pytest.fixture(scope="module")
def machines():
    """The environment of a command that is to use two machines."""
    cluster = Cluster(initialize_head=True, head_node_args=MACHINE)
    cluster.add_node(**MACHINE)
    yield {"RAY_ADDRESS": cluster.address}
    cluster.shutdown()


def embedded(store, seed, *more, environment=None):
    """The validation NDCG@10 that `rerec data embed` reaches."""
    words = ["data", "embed", "--store", store, "--dims", 16, "--seed", seed, "--json", *more]
    done = rerec(*words, env=os.environ | (environment or {}))
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)["validation_ndcg10"], done.stderr


def test_both_machines_learn_embeddings_as_good_as_one_process_does(machines, film_store, tmp_path):
    store = shutil.copy(film_store, tmp_path / "films.duckdb")
    alone = [embedded(store, seed)[0] for seed in range(3)]
    together, said = embedded(store, 0, "--ray", 2, environment=machines)
    spread = statistics.stdev(alone)
    assert abs(together - statistics.mean(alone)) < 3 * spread + 0.005
    assert "validation NDCG@10" in said
    with Store.open(store, read_only=True) as opened:
        assert {len(vector) for vector in opened.embeddings().values()} == {16}


def test_four_actors_on_two_machines_make_the_rows_of_one_process(machines, film_store, tmp_path):
    # Each takes a core, and neither machine has more than two.
    found = {}
    for name, more, environment in (
        ("alone", ("--workers", 1), {}),
        ("together", ("--workers", 4, "--ray"), machines),
    ):
        store = shutil.copy(film_store, tmp_path / f"{name}.duckdb")
        words = ["synth", "--store", store, "--sft", 60, "--rl", 30, "--test", 30, "--seed", 9]
        done = rerec(*words, *more, env=os.environ | environment)
        assert done.returncode == 0, done.stderr[-2000:]
        with Store.open(store, read_only=True) as opened:
            found[name] = [example.model_dump_json() for example in opened.examples()]
    assert len(found["alone"]) >= 120 and found["alone"] == found["together"]
