"""What computes a folder's responses: prompts and limits, memory, and what is refused."""

import shutil

import pytest
import torch

from tests.train.chat_model import make_chat_model
from train.errors import TrainError
from train.evaluation import generate
from train.evaluation.chat_model import LEAST_TOKENS, ChatModel
from train.evaluation.decoding import Decoding
from train.evaluation.placement import Placement, device_of_copy, placement

CHATS = [[{"role": "user", "content": text}] for text in ("Hi.", "A film, please.", "Why? " * 9)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model with random weights and room for 64 tokens."""
    path = tmp_path_factory.mktemp("engines") / "model"
    return make_chat_model(path, ["A film, please. Why? Hi."], max_position_embeddings=64)


def test_a_response_ends_where_it_was_said_or_where_the_context_does(folder):
    model = ChatModel.open(str(folder))
    for most in (20, 1024):
        for k, request in enumerate(model.requests(CHATS, Decoding(0.5, 0.9, most, seed=7))):
            text = model.tokenizer.apply_chat_template(
                CHATS[k], add_generation_prompt=True, tokenize=False
            )
            assert model.tokenizer.decode(request.prompt) == text
            assert request.max_tokens == min(most, 64 - len(request.prompt))
            assert (request.temperature, request.top_p, request.seed) == (0.5, 0.9, 7 + k)
    long = [[{"role": "user", "content": "Why? " * 20}]]
    with pytest.raises(TrainError, match=rf"tokens, and {folder} takes 64"):
        model.requests(long, Decoding(most_tokens=LEAST_TOKENS))


def test_a_batch_that_the_gpu_has_no_room_for_is_halved_to_the_same_texts(folder, monkeypatch):
    loaded = generate.load(folder)
    how = Decoding(temperature=1.0, most_tokens=16)
    expected = generate.continue_chats(*loaded, CHATS, how)
    whole, sizes = generate.generate, []

    def with_room_for_one(model, requests, eos, pad):
        sizes.append(len(requests))
        if len(requests) > 1:
            raise torch.OutOfMemoryError
        return whole(model, requests, eos, pad)

    monkeypatch.setattr(generate, "generate", with_room_for_one)
    assert generate.continue_chats(*loaded, CHATS, how) == expected and len(set(expected)) == 3
    assert sizes == [3, 1, 2, 1, 1]

    def without_room(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(generate, "generate", without_room)
    with pytest.raises(TrainError, match="no room for one response"):
        generate.continue_chats(*loaded, CHATS[:1], how)


def test_half_precision_is_computed_where_it_is_asked_for(folder):
    model, _ = generate.load(folder, "cpu", "bf16")
    assert (model.device.type, model.dtype) == ("cpu", torch.bfloat16)
    assert generate.load(folder)[0].dtype == getattr(torch, placement().dtype)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(TrainError, match="torch finds no GPU here: leave --device out"):
        placement("cuda")


def test_a_base_model_and_too_little_memory_are_refused(folder, tmp_path, monkeypatch):
    base = shutil.copytree(folder, tmp_path / "base")
    (base / "chat_template.jinja").unlink()
    with pytest.raises(TrainError, match="has no chat template"):
        generate.load(base)
    count = sum(p.numel() for p in generate.load(folder)[0].parameters())
    monkeypatch.setattr(generate, "available_memory", lambda gpu: 2.0 * count)
    with pytest.raises(TrainError, match="GB of memory, and .* GB are free: give --precision bf16"):
        generate.load(folder)
    generate.load(folder, "auto", "bf16")


def test_vllm_that_is_not_installed_is_said_in_one_line(folder, monkeypatch):
    from train.evaluation import vllm_policy

    monkeypatch.setattr(vllm_policy, "find_spec", lambda name: None)
    with pytest.raises(TrainError, match="--engine vllm needs vLLM.*`./justw vllm`") as refused:
        vllm_policy.VLLMPolicy(folder, Decoding(), Placement("cpu", "fp32"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("gpus", "expected"), [(0, ["cpu"] * 3), (2, ["cuda:0", "cuda:1", "cuda:0"])]
)
def test_copies_of_a_model_take_turns_on_the_gpus_of_a_machine(monkeypatch, gpus, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert [device_of_copy(number) for number in range(3)] == expected
