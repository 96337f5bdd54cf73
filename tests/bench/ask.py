"""`just bench ask [STORE …]`: what the assistant answers, and how quickly.

Round trip: requests of every kind, level and register are drawn over the catalogues and asked. Of
those that were understood, the gold item must be among the first ten where no more than ten items
of the catalogue meet everything; where more do, nobody could know which is gold, and its share is
only printed. Every row of every item must say what the other backend of the graph says, and every
false premise must be corrected with the true value. Dialogues: conversations played turn by turn
against the assistant, which answers each; the state must be exact after each turn. Speed: questions
of one to four conditions about a made catalogue of a million items and ten million edges.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import psutil

from agents.assistant.answer import Answer
from agents.assistant.assistant import Assistant
from agents.assistant.catalogue import Catalogue
from agents.assistant.request import Request
from agents.synthesis.kinds import DRAFTS, NEEDS
from agents.synthesis.state import Draft
from agents.synthesis.world import World
from agents.synthesis.writers.registers import REGISTERS
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Turn
from data_engine.store.database import Store
from tests.bench.generated import Generated
from tests.bench.load import report
from tests.bench.understanding import catalogues, drawn, facts, understood

FIRST = 10
SLOWEST, GIGABYTES = 0.050, 1.5
LEAST = {"settled": 0.95, "states": 0.95, "premise": 1.0, "sound": 1.0}


def is_understood(draft: Draft, request: Request) -> bool:
    """Whether the conditions and anchors are those drawn."""
    wanted = facts(() if draft.kind == "interest" else draft.conditions)
    return understood(request, wanted) == wanted and set(draft.anchors) <= set(request.anchors)


def is_corrected(draft: Draft, answer: Answer, world: World) -> bool:
    """Whether the false premise is corrected, and the true value said."""
    if draft.premise is None:
        return False
    names = world.evidence.attributes.names
    truth = world.evidence.attributes.values(draft.premise.subject, draft.premise.relation)
    false = [one for one in answer.corrections if one.verdict == "false"]
    return any(
        one.item == draft.premise.subject
        and any(names[value].casefold() in one.text.casefold() for value in truth[:1])
        for one in false
    )


def is_sound(answer: Answer, world: World) -> bool:
    """Whether each row of each item says what the graph of dicts says of its condition."""
    graph, said = world.evidence.attributes, {True: "met", False: "missed", None: "unknown"}
    wishes = answer.state.wishes
    return all(
        row.verdict == said[graph.judge(one.item, wishes[row.number - 1].condition)]
        for one in answer.recommendations
        for row in one.rows
        if len(wishes[row.number - 1].readings) == 1
    )


def round_trip(
    name: str, assistant: Assistant, world: World, asked: argparse.Namespace
) -> Iterator[tuple[str, str, bool]]:
    """(kind, measure, verdict) of each request."""
    for kind in DRAFTS:
        if kind == "conversation" or kind in NEEDS and not NEEDS[kind][0](world):
            continue
        for register in REGISTERS:
            for draft, turns in drawn(world, kind, register, asked.seed, asked.count):
                answer = assistant.answer(turns[-1].text, k=FIRST)
                for measure, verdict in judged(draft, answer, world):
                    yield kind, measure, verdict
                    if asked.failures and not verdict and measure in LEAST:
                        print(f"[{name} {kind} {measure} {draft.gold}] {turns[-1].text}")


def judged(draft: Draft, answer: Answer, world: World) -> Iterator[tuple[str, bool]]:
    """(measure, verdict) of one answer."""
    clear = is_understood(draft, answer.state)
    yield "understood", clear
    yield "sound", is_sound(answer, world)
    if not clear:
        return
    found = draft.gold in [one.item for one in answer.recommendations]
    if draft.kind != "interest":
        yield "first ten", found
        if answer.matching <= FIRST:
            yield "settled", found
    if draft.premise is not None:
        yield "premise", is_corrected(draft, answer, world)


def play(assistant: Assistant, draft: Draft, turns: tuple[Turn, ...]) -> Iterator[tuple[str, bool]]:
    """(text, whether the state was exact after it) of each turn of a person. The assistant's turns
    are those drawn, since the person's speak of them; it must answer all the same.
    """
    state, wanted, events = Request(), set[tuple[str, str, str]](), iter(draft.script)
    for turn in turns:
        if turn.role == "assistant":
            state = assistant.heard(turn.text, state)
            continue
        event = next(events)
        said = facts(event.conditions)
        wanted = wanted - said if event.act == "retract" else wanted | said
        answer = assistant.answer(turn.text, state=state, k=FIRST)
        state = answer.state
        exact = understood(state, wanted) == wanted
        yield turn.text, exact and (not event.item or event.item in state.exclusions)


def questions(catalogue: Catalogue, count: int, seed: int) -> Iterator[str]:
    """Questions of one to four facts of a drawn item, a few of them with a title."""
    rng, graph, arrays = Random(seed), catalogue.graph, catalogue.arrays
    said = {"director": "directed by {}", "starring": "starring {}", "writer": "written by {}"}
    for _ in range(count):
        item = arrays.item_ids[rng.randrange(graph.size)]
        edges = [graph.edge(code) for code in sorted(graph.edges(item))]
        parts = []
        for relation, value in rng.sample(edges, min(len(edges), rng.randint(1, 4))):
            parts.append(said.get(relation, "of the genre {}").format(graph.name(value)))
        like = f" like {graph.title(item)}" if rng.random() < 0.3 else ""
        yield f"I'd like a film{like} {', '.join(parts)}"


def speed(folder: Path, items: int, count: int, seed: int) -> tuple[float, float]:
    """(95 % of the seconds of an answer, gigabytes of this process) over a made catalogue."""
    path = folder / "made.duckdb"
    with Store.open(path, create=True) as store:
        store.replace_catalogue(Generated(items))
    Assistant(path)  # makes what is kept beside the store
    before = psutil.Process().memory_info().rss
    start = time.perf_counter()
    assistant = Assistant(path)
    print(f"{items:,} items: ready in {time.perf_counter() - start:.1f} s, {before / 2**30:.2f} GB")
    times, cpu = list[float](), list[float]()
    for text in questions(Catalogue.load(path), count, seed):
        start, used = time.perf_counter(), time.process_time()
        assistant.answer(text)
        times.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    print(f"p95 of the processor's time: {1000 * np.quantile(cpu, 0.95):.1f} ms")
    return float(np.quantile(times, 0.95)), psutil.Process().memory_info().rss / 2**30


def measure(name: str, path: Path, asked: argparse.Namespace) -> dict[str, list[bool]]:
    """Print the shares of one catalogue; the verdicts by measure."""
    world, assistant = World(Evidence.load(path)), Assistant(path)
    every: dict[str, list[bool]] = defaultdict(list)
    by_kind: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for kind, what, verdict in round_trip(name, assistant, world, asked):
        by_kind[kind][what].append(verdict)
        every[what].append(verdict)
    for kind, found in by_kind.items():
        shares = [f"{what} {np.mean(right):.3f} of {len(right)}" for what, right in found.items()]
        print(f"{name:<8}{kind:<14}{', '.join(shares)}", flush=True)
    for register in REGISTERS:
        count = asked.dialogues // len(REGISTERS)
        for draft, turns in drawn(world, "conversation", register, asked.seed, count):
            for text, exact in play(assistant, draft, turns):
                every["states"].append(exact)
                if not exact and asked.failures:
                    print(f"[{name} dialogue] {text}")
    return every


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="just bench ask")
    parser.add_argument("stores", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=20, help="requests per kind and register")
    parser.add_argument("--dialogues", type=int, default=128, help="per catalogue")
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument(
        "--items", type=int, default=1_000_000, help="of the made catalogue; 0: none"
    )
    parser.add_argument("--failures", action="store_true", help="print what went wrong")
    asked = parser.parse_args()
    every: dict[str, list[bool]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        given = ((path.stem, path) for path in asked.stores)
        for name, path in given if asked.stores else catalogues(Path(folder)):
            for what, right in measure(name, path, asked).items():
                every[what] += right
        seconds, gigabytes = 0.0, 0.0
        if asked.items:
            seconds, gigabytes = speed(Path(folder), asked.items, 300, asked.seed)
    shares = {what: float(np.mean(right)) for what, right in every.items()}
    print(", ".join(f"{what} {share:.3f} of {len(every[what])}" for what, share in shares.items()))
    print(f"p95 {1000 * seconds:.1f} ms, {gigabytes:.2f} GB")
    good = all(shares[what] >= least for what, least in LEAST.items() if what in shares)
    good = good and seconds <= SLOWEST and gigabytes <= GIGABYTES
    target = "<= 50 ms, 1.5 GB; gold of settled requests and states >= .95, all premises and rows"
    report("ask", 1000 * seconds, "ms per answer (95 %)", target, good)


if __name__ == "__main__":
    main()
