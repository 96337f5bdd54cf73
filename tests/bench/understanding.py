"""`just bench understanding [STORE …]`: the share of synthesised requests understood exactly.

Requests of every kind, level and register are drawn over movies and ML-1M (where ../shared has
them), the embedded world and the tests' books, or over the stores given, and read back: conditions,
anchors, premises and, turn by turn, the states of conversations must be those drawn. Kinds that
name no condition must be understood to have none.
"""

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from agents.assistant.catalogue import Catalogue
from agents.assistant.request import Request
from agents.assistant.understanding.understand import Understanding
from agents.synthesis.kinds import DRAFTS, NEEDS
from agents.synthesis.state import Draft
from agents.synthesis.world import World
from agents.synthesis.writers.registers import REGISTERS
from agents.synthesis.writers.template import TemplateWriter
from data_engine.graphs.evidence import Evidence
from data_engine.importers.movielens import MovieLens
from data_engine.importers.tables import Tables
from data_engine.importers.world import WorldConfig, make_world
from data_engine.schema import Condition, Turn
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from tests.agents.books import book_catalogue
from tests.bench.load import report

SHARED = Path(__file__).resolve().parents[2].parent / "shared/data"
TARGETS = {"plain": 0.97, "formal": 0.97, "chatty": 0.90, "terse": 0.90, "noisy": 0.80}
Facts = frozenset[tuple[str, str, str]]


def facts(conditions: tuple[Condition, ...]) -> Facts:
    """What conditions say, whatever their order."""
    return frozenset((c.op, c.relation, c.value) for c in conditions)


def understood(request: Request, wanted: AbstractSet[tuple[str, str, str]]) -> Facts:
    """The facts of a request; of people of the same name, the one that is wanted, since nobody
    could know which.
    """
    found = set()
    for wish in request.wishes:
        (first,) = facts((wish.condition,))
        namesakes = facts(tuple(c for c in wish.alternatives if c.name == wish.condition.name))
        found.add(next(iter(namesakes & wanted - {first}), first) if first not in wanted else first)
    return frozenset(found)


def mistakes(draft: Draft, turns: tuple[Turn, ...], understanding: Understanding) -> Iterator[str]:
    """What was understood otherwise than it was drawn."""
    if draft.script:
        yield from mistakes_of_states(draft, turns, understanding)
        return
    request = understanding.understand(turns[-1].text).request
    wanted = facts(() if draft.kind == "interest" else draft.conditions)
    if (got := understood(request, wanted)) != wanted:
        yield f"conditions: {sorted(got - wanted)} too many, {sorted(wanted - got)} missing"
    missing = set(draft.anchors) - set(request.anchors)
    if missing or set(request.anchors) - set(draft.anchors) - set(draft.history):
        yield f"anchors: {request.anchors} for {draft.anchors}"
    false = {(p.item, p.relation, p.value) for p in request.premises if p.verdict == "false"}
    told = draft.premise
    if false != ({(told.subject, told.relation, told.value)} if told else set()):
        yield f"premises: {false}"


def mistakes_of_states(
    draft: Draft, turns: tuple[Turn, ...], understanding: Understanding
) -> Iterator[str]:
    """As `mistakes`, of the state after each turn of a conversation."""
    events, state, wanted = iter(draft.script), Request(), set[tuple[str, str, str]]()
    for turn in turns:
        if turn.role == "assistant":
            state = understanding.heard(turn.text, state)
            continue
        event = next(events)
        said = facts(event.conditions)
        wanted = wanted - said if event.act == "retract" else wanted | said
        state = understanding.understand(turn.text, state).request
        if (got := understood(state, wanted)) != wanted:
            yield f"after {turn.text!r}: {sorted(got - wanted)} too many, {wanted - got} missing"
        if event.item and event.item not in state.exclusions:
            yield f"after {turn.text!r}: {event.item} is not ruled out"


def drawn(
    world: World, kind: str, register: str, seed: int, count: int
) -> Iterator[tuple[Draft, tuple[Turn, ...]]]:
    """So many requests of a kind in a register, of all levels in turn."""
    noisy = register == "noisy"
    writer = TemplateWriter({"plain": 1.0} if noisy else {register: 1.0}, noise=noisy)
    rng, made, tries = Random(f"{seed}/{kind}/{register}"), 0, 0
    while made < count and tries < 400 * count:
        tries += 1
        if draft := DRAFTS[kind](world, rng, level := 1 + made % 3):
            made += 1
            draft = replace(draft, level=level)
            yield draft, asyncio.run(writer.turns(draft, world, rng, ()))


def catalogues(folder: Path) -> Iterator[tuple[str, Path]]:
    """The stores to measure on, made in a folder."""
    known, large = ImportOptions(skip_unknown=True), SHARED / "ml-1m"
    sources = {"world": (make_world(WorldConfig()), ImportOptions())}
    sources["books"] = (book_catalogue(), ImportOptions())
    if (SHARED / "movies").is_dir():
        sources["movies"] = Tables(folder=SHARED / "movies"), known
    if large.is_dir():
        files = {"triples": large / "kg.tsv.gz", "ratings": large / "pairs.tsv.gz"}
        sources["ml-1m"] = MovieLens(folder=large, **files), known
    for name, (source, options) in sources.items():
        path = folder / f"{name}.duckdb"
        with Store.open(path, create=True) as store:
            store.replace_catalogue(source, options)
        yield name, path


def measure(name: str, path: Path, asked: argparse.Namespace) -> dict[str, list[bool]]:
    """Print the exact shares of one catalogue by kind and register; the verdicts by register."""
    world = World(Evidence.load(path))
    start = time.perf_counter()
    understanding = Understanding(Catalogue.load(path).graph)
    print(f"\n== {name}: index built in {time.perf_counter() - start:.2f} s", flush=True)
    found: dict[str, list[bool]] = defaultdict(list)
    registers = (*REGISTERS, "noisy")
    times, failures, left, said = list[float](), list[str](), 0, 0
    print(f"{'':<14}" + "".join(f"{register:>9}" for register in registers))
    for kind in asked.kinds or DRAFTS:
        if kind in NEEDS and not NEEDS[kind][0](world):
            continue
        row = f"{kind:<14}"
        for register in registers:
            right = []
            for draft, turns in drawn(world, kind, register, asked.seed, asked.count):
                start = time.perf_counter()
                wrong = list(mistakes(draft, turns, understanding))
                times.append((time.perf_counter() - start) / sum(t.role == "user" for t in turns))
                right.append(not wrong)
                last = understanding.understand(turns[-1].text).request.not_understood
                left, said = left + bool(last), said + 1
                if wrong:
                    text = " / ".join(turn.text for turn in turns)
                    failures.append(f"[{kind} {draft.level} {register}] {text}\n    {wrong[0]}")
                elif last and asked.leftovers:
                    print("  left over:", [span.text for span in last], turns[-1].text)
            found[register] += right
            row += f"{np.mean(right):>9.3f}" if right else f"{'-':>9}"
        print(row, flush=True)
    print(
        f"{1000 * np.quantile(times, 0.95):.2f} ms per message (95 %), "
        f"words left over in {left / said:.1%}"
    )
    for failure in Random(0).sample(failures, min(asked.failures, len(failures))):
        print(failure)
    return found


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="just bench understanding")
    parser.add_argument("stores", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=60, help="requests per kind and register")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*")
    parser.add_argument(
        "--failures", type=int, default=8, help="how many are printed per catalogue"
    )
    parser.add_argument("--leftovers", action="store_true", help="print words not understood")
    asked, every = parser.parse_args(), defaultdict[str, list[bool]](list)
    with tempfile.TemporaryDirectory() as folder:
        given = ((path.stem, path) for path in asked.stores)
        for name, path in given if asked.stores else catalogues(Path(folder)):
            for register, right in measure(name, path, asked).items():
                every[register] += right
    shares = {register: float(np.mean(right)) for register, right in every.items() if right}
    print("\n" + ", ".join(f"{r} {share:.3f} (≥ {TARGETS[r]})" for r, share in shares.items()))
    worst = min(share - TARGETS[register] for register, share in shares.items())
    report("understanding", worst, "least share above its target", 0, worst >= 0)


if __name__ == "__main__":
    main()
