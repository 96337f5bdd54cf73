"""RPORec: the composite reward by hand, the questions, and both stages in turns through verl."""

import asyncio
import json
import math
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.datasets.sampling import evenly
from data_engine.datasets.sequences import TRAIN, VALIDATION, Sequences
from data_engine.graphs.evidence import Evidence
from reward_server.errors import ServerUnreachable, StaleGraph
from reward_server.local import local_server
from reward_server.wire import HeadScore
from tests.test_cli import rerec, start, wait_for
from train.reports.metrics import read_metrics, validations
from train.rft.resume import metrics_files
from train.sequential.queries import next_lessons, next_rows, question
from train.sequential.template import template
from train.sequential.thoughts import READ, Thought, policy_thinker
from train.sft.tiny import TinyConfig, build_model, save
from train.sft.tokenizer import build_tokenizer
from train.verl_plugin.reward import entropy_gap, next_item_reward

WEIGHTS = {
    "accuracy": 1.0,
    "format": 0.1,
    "consistency": 0.2,
    "compression": 0.3,
    "entropy_gap": 0.5,
}
LOGPROBS = [-1.0, -0.5, -0.1, -0.1, -0.1]


class Answers:
    """A fake server: returns or raises what it was made with, and keeps what it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    async def score(self, ask):
        self.asked.append(ask)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def rewarded(answer, logprobs=LOGPROBS):
    client = Answers(answer)
    decode = lambda part: "".join(map(chr, part))  # noqa: E731
    return *asyncio.run(
        next_item_reward(client, "u1:7", list(map(ord, "right")), logprobs, decode, WEIGHTS)
    ), client.asked


def test_the_composite_by_hand():
    figures, rewards, asked = rewarded(HeadScore("ok", 0.5, 3, 0.8, 0.6, ["i1"]))
    gap = 1.0 - 1.8 / 5
    score = 0.5 + 0.1 + 0.2 * 0.8 + 0.3 * 0.6 + 0.5 * gap
    assert figures["score"] == pytest.approx(score) and rewards == [
        0,
        0,
        0,
        0,
        pytest.approx(score),
    ]
    assert (figures["ndcg"], figures["answered"], figures["unscored"]) == (0.5, 1.0, 0.0)
    assert figures["ndcg@10"] == 0.5  # third place: 1 / log2(4)
    assert asked[0].query_id == "u1:7" and asked[0].response == "right"


def test_whatever_k_the_reward_has_the_tenth_place_is_told():
    assert rewarded(HeadScore("ok", 0.25, 15, 0.8, 0.6, []))[0]["ndcg@10"] == 0.0  # K = 100, say
    assert rewarded(HeadScore("no_answer", 0.0, 1, None, None, []))[0]["ndcg@10"] == 0.0


def test_no_answer_earns_nothing_for_its_words():
    figures, rewards, _ = rewarded(HeadScore("no_answer", 0.0, 3, None, None, ["i1"]))
    assert (
        figures["score"] == 0.0 == rewards[-1]
        and figures["answered"] == 0.0
        and figures["entropy_gap"] > 0
    )


def test_what_could_not_be_scored_is_said_and_is_no_score():
    figures, rewards, _ = rewarded(ServerUnreachable("gone"))
    assert (
        figures["unscored"] == 1.0
        and figures["reason"] == "gone"
        and math.isnan(figures["score"])
        and rewards == [0.0] * 5
    )


def test_the_entropy_gap_by_hand():
    assert entropy_gap([]) == 0.0 and entropy_gap([-2.0]) == 0.0
    assert entropy_gap([-0.0] * 8 + [-3.0, -1.0]) == pytest.approx((3 + 1) / 2 - 4 / 10)
    assert entropy_gap([-0.7] * 10) == pytest.approx(0.0)


@pytest.fixture(scope="module")
def evidence(film_store):
    return Evidence.load(film_store)


def test_a_question_holds_the_last_items_and_nothing_that_came_then(evidence):
    graph, rows = evidence.interactions, next_rows(evidence, "last", 50)
    sequences = Sequences.of(graph, "last")
    assert len(rows["rl"]) == 50 and {row["extra_info"]["split"] for row in rows["validation"]} == {
        "validation"
    }
    where = {
        (graph.users[n.user], len(n.history)): n
        for part in (TRAIN, VALIDATION)
        for n in sequences.nexts(part)
    }
    for row in rows["rl"] + rows["validation"]:
        user, _, length = row["reward_model"]["ground_truth"].rpartition(":")
        one, prompt = where[user, int(length)], row["prompt"][0]["content"]
        titles = [evidence.attributes.titles[sequences.items[k]] for k in one.history[-READ:]]
        assert all(title in prompt for title in titles)
        assert prompt.count("\n") == len(titles) + 1  # a line each, between the first and the last


def test_rows_are_taken_evenly():
    assert evenly([*range(10)], 4) == [0, 2, 5, 7] and evenly([1, 2], 5) == [1, 2]


@given(st.integers(1, 300), st.data())
def test_those_between_are_others(most, data):
    rows = [*range(data.draw(st.integers(2 * most, 900 + 2 * most)))]
    assert len(set(evenly(rows, most)) | set(evenly(rows, most, between=True))) == 2 * most


def test_a_policy_is_taught_the_templates_words_and_none_without_an_answer(evidence):
    sequences = Sequences.of(evidence.interactions, "last")
    moments = evenly(list(sequences.nexts(TRAIN)), 30)
    taught = next_lessons(moments, template(sequences, evidence), sequences, evidence)
    assert taught and all(
        one.gold.endswith(" </answer>") and " <answer> Next " in one.gold for one in taught
    )
    assert taught[0].prompt == question(moments[0], sequences, evidence) or len(taught) < len(
        moments
    )
    assert next_lessons(
        moments[:2], lambda asked: [Thought("so", ""), Thought("so", "x")], sequences, evidence
    )[0].prompt == question(moments[1], sequences, evidence)


def test_a_policy_thinks_once_and_a_run_cut_short_goes_on(evidence, tmp_path):
    sequences = Sequences.of(evidence.interactions, "last")
    moments, asked = evenly(list(sequences.nexts(TRAIN)), 6), []
    questions = lambda n: question(n, sequences, evidence)  # noqa: E731
    for seed in (0, 1):
        tokenizer, entities = build_tokenizer(evidence, map(questions, moments))
        save(
            tmp_path / str(seed),
            build_model(tokenizer, TinyConfig(dims=16, layers=1, seed=seed)),
            tokenizer,
            entities,
        )
    think = policy_thinker(
        tmp_path / "0",
        questions,
        tmp_path / "kept.jsonl",
        lambda done, total: asked.append((done, total)),
    )
    first = think(moments)
    assert asked == [(6, 6)] and think(moments) == first and asked == [(6, 6)]
    lines = (tmp_path / "kept.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "kept.jsonl").write_text("".join(lines[:4]) + lines[4][:9])
    assert think(moments) == first and asked[1:] == [(2, 2)]
    policy_thinker(
        tmp_path / "1",
        questions,
        tmp_path / "kept.jsonl",
        lambda done, total: asked.append((done, total)),
    )(moments)
    assert asked[2:] == [(6, 6)]  # other weights, other words


def test_a_stale_server_is_no_score_either():
    figures, _, _ = rewarded(StaleGraph("another graph"))
    assert figures["unscored"] == 1.0 and math.isnan(figures["score"])


@pytest.mark.journey
def test_stage_two_needs_a_server_that_holds_a_head(film_store, tmp_path):
    with local_server(film_store) as url:
        (tmp_path / "m").mkdir()
        (tmp_path / "m/config.json").write_text("{}")
        done = rerec(
            "train",
            "rft",
            "tiny-rporec",
            "--store",
            film_store,
            "--model",
            tmp_path / "m",
            "--run",
            tmp_path / "r",
            "--server",
            url,
        )
    assert (
        done.returncode != 0
        and "holds none: start it with --rechead" in done.stderr
        and not (tmp_path / "r").exists()
    )


STEPS = 8


@pytest.fixture(scope="module")
def turns(film_store, tmp_path_factory):
    """(run, output of the last command, the command) of both stages in turns, killed in each."""
    run = tmp_path_factory.mktemp("turns") / "r"
    changes = {
        "trainer.total_training_steps": STEPS,
        "trainer.test_freq": STEPS,
        "trainer.save_freq": 3,
        "actor_rollout_ref.actor.optim.lr": 2e-4,  # few steps from a beginner that hardly answers
        "rerec.queries": 256,
        "data.val_max_samples": 100,
    }
    words = [
        "train",
        "rporec",
        "--store",
        film_store,
        "--run",
        run,
        "--cut",
        "last",
        "--lessons",
        "200",
        "--epochs",
        "20",
        "--json",
    ]
    words += [
        "--sft-steps",
        "100",
        *(word for key, value in changes.items() for word in ("--set", f"{key}={value}")),
    ]
    for reached in ("0/head/checkpoint.pt", "1/rft/checkpoints/latest_checkpointed_iteration.txt"):
        process = start(*words)
        wait_for(process, (run / reached).is_file)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not (run / "rporec.json").exists()
    done = rerec(*words)
    assert done.returncode == 0, done.stderr[-2000:]
    return run, json.loads(done.stdout.splitlines()[-1]), words


@pytest.mark.journey
def test_policy_and_head_take_turns(turns):
    run, found, words = turns
    assert [(one["round"], one["head"]) for one in found["rounds"]] == [
        (0, "trained"),
        (1, "frozen"),
        (1, "trained"),
    ]
    assert found["best"] in found["rounds"] and found["best"]["validation"] == max(
        (one["validation"] for one in found["rounds"]), key=lambda figures: figures["NDCG@10"]
    )
    made = (run / "1/rft/model/config.json").stat().st_mtime_ns
    assert json.loads(rerec(*words).stdout.splitlines()[-1])["rounds"] == found["rounds"]
    assert (run / "1/rft/model/config.json").stat().st_mtime_ns == made


@pytest.mark.journey
def test_a_policy_that_stage_two_made_thinks_for_a_head_of_its_own(turns, film_store, tmp_path):
    run, _, _ = turns
    words = [
        "train",
        "rechead",
        "--store",
        film_store,
        "--run",
        tmp_path,
        "--cut",
        "last",
        "--lessons",
        "20",
        "--epochs",
        "1",
        "--json",
    ]
    done = rerec(*words, "--policy", run / "1/rft/model")
    assert done.returncode == 0, done.stderr[-2000:]
    said, known = (
        [json.loads(line) for line in (at / "words/thoughts.jsonl").read_text().splitlines()]
        for at in (tmp_path, run)
    )
    assert said and {(one["prompt"], one["response"]) for one in said} & {
        (one["prompt"], one["response"]) for one in known
    }


@pytest.mark.journey
def test_stage_two_killed_goes_on_from_its_checkpoint_and_raises_the_reward(turns):
    run, _, _ = turns
    attempts = [
        [json.loads(line) for line in path.read_text().splitlines()]
        for path in metrics_files(run / "1/rft")
    ]
    assert len(attempts) == 2
    (first, second) = (
        [row["step"] for row in rows if "rerec/score" in row["data"]] for rows in attempts
    )
    saved = second[0] - 1
    assert (
        saved % 3 == 0 and 0 < saved <= first[-1] + 1
    )  # a step is saved before it is logged: the kill may come between
    assert second == [*range(saved + 1, STEPS + 1)]
    metrics = read_metrics(metrics_files(run / "1/rft"))
    assert {
        "rerec/ndcg",
        "rerec/consistency",
        "rerec/compression",
        "rerec/entropy_gap",
        "rerec/score",
    } <= set(metrics)
    steps, scores = validations(metrics)["score"]  # the same queries, greedy
    assert (steps[0], steps[-1]) == (0, STEPS) and scores[-1] > scores[0]


@pytest.mark.journey
def test_the_rounds_are_drawn(turns):
    run, _, _ = turns
    page = (run / "report.html").read_text()
    assert (
        page.count("data:image/png;base64,") == 2
        and "best by validation" in page
        and "Stage 2, round 1" in page
    )
    assert (
        rerec("report", run / "1/rft").returncode == 0
        and "tiny-rporec" in (run / "1/rft/report.html").read_text()
    )
