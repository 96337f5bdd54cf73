"""Outcomes: what came of a request, as the ledger stores it."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.synthesis.near_duplicates import minhash
from agents.synthesis.state import Reject, Work
from data_engine.schema import Example, content_hash


@dataclass(frozen=True)
class Outcome:
    """What came of a request.

    body: the Example as JSON, None when all attempts failed. identity: see `identity_of`, "" for
    none. shingles: the MinHash of the words. rejects: the attempts that failed.
    """

    request: str
    body: str | None
    identity: str
    shingles: bytes
    rejects: tuple[Reject, ...]


def outcome_of(request: str, problems: Sequence[str], work: Work) -> Outcome:
    """The outcome of finished work; with problems there is no Example."""
    example = None if problems else work.example
    if example is None:
        return Outcome(request, None, "", b"", tuple(work.rejects))
    return Outcome(
        request,
        example.model_dump_json(),
        identity_of(example),
        minhash(example.said),
        tuple(work.rejects),
    )


def identity_of(e: Example) -> str:
    """A digest of what is asked and what may be answered: two Examples with the same are one."""
    asked = [c.model_dump() for c in e.conditions]
    return content_hash(
        [
            e.kind,
            e.gold,
            asked,
            e.anchors,
            e.premise and e.premise.model_dump(),
            sorted(e.candidates),
            len(e.turns),
        ]
    )
