"""A real chat model with vLLM's rollout: killed and resumed, exported, read by vLLM again; LoRA.

SmolLM2 was not taught to answer, so no response earns a reward; the entropy bonus, at a high
learning rate, moves the weights. vLLM must have got them: else the log-probabilities that it gives
for the next step's responses would be those of another model than the trainer's.
"""

import json
import os
import shutil
import signal

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.test_cli import rerec, start, wait_for
from train.rft.resume import metrics_files

pytestmark = pytest.mark.vllm
SMALL = (
    "data.train_batch_size=1",
    "data.max_response_length=32",
    "actor_rollout_ref.rollout.n=2",
    "actor_rollout_ref.actor.ppo_mini_batch_size=1",
    "actor_rollout_ref.actor.entropy_coeff=0.1",
    "actor_rollout_ref.actor.optim.lr_warmup_steps=0",
    "trainer.total_training_steps=2",
    "trainer.save_freq=1",
)
CLOSE = 1e-3  # nats per token: vLLM and transformers compute alike in fp32
QUESTION = [
    {"role": "user", "content": "Which film by Ann Arden is a comedy, and why do you say so?"}
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder of runs; gigabytes, so it is removed at the end."""
    path = tmp_path_factory.mktemp("vllm")
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def question(smollm2):
    """Token ids that models are compared on."""
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    text = tokenizer.apply_chat_template(QUESTION, add_generation_prompt=True, tokenize=False)
    return tokenizer(text)["input_ids"]


def words(recipe, store, model, run, *extra):
    sets = [word for change in SMALL for word in ("--set", change)]
    options = ["--store", store, "--model", model, "--run", run, "--queries", 8]
    return ["train", "rft", recipe, *options, *sets, *extra]


def steps(run):
    """verl's figures by step, of all attempts; what is still being written is left out."""
    texts = [path.read_text().rpartition("\n")[0] for path in metrics_files(run)]
    points = [json.loads(line) for text in texts for line in text.splitlines()]
    return {point["step"]: point["data"] for point in points}


def logprobs(folder, ids):
    """Log-probabilities of every token of the vocabulary at each place but the first."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)


def divergence(one, other):
    """KL, nats per token."""
    return float((one.exp() * (one - other)).sum(-1).mean())


def vllm_logprobs(folder, ids, monkeypatch):
    """Log-probabilities of the tokens themselves, by vLLM in this process."""
    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    monkeypatch.setenv("VLLM_NO_USAGE_STATS", "1")
    from vllm import LLM, SamplingParams

    sizes = {"max_model_len": 256, "max_num_seqs": 1, "gpu_memory_utilization": 0.08}
    llm = LLM(str(folder), dtype="float32", enforce_eager=True, **sizes)
    asked = SamplingParams(max_tokens=1, prompt_logprobs=0)
    (answer,) = llm.generate({"prompt_token_ids": ids}, asked, use_tqdm=False)
    return [found[i].logprob for i, found in zip(ids[1:], answer.prompt_logprobs[1:], strict=True)]


def test_a_killed_run_goes_on_and_vllm_reads_what_it_leaves(
    film_store, smollm2, question, runs, monkeypatch
):
    run = runs / "killed"
    said = words("smollm2-135m-rerec-vllm", film_store, smollm2, run)
    said += ["--set", "actor_rollout_ref.actor.optim.lr=1e-4"]
    process = start(*said)
    wait_for(process, lambda: 1 in steps(run))  # it is in step 2 then, and step 1 was saved
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = rerec(*said, "--resume")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "step 1/2" not in done.stdout and "step 2/2" in done.stdout
    figures = steps(run)
    assert all(abs(figures[step]["actor/ppo_kl"]) <= CLOSE for step in (1, 2))
    first = run / "checkpoints/global_step_1/actor/huggingface"
    before, after = (logprobs(folder, question) for folder in (smollm2, first))
    assert divergence(before, after) > 10 * CLOSE
    own = logprobs(run / "model", question)[range(len(question) - 1), question[1:]]
    served = torch.tensor(vllm_logprobs(run / "model", question, monkeypatch))
    assert (own - served).abs().max() <= CLOSE


def test_vllm_gets_the_adapter_after_each_step(film_store, smollm2, question, runs):
    run = runs / "lora"
    said = words("smollm2-135m-rerec-graph-vllm", film_store, smollm2, run, "--lora-rank", 8)
    done = rerec(*said, "--set", "actor_rollout_ref.actor.optim.lr=1e-2")
    assert done.returncode == 0, done.stderr[-2000:]
    figures = steps(run)
    assert all(abs(figures[step]["actor/ppo_kl"]) <= CLOSE for step in (1, 2))
    before, after = (logprobs(folder, question) for folder in (smollm2, run / "model"))
    assert divergence(before, after) > 10 * CLOSE
