"""`rerec score`."""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.errors import DataError
from data_engine.runtime.options import DEFAULT_STORE, StoreOption

if TYPE_CHECKING:
    from reward_server.snapshot import Snapshot
    from reward_server.wire import Response, Score, Weights

score = typer.Typer(pretty_exceptions_enable=False)
SAME = 1e-12  # scores that differ by less are equal


@score.command()
def _score(
    file: Annotated[
        Path | None,
        typer.Argument(help='JSON lines of {"example_id", "response"}; "-" reads standard input.'),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    profile: Annotated[
        str, typer.Option(help="ndcg, rerec, rerec-conditions or open-catalogue.")
    ] = "rerec",
    compare: Annotated[
        str | None,
        typer.Option(
            help="Another profile: show both, "
            "and how often they order two responses to one query otherwise."
        ),
    ] = None,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit",
            help="Instead of a file, try canned cheats on the store's Examples; fails if one pays.",
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print every score (or the audit), one JSON object a line, instead of the means.",
        ),
    ] = False,
) -> None:
    """Score stored responses in process: the server's own code and figures, without a server.

    Example: rerec score rollouts.jsonl --store runs/movies.duckdb --json
    """
    from data_engine.runtime.console import show
    from reward_server.snapshot import Snapshot

    profiles = _profiles(profile, compare)
    if audit:
        _audit(Snapshot.load(store), profiles[profile], as_json)
        return
    if file is None:
        raise DataError("give a file of responses, or --audit")
    responses = _read_responses(file)
    snapshot = Snapshot.load(store)
    scores = {name: snapshot.score(responses, weights) for name, weights in profiles.items()}
    if compare is not None:
        show(_comparison(scores[profile], scores[compare], profile, compare), as_json)
    elif as_json:
        _print_scores(scores[profile])
    else:
        show(_means(scores[profile]), False)


def _profiles(*names: str | None) -> Mapping[str, "Weights"]:
    """The named profiles by name. Raises DataError for an unknown one."""
    from reward_server.scoring import PROFILES

    known = {str(name): weights for name, weights in PROFILES.items()}
    wanted = [name for name in names if name is not None]
    for name in wanted:
        if name not in known:
            raise DataError(f"no profile {name!r}: choose from {', '.join(known)}")
    return {name: known[name] for name in wanted}


def _print_scores(scores: list["Score"]) -> None:
    """One JSON object per line."""
    import msgspec

    for one in scores:
        print(msgspec.json.encode(one).decode())


def _means(scores: list["Score"]) -> dict[str, object]:
    mean = {
        name: round(sum(getattr(s, name) or 0.0 for s in scores) / len(scores), 4)
        for name in ("score", "ndcg")
    }
    statuses = dict(Counter(s.status for s in scores))
    return {"responses": len(scores), "mean": mean, "status": statuses}


def _comparison(
    scores: list["Score"], others: list["Score"], profile: str, other: str
) -> dict[str, object]:
    """The mean score by each profile, and how often they disagree."""
    return {
        "responses": len(scores),
        profile: {"mean": round(sum(s.score for s in scores) / len(scores), 4)},
        other: {"mean": round(sum(s.score for s in others) / len(others), 4)},
        "pairs_ordered_otherwise": _disagreement(scores, others),
    }


@contextmanager
def _lines(file: Path) -> Iterator[Iterable[str]]:
    """The lines of a file, or of standard input for "-"."""
    if str(file) == "-":
        yield sys.stdin
        return
    if not file.is_file():
        raise DataError(f"no file {file}")
    with file.open(encoding="utf-8") as lines:
        yield lines


def _read_responses(file: Path) -> list["Response"]:
    """The responses of a file. Raises DataError with file and line."""
    with _lines(file) as lines:
        found = [
            _parse(line, f"{file} line {number}")
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]
    if not found:
        raise DataError(f"{file} holds no responses")
    return found


def _parse(line: str, place: str) -> "Response":
    import msgspec

    from reward_server.wire import Response

    try:
        row = json.loads(line)
        known = {"example_id": row["example_id"], "response": row["response"]}
        return msgspec.convert(known, Response)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f'{place}: expected {{"example_id": text, "response": text}} ({type(error).__name__})'
        ) from error


def _disagreement(scores: list["Score"], others: list["Score"]) -> float | None:
    """Share of the pairs of responses to one Example that two profiles order otherwise, 0..1.

    None where no Example has two responses.
    """
    by_example: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for score, other in zip(scores, others, strict=True):
        by_example[score.example_id].append((score.score, other.score))
    disagreements = []
    for rows in by_example.values():
        for (a, other_a), (b, other_b) in combinations(rows, 2):
            disagreements.append(_sign(a - b) != _sign(other_a - other_b))
    if not disagreements:
        return None
    return round(sum(disagreements) / len(disagreements), 4)


def _sign(difference: float) -> int:
    return (difference > SAME) - (difference < -SAME)


def _audit(snapshot: "Snapshot", weights: "Weights", as_json: bool) -> None:
    """Show what each cheat got. Raises RewardError when one beats an honest right answer."""
    from data_engine.runtime.console import show
    from reward_server.cheats import probe
    from reward_server.errors import RewardError

    probes = probe(snapshot, weights)
    if as_json:
        for one in probes:
            facts = {
                "name": one.name,
                "mean": round(one.mean, 4),
                "beats_honest": one.beats,
                "statuses": one.statuses,
            }
            print(json.dumps(facts))
    else:
        rows: dict[str, object] = {
            one.name: {"mean": round(one.mean, 3), "beats honest": one.beats, **one.statuses}
            for one in probes
        }
        show(rows, False, "cheats")
    if paying := [one.name for one in probes if one.beats]:
        raise RewardError(
            f"{len(paying)} cheats beat an honest right answer ({', '.join(paying)}): "
            "do not train on this reward"
        )
