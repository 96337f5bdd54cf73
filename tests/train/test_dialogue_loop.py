"""The dialogue loop in verl's own machinery, with a scripted policy and a real reward server: what is said, learned from and scored."""

import asyncio
import json
import math
import os
import shutil
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from agents.synthesis.config import SynthConfig
from agents.synthesis.run import synthesise
from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from reward_server.local import local_server
from train.sft.tokenizer import build_tokenizer
from train.sft.vocabulary import vocabulary_texts
from train.tasks.dialogues import asking, conversation, example_rows, fits

os.environ.update(VERL_PLATFORM="cpu", VERL_USE_EXTERNAL_MODULES="train.verl_plugin.platform_cpu")
pytestmark = pytest.mark.journey  # verl alone takes ten seconds to import
ROOM = 400


@pytest.fixture(scope="module")
def served(film_store, tmp_path_factory):
    """(evidence, Examples, tokenizer, URL of the server) of invented films with conversations and look-ups."""
    path = tmp_path_factory.mktemp("loops") / "films.duckdb"
    shutil.copy(film_store, path)
    config = SynthConfig(
        counts={"rl": 12},
        kinds=("conversation", "tools"),
        levels=(2,),
        seed=6,
        workers=1,
        writer="terse",
    )
    examples = synthesise(path, config)
    with Store.open(path) as store:
        store.replace_examples(examples)
    evidence = Evidence.load(path)
    tokenizer, _ = build_tokenizer(
        evidence,
        [
            t
            for style in ("conversation", "tools")
            for t in vocabulary_texts(examples, evidence, style)
        ],
    )
    with local_server(path) as url:
        yield evidence, examples, tokenizer, url


class Scripted:
    """Says the next of its texts, each token with log-probability −1, and remembers what it was given."""

    def __init__(self, tokenizer, texts):
        self.tokenizer, self.texts, self.prompts = tokenizer, list(texts), []

    async def generate(self, *, prompt_ids, sampling_params, **_):
        self.prompts.append(self.tokenizer.decode(prompt_ids))
        ids = self.tokenizer(self.texts.pop(0))["input_ids"] + [self.tokenizer.eos_token_id]
        ids = ids[: sampling_params["max_tokens"]]
        return SimpleNamespace(
            token_ids=ids,
            log_probs=[-1.0] * len(ids),
            extra_fields={"global_steps": 0},
            num_preempted=None,
        )


def run(served, example, style, texts, room=ROOM, url=None):
    from verl.experimental.agent_loop.agent_loop import DictConfigWrap

    from train.verl_plugin import agent_loop, dialogue_loop

    for clients in (agent_loop._client, dialogue_loop._client):
        clients.cache_clear()  # they belong to an event loop
    evidence, _, tokenizer, server = served
    ours = {
        "server": url or server,
        "graph_digest": evidence.digest,
        "weights": {"k": 1},
        "retries": 0,
        "judged": 0.0,
    }
    rollout = {"prompt_length": 512, "response_length": room}
    config = OmegaConf.create(
        {"rerec": ours, "actor_rollout_ref": {"rollout": rollout}, "data": {}}
    )
    scripted = Scripted(tokenizer, texts)

    async def play():
        loop = dialogue_loop.DialogueAgentLoop(
            DictConfigWrap(config),
            scripted,
            tokenizer,
            None,
            None,
            DictConfigWrap(config.data),
            hf_model_type="qwen2",
        )
        (row,) = example_rows([example], evidence, style)
        return await loop.run(
            {"temperature": 1.0},
            raw_prompt=row["prompt"],
            extra_info=row["extra_info"],
            reward_model=row["reward_model"],
        )

    return asyncio.run(play()), scripted


def own(output, tokenizer):
    """The policy's tokens as text, and what lies between them."""
    pairs = list(zip(output.response_ids, output.response_mask, strict=True))
    return [tokenizer.decode([t for t, mask in pairs if mask == wanted]) for wanted in (1, 0)]


def first(served, style):
    return next(e for e in served[1] if fits(style, e))


@pytest.mark.parametrize("style, transcript", [("tools", asking), ("conversation", conversation)])
def test_gold_turns_play_the_gold_transcript_and_earn_everything(served, style, transcript):
    evidence, _, tokenizer, _ = served
    example = first(served, style)
    messages = transcript(example, evidence)
    said = [m.content for m in messages if m.role == "assistant"]
    output, scripted = run(served, example, style, said)
    figures = output.extra_fields["reward_extra_info"]
    assert (
        figures["score"] == figures["ndcg"] == 1.0
        and figures["unscored"] == 0.0
        and not scripted.texts
    )
    assert (figures["calls"], figures["turns"]) == (len(example.calls), len(messages))
    whole = tokenizer.decode(output.response_ids, skip_special_tokens=True)
    pieces = [whole[s["start"] : s["end"]] for s in json.loads(figures["segments"])]
    assert (
        pieces
        and evidence.attributes.titles[example.gold[0]] in pieces[-1]
        and all(piece in said[-1] for piece in pieces)
    )
    mine, others = own(output, tokenizer)
    assert mine == "".join(
        f"{text}<|im_end|>" for text in said
    )  # learned from: this, and nothing else
    for message in messages[1:]:
        assert (
            message.role == "assistant" or f"{message.role}\n{message.content}<|im_end|>" in others
        )
    assert [
        lp for lp, mask in zip(output.response_logprobs, output.response_mask, strict=True) if mask
    ] == [-1.0] * sum(output.response_mask)
    rewards = output.as_dict()["rm_scores"]
    assert (
        rewards[-1] == 1.0
        and rewards[:-1].abs().sum() == 0
        and len(rewards) == len(output.response_ids)
    )
    template = tokenizer.apply_chat_template(
        [m._asdict() for m in messages[:-1]], add_generation_prompt=True, tokenize=False
    )
    assert scripted.prompts[-1] == template  # the last turn reads the chat as the lessons showed it


def test_a_wrong_end_earns_nothing_and_a_hasty_answer_ends_it(served):
    evidence, _, _, _ = served
    example = first(served, "tools")
    wrong = evidence.attributes.titles[next(i for i in example.candidates if i not in example.gold)]
    output, scripted = run(served, example, "tools", [f" <answer> {wrong} </answer>", "never said"])
    figures = output.extra_fields["reward_extra_info"]
    assert (figures["score"], figures["calls"], figures["turns"], figures["answered"]) == (
        0.0,
        0.0,
        2.0,
        1.0,
    ) and scripted.texts == ["never said"]


def test_calls_without_end_end(served):
    example = first(served, "tools")
    output, scripted = run(served, example, "tools", [" <call> lookup nobody | genre </call>"] * 20)
    figures = output.extra_fields["reward_extra_info"]
    assert figures["calls"] == 6.0 and figures["answered"] == 0.0 and len(scripted.texts) == 20 - 7


def test_a_dialogue_that_outgrows_its_room_is_cut_and_not_answered(served):
    evidence, _, tokenizer, _ = served
    example = first(served, "conversation")
    said = [m.content for m in conversation(example, evidence) if m.role == "assistant"]
    for room in (len(tokenizer(said[0])["input_ids"]) + 4, 3):
        output, _ = run(served, example, "conversation", said, room=room)
        figures = output.extra_fields["reward_extra_info"]
        assert (
            len(output.response_ids)
            == len(output.response_mask)
            == len(output.response_logprobs)
            == len(output.as_dict()["rm_scores"])
            == room
        )
        assert figures["answered"] == 0.0 == figures["score"]


def test_a_tool_that_does_not_answer_leaves_the_response_unscored(served):
    evidence, _, _, _ = served
    example = first(served, "tools")
    said = [m.content for m in asking(example, evidence) if m.role == "assistant"]
    output, _ = run(served, example, "tools", said, url="http://127.0.0.1:9")
    figures = output.extra_fields["reward_extra_info"]
    assert (
        figures["unscored"] == 1.0
        and math.isnan(figures["score"])
        and "does not answer" in figures["reason"]
    )
