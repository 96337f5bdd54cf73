"""A policy's reasoning in the terminal: line by line as it comes, each claim in its colour."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from agents.assistant.answer import Answer, Mark, Thought

# Each with a sign: colours alone would be lost on paper, and on some readers.
STYLES = {
    "good": ("green", "✓"),
    "unknown": ("yellow", "?"),
    "bad": ("bold red", "✗"),
    "outside": ("bold magenta", "◇"),
    "invented": ("bold magenta", "⚠"),
}
LEGEND = "✓ right · ✗ wrong · ? not known · ◇ no candidate · ⚠ not in the catalogue"


class ThoughtPrinter:
    """Prints the thoughts of one answer after another."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._text, self._shown = "", 0

    def hear(self, thought: Thought) -> None:
        """Print the lines that have ended."""
        self._text += thought.text
        if thought.marks is not None:
            self._print(thought.marks, self._text.rindex("\n"))

    def finish(self, answer: Answer) -> None:
        """Print what is left of the reasoning, then the answer."""
        if answer.reasoning and answer.reasoning.text:
            self._text = answer.reasoning.text
            self._print(answer.reasoning.marks, len(self._text))
            self._console.print(Text(f"{LEGEND}\n", style="dim"), soft_wrap=True)
        self._console.print(Text(answer.text), soft_wrap=True)
        self._text, self._shown = "", 0

    def _print(self, marks: Sequence[Mark], end: int) -> None:
        """Print the text up to `end`."""
        if not self._shown:
            self._console.print("[dim]The policy reasons:[/dim]")
        if self._text[self._shown : end].strip():
            part = marked(self._text, marks, self._shown, end)
            self._console.print(part, soft_wrap=True)
        self._shown = end + 1


def marked(text: str, marks: Sequence[Mark], start: int, end: int) -> Text:
    """Characters start..end with their marks, each followed by its sign."""
    found, at = Text(), start
    for mark in marks:
        if mark.end > start and mark.start < end:
            style, sign = STYLES[mark.verdict]
            found.append(text[at : max(mark.start, start)])
            found.append(text[max(mark.start, start) : min(mark.end, end)] + sign, style)
            at = min(mark.end, end)
    found.append(text[at:end])
    return found
