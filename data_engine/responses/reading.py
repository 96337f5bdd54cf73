"""Reads a response: its segments and its answer. Pure functions over the text.

Segments are the non-empty lines of the reasoning (a paragraph is one line or several steps), and
the answer block as one. The answer is one `<answer>` … `</answer>`, one title per line, best first;
bullets and numbering are allowed.

What stands in `<think>` … `</think>` is reasoning as any other, but an answer in there is only
thought of: the answer is given after the last thought. Where the first of these tags is `</think>`,
its partner stands in the prompt, and the response began with a thought.
"""

import re
from dataclasses import dataclass
from itertools import chain
from typing import Literal

Status = Literal["ok", "no_answer", "unresolved", "malformed"]
Span = tuple[int, int]  # characters start..end

_TAG = re.compile(r"</?answer>")
_THINK = re.compile(r"</?think>")
_LINE = re.compile(r"\S(?:[^\n]*\S)?")
_BULLET = re.compile(r"^\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)?")


@dataclass(frozen=True)
class Reading:
    """Spans of the segments, the answer's titles in order, and ok, no_answer or malformed."""

    spans: list[Span]
    titles: list[str]
    status: Status


def read(text: str) -> Reading:
    """Split a response into segments and read its answer.

    Two answer blocks, or a tag without its partner, are malformed: nobody guesses which was meant.
    """
    block, status = _block(text)
    text = without_tags(text)
    if block is None:
        return Reading(_lines(text, 0, len(text)), [], status)
    start, end = block
    lines = (_BULLET.sub("", line).strip() for line in _inside(text, block).split("\n"))
    titles = [title for title in lines if title]
    spans = [*_lines(text, 0, start), block, *_lines(text, end, len(text))]
    return Reading(spans, titles, "ok" if titles else "no_answer")


def split_answer(text: str) -> tuple[str, str, Status]:
    """(reasoning before the answer, text of the answer, its status) of a response.

    Where there is no answer to read, all of the response is reasoning.
    """
    block, status = _block(text)
    before = _THINK.sub("\n", text if block is None else text[: block[0]]).strip()
    if block is None:
        return before, "", status
    answer = _inside(text, block).strip()
    return before, answer, "ok" if answer else "no_answer"


def without_tags(text: str) -> str:
    """The text with line breaks in place of its think tags.

    A thought begins and ends a line, and every other character keeps its place.
    """
    return _THINK.sub(_line_breaks, text) if "think>" in text else text


def after_thoughts(text: str) -> str:
    """The part of a response after its last thought; "" while that goes on."""
    thoughts = _thoughts(text)
    return text[thoughts[-1][1] :] if thoughts else text


def _line_breaks(tag: re.Match[str]) -> str:
    return "\n" * len(tag[0])


def _block(text: str) -> tuple[Span | None, Status]:
    """The span of the one answer block, tags included; where there is none, the reason."""
    thoughts = _thoughts(text)
    edges = [0, *chain.from_iterable(thoughts), len(text)]
    tags: list[re.Match[str]] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        tags += _TAG.finditer(text, start, end)
    if [tag[0] for tag in tags] != ["<answer>", "</answer>"]:
        return None, "malformed" if tags else "no_answer"
    start, end = tags[0].start(), tags[1].end()
    return (None, "no_answer") if thoughts and start < thoughts[-1][1] else ((start, end), "ok")


def _inside(text: str, block: Span) -> str:
    """The text between the tags of an answer block."""
    return text[block[0] + len("<answer>") : block[1] - len("</answer>")]


def _thoughts(text: str) -> list[Span]:
    """Spans of the thoughts, tags included; the last one may go on to the end of the text."""
    found: list[Span] = []
    start: int | None = None
    for tag in _THINK.finditer(text) if "think>" in text else ():
        if tag[0] == "<think>":
            start = tag.start() if start is None else start
        elif start is not None or not found:
            found.append((start or 0, tag.end()))
            start = None
    return found if start is None else [*found, (start, len(text))]


def _lines(text: str, start: int, end: int) -> list[Span]:
    """Spans of the non-empty lines, outer white space left out."""
    return [line.span() for line in _LINE.finditer(text, start, end)]
