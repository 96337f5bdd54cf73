"""Evaluation of dialogues as of single turns, on the device that is there.

Names that say what a method is.
"""

import json
import shutil

import pytest
import torch

from agents.synthesis.config import SynthConfig
from agents.synthesis.run import synthesise
from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from reward_server.client import RewardClient
from reward_server.local import local_server
from reward_server.wire import Looked
from train.evaluation.config import EvalConfig
from train.evaluation.evaluate import evaluate
from train.evaluation.placement import placement
from train.sequential.config import METHODS
from train.tasks import TASKS
from train.tasks.play import play
from train.tasks.tool_calls import MOST_CALLS


@pytest.fixture(scope="module")
def talks(film_store, tmp_path_factory):
    """(store, evidence, Examples) of invented films with conversations and look-ups, and a few
    of another kind.
    """
    path = tmp_path_factory.mktemp("talks") / "films.duckdb"
    shutil.copy(film_store, path)
    kinds = ("conversation", "tools", "explicit")
    config = SynthConfig(
        counts={"validation": 18}, kinds=kinds, levels=(2,), seed=6, workers=1, writer="terse"
    )
    examples = synthesise(path, config)
    with Store.open(path) as store:
        store.replace_examples(examples)
    return path, Evidence.load(path), examples


def gold(example, evidence, style):
    """What a perfect policy says, a message at a time."""
    return [m.content for m in TASKS[style].messages(example, evidence) if m.role == "assistant"]


def tables(example, evidence):
    """Look-ups answered from the Example's own calls."""
    graph = evidence.attributes
    known = {}
    for call in example.calls:
        if call.tool == "lookup":
            known[graph.titles[call.item], call.relation] = sorted(
                {graph.names[v] for v in call.result}
            )
        else:
            known[call.relation, graph.names[call.value]] = [
                graph.titles[i] for i in example.candidates if i in call.result
            ]

    def look_up(looks):
        return [
            Looked(
                known[
                    (look.item, look.relation)
                    if look.tool == "lookup"
                    else (look.relation, look.value)
                ],
                "",
            )
            for look in looks
        ]

    return look_up


@pytest.mark.parametrize("style", ["conversation", "tools"])
def test_fault_gap_a_dialogue_is_played_as_its_transcript_has_it(talks, style):
    _, evidence, examples = talks
    chosen = [e for e in examples if e.kind == style]
    assert chosen
    for example in chosen:
        lines = iter(gold(example, evidence, style))
        dialogue = TASKS[style].start(example, evidence)
        (last,) = play(
            [dialogue], lambda chats, turn, lines=lines: [next(lines)], tables(example, evidence)
        )
        assert dialogue.chat == [
            {"role": m.role, "content": m.content} for m in TASKS[style].messages(example, evidence)
        ]
        assert last == dialogue.chat[-1]["content"] and next(lines, None) is None


def test_fault_gap_dialogues_of_other_lengths_are_played_side_by_side(talks):
    _, evidence, examples = talks
    chosen = [e for e in examples if e.kind == "conversation"]
    dialogues = [TASKS["conversation"].start(e, evidence) for e in chosen]
    told = []
    play(
        dialogues,
        lambda chats, turn: [f"{turn} of {len(chats)}" for _ in chats],
        lambda looks: [],
        progress=lambda *p: told.append(p),
    )
    for dialogue, example in zip(dialogues, chosen, strict=True):
        said = [m["content"] for m in dialogue.chat if m["role"] == "user"]
        assert len(said) == sum(turn.role == "user" for turn in example.turns)
        assert dialogue.chat[-1]["role"] == "assistant"
    assert told[-1] == (len(chosen), len(chosen))


def test_fault_gap_who_never_stops_asking_is_heard_a_last_time(talks):
    _, evidence, examples = talks
    example = next(e for e in examples if e.kind == "tools")
    call = gold(example, evidence, "tools")[0]
    dialogue = TASKS["tools"].start(example, evidence)
    (last,) = play(
        [dialogue],
        lambda chats, turn: [call],
        lambda looks: [Looked([], "no such title")] * len(looks),
    )
    assert last == call and dialogue.calls == MOST_CALLS
    assert [m["role"] for m in dialogue.chat] == [
        "user",
        *["assistant", "tool"] * MOST_CALLS,
        "assistant",
    ]


@pytest.mark.parametrize(
    ("there", "expected"), [(True, ("cuda", "bf16")), (False, ("cpu", "fp32"))]
)
def test_fault_gap_a_gpu_is_used_where_there_is_one(monkeypatch, there, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert placement() == expected


def test_fault_25_a_mean_of_item_vectors_is_not_called_lightgcn():
    assert "lightgcn-mean" in METHODS and "lightgcn" not in METHODS


@pytest.mark.parametrize("recipe", ["tiny-grpo", "tiny-tools", "tiny-conversation"])
def test_fault_gap_a_comparison_judges_a_policy_in_the_style_it_was_trained_in(
    tmp_path, monkeypatch, recipe
):
    from omegaconf import OmegaConf

    from train.evaluation import cells
    from train.evaluation.matrix import Cell, CompareConfig
    from train.evaluation.methods import Method

    style = {"tiny-grpo": "open-book"}.get(recipe, recipe.removeprefix("tiny-"))
    composed = OmegaConf.create({"data": {"max_response_length": 96}, "rerec": {"style": style}})
    monkeypatch.setattr(cells, "trained_config", lambda folder: composed)
    run = []
    monkeypatch.setattr(cells, "_run", lambda name, words, cell: run.append(words) or "")
    config = CompareConfig(
        store=tmp_path / "s.duckdb", model=tmp_path, methods=(recipe,), seeds=(0,)
    )
    method = Method(name=recipe, recipe=recipe, overrides=())
    cells.fill(Cell(method, 0, tmp_path), config, "http://127.0.0.1:1")
    evaluated = next(words for words in run if words[0] == "eval")
    assert evaluated[evaluated.index("--style") + 1] == style


@pytest.mark.journey
@pytest.mark.parametrize("style", ["conversation", "tools"])
def test_fault_gap_dialogues_are_evaluated(talks, tmp_path, style):
    """A policy that has hardly learned to write, on the command line.

    Every dialogue is played to its end, judged, and kept.
    """
    from tests.test_cli import rerec

    path, evidence, examples = talks
    with Store.open(path) as store:
        of_style = [e for e in examples if e.kind == style]
        taught = [e.model_copy(update={"split": "sft"}).named() for e in of_style]
        store.replace_examples([*examples, *taught])
    run = tmp_path / "sft"
    done = rerec(
        "train",
        "sft",
        "--store",
        path,
        "--run",
        run,
        "--style",
        style,
        "--gold-steps",
        30,
        "--mixed-steps",
        2,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    out = tmp_path / "found.json"
    words = [
        "eval",
        run / "model",
        "--store",
        path,
        "--style",
        style,
        "--split",
        "validation",
        "--max-tokens",
        48,
    ]
    done = rerec(*words, "--out", out)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads(out.read_text())["rows"]
    assert len(rows) == len(of_style) and {row["kind"] for row in rows} == {style}
    for row in rows:
        chat = row["dialogue"]
        assert chat[0]["role"] == "user" and chat[-1] == {
            "role": "assistant",
            "content": row["response"],
        }
        if style == "conversation":
            (example,) = [e for e in of_style if e.example_id == row["example_id"]]
            assert sum(m["role"] == "user" for m in chat) == sum(
                turn.role == "user" for turn in example.turns
            )
    none = rerec("eval", run / "model", "--store", path, "--style", style, "--split", "test")
    assert none.returncode and "no Examples" in none.stderr


@pytest.mark.journey
def test_fault_gap_a_perfect_speaker_is_judged_perfect(talks, monkeypatch):
    """Through the real server.

    Gold look-ups are answered as the transcript has them, and the last message is scored.
    """
    from train.evaluation import generate

    path, evidence, examples = talks
    chosen = [e for e in examples if e.kind == "tools"]
    lines = {e.query: gold(e, evidence, "tools") for e in chosen}

    def speak(model, tokenizer, chats, *more):
        said = []
        for chat in chats:
            (query,) = [q for q in lines if q in " ".join(chat[0]["content"].split())]
            said.append(lines[query][sum(m["role"] == "assistant" for m in chat)])
        return said

    monkeypatch.setattr(generate, "load", lambda *_: (None, None))
    monkeypatch.setattr(generate, "continue_chats", speak)
    monkeypatch.setattr("train.evaluation.evaluate._retention", lambda *_: None)
    with local_server(path) as url, RewardClient(url, evidence.digest) as client:
        found = evaluate(EvalConfig(model=path, style="tools"), chosen, evidence, client)
    assert found["summary"]["ndcg"]["mean"] == 1.0
    for row, example in zip(found["rows"], chosen, strict=True):
        assert row["dialogue"] == [
            {"role": m.role, "content": m.content}
            for m in TASKS["tools"].messages(example, evidence)
        ]
