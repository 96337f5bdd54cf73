"""A dialogue in the terminal: messages and commands in, answers with their conditions out."""

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape

from agents.assistant.answer import Answer
from agents.assistant.assistant import Assistant
from agents.assistant.printing import ThoughtPrinter
from agents.assistant.request import Edit
from data_engine.errors import RerecError

HELP = """[bold]Say what you want[/bold], or change it by hand:
  /drop N      condition N is no longer asked for
  /why N       the conditions of item N, one by one
  /like N      more like item N
  /not N       item N must not come again (seen it, not for me)
  /choose N    answer N to the question that was asked last
  /more        other items
  /new         begin anew
  /help        this
  /quit        leave; the conversation is kept"""
MARKS = {"met": "[green]✓[/green]", "missed": "[red]✗[/red]", "unknown": "[yellow]?[/yellow]"}


class Chat:
    """One conversation, kept under the name `thread`."""

    def __init__(
        self,
        assistant: Assistant,
        thread: str,
        *,
        user: str | None = None,
        k: int = 10,
        console: Console | None = None,
    ) -> None:
        self._assistant, self._thread = assistant, thread
        self._user, self._k = user, k
        self._console = console or Console(highlight=False)
        self._last: Answer | None = None
        self._printer = ThoughtPrinter(self._console)
        self._commands: dict[str, Callable[[int], None]] = {
            "/drop": lambda n: self._edit(Edit(act="drop", number=self._condition(n))),
            "/why": self._why,
            "/like": lambda n: self._edit(Edit(act="like", item=self._item(n))),
            "/not": lambda n: self._edit(Edit(act="exclude", item=self._item(n))),
            "/choose": self._choose,
        }

    def run(self, *, new: bool = False) -> None:
        """Read lines until /quit or the end of the input."""
        if new:
            self._edit(Edit(act="restart"))
        elif self._assistant.state(self._thread):
            self._console.print("[dim]The conversation goes on; /new begins another.[/dim]")
            self._show(self._reply())
        else:
            self._console.print("[dim]What would you like? /help lists the commands.[/dim]")
        while True:
            try:
                line = self._console.input("[bold cyan]> [/bold cyan]").strip()
            except (EOFError, KeyboardInterrupt):
                self._console.print()
                return
            if line in ("/quit", "/exit", "/q"):
                return
            if line:
                self.take(line)

    def take(self, line: str) -> None:
        """Do what one line says. An error is one line, and the dialogue goes on."""
        try:
            if not line.startswith("/"):
                self._show(self._reply(line))
            elif line == "/more":
                self._show(self._reply("more"))
            elif line == "/new":
                self._edit(Edit(act="restart"))
            else:
                self._command(line)
        except RerecError as error:
            self._console.print(f"[red]{escape(str(error))}[/red]")

    def _command(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word not in self._commands:
            self._console.print(HELP)
        elif not rest.strip().isdecimal():
            raise RerecError(f"{word} needs a number, as in {word} 2")
        else:
            self._commands[word](int(rest))

    def _reply(self, text: str = "", *edits: Edit) -> Answer:
        return self._assistant.reply(
            self._thread,
            text,
            edits=edits,
            user=self._user,
            k=self._k,
            listen=self._printer.hear,
        )

    def _edit(self, edit: Edit) -> None:
        self._show(self._reply("", edit))

    def _condition(self, number: int) -> int:
        """The number of a condition that is there. Raises RerecError."""
        count = len(self._last.conditions) if self._last else 0
        if not 1 <= number <= count:
            raise RerecError(f"there is no condition {number}: there are {count}")
        return number

    def _item(self, number: int) -> str:
        """The id of an item of the last answer. Raises RerecError."""
        shown = self._last.recommendations if self._last else ()
        if not 1 <= number <= len(shown):
            raise RerecError(f"there is no item {number}: {len(shown)} are shown")
        return shown[number - 1].item

    def _choose(self, number: int) -> None:
        options = [o for q in (self._last.questions if self._last else ()) for o in q.options]
        if not 1 <= number <= len(options) or (edit := options[number - 1].edit) is None:
            raise RerecError(f"there is no answer {number}: {len(options)} can be chosen")
        self._edit(edit)

    def _why(self, number: int) -> None:
        item = self._item(number)
        shown = self._last.recommendations if self._last else ()
        (one,) = [one for one in shown if one.item == item]
        self._console.print(f"[bold]{escape(one.title)}[/bold]: {escape(one.about)}")
        for row in one.rows:
            said = "" if row.fact == row.text else f" — {row.fact}"
            self._console.print(f"  {MARKS[row.verdict]} {escape(row.text + said)}")

    def _show(self, answer: Answer) -> None:
        self._last = answer
        self._printer.finish(answer)
        said = [f"{one.number} {one.text} ({one.holders:,})" for one in answer.conditions]
        if said:
            self._console.print(f"[dim]Conditions: {escape(' · '.join(said))}[/dim]")
