"""Reading a response: its segments and its answer. Pure.

Segments are the non-empty lines of the reasoning (a paragraph is one line or several steps), and the answer block as one.
The answer is one `<answer>` … `</answer>`, one title a line, best first; bullets and numbering are allowed.
"""

import re
from dataclasses import dataclass

from reward_server.wire import Status

_BLOCK = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_TAG = re.compile(r"</?answer>")
_LINE = re.compile(r"\S(?:[^\n]*\S)?")
_BULLET = re.compile(r"^\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)?")


@dataclass(frozen=True)
class Reading:
    """Character spans of the segments, the answer's titles in order, and ok, no_answer or malformed."""

    spans: list[tuple[int, int]]
    titles: list[str]
    status: Status


def read(text: str) -> Reading:
    """Split a response. Two answer blocks, or a tag without its partner, are malformed: nobody guesses which one was meant."""
    block, status = _block(text)
    if block is None:
        return Reading(_lines(text, 0, len(text)), [], status)
    titles = [title for line in block[1].split("\n") if (title := _BULLET.sub("", line).strip())]
    spans = [*_lines(text, 0, block.start()), block.span(), *_lines(text, block.end(), len(text))]
    return Reading(spans, titles, "ok" if titles else "no_answer")


def split_answer(text: str) -> tuple[str, str, Status]:
    """(the reasoning before the answer, what the answer says, its status) of a response; the reasoning alone where there is no answer to read."""
    block, status = _block(text)
    if block is None:
        return text.strip(), "", status
    answer = block[1].strip()
    return text[: block.start()].strip(), answer, "ok" if answer else "no_answer"


def _block(text: str) -> tuple[re.Match[str] | None, Status]:
    """The one answer block; where there is none or more than one, why not."""
    tags = _TAG.findall(text)
    if tags == ["<answer>", "</answer>"]:
        return _BLOCK.search(text), "ok"
    return None, "malformed" if tags else "no_answer"


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of the non-empty lines, outer white space left out."""
    return [line.span() for line in _LINE.finditer(text, start, end)]
