"""Which items of the whole catalogue to recommend: by met conditions, then by preference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from agents.assistant.catalogue import Catalogue
from agents.assistant.request import Request, Wish

CLOSEST = 5  # items shown where none meets every condition
COUNTED = 12  # conditions, the first of many, of which relaxations are counted
RELAXATIONS = 4  # relaxations that are told
HISTORY = 50  # latest liked items that say what a user likes
OTHER = 0.9  # a condition met in another of its readings, as against 1
TASTE, USER, POPULAR = 1.0, 0.5, 0.2  # weights of the parts of a preference, each within 0..1


@dataclass(frozen=True)
class Found:
    """Items to recommend, best first; how many meet everything; the smallest sets of conditions
    (places from 0) to drop with the items that are left then, most first.
    """

    items: tuple[str, ...]
    matching: int
    relaxations: tuple[tuple[tuple[int, ...], int], ...] = ()


def retrieve(
    catalogue: Catalogue, request: Request, user: str | None, k: int, diverse: bool = False
) -> Found:
    """The best k items that the request does not rule out.

    Where some meet every condition, those and then items that miss none as far as is known; where
    none does, the closest. Raises DataError for an unknown user.
    """
    allowed = _allowed(catalogue, request, user)
    met = [_met(catalogue, wish) for wish in request.wishes]
    whole = np.logical_and.reduce([m > 0 for m in met]) if met else np.ones(len(allowed), bool)
    preference = _preference(catalogue, request, user)
    matching = int(np.count_nonzero(whole & allowed))
    order = _best(sum(met, np.zeros(len(allowed), np.float32)), preference, allowed, 4 * k)
    if matching:
        order = [n for n in order if whole[n] or not _misses(catalogue, request.wishes, n)]
    else:
        order = order[:CLOSEST]
    chosen = _spread(catalogue, order, k) if diverse else order[:k]
    items = tuple(catalogue.arrays.item_ids[int(n)] for n in chosen)
    relaxations = () if matching else tuple(_relaxations(met, allowed))
    return Found(items, matching, relaxations)


def _allowed(catalogue: Catalogue, request: Request, user: str | None) -> np.ndarray:
    """Without what is ruled out, named as liked, offered before or met by the user."""
    allowed = np.ones(catalogue.graph.size, bool)
    for item in (*request.exclusions, *request.anchors, *request.offered):
        allowed[catalogue.place(item)] = False
    if user is not None:
        allowed[catalogue.met_by(user)] = False
    return allowed


def _met(catalogue: Catalogue, wish: Wish) -> np.ndarray:
    """1 where an item meets a wish, OTHER where it does in another reading of the words, else 0."""
    found = catalogue.graph.met(wish.condition).astype(np.float32)
    for condition in wish.any_of:
        np.maximum(found, catalogue.graph.met(condition), out=found)
    for condition in wish.alternatives:
        np.maximum(found, OTHER * catalogue.graph.met(condition), out=found)
    return found


def _misses(catalogue: Catalogue, wishes: Sequence[Wish], place: int) -> bool:
    """Whether an item is known to miss a wish in every reading."""
    facts, item = catalogue.graph, catalogue.arrays.item_ids[place]
    for wish in wishes:
        verdicts = {facts.judge(item, condition) for condition in wish.readings}
        if verdicts == {False}:
            return True
    return False


def _best(score: np.ndarray, preference: np.ndarray, allowed: np.ndarray, k: int) -> list[int]:
    """The places of the best k of the allowed: by score, then preference, then place."""
    rank = np.where(allowed, score + preference / (1 + preference.max(initial=0.0)) / 16, -1)
    k = min(k, int(np.count_nonzero(allowed)))
    top = np.argpartition(-rank, k - 1)[:k] if k else np.zeros(0, int)
    return [int(n) for n in top[np.lexsort((top, -rank[top]))]]


def _preference(catalogue: Catalogue, request: Request, user: str | None) -> np.ndarray:
    """How much each item is to the taste that is known; popularity where none is."""
    found = POPULAR * catalogue.popularity
    if request.anchors:
        found = found + TASTE * _alike(catalogue, request.anchors)
    if user is not None and catalogue.vectors is not None:
        liked = catalogue.liked_by(user)[-HISTORY:]
        found = found + USER * _near(catalogue.vectors, liked)
    return found


def _alike(catalogue: Catalogue, anchors: Sequence[str]) -> np.ndarray:
    """How like the anchors each item is, 0..1: values that they share, the rarer the more; and the
    cosine of their vectors, where there are some.
    """
    graph, places = catalogue.graph, [catalogue.place(item) for item in anchors]
    shared = np.zeros(graph.size, np.float32)
    for item in anchors:
        for code in graph.edges(item):
            holders = graph.holding(code)
            shared[holders] += np.log(graph.size / len(holders)) if len(holders) > 1 else 0.0
    shared[places] = 0
    shared /= max(float(shared.max()), 1e-9)
    if catalogue.vectors is None:
        return shared
    return (shared + _near(catalogue.vectors, np.array(places))) / 2


def _near(vectors: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The cosine to the mean of some vectors, 0 where it is negative or unknown."""
    mean = vectors[places].mean(axis=0) if len(places) else np.zeros(vectors.shape[1], np.float32)
    length = float(np.linalg.norm(mean))
    return np.maximum(vectors @ (mean / length), 0) if length else np.zeros(len(vectors))


def _spread(catalogue: Catalogue, order: Sequence[int], k: int) -> list[int]:
    """k of the places, best first, each the least like those before it among the better half."""
    left, chosen = list(order), list(order[:1])
    edges = {n: catalogue.graph.edges(catalogue.arrays.item_ids[n]) for n in order}
    while len(chosen) < min(k, len(order)):
        left = [n for n in left if n not in chosen]
        seen = frozenset[int]().union(*(edges[n] for n in chosen))
        chosen.append(min(left, key=lambda n: len(edges[n] & seen) / max(1, len(edges[n]))))
    return chosen


def _relaxations(
    met: Sequence[np.ndarray], allowed: np.ndarray
) -> Iterator[tuple[tuple[int, ...], int]]:
    """The smallest sets of conditions without which some items meet all others."""
    counted = met[:COUNTED]
    missed = np.zeros(len(allowed), np.int32)
    for n, bits in enumerate(counted):
        missed |= (bits == 0).astype(np.int32) << n
    for bits in met[COUNTED:]:
        allowed = allowed & (bits > 0)
    counts = np.bincount(missed[allowed], minlength=1 << len(counted))
    patterns = np.flatnonzero(counts)
    for size in range(1, len(met) + 1):
        found = []
        for drop in combinations(range(len(counted)), size):
            others = ~sum(1 << n for n in drop)
            if remaining := int(counts[patterns[patterns & others == 0]].sum()):
                found.append((drop, remaining))
        if found:
            yield from sorted(found, key=lambda one: (-one[1], one[0]))[:RELAXATIONS]
            return
