"""Dialogues.

Gold transcripts of conversations and of queries with look-ups, the tool behind them, and what of a
rollout is scored.
"""

import asyncio
import shutil

import httpx
import msgspec
import pytest

from agents.synthesis.config import SynthConfig
from agents.synthesis.run import synthesise
from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from reward_server.client import AsyncLookClient
from reward_server.errors import ServerUnreachable, StaleGraph
from reward_server.local import local_server
from reward_server.snapshot import Snapshot
from reward_server.wire import Look, Looked
from train.errors import TrainError
from train.sft.encoding import encode
from train.sft.lessons import lessons
from train.sft.tokenizer import build_tokenizer
from train.sft.vocabulary import vocabulary_texts
from train.tasks import TASKS
from train.tasks.prompts import open_book
from train.tasks.tool_calls import NOTHING, parse_call, tool_message


@pytest.fixture(scope="module")
def talks(film_store, tmp_path_factory):
    """The invented films with conversations and queries that need look-ups."""
    path = tmp_path_factory.mktemp("talks") / "talks.duckdb"
    shutil.copy(film_store, path)
    config = SynthConfig(
        counts={"sft": 40, "rl": 20},
        kinds=("conversation", "tools"),
        levels=(1, 2, 3),
        seed=5,
        workers=1,
        writer="terse",
    )
    examples = synthesise(path, config)
    with Store.open(path) as store:
        store.replace_examples(examples)
    return path


@pytest.fixture(scope="module")
def world(talks):
    with Store.open(talks, read_only=True) as store:
        return Evidence.load(talks), store.examples()


def of(style, examples):
    return [e for e in examples if TASKS[style].fits(e)]


def test_the_server_answers_each_gold_call_as_the_transcript_says(talks, world):
    """Two ways to the same words: the Example's record, and the graph behind the server."""
    evidence, examples = world
    snapshot, calls = Snapshot.load(talks), 0
    for e in of("tools", examples):
        messages = TASKS["tools"].messages(e, evidence)
        for message, reply in zip(messages, messages[1:], strict=False):
            if reply.role == "tool":
                found = snapshot.look_up(parse_call(message.content, e.candidates))
                assert tool_message(found) == reply.content, message.content
                calls += 1
    assert calls > 60


def test_the_last_look_up_gives_the_gold_and_a_hasty_one_does_not_end_there(talks, world):
    evidence, examples = world
    snapshot = Snapshot.load(talks)
    for e in of("tools", examples):
        *_, reply, answer = TASKS["tools"].messages(e, evidence)
        assert (
            reply.content.strip() == evidence.attributes.titles[e.gold[0]]
            and reply.content.strip() in answer.content
        )
        first = TASKS["tools"].messages(e, evidence)[1]
        for flawed in first.flawed:
            call = parse_call(flawed, e.candidates)
            assert flawed != first.content and (
                call is None
                or snapshot.look_up(call) != snapshot.look_up(parse_call(first.content, ()))
            )


def test_a_prompt_with_look_ups_gives_no_fact_away(world):
    evidence, examples = world
    for e in of("tools", examples):
        titles = " ".join(evidence.attributes.titles[i] for i in (*e.anchors, *e.candidates))
        question = TASKS["tools"].messages(e, evidence)[0].content
        assert all(
            c.name not in question or c.name in e.query or c.name in titles for c in e.conditions
        )


def test_a_conversation_is_told_turn_by_turn(world):
    evidence, examples = world
    for e in of("conversation", examples):
        first, *rest = TASKS["conversation"].messages(e, evidence)
        assert first.content.startswith(f" {e.turns[0].text}") and all(
            t.text not in first.content for t in e.turns[1:]
        )
        assert [m.role for m in rest] == ["assistant", "user"] * (len(rest) // 2) + ["assistant"]
        assert evidence.attributes.titles[e.gold[0]] in rest[-1].content.split("<answer>")[1]
        assert all(
            evidence.attributes.titles[e.gold[0]] not in wrong.split("<answer>")[1]
            for wrong in rest[-1].flawed
        )


@pytest.mark.parametrize(
    "text, call",
    [
        (
            " <call> lookup Heat (1995) | starring </call>",
            Look("lookup", "starring", item="Heat (1995)", among=["i1"]),
        ),
        (
            "<call>holders genre | Film | Noir</call>\n",
            Look("holders", "genre", value="Film | Noir", among=["i1"]),
        ),
        (
            "<call> lookup\nHeat\n|\nstarring\n</call>",
            Look("lookup", "starring", item="Heat", among=["i1"]),
        ),
        ("I ask: <call> lookup Heat | starring </call>", None),  # a call stands alone
        ("<call> lookup Heat starring </call>", None),
        ("<call> erase Heat | starring </call>", None),
        ("<call> lookup Heat | starring", None),
        ("<answer> Heat </answer>", None),
        ("<call> lookup Heat |" + " " * 30_000 + "x", None),  # read in no time
        ("<call> lookup Heat | </call>", None),
        ("<call></call>", None),
        ("", None),
    ],
)
def test_a_call_is_read_or_it_is_none(text, call):
    assert parse_call(text, ["i1"]) == call


def test_fault_13_a_call_is_made_after_the_thoughts():
    call, looked = (
        "<call> lookup Heat (1995) | starring </call>",
        Look("lookup", "starring", item="Heat (1995)", among=["i1"]),
    )
    assert (
        parse_call(f"<think>\nI ask.\n</think>\n\n{call}", ["i1"])
        == parse_call(f"I ask.\n</think>{call}", ["i1"])
        == looked
    )
    assert (
        parse_call(f"<think>{call}</think>", ["i1"]) is parse_call(f"<think>{call}", ["i1"]) is None
    )


@pytest.mark.parametrize(
    "text",
    [
        f"lookup Film A | {'starring </call> ' * 30}",
        f"lookup {'Film ' * 500} | {'x' * 300}",
        f"holders {'x' * 300} | {'y' * 2000}",
    ],
)
def test_a_call_of_any_length_is_one_the_server_reads(snapshot, text):
    call = parse_call(f"<call> {text} </call>", ["i1"])
    assert msgspec.json.decode(msgspec.json.encode(call), type=Look) == call
    found = snapshot.look_up(call)
    assert found.found == [] and found.problem.startswith("no relation")


@pytest.mark.parametrize(
    "look, found, problem",
    [
        (Look("lookup", "starring", item="Film E (1985)"), ["Sue Stone", "Tim Tate"], ""),
        (
            Look("lookup", "director", item="film e"),
            ["Bo Berg"],
            "",
        ),  # as the resolver reads titles
        (Look("lookup", "starring", item="Film Z"), [], "'Film Z' is no item here"),
        (
            Look("lookup", "editor", item="Film E (1985)"),
            [],
            "no relation 'editor': choose from composer, director, genre, starring",
        ),
        (
            Look("holders", "director", value="BO BERG", among=["i9", "i6", "i5", "no such"]),
            ["Film F (1986)", "Film E (1985)"],
            "",
        ),
        (Look("holders", "director", value="Nobody", among=["i5"]), [], ""),
        (Look("holders", "starring", value="Bo Berg", among=["i5"]), [], ""),  # he directs
        (
            Look("holders", "editor", value="Bo Berg", among=["i5"]),
            [],
            "no relation 'editor': choose from composer, director, genre, starring",
        ),
    ],
)
def test_what_a_look_up_finds_in_the_hand_made_world(snapshot, look, found, problem):
    assert snapshot.look_up(look) == Looked(found, problem)


def test_what_the_tool_says():
    assert tool_message(Looked(["Sue Stone", "Tim Tate"], "")) == " Sue Stone\n Tim Tate"
    assert (
        tool_message(Looked([], "")) == f" {NOTHING}"
        and tool_message(Looked([], "no relation")) == " no relation"
    )


@pytest.mark.journey
def test_look_ups_over_http_and_without_a_server(talks, world):
    evidence, examples = world
    calls = [
        parse_call(m.content, e.candidates)
        for e in of("tools", examples)
        for m in TASKS["tools"].messages(e, evidence)[1:]
        if "<call>" in m.content
    ]

    async def ask(url, digest=None):
        async with AsyncLookClient(url, digest, retries=0) as client:
            return await asyncio.gather(*(client.score(call) for call in calls))

    with local_server(talks) as url:
        found = Snapshot.load(talks).look_up
        assert asyncio.run(ask(url, evidence.digest)) == [found(call) for call in calls]
        with pytest.raises(StaleGraph):
            asyncio.run(ask(url, "another"))
        for body, why in (
            ({"calls": []}, "Expected `array` of length >= 1"),
            ({"calls": [{"tool": "drop", "relation": "x"}]}, "Invalid enum value 'drop'"),
        ):
            refused = httpx.post(f"{url}/v1/look", json=body)
            assert refused.status_code == 422 and why in refused.json()["detail"]
        assert "/v1/look" in httpx.get(f"{url}/openapi.json").json()["paths"]
    with pytest.raises(ServerUnreachable):
        asyncio.run(ask(url))


@pytest.mark.parametrize("style", ["conversation", "tools"])
def test_every_turn_of_the_policy_is_learned_once(world, style):
    evidence, examples = world
    taught = lessons(examples, evidence, style)
    assert len(taught) == (1 if style == "conversation" else 2) * len(
        of(style, examples)
    )  # of the tool's: where to look first, and all the rest
    tokenizer, _ = build_tokenizer(evidence, vocabulary_texts(examples, evidence, style))
    for lesson, sample in zip(taught[:40], encode(taught[:40], tokenizer), strict=True):
        chat = tokenizer.decode(sample.prompt)
        assert [part.split("\n")[0] for part in chat.split("<|im_start|>")[1:]] == [
            "user",
            *(m.role for m in lesson.since),
            "assistant",
        ]
        assert tokenizer.decode(sample.gold) == f"{lesson.gold}<|im_end|>"
        assert sample.prompt == tokenizer(chat, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode([sample.prompt[k] for k in sample.own]) == "".join(
            f"{m.content}<|im_end|>" for m in lesson.since if m.role == "assistant" and not m.flawed
        )
    said = [
        m.content
        for e in of(style, examples)
        for m in TASKS[style].messages(e, evidence)
        if m.role == "assistant"
    ]
    learned = [
        text
        for t in taught
        for text in (
            t.gold,
            *(m.content for m in t.since if m.role == "assistant" and not m.flawed),
        )
    ]
    assert sorted(said) == sorted(learned)


def test_rows_say_what_comes_later_and_single_turns_stay_as_they_are(world):
    evidence, examples = world
    talk = of("conversation", examples)
    rows = TASKS["conversation"].rows({"rl": examples}, evidence)["rl"]
    assert [r["extra_info"]["later"] for r in rows] == [
        [f" {t.text}" for t in e.turns[1:] if t.role == "user"] for e in talk
    ]
    assert [r["extra_info"]["among"] for r in rows] == [list(e.candidates) for e in talk]
    single = TASKS["open-book"].rows({"rl": examples}, evidence)["rl"]
    assert [r["prompt"][0]["content"] for r in single] == [
        open_book(e, evidence) for e in examples
    ] and "later" not in single[0]["extra_info"]


def test_no_example_of_the_kind_is_said(film_store):
    with (
        Store.open(film_store, read_only=True) as store,
        pytest.raises(TrainError, match="rerec synth --kinds tools"),
    ):
        lessons(store.examples(), Evidence.load(film_store), "tools")
    with pytest.raises(TrainError, match="choose from open-book, chat, conversation, tools"):
        lessons([], Evidence.load(film_store), "closed-book")
