"""The record of what a sentence states, before anybody judges it."""

from typing import Literal, NamedTuple

from data_engine.responses.tokens import Token

Kind = Literal["fact", "need", "decision"]


class Statement(NamedTuple):
    """What is said at start..end. items: of each of them. word: keep or skip of a decision."""

    kind: Kind
    start: int
    end: int
    items: tuple[str, ...]
    attributes: tuple[int, ...] = ()
    relation: str = ""
    denied: bool = False
    word: str = ""


def said(
    kind: Kind, token: Token, items: tuple[str, ...], relation: str, denied: bool
) -> Statement:
    """The statement that the value of a token makes."""
    attributes = tuple(one for one in token.ids if isinstance(one, int))
    return Statement(kind, token.start, token.end, items, attributes, relation, denied)
