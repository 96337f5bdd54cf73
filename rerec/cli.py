"""The front door: `rerec`, a Typer application whose commands live in the rooms.

A room is imported only for the command that is called, so that --help is quick.
"""

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from typer._click.core import Command, Context  # Typer's own copy of Click

# command → (module, name of its Typer app there, one line of help)
COMMANDS = {
    "data": ("data_engine.commands", "data", "Import catalogues, embed items, look at the graphs."),
    "synth": (
        "agents.commands",
        "synth",
        "Synthesise Examples: complex queries with labelled reasoning.",
    ),
    "ask": (
        "rerec.ask",
        "ask",
        "Ask for a recommendation in plain words, and see why.",
    ),
    "chat": ("rerec.ask", "chat", "Talk about what to recommend, in the terminal."),
    "assistant": (
        "rerec.assistant",
        "assistant",
        "Serve the assistant: a web page and the OpenAI chat API.",
    ),
    "mcp": (
        "agents.assistant.tools.command",
        "mcp",
        "Offer the assistant as MCP tools that any agent can call.",
    ),
    "verify": ("data_engine.commands", "verify", "Re-check every Example against the raw tables."),
    "serve": ("reward_server.commands.serve", "serve", "Run the reward server on this machine."),
    "token": ("reward_server.commands.token", "token", "Make a bearer token for a reward server."),
    "score": (
        "reward_server.commands.score",
        "score",
        "Score stored responses in process, as the server would.",
    ),
    "model": ("train.commands.model", "app", "Make a model folder without a hub; check one."),
    "train": ("train.commands.train", "app", "Fine-tune a policy: sft, then rft."),
    "eval": ("train.commands.eval", "app", "Evaluate a policy on held-out queries."),
    "report": ("train.commands.report", "app", "Write the HTML report of a run directory."),
    "demo": (
        "rerec.demo",
        "demo",
        "The whole journey: ratings in, a better recommender and a report out.",
    ),
    "doctor": ("rerec.doctor", "doctor", "Check that this machine can run everything."),
}


class LazyGroup(TyperGroup):
    """Lists all commands from the table; imports a room only for the command that is called."""

    def list_commands(self, ctx: "Context") -> list[str]:
        """Click's interface."""
        return list(COMMANDS)

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Click's interface."""
        if cmd_name not in COMMANDS:
            return None
        module, name, line = COMMANDS[cmd_name]
        if sys.argv[1:2] in ([], ["--help"]):  # the list of commands only shows their lines
            return get_command(_placeholder(cmd_name, line))
        command = get_command(getattr(import_module(module), name))
        command.name = cmd_name
        return command


def _placeholder(name: str, line: str) -> typer.Typer:
    """A command that shows its line of help and does nothing."""

    def do_nothing() -> None:
        pass

    app = typer.Typer(add_completion=False)
    app.command(name, help=line, short_help=line)(do_nothing)
    return app


app = typer.Typer(
    cls=LazyGroup, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False
)


def _version(wanted: bool) -> None:
    if wanted:
        print(version("rerec"))
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Recommendation assistants that reason: their data, their reward and their training.

    Start with `rerec demo`, or: data import → data embed → synth → train sft → train rft →
    eval → report.
    """


def main() -> None:
    """Run the command line.

    Whatever a user can cause or meet is one line on standard error and a non-zero exit.
    """
    from data_engine.errors import RerecError
    from data_engine.runtime.quiet import quieten

    quieten()
    # For what this process starts: nothing is imported from the current folder.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    try:
        app(prog_name="rerec")
    except RerecError as error:
        _fail(str(error), error.exit_code)
    except ValueError as error:
        _fail(_setting(error))
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        _fail(f"{error.strerror or error}{place}")
    except ImportError as error:
        _fail(_what_is_missing(error))
    except SystemExit as end:
        if end.code == 130:  # Typer's code for Ctrl-C
            print(
                "interrupted: what was finished is kept, nothing is half-written; "
                "run the same command again",
                file=sys.stderr,
            )
        raise


def _what_is_missing(error: ImportError) -> str:
    """The part to install, or that what is installed does not work."""
    from rerec.parts import PART_OF_ROOM, PartMissing, part_with

    module, _, _ = COMMANDS.get(" ".join(sys.argv[1:2]), ("rerec", "", ""))
    if isinstance(error, ModuleNotFoundError) and error.name:
        if part := part_with(error.name, PART_OF_ROOM[module.split(".")[0]]):
            return str(PartMissing("this command", part))
    line = _first_line(error)
    return f"{line}: the environment is incomplete or damaged, `rerec doctor` says where"


def _fail(message: str, code: int = 1) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def _setting(error: ValueError) -> str:
    """The setting that a configuration record refused, and why; any other error is raised again."""
    from pydantic import ValidationError

    from data_engine.runtime.config import first_problem

    if not isinstance(error, ValidationError):
        raise error
    where, why = first_problem(error)
    option = f"--{where.replace('_', '-')}: " if where else ""
    return f"{option}{why} (got {error.errors()[0]['input']!r})"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
