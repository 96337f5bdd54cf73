"""Claims of sentences, against what was read in them by hand (`sentences.txt`)."""

from collections import Counter
from pathlib import Path

import pytest

from data_engine.graphs.arrays import GraphArrays
from data_engine.graphs.mapped import MappedGraph
from data_engine.names.mentions import TitleFinder
from data_engine.responses.claims import ClaimChecker
from data_engine.store.database import Store

FILE = Path(__file__).with_name("sentences.txt")
SHORT = {"d1": "Ann", "d2": "Bo", "d3": "Cy", "s1": "Sue", "s2": "Tim", "c1": "Max", "c2": "Nan"}
PRECISION, RECALL = 0.98, 0.85


def labelled():
    """(sentence, claims) of the half that the reader was developed on, and of the other half."""
    halves, lines = [], FILE.read_text().splitlines()
    for line in lines:
        if line.startswith("# --"):
            halves.append([])
        elif not line.startswith("#"):
            sentence, _, claims = line.partition(" =>")
            halves[-1].append((sentence.replace("\\n", "\n"), Counter(claims.split())))
    return halves


@pytest.fixture(scope="module")
def read(hand_store):
    """read(text) → the claims as the file writes them."""
    with Store.open(hand_store, read_only=True) as store:
        graph = MappedGraph(GraphArrays.of(store))
    checker, titles = ClaimChecker(graph), TitleFinder(dict(graph.titles()))
    required = graph.requirements([("is", "starring", "s1"), ("is", "genre", "Drama")])
    signs = {"fact": "+", "lack": "-", "decision": "!"}

    def of(text):
        found = Counter()
        for claim in checker.check(text, titles.find(text), required):
            value = SHORT.get(claim.value, claim.value)
            if claim.kind in signs:
                letter = chr(64 + int(claim.subject[1:]))
                found[f"{letter}{signs[claim.kind]}{value}"] += 1
            elif claim.kind == "need":
                found[f"?{value}"] += 1
        return found

    return of


def unsigned(claims):
    """Needs without their sign: the record of a need has none, its verdict depends on it."""
    found = Counter()
    for claim, count in claims.items():
        found["?" + claim[2:] if claim.startswith("?") else claim] += count
    return found


def counts(half, read):
    """(right, read, written by hand), and the sentences that were not read as by hand."""
    right = said = written = 0
    odd = []
    for sentence, claims in half:
        expected, found = unsigned(claims), read(sentence)
        right += sum((expected & found).values())
        said += sum(found.values())
        written += sum(expected.values())
        if expected != found:
            odd.append((sentence, dict(expected - found), dict(found - expected)))
    return right, said, written, odd


@pytest.mark.parametrize("half", [0, 1])
def test_sentences_are_read_as_by_hand(read, half):
    right, said, written, odd = counts(labelled()[half], read)
    assert right >= PRECISION * said, odd
    assert right >= RECALL * written, odd


def test_there_are_two_hundred_sentences_and_none_twice():
    sentences = [sentence for half in labelled() for sentence, _ in half]
    assert len(sentences) >= 200 == len(labelled()[0]) * 2 and len(set(sentences)) == len(sentences)
