"""A policy's reasoning beside the answers of the assistant: what it is asked, and what it may do.

The endpoint is real HTTP on loopback.
"""

import io
import json
from unittest.mock import patch

import pytest
from rich.console import Console
from typer.testing import CliRunner

from agents.assistant.answer import Message
from agents.assistant.assistant import Assistant
from agents.assistant.policy import Choice
from agents.assistant.printing import ThoughtPrinter
from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Condition
from rerec.ask import ask
from rerec.policy import ModelPolicy, PolicyConfig
from tests.agents.assistant.policies import LIAR, RIGHT, policy_endpoint
from train.models.style import style_of

pytestmark = pytest.mark.unit
ASK = "a sci-fi film directed by Ridley Scott"
SCOTT = Condition(relation="director", value="scott", name="Ridley Scott")
SCIFI = Condition(relation="genre", value="scifi", name="Sci-Fi")


@pytest.fixture(scope="module")
def endpoint():
    with policy_endpoint() as server:
        yield server


@pytest.fixture(scope="module")
def reasoning(small_store, endpoint):
    """reasoning(model, …) → an answer with its reasoning."""
    assistant, evidence = Assistant(small_store), Evidence.load(small_store)

    def answered(model, text=ASK, seconds=30.0, **given):
        config = PolicyConfig(policy=endpoint.url, model=model, seconds=seconds).checked()
        with patch.object(Evidence, "load", lambda store: evidence):  # it is read once
            assistant.reason_with(config.open(small_store), seconds)
        return assistant.answer(text, **given)

    return answered


def test_a_right_policy_orders_the_candidates_and_all_its_claims_hold(reasoning, assistant):
    thoughts = []
    answer = reasoning("right", listen=thoughts.append)
    found = answer.reasoning
    assert found.text == RIGHT == "".join(thought.text for thought in thoughts)
    assert [one.item for one in found.ranking] == ["blade", "alien"] and found.named == 2
    assert {claim.verdict for claim in found.claims} == {"good"} and not found.titles
    facts = [(found.text[c.start : c.end], c.kind) for c in found.claims if c.kind == "fact"]
    assert facts == [("Ridley Scott", "fact"), ("sci-fi", "fact")]
    assert [one.item for one in answer.recommendations] == ["alien", "blade"]
    assert "The policy would take Blade Runner (1982) then Alien (1979)." in answer.text
    ended = [thought for thought in thoughts if thought.marks is not None]
    assert all("\n" in thought.text for thought in ended) and ended[-1].marks


def test_a_lying_policy_changes_nothing_and_is_found_out(reasoning, assistant):
    answer, alone = reasoning("liar"), assistant.answer(ASK)
    same = {"reasoning": None, "text": alone.text}
    assert answer.model_copy(update=same) == alone
    found = answer.reasoning
    (wrong,) = [claim for claim in found.claims if claim.text == "James Cameron"]
    assert (wrong.verdict, wrong.note) == ("bad", "Alien was directed by Ridley Scott.")
    titles = [(title.text, title.verdict) for title in found.titles]
    assert titles == [("Consider Alien Harvest (1985)", "invented"), ("Heat (1995)", "outside")] + [
        ("Alien Harvest (1985)", "invented"),
        ("Heat (1995)", "outside"),
    ]
    assert [one.item for one in found.ranking] == ["alien", "blade"] and found.named == 1
    assert "\x1b" not in found.text and found.text == LIAR.replace("\x1b", "")
    ends = [(mark.start, mark.end) for mark in found.marks]
    assert all(end <= start for (_, end), (start, _) in zip(ends, ends[1:], strict=False))
    assert "Not in the catalogue: “Consider Alien Harvest (1985)”" in answer.text


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ("hangs", "it was not done after 0.5 s"),
        ("dies", "failed ("),
        ("silent", "it ends without an answer"),
        ("missing", "refuses model 'missing' (404): "),
    ],
)
def test_whatever_happens_to_a_policy_the_graphs_answer_comes(reasoning, assistant, model, problem):
    answer = reasoning(model, seconds=0.5 if model == "hangs" else 30.0)
    assert problem in answer.reasoning.problem and not answer.reasoning.ranking
    assert answer.recommendations == assistant.answer(ASK).recommendations
    assert RIGHT.startswith(answer.reasoning.text)
    (line,) = [line for line in answer.text.split("\n") if line.startswith("The policy")]
    assert line == f"The policy gives no answer: {answer.reasoning.problem}."


def test_a_policy_hears_all_that_is_asked_for_and_no_key_but_that_of_the_environment(
    reasoning, endpoint, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "k-1")
    dialogue = [Message(role="user", content=ASK), Message(role="assistant", content="1. Alien")]
    reasoning("right", [*dialogue, Message(role="user", content="from before 1982")])
    asked, authorization = endpoint.asked[-1]
    prompt = asked["messages"][-1]["content"]
    assert authorization == "Bearer k-1" and asked["stream"] is True
    assert prompt.startswith(
        "I am looking for a film: sci-fi, directed by Ridley Scott, from before 1982."
    )
    assert "Alien (1979) — director: Ridley Scott" in prompt


def test_what_is_changed_by_hand_and_what_is_asked_of_items_needs_no_policy(reasoning, endpoint):
    before, first = len(endpoint.asked), reasoning("right")
    assert reasoning("right", "why the first one?", state=first.state).reasoning is None
    assert reasoning("right", (), state=first.state).reasoning is None
    assert len(endpoint.asked) == before + 1


def test_prompts_are_those_of_training(small_store):
    evidence = Evidence.load(small_store)
    choice = Choice(
        query="Scott!", conditions=(SCIFI, SCOTT), anchors=(), candidates=("alien", "help")
    )
    (terse,) = ModelPolicy("tiny", "open-book", evidence, iter).chat(choice)
    assert terse["content"].split("\n")[:2] == [
        " Query: Find a film in the genre Sci-Fi and directed by Ridley Scott.",
        " Candidates:",
    ]
    system, chat = ModelPolicy("smol", "chat", evidence, iter).chat(choice)
    assert system["role"] == "system" and chat["content"].startswith("Scott!\n\nCandidates:\n")


def test_the_style_is_the_one_that_the_run_says(tmp_path):
    folder = tmp_path / "run/model"
    folder.mkdir(parents=True)
    assert style_of(folder) == "chat"
    (folder / "entities.json").write_text("{}")
    assert style_of(folder) == "open-book"
    (tmp_path / "run/provenance.json").write_text(json.dumps({"config": {"style": "instructed"}}))
    assert style_of(folder) == "instructed"
    (tmp_path / "run/config.yaml").write_text("rerec: {style: closed-book}")
    assert style_of(folder) == "closed-book"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--policy", "nowhere"], "neither a model folder"),
        (["--policy", "http://127.0.0.1:1/v1"], "needs --policy-model NAME"),
        (["--policy-model", "m"], "need --policy"),
        (
            ["--policy", "http://127.0.0.1:1/v1", "--policy-model", "m", "--policy-style", "tools"],
            "chat",
        ),
    ],
)
def test_a_policy_that_cannot_be_had_is_said_at_once(words, said):
    error = CliRunner().invoke(ask, ["a comedy", *words, "--store", "missing.duckdb"]).exception
    assert isinstance(error, DataError) and said in str(error)


def test_several_questions_are_answered_and_written(small_store, endpoint, tmp_path):
    words = [ASK, "a comedy", "--store", str(small_store), "--out", str(tmp_path / "out.json")]
    policy = ["--policy", endpoint.url, "--policy-model", "right"]
    done = CliRunner().invoke(ask, [*words, *policy])
    assert done.exit_code == 0 and "Two sci-fi films directed by Ridley Scott:" in done.stdout
    written = json.loads((tmp_path / "out.json").read_text())
    assert [one["question"] for one in written["answers"]] == [ASK, "a comedy"]
    assert written["answers"][0]["answer"]["reasoning"]["text"] == RIGHT
    assert written["provenance"]["config"]["style"] == "chat"


def test_the_terminal_shows_each_line_once_with_signs(reasoning):
    shown = io.StringIO()
    printer = ThoughtPrinter(Console(file=shown, width=200))
    printer.finish(reasoning("liar", listen=printer.hear))
    said = shown.getvalue()
    assert "- Alien (1979) was directed by James Cameron✗." in said
    assert "Consider Alien Harvest (1985)⚠ or Heat (1995)◇" in said
    assert said.count("James Cameron✗") == 1 and "1. Alien (1979): " in said
