"""Which items of the whole catalogue to recommend: by met conditions, then by preference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from agents.assistant.catalogue import Catalogue
from agents.assistant.request import Request, Wish
from data_engine.graphs.inverted import InvertedGraph

CLOSEST = 5  # items shown where none meets every condition, or few do
FEW = 3  # items that meet every condition, below which those that may meet it are shown too
COUNTED = 12  # conditions, the first of many, of which relaxations are counted
RELAXATIONS = 4  # relaxations that are told
HISTORY = 50  # latest liked items that say what a user likes
MET, OTHER = 2, 1  # points of a condition that is met, as it is read first or otherwise
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

    Where some meet every condition, those; where they are few, then items that miss none as far as
    is known; where there is none, the closest, or nothing where those that fit were shown before.
    Raises DataError for an unknown user.
    """
    ruled_out = _ruled_out(catalogue, request, user)
    met = [_points(catalogue.graph, wish) for wish in request.wishes]
    total, all_met = np.zeros(catalogue.graph.size, np.uint8), np.ones(catalogue.graph.size, bool)
    for points in met:
        total += points
        all_met &= points > 0
    whole = _without(np.flatnonzero(all_met), ruled_out)
    wanted = 4 * k if diverse else k
    order = _best(catalogue, request, user, whole, total, wanted)
    if not len(whole) and _have_fitted(catalogue, request, all_met):
        order = []
    elif not len(whole):
        order = _closest(catalogue, request, user, ruled_out, total, CLOSEST)
    elif len(whole) < min(k, FEW):
        possible = _without(_unmissed(catalogue.graph, request.wishes, met), whole)
        possible = _without(possible, ruled_out)
        more = min(k, CLOSEST) - len(whole)
        order += _best(catalogue, request, user, possible, total, more)
    chosen = _spread(catalogue, order, k) if diverse else order[:k]
    items = tuple(catalogue.arrays.item_ids[n] for n in chosen)
    relaxations = () if len(whole) else tuple(_relaxations(met, ruled_out))
    return Found(items, len(whole), relaxations)


def _have_fitted(catalogue: Catalogue, request: Request, all_met: np.ndarray) -> bool:
    """Whether an item that was offered before meets every condition."""
    offered = [catalogue.place(item) for item in request.offered]
    return bool(request.wishes) and bool(all_met[offered].any())


def _ruled_out(catalogue: Catalogue, request: Request, user: str | None) -> np.ndarray:
    """The places, sorted, of what was ruled out, named as liked, offered before, not asked about,
    or met by the user.
    """
    items = (*request.exclusions, *request.anchors, *request.offered)
    places = np.array([catalogue.place(item) for item in items], np.int64)
    if request.among:
        asked = [catalogue.place(item) for item in request.among]
        places = np.append(places, np.delete(np.arange(catalogue.graph.size), asked))
        user = None  # the question is about items that were shown, known or not
    return np.union1d(places, catalogue.met_by(user)) if user is not None else np.unique(places)


def _points(graph: InvertedGraph, wish: Wish) -> np.ndarray:
    """Points of each item for a wish; 0 where it does not meet it in any reading."""
    found = np.zeros(graph.size, np.uint8)
    if wish.condition.op == "not":  # of all that may be meant
        found[np.logical_and.reduce([graph.met(one) for one in wish.readings])] = MET
        return found
    for condition in wish.alternatives:
        found[graph.met(condition)] = OTHER
    for condition in (wish.condition, *wish.any_of):
        if condition.op == "is":
            found[graph.places(condition.relation, condition.value)] = MET
        else:
            found[graph.met(condition)] = MET
    return found


def _unmissed(
    graph: InvertedGraph, wishes: Sequence[Wish], met: Sequence[np.ndarray]
) -> np.ndarray:
    """The places of the items that meet some wish and are known to miss none."""
    found, some = np.ones(graph.size, bool), np.zeros(graph.size, bool)
    for wish, points in zip(wishes, met, strict=True):
        some |= points > 0
        found &= graph.unknown(wish.condition) | (points > 0)
    return np.flatnonzero(found & some)


def _without(places: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The places, ascending, that are not among the others, ascending too."""
    if not len(others):
        return places
    at = np.minimum(np.searchsorted(others, places), len(others) - 1)
    return places[others[at] != places]


def _closest(
    catalogue: Catalogue,
    request: Request,
    user: str | None,
    ruled_out: np.ndarray,
    total: np.ndarray,
    k: int,
) -> list[int]:
    """The best k places that are not ruled out: by their points, then by preference."""
    least = int(total.max(initial=0))
    while least and np.count_nonzero(total >= least) < k + len(ruled_out):
        least -= 1
    near = _without(np.flatnonzero(total >= least), ruled_out)
    return _best(catalogue, request, user, near, total, k)


def _best(
    catalogue: Catalogue,
    request: Request,
    user: str | None,
    places: np.ndarray,
    total: np.ndarray,
    k: int,
) -> list[int]:
    """The best k of the places: by their points, then preference, then place."""
    if not len(places):
        return []
    preference = _preference(catalogue, request, user, places)
    rank = total[places] + preference / (1 + preference.max()) / 16
    k = min(k, len(places))
    top = np.argpartition(-rank, k - 1)[:k]
    return [int(places[n]) for n in top[np.lexsort((places[top], -rank[top]))]]


def _preference(
    catalogue: Catalogue, request: Request, user: str | None, places: np.ndarray
) -> np.ndarray:
    """How much the items at these places are to the taste that is known."""
    found = POPULAR * catalogue.popularity[places]
    if request.anchors:
        found = found + TASTE * _alike(catalogue, request.anchors, places)
    if user is not None and catalogue.vectors is not None:
        liked = catalogue.liked_by(user)[-HISTORY:]
        found = found + USER * _near(catalogue.vectors, liked, places)
    return found


def _alike(catalogue: Catalogue, anchors: Sequence[str], places: np.ndarray) -> np.ndarray:
    """How like the anchors the items are, 0..1: values that they share, the rarer the more; and
    the cosine of their vectors, where there are some.
    """
    graph, named = catalogue.graph, [catalogue.place(item) for item in anchors]
    shared = np.zeros(graph.size, np.float32)
    for item in anchors:
        for code in graph.edges(item):
            holders = graph.holding(code)
            shared[holders] += np.log(graph.size / len(holders))
    shared[named] = 0
    found = shared[places] / max(float(shared.max()), 1e-9)
    if catalogue.vectors is None:
        return found
    return (found + _near(catalogue.vectors, np.array(named), places)) / 2


def _near(vectors: np.ndarray, liked: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The cosine to the mean of the liked vectors, 0 where it is negative or unknown."""
    mean = vectors[liked].mean(axis=0) if len(liked) else np.zeros(vectors.shape[1], np.float32)
    length = float(np.linalg.norm(mean))
    if not length:
        return np.zeros(len(places), np.float32)
    of = vectors if len(places) == len(vectors) else vectors[places]
    return np.maximum(of @ (mean / length), 0)


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
    met: Sequence[np.ndarray], ruled_out: np.ndarray
) -> Iterator[tuple[tuple[int, ...], int]]:
    """The smallest sets of conditions without which some items meet all others; of more than
    COUNTED conditions the later ones are always kept.
    """
    counted = met[:COUNTED]
    missed = np.zeros(len(met[0]) if met else 0, np.uint16)
    for n, points in enumerate(counted):
        missed |= (points == 0).astype(np.uint16) << n
    for points in met[COUNTED:]:
        missed[points == 0] = 1 << COUNTED
    counts = np.bincount(missed, minlength=1)
    np.subtract.at(counts, missed[ruled_out] if met else [], 1)
    patterns = np.flatnonzero(counts)
    for size in range(1, len(counted) + 1):
        found = []
        for drop in combinations(range(len(counted)), size):
            others = ~sum(1 << n for n in drop)
            if remaining := int(counts[patterns[patterns & others == 0]].sum()):
                found.append((drop, remaining))
        if found:
            yield from sorted(found, key=lambda one: (-one[1], one[0]))[:RELAXATIONS]
            return
