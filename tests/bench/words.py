"""How queries and reasoning read, beside the real benchmark's and hand-written ones.

`python -m tests.bench.words [STORE …]`: the Examples of these stores; without one 200 per kind of
the invented world and, where ../shared has them, of movies, demographics of ML-1M.
`--real FILE`: real queries by kind as JSON lines (../shared). `--model FOLDER`: the language model
(runs/smollm2, made where it is missing). Figures of a kind that has no real queries are held
against the mean of those that have; terse queries (key words) against none, as no real one is.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from agents.llm.smollm2 import make_smollm2
from agents.synthesis.config import SynthConfig
from agents.synthesis.gate import Limits
from agents.synthesis.kinds import can_carry
from agents.synthesis.naturalness import LanguageModel, Span, TextScore, perplexity
from agents.synthesis.report import commonest
from agents.synthesis.run import synthesise
from agents.synthesis.world import World
from data_engine.graphs.evidence import Evidence
from data_engine.importers.movielens import MovieLens
from data_engine.importers.tables import Tables
from data_engine.importers.world import WorldConfig, make_world
from data_engine.names.mentions import NameFinder
from data_engine.names.spoken import spoken_title
from data_engine.names.titles import split_year
from data_engine.responses.telling import told
from data_engine.runtime.quiet import quieten
from data_engine.schema import KINDS, Example
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from tests.bench.load import report
from tests.word_measures import distinct_at, interval, lower_words, masked, name_spans, told_apart

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared/data"
REASONING = Path(__file__).with_name("reasoning_lines.txt")
QUERIES, LINES, LEAST_REAL = 200, 400, 24
HIGHEST_RATIO, HIGHEST_AUC, LEAST_DISTINCT, HIGHEST_SHARE = 1.3, 0.90, 0.8, 0.08
TERSE = "terse"  # key words: no real query is, so they are held against none
Texts = Mapping[str, Sequence[str]]  # by kind
FindNames = Callable[[str], list[Span]]


class Marks:
    """Marks what misses its target, and counts."""

    def __init__(self) -> None:
        self.missed = 0

    def __call__(self, holds: bool) -> str:
        self.missed += not holds
        return "" if holds else "  MISSED"


@dataclass(frozen=True)
class Real:
    """Real queries by kind, with their scores; empty where there are none."""

    texts: Texts
    scores: Mapping[str, Sequence[TextScore]]

    @classmethod
    def read(cls, path: Path, model: LanguageModel) -> "Real":
        texts: dict[str, list[str]] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                texts.setdefault(row["kind"], []).append(row["query"])
        else:
            print(f"no real queries at {path}: nothing is held against them")
        return cls(texts, {kind: model.score(said) for kind, said in texts.items()})

    def of(self, kind: str, names: FindNames | None = None) -> float | None:
        """The perplexity of a kind, the mean of all where it has no real queries.

        names: finds those that are left out.
        """
        if not self.texts:
            return None
        known = {
            k: perplexity(without(scores, self.texts[k], names) if names else scores)
            for k, scores in self.scores.items()
        }
        return known.get(kind, float(np.mean(list(known.values()))))


def queries(store: Path, examples: Sequence[Example], model: LanguageModel, real: Real) -> int:
    """Print all measures of the Examples' queries; the number that miss."""
    marks, by_kind = Marks(), dict[str, list[Example]]()
    for example in sorted(examples, key=lambda e: KINDS.index(e.kind)):
        by_kind.setdefault(example.kind, []).append(example)
    texts = {kind: [e.said for e in group] for kind, group in by_kind.items()}
    names = name_finder(store, [*texts.values(), *real.texts.values()])
    for kind, said in texts.items():
        print(f"{kind} ({len(said)})")
        scores = model.score(said)
        prose = [s for e, s in zip(by_kind[kind], scores, strict=True) if e.style != TERSE]
        print(f"  perplexity {versus(prose, real.of(kind), 'real', marks)}")
        bare, outer = without(scores, said, names), real.of(kind, names)
        styles = [e.style for e in by_kind[kind]]
        print(
            f"  names left out: {perplexity(bare):.1f}" + (f", real {outer:.1f}" if outer else "")
        )
        print(
            f"  the limits of --critic smollm2 are exceeded by {exceeding(kind, styles, bare):.0%}"
        )
        print(f"  by register: {by_register(styles, scores)}")
        print(f"  distinct-2 {variety(said, real.texts.get(kind, ()), marks)}")
        gram, share = commonest([masked(text, names(text)) for text in said])
        mark = marks(share <= HIGHEST_SHARE)
        print(f"  commonest 6-gram in {share:.1%} (≤ {HIGHEST_SHARE:.0%}): {gram!r}{mark}")
    whole = {k: [e.said for e in group if e.style != TERSE] for k, group in by_kind.items()}
    print(told_from_real(whole, real.texts, names, marks))
    return marks.missed


def told_from_real(ours: Texts, real: Texts, names: FindNames, marks: Marks) -> str:
    """How well a classifier tells the two apart, in kinds that both have, names masked."""
    shared = [kind for kind in ours if kind in real]
    if sum(len(real[kind]) for kind in shared) < LEAST_REAL:
        return "told from real queries: there are too few of these kinds"

    def chosen(texts: Texts) -> list[list[str]]:
        return [list(map(hide, texts[kind])) for kind in shared]

    def hide(text: str) -> str:
        return masked(text, names(text))

    letters = told_apart(chosen(ours), chosen(real), "char", (2, 5))
    words = told_apart(chosen(ours), chosen(real), "word", (1, 3))
    return (
        f"told from real queries ({', '.join(shared)}): AUC {letters:.3f} by characters "
        f"(≤ {HIGHEST_AUC}), {words:.3f} by words{marks(letters <= HIGHEST_AUC)}"
    )


def versus(scores: Sequence[TextScore], other: float | None, name: str, marks: Marks) -> str:
    """The perplexity of texts with its interval, and its ratio to another."""
    totals = np.array([sum(score.nlls) for score in scores])
    tokens = np.array([score.tokens for score in scores])
    low, high = interval(
        len(scores), lambda drawn: float(np.exp(totals[drawn].sum() / tokens[drawn].sum()))
    )
    said = f"{perplexity(scores):.1f} ({low:.1f}–{high:.1f})"
    if other is None:
        return said
    ratio = perplexity(scores) / other
    return (
        f"{said}, {name} {other:.1f}, ratio {ratio:.2f} ({low / other:.2f}–{high / other:.2f}; "
        f"≤ {HIGHEST_RATIO}){marks(ratio <= HIGHEST_RATIO)}"
    )


def by_register(styles: Sequence[str], scores: Sequence[TextScore]) -> str:
    """Perplexity per register, with the number of texts."""
    groups: dict[str, list[TextScore]] = {}
    for style, score in zip(styles, scores, strict=True):
        groups.setdefault(style or "none", []).append(score)
    return ", ".join(f"{s} {perplexity(g):.0f} ({len(g)})" for s, g in sorted(groups.items()))


def exceeding(kind: str, styles: Sequence[str], scores: Sequence[TextScore]) -> float:
    """The share of texts that the naturalness gate objects to."""
    limits = Limits.read()
    over = [
        perplexity([score]) > limits.of(kind, style)
        for style, score in zip(styles, scores, strict=True)
    ]
    return sum(over) / len(over)


def variety(ours: Sequence[str], real: Sequence[str], marks: Marks) -> str:
    """distinct-2, of as many texts as there are real ones where there are any."""
    if not real:
        return f"{distinct_at(ours, len(ours)):.2f} of all, no real ones"
    mine, theirs = distinct_at(ours, len(real)), distinct_at(real, len(real))
    mark = marks(mine >= LEAST_DISTINCT * theirs)
    return (
        f"{mine:.2f} of {len(real)}, real {theirs:.2f}, ratio {mine / theirs:.2f} "
        f"(≥ {LEAST_DISTINCT}){mark}"
    )


def without(scores: Sequence[TextScore], texts: Sequence[str], names: FindNames) -> list[TextScore]:
    """The scores of the texts without their names."""
    return [score.outside(names(text)) for score, text in zip(scores, texts, strict=True)]


def name_finder(store: Path, texts: Sequence[Sequence[str]]) -> FindNames:
    """What finds the names that the store knows, and words with capitals."""
    graph = Evidence.load(store).attributes
    names = {name for name in graph.names.values() if any(map(str.isupper, name))}
    for title in graph.titles.values():
        names |= {spoken_title(title), split_year(title)[0]}
    finder = NameFinder([(name, name) for name in names if len(name) > 2], fold_case=False)
    said = [text for group in texts for text in group]
    return partial(name_spans, names=finder, words=lower_words(said))


def reasoning(store: Path, examples: Sequence[Example], model: LanguageModel) -> int:
    """Print how lines of chains read beside hand-written ones; 1 where they miss."""
    graph, marks, lines = Evidence.load(store).attributes, Marks(), list[str]()
    for example in examples:
        for chain in example.chains:
            lines += told(example, chain, graph.titles, graph.names)
    drawn = Random(0).sample(lines, min(LINES, len(lines)))
    written = REASONING.read_text(encoding="utf-8").splitlines()
    known = perplexity(model.score(written))
    name = f"{len(written)} hand-written ones"
    print(f"reasoning lines ({len(drawn)}): {versus(model.score(drawn), known, name, marks)}")
    return marks.missed


def made_stores(folder: Path) -> Iterator[tuple[str, Path, Sequence[Example]]]:
    """The catalogues to synthesise from, by name, each with its Examples."""
    known, large = ImportOptions(skip_unknown=True), SHARED / "ml-1m"
    sources: dict[str, tuple[Any, ImportOptions, Sequence[str]]] = {
        "the invented world": (make_world(WorldConfig()), ImportOptions(), KINDS)
    }
    if (SHARED / "movies").is_dir():
        sources["movies"] = Tables(folder=SHARED / "movies"), known, KINDS
    if large.is_dir():  # the only one with groups of users
        files = {"triples": large / "kg.tsv.gz", "ratings": large / "pairs.tsv.gz"}
        sources["ML-1M"] = MovieLens(folder=large, **files), known, ("demographics",)
    for name, (source, options, kinds) in sources.items():
        path = folder / f"{name.split()[-1]}.duckdb"
        with Store.open(path, create=True) as store:
            store.replace_catalogue(source, options)
        yield name, path, synthesised(path, kinds)


def synthesised(store: Path, kinds: Sequence[str]) -> list[Example]:
    """QUERIES Examples of each of these kinds that the catalogue can carry, of all levels."""
    world = World(Evidence.load(store))
    kinds = [kind for kind in kinds if can_carry(kind, world)]
    counts = {"sft": QUERIES * len(kinds)}
    return list(synthesise(store, SynthConfig(counts=counts, kinds=kinds, levels=(1, 2, 3))))


def stored(store: Path) -> list[Example]:
    """The first QUERIES Examples of each kind in a store."""
    found: dict[str, list[Example]] = {}
    with Store.open(store, read_only=True) as opened:
        for example in opened.examples():
            found.setdefault(example.kind, []).append(example)
    return [example for group in found.values() for example in group[:QUERIES]]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="just bench words")
    parser.add_argument("stores", nargs="*", type=Path)
    parser.add_argument("--real", type=Path, default=SHARED / "recbench_plus/samples.jsonl")
    parser.add_argument("--model", type=Path, default=ROOT / "runs/smollm2")
    asked, start, missed = parser.parse_args(), time.perf_counter(), 0
    quieten()
    if not (asked.model / "config.json").is_file():
        make_smollm2(asked.model)
    model = LanguageModel(asked.model)
    real = Real.read(asked.real, model)
    with tempfile.TemporaryDirectory() as folder:
        given = ((str(path), path, stored(path)) for path in asked.stores)
        for name, path, examples in given if asked.stores else made_stores(Path(folder)):
            print(f"\n== {name}", flush=True)
            missed += queries(path, examples, model, real)
            missed += reasoning(path, examples, model)
    print(f"\n{time.perf_counter() - start:.0f} s")
    report("words", missed, "measures that miss", 0, missed == 0)


if __name__ == "__main__":
    main()
