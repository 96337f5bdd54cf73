"""The record of one statement in a text. It is part of the reward server's wire format."""

from typing import Literal

import msgspec

Judgement = Literal["supported", "contradicted", "unknown"]


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A statement: characters start..end are its own. kind and what is stated:

    fact: item `subject` has `value` for `relation`. lack: it has not (sentences only). need: the
    query asks for it (no subject).
    needs: all that the query asks for has been named; else relation and value are the first that
    was left out. match: yes or no, the `value` of `subject` is what the query asks for.
    decision: `subject` meets the query, `value` keep, or misses it, skip.
    verdict: what graph and conditions say. relevant: whether a condition of the query can be
    decided by it; null for an Example without conditions.
    """

    kind: Literal["fact", "lack", "need", "needs", "match", "decision"]
    start: int
    end: int
    subject: str
    relation: str
    value: str
    verdict: Judgement
    relevant: bool | None
