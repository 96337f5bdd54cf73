"""Training on several machines: two Ray nodes on this one, of which one is lost."""

import json
import os
import subprocess

import pytest
from ray.cluster_utils import Cluster

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.children import rerec_command
from data_engine.store.database import Store
from reward_server.local import local_server
from tests.test_cli import ROOT, wait_for
from train.rft.resume import metrics_files
from train.sft.tiny import TinyConfig, build_model, save
from train.sft.tokenizer import build_tokenizer
from train.tasks.prompts import open_book

STEPS = 4
MACHINE = {"num_cpus": 16, "num_gpus": 1, "object_store_memory": 300_000_000}  # logical devices


@pytest.fixture
def machines():
    """Two machines of a cluster; `machines.add_node(**MACHINE)` is a third."""
    cluster = Cluster(initialize_head=True, head_node_args=MACHINE)
    cluster.add_node(**MACHINE)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def policy(film_store, tmp_path):
    """One that has learned nothing."""
    evidence = Evidence.load(film_store)
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples("rl")
    tokenizer, entities = build_tokenizer(evidence, [open_book(e, evidence) for e in examples])
    model = build_model(tokenizer, TinyConfig(dims=16, layers=1))
    save(tmp_path / "policy", model, tokenizer, entities)
    return tmp_path / "policy"


def steps(run):
    lines = [line for path in metrics_files(run) for line in path.read_text().splitlines()]
    return [json.loads(line)["step"] for line in lines]


@pytest.mark.long
def test_a_lost_machine_ends_the_run_in_one_line_and_a_resume_ends_it_well(
    machines, policy, film_store, tmp_path
):
    run = tmp_path / "run"
    latest = run / "checkpoints/latest_checkpointed_iteration.txt"
    changes = ("nnodes=2", "save_freq=1", f"total_training_steps={STEPS}")
    words = ["train", "rft", "tiny-grpo", "--store", film_store, "--model", policy, "--run", run]
    words += [word for change in changes for word in ("--set", f"trainer.{change}")]

    def begun(*more):
        return subprocess.Popen(
            rerec_command(*words, *more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"RAY_ADDRESS": machines.address},
        )

    with local_server(film_store) as url:
        first = begun("--server", url)
        wait_for(first, latest.is_file)
        machines.remove_node(machines.list_all_nodes()[-1], allow_graceful=False)
        _, said = first.communicate(timeout=300)
        errors = said.strip().splitlines()
        assert first.returncode == 3 and len(errors) == 1, said[-3000:]
        assert "1 of 2 machines were lost" in errors[0] and "--resume" in errors[0]
        saved = int(latest.read_text())
        assert 1 <= saved < STEPS and not (run / "model").exists()
        machines.add_node(**MACHINE)
        second = begun("--server", url, "--resume")
        _, said = second.communicate(timeout=300)
    assert second.returncode == 0, said[-3000:]
    assert steps(run)[-(STEPS - saved) :] == [*range(saved + 1, STEPS + 1)]
    shards = (run / f"checkpoints/global_step_{STEPS}/actor").glob("model_world_size_2_rank_*.pt")
    assert len(list(shards)) == 2 and (run / "model/model.safetensors").is_file()
