"""SFT of a chat model by verl: resumed runs, the exported model, and what is refused."""

import json
import os
import signal

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from tests.test_cli import rerec, start, wait_for
from tests.train.chat_model import make_chat_model
from train.sft.lessons import lessons

RANK, STEPS = 4, 7
LATEST = "checkpoints/latest_checkpointed_iteration.txt"


@pytest.fixture(scope="module")
def model(film_store, tmp_path_factory):
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples("sft")
    taught = lessons(examples[:40], Evidence.load(film_store), "chat")
    folder = tmp_path_factory.mktemp("chat") / "model"
    return make_chat_model(folder, [f"{one.prompt} {one.gold}" for one in taught])


@pytest.fixture
def words(film_store, model):
    """A run that goes over its 80 lessons more than once, in batches that do not divide them."""
    sizes = ["--steps", STEPS, "--batch", 12, "--save-every", 2, "--learning-rate", 0.01]
    sizes += ["--answer-weight", 3]
    return ["train", "sft", "--store", film_store, "--model", model, "--seed", 3, *sizes]


def weights(run):
    return load_file(run / "model/model.safetensors")


@pytest.mark.journey
def test_a_killed_run_resumes_to_the_same_weights_and_learns(words, tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    words = [*words, "--eval-queries", 0, "--run"]
    process = start(*words, killed)
    wait_for(process, lambda: (killed / LATEST).is_file())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    refused = rerec(*words, killed, "--resume", "--batch", 10)
    assert refused.returncode == 1 and "batch: 12 → 10" in refused.stderr
    for run, extra in ((killed, ["--resume"]), (whole, [])):
        assert rerec(*words, run, *extra).returncode == 0
    assert (killed / "model/model.safetensors").read_bytes() == (
        whole / "model/model.safetensors"
    ).read_bytes()
    curve = json.loads((whole / "curve.json").read_text())
    assert curve == json.loads((killed / "curve.json").read_text())
    assert [point["step"] for point in curve] == [2, 4, 6, STEPS]
    assert curve[-1]["held_out_loss"] < curve[0]["held_out_loss"] - 0.3
    assert not (whole / "checkpoints").exists()


@pytest.mark.journey
def test_a_stopped_run_with_an_adapter_leaves_the_merged_model_and_goes_on(words, model, tmp_path):
    run = tmp_path / "lora"
    words = [*words, "--lora-rank", RANK, "--eval-queries", 3, "--eval-every", 4, "--run", run]
    process = start(*words)
    wait_for(process, lambda: (run / LATEST).is_file())
    process.terminate()
    said, _ = process.communicate()
    assert process.returncode != 0 and "--lora-rank 4" in said and "--resume" in said
    step = (run / LATEST).read_text()
    state = torch.load(
        run / f"checkpoints/global_step_{step}/model_world_size_1_rank_0.pt", weights_only=False
    )
    state = {name: value.full_tensor() for name, value in state.items()}
    name, merged = "model.layers.1.mlp.down_proj", weights(run)
    layer = f"base_model.model.{name}"
    a, b = (state[f"{layer}.lora_{part}.default.weight"] for part in "AB")
    base = load_file(model / "model.safetensors")[f"{name}.weight"]
    torch.testing.assert_close(merged[f"{name}.weight"], base + 2 * RANK / RANK * b @ a)
    assert b.abs().max() > 0
    assert torch.equal(merged["model.norm.weight"], torch.ones(32))  # beside the adapter: frozen
    plain = AutoModelForCausalLM.from_pretrained(run / "model")
    assert {"model.norm.weight", f"{name}.weight"} <= plain.state_dict().keys()
    assert rerec(*words, "--resume").returncode == 0
    curve = json.loads((run / "curve.json").read_text())
    assert curve[-1]["step"] == STEPS and {"answered", "held_out_loss"} <= curve[-1].keys()
    evaluated = {point["step"] for point in curve if "ndcg" in point}
    assert {STEPS} <= evaluated <= {4, STEPS}  # a run that is stopped does not wait for it
    assert rerec(*words, "--resume").returncode == 0  # it is finished: nothing is trained again


@pytest.mark.journey
@pytest.mark.parametrize(
    ("extra", "line"),
    [
        (["--gold-steps", 5], "--gold-steps means nothing for a chat model"),
        (["--learning-rate", -1], "--learning-rate: Input should be greater than 0 (got -1.0)"),
        (["--eval-every", 3], "make --eval-every 3 a multiple of --save-every 2"),
        (["--style", "closed-book"], "no style 'closed-book' to teach"),
        (["--style", "conversation"], "no Example can be asked in the style conversation"),
        (["--model", "missing/folder/here"], "no model folder at missing/folder/here"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(words, tmp_path, extra, line):
    done = rerec(*words, "--run", tmp_path / "run", *extra)
    assert done.returncode == 1 and line in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.journey
def test_options_of_chat_models_are_refused_for_a_tiny_policy(film_store, tmp_path):
    words = ["train", "sft", "--store", film_store, "--run", tmp_path / "run"]
    done = rerec(*words, "--lora-rank", 8)
    assert done.returncode == 1 and "--lora-rank means nothing for a tiny policy" in done.stderr
