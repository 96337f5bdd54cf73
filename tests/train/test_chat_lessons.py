"""Lessons for chat models: which tokens are learned, and which models are refused before a run."""

import shutil

import pytest

from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from tests.train.chat_model import (
    encoder_only,
    make_chat_model,
    make_tokenizer,
    of_a_base_model,
    that_drops_spaces,
    too_short,
    unknown,
    without_template,
)
from train.errors import TrainError
from train.models.checks import check_chat, check_round_trip, load_tokenizer
from train.models.folder import Shape, model_folder, read_shape
from train.models.memory import fits, sft_memory
from train.sft.chat_model.config import ChatSFTConfig
from train.sft.chat_model.encoding import answer_tokens, encode_chat
from train.sft.chat_model.prepared import prepare
from train.sft.chat_model.rows import lesson_row
from train.sft.lessons import lessons
from train.tasks.base import Lesson, Message

SMOLLM2 = Shape("LlamaForCausalLM", 134_515_008, 30, 576, 1536, 49152, 8192)


@pytest.fixture(scope="module")
def films(film_store):
    with Store.open(film_store, read_only=True) as store:
        return Evidence.load(film_store), store.examples("sft"), store.examples("validation")


@pytest.fixture(scope="module")
def model(films, tmp_path_factory):
    evidence, examples, _ = films
    taught = lessons(examples[:40], evidence, "chat")
    folder = tmp_path_factory.mktemp("chat") / "model"
    return make_chat_model(folder, [f"{one.prompt} {one.gold}" for one in taught])


@pytest.fixture
def copy(model, tmp_path):
    return shutil.copytree(model, tmp_path / "model")


def test_the_loss_counts_exactly_the_policys_own_right_messages():
    since = (
        Message("assistant", "Which year?"),
        Message("user", "Any."),
        Message("assistant", "Hm.", flawed=("No.",)),  # has a lesson of its own
        Message("user", "Well?"),
    )
    row = lesson_row(Lesson("A film?", "Heat.", (), since, system="Be kind."))
    tokenizer = make_tokenizer(["Which year?", "Heat."])
    ids, learned = encode_chat(tokenizer, row["messages"], row["learned"])
    by_hand = (
        ("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nA film?<|im_end|>\n", False),
        ("<|im_start|>assistant\n", False),
        ("Which year?<|im_end|>", True),
        ("\n<|im_start|>user\nAny.<|im_end|>\n<|im_start|>assistant\nHm.<|im_end|>\n", False),
        ("<|im_start|>user\nWell?<|im_end|>\n<|im_start|>assistant\n", False),
        ("Heat.<|im_end|>", True),
    )
    assert tokenizer.decode(ids) == "".join(text for text, _ in by_hand)
    mask = []
    for text, counts in by_hand:
        mask += [counts] * len(tokenizer(text)["input_ids"])
    assert learned == mask
    asked = tokenizer.apply_chat_template(row["messages"][:-1], add_generation_prompt=True)
    assert ids[: len(asked["input_ids"])] == asked["input_ids"]  # as the policy is asked


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("Heat fits.\n\n<answer>Heat</answer>", "Heat"),
        ("Heat fits.", ""),
        ("<answer>we</answer>", "we"),
        ("<answer></answer>", ""),
    ],
)
def test_the_answer_of_a_lesson_is_found_among_its_tokens(gold, answer):
    row = lesson_row(Lesson("Heat?", gold, (), system="Be kind."))
    tokenizer = make_tokenizer(["Heat fits.", "<answer>", "</answer>", "Heat?", "we"])
    ids, learned = encode_chat(tokenizer, row["messages"], row["learned"])
    places = answer_tokens(tokenizer, row["messages"], row["learned"])
    assert tokenizer.decode([ids[k] for k in places]) == answer
    assert all(learned[k] for k in places)


def test_a_template_that_rewrites_earlier_messages_is_refused():
    tokenizer = make_tokenizer(["a"])
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ':' + (m['content'] if loop.last else '') + "
        "'<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
    )
    chat = [{"role": role, "content": role} for role in ("user", "assistant", "user", "assistant")]
    with pytest.raises(TrainError, match="writes messages otherwise"):
        encode_chat(tokenizer, chat, [False, True, False, True])


def test_a_template_that_refuses_a_role_is_told_of():
    tokenizer = make_tokenizer(["a"])
    tokenizer.chat_template = "{{ raise_exception('no system role') }}"
    with pytest.raises(TrainError, match="does not take messages of system: no system role"):
        encode_chat(tokenizer, [{"role": "system", "content": "x"}] * 2, [False, True])


def test_a_run_is_prepared_from_a_models_folder(films, model):
    found = prepare(ChatSFTConfig(model=str(model)), *films)
    assert found.config.batch == 8 and found.config.steps == len(found.rows) // 8
    assert len(found.held_out) == 16  # two whole batches of the twenty
    assert found.answer < found.longest < 4096 and not found.checkpointing
    assert all(row["learned"] == [False, False, True] for row in found.rows)


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (without_template, "has no chat template"),
        (of_a_base_model, r"do not end with its eos_token <\|pad\|>: it is a base model"),
        (that_drops_spaces, "drops white space"),
        (too_short, "tokens, and .* takes 128: synthesise with fewer --candidates"),
        (unknown, r"the architecture of .* \(hasty\) is no causal language model"),
        (encoder_only, r"the architecture of .* \(t5\) is no causal language model"),
        (lambda folder: (folder / "config.json").unlink(), "no model folder at"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer can be read"),
    ],
)
def test_a_model_that_cannot_be_taught_is_refused_in_one_line(films, copy, spoil, line):
    spoil(copy)
    with pytest.raises(TrainError, match=line) as refused:
        prepare(ChatSFTConfig(model=str(copy)), *films)
    assert "\n" not in str(refused.value)


def test_a_name_that_no_hub_knows_is_told_of(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainError, match="nobody/nothing is no folder here"):
        model_folder("nobody/nothing")
    (tmp_path / "runs").mkdir()
    for path in ("runs/nothing", "./nothing", "nothing", "~/nothing", "a/b/c", "/nothing"):
        with pytest.raises(TrainError, match="no model folder at"):
            model_folder(path)


def test_memory_follows_what_was_measured_and_too_little_is_refused():
    measured = {(1400, False): 6.1e9, (2600, False): 8.6e9, (1400, True): 5.3e9}
    for (tokens, lora), peak in measured.items():
        estimate = sft_memory(SMOLLM2, tokens, lora=lora, checkpointing=False)
        assert peak < estimate < 1.1 * peak
    assert fits(SMOLLM2, 1536, lora=False, room=8e9) is True  # the bound for SmolLM2
    assert fits(SMOLLM2, 1536, lora=False, room=5.5e9) is False  # activations computed twice
    with pytest.raises(TrainError, match="needs about 4.* GB of memory, and 3.0 GB are free"):
        fits(SMOLLM2, 1536, lora=False, room=3e9)


def test_a_model_made_here_passes_its_checks(model):
    tokenizer = load_tokenizer(model)
    check_chat(model, tokenizer)
    check_round_trip(model, tokenizer, ["It is  a drama , he said."])
    shape = read_shape(model)
    assert shape.architecture == "LlamaForCausalLM" and shape.context == 4096
    assert shape.parameters == sum(
        (
            shape.vocabulary * 32,  # embeddings, tied
            2 * (2 * 32 * 32 + 2 * 16 * 32 + 3 * 32 * 64 + 2 * 32),
            32,
        )
    )
