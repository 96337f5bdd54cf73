"""Synthesis: Examples are provable, labels the graph's, the same seed gives the same bytes."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from agents.synthesis.chains import build_chains
from agents.synthesis.config import SynthConfig
from agents.synthesis.graph import build_graph
from agents.synthesis.kinds import DRAFTS, check_kind
from agents.synthesis.labels import judge, label
from agents.synthesis.ledger import synthesis_folder
from agents.synthesis.nodes import Nodes
from agents.synthesis.run import synthesise
from agents.synthesis.state import Request
from agents.synthesis.verify import problems
from agents.synthesis.world import World
from agents.synthesis.writers.terse import TerseWriter
from data_engine.errors import DataError, RunInUse, UnsupportedKind
from data_engine.graphs.evidence import Evidence
from data_engine.names.titles import split_year
from data_engine.quality.audit import audit
from data_engine.runtime.run_directory import RunDirectory
from data_engine.schema import KINDS, Claim, Condition, Example, Turn
from data_engine.store.database import Store
from tests.test_cli import start

SUE = Condition(relation="starring", value="s1", name="Sue Stone")
DRAMA = Condition(relation="genre", value="Drama", name="Drama")


def copy(store, folder):
    """The store in a folder of its own, with no ledger yet."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(store, folder))


def fact(item, relation, value, holds=True):
    return Claim(kind="fact", subject=item, relation=relation, value=value, holds=holds)


@pytest.mark.parametrize(
    ("claim", "truth"),
    [
        (fact("i1", "starring", "s1"), True),
        (fact("i1", "starring", "s2"), False),
        (fact("i1", "starring", "s2", holds=False), True),
        (fact("i1", "editor", "e1"), None),
        (fact("i1", "editor", "e1", holds=False), None),
        (Claim(kind="need", relation="genre", value="Drama"), True),
        (Claim(kind="need", relation="genre", value="Comedy"), False),
        (Claim(kind="keep", subject="i3", holds=True), True),
        (Claim(kind="keep", subject="i2", holds=True), False),
        (Claim(kind="keep", subject="i2", holds=False), True),
    ],
)
def test_claims_are_judged_by_the_graph(hand_store, claim, truth):
    assert judge(claim, Evidence.load(hand_store).attributes, (SUE, DRAMA)) is truth


def test_a_need_step_is_wrong_when_it_drops_a_condition(hand_store):
    graph = Evidence.load(hand_store).attributes
    half = (Claim(kind="need", relation="genre", value="Drama"),)
    assert label("need", "", half, graph, (SUE, DRAMA)).label == "wrong"
    assert label("need", "", half, graph, (DRAMA,)).label == "correct"


def test_a_wrong_step_cites_the_edge_that_contradicts_it(hand_store):
    labelled = label(
        "hop", "", (fact("i1", "director", "d2"),), Evidence.load(hand_store).attributes, ()
    )
    assert labelled.label == "wrong" and labelled.evidence == (("i1", "director", "d1"),)


def test_every_example_passes_both_the_agents_proof_and_the_independent_audit(film_store):
    world = World(Evidence.load(film_store))
    with Store.open(film_store, read_only=True) as store:
        examples, result = store.examples(), audit(store)
    assert result.checked == 160 and result.violations == []
    assert result.splits == Counter(sft=80, rl=40, validation=20, test=20) and set(
        result.kinds.values()
    ) == {40}
    assert [problems(e, world) for e in examples] == [[]] * 160


def test_an_example_has_what_its_kind_promises(film_store):
    world = World(Evidence.load(film_store))
    graph = world.evidence.attributes
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples()
    for e in examples:
        assert [c.flaw == "" for c in e.chains] == [True] + [False] * (len(e.chains) - 1) and len(
            e.chains
        ) == 3
        assert all(any(s.label == "wrong" for s in c.steps) for c in e.chains[1:])
        assert split_year(graph.titles[e.gold[0]])[0] not in e.query
        if e.kind == "explicit":
            assert len(e.conditions) == 2 and all(c.name in e.query for c in e.conditions)
        else:
            assert all(c.name not in e.query for c in e.conditions) and all(
                graph.titles[a] in e.query for a in e.anchors
            )
        if e.kind in ("implicit", "interest"):
            shared = set.intersection(*(set(graph.edge_sets[a]) for a in e.anchors)) & {
                (e.conditions[0].relation, v) for v in graph.names
            }
            assert shared == {(e.conditions[0].relation, e.conditions[0].value)}
        if e.kind == "misinformed":
            assert graph.names[e.premise.value] in e.query and graph.excludes(
                e.premise.subject, e.premise.relation, e.premise.value
            )


def test_flaws_are_the_shortcuts_of_the_kind(film_store):
    with Store.open(film_store, read_only=True) as store:
        flaws = {(e.kind, c.flaw) for e in store.examples() for c in e.chains[1:]}
    assert {
        ("explicit", "condition_dropped"),
        ("misinformed", "premise_trusted"),
        ("implicit", "one_anchor_only"),
        ("interest", "one_anchor_only"),
    } <= flaws


@pytest.mark.parametrize("spoil", ["gold", "negative", "label", "leak", "split", "premise"])
def test_a_spoiled_example_fails_the_audit(film_store, tmp_path, spoil):
    """Mutations of a right Example, each of which one check must catch."""
    (tmp_path / "s.duckdb").write_bytes(film_store.read_bytes())
    with Store.open(tmp_path / "s.duckdb") as store:
        examples, evidence = store.examples(), Evidence.load(film_store)
        e = next(e for e in examples if e.kind == "misinformed")
        negative = next(i for i in e.candidates if i not in e.gold)
        meets = next(
            i
            for i in evidence.attributes.holders(e.conditions[0].relation, e.conditions[0].value)
            if i not in (*e.candidates, *e.anchors)
        )
        first = e.chains[0].steps[0]
        bad = {
            "gold": {"gold": (negative,)},
            "negative": {"candidates": tuple(meets if i == negative else i for i in e.candidates)},
            "label": {
                "chains": (
                    e.chains[0].model_copy(
                        update={
                            "steps": (
                                first.model_copy(update={"label": "wrong"}),
                                *e.chains[0].steps[1:],
                            )
                        }
                    ),
                    *e.chains[1:],
                )
            },
            "leak": {"query": f"{e.query} Like {evidence.attributes.titles[e.gold[0]]}."},
            "split": {"provenance": e.provenance.model_copy(update={"graph_digest": "other"})},
            "premise": {"premise": e.premise.model_copy(update={"value": e.conditions[0].value})},
        }[spoil]
        store.replace_examples([e.model_copy(update=bad).named()])
        assert audit(store).violations


def test_an_edited_example_no_longer_has_its_id(film_store):
    with Store.open(film_store, read_only=True) as store:
        e = store.examples()[0]
    assert e.named() == e and e.style == e.provenance.critic == ""
    record = e.model_dump(mode="json", exclude={"example_id", "style"})
    del record["provenance"]["critic"]
    canonical = json.dumps(
        record, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    ).encode()
    assert e.example_id == hashlib.sha256(canonical).hexdigest()[:16]
    assert e.model_copy(update={"query": e.query + " "}).named().example_id != e.example_id
    assert Example.model_validate_json(e.model_dump_json()) == e


@pytest.mark.journey
def test_the_same_seed_gives_the_same_bytes_for_any_number_of_workers(film_store, tmp_path):
    counts = {"sft": 12, "test": 8}
    one, two = (
        list(
            synthesise(
                copy(film_store, tmp_path / str(n)), SynthConfig(counts=counts, seed=9, workers=n)
            )
        )
        for n in (1, 2)
    )
    assert [e.model_dump_json() for e in one] == [e.model_dump_json() for e in two]
    other = synthesise(
        copy(film_store, tmp_path / "other"), SynthConfig(counts=counts, seed=10, workers=1)
    )
    assert {e.example_id for e in one}.isdisjoint(e.example_id for e in other)


@pytest.mark.journey
def test_workers_end_with_a_parent_that_is_killed(film_store, tmp_path):
    process = start("synth", "--store", copy(film_store, tmp_path), "--sft", 5000, "--workers", 2)
    assert any(re.match(r"synth [1-9]", line) for line in process.stdout)  # they are at work
    process.kill()
    process.communicate(timeout=60)  # ends with the last process that can write there


def test_no_link_of_a_held_out_query_is_seen_in_training(film_store):
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples()
    seen = {
        (e.gold[0], c.value) for e in examples if e.split in ("sft", "rl") for c in e.conditions
    }
    assert all(
        any((e.gold[0], c.value) not in seen for c in e.conditions)
        for e in examples
        if e.split == "test"
    )


@pytest.mark.journey
def test_gold_positions_are_spread(film_store, tmp_path):
    examples = synthesise(
        copy(film_store, tmp_path), SynthConfig(counts={"sft": 600}, seed=1, workers=2)
    )
    counts = Counter(e.gold_position for e in examples)
    chi2 = sum((counts[p] - 100) ** 2 / 100 for p in range(6))
    assert chi2 < 15.1  # p > 0.01 at 5 degrees of freedom


def test_the_graph_rewords_and_redraws_twice_at_most_then_gives_up(film_store):
    class Leaky(TerseWriter):
        calls = 0

        async def turns(self, draft, world, rng, problems):
            Leaky.calls += 1
            return (Turn(role="user", text=world.evidence.attributes.titles[draft.gold]),)

    nodes, request = (
        Nodes(World(Evidence.load(film_store)), Leaky(), 6),
        str(Request(0, "sft", "explicit", 2, 0)),
    )
    state = build_graph(nodes).invoke({"request": request, "attempt": 0})
    assert (
        Leaky.calls == 9 and "names the gold" in state["problems"][0]
    )  # three drafts, three wordings each
    assert [r.attempt for r in nodes.pop(request).rejects] == [
        0,
        0,
        0,
        1,
        1,
        1,
        2,
        2,
    ]  # the last is the caller's to record


def test_a_kind_the_data_cannot_carry_names_the_missing_columns(film_store):
    with pytest.raises(UnsupportedKind, match="age, gender or occupation"):
        check_kind("demographics", World(Evidence.load(film_store)))
    with pytest.raises(UnsupportedKind, match="choose from explicit"):
        check_kind("psychic", World(Evidence.load(film_store)))
    assert set(DRAFTS) == set(KINDS)


def test_two_syntheses_of_one_store_do_not_work_at_once(film_store, tmp_path):
    store = copy(film_store, tmp_path)
    with RunDirectory(synthesis_folder(store)).held():
        with pytest.raises(RunInUse, match="still at work in .*films.duckdb.synth"):
            synthesise(store, SynthConfig(counts={"sft": 1}, workers=1))


@pytest.mark.journey
def test_a_quota_beyond_the_catalogue_says_how_far_it_got(hand_store, monkeypatch, tmp_path):
    monkeypatch.setattr("agents.synthesis.lanes.MOST_FAILURES", 64)  # give up sooner
    with pytest.raises(DataError, match="could be made and proven"):
        synthesise(
            copy(hand_store, tmp_path),
            SynthConfig(counts={"sft": 50_000}, kinds=("misinformed",), candidates=8, workers=1),
        )


@pytest.mark.journey
def test_synthesis_pulls_in_no_learning_library():
    code = (
        "import sys, agents.synthesis.run; loaded = {m.split('.')[0] for m in sys.modules}; "
        "print(sorted(loaded & {'torch', 'verl', 'ray', 'fastapi'}))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_a_chain_reads_as_its_claims_say(hand_store):
    """The gold chain of a hand-made draft, word for word."""
    from agents.synthesis.state import Draft

    world = World(Evidence.load(hand_store))
    draft = Draft(
        "explicit", "u1", "i1", (SUE, DRAMA), (), None, (), (), (), candidates=("i2", "i1", "i9")
    )
    gold = build_chains(draft, TerseWriter(), world)[0]
    assert [s.text for s in gold.steps] == [
        "Need star Sue Stone and genre Drama.",
        "Film B (1982) Sue Stone yes, Comedy no skip Film B (1982)",
        "Film A (1981) Sue Stone yes, Drama yes keep Film A (1981)",
        "Film I (1989) Tim Tate no, Drama yes skip Film I (1989)",
    ]
    assert json.loads(gold.model_dump_json())["answer"] == "i1"
