"""`rerec ask` and `rerec chat`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.assistant.files import CONVERSATIONS, assistant_folder, check_store
from data_engine.errors import DataError
from data_engine.runtime.options import DEFAULT_STORE, StoreOption

if TYPE_CHECKING:
    from agents.assistant.assistant import Assistant

ask = typer.Typer(pretty_exceptions_enable=False)
chat = typer.Typer(pretty_exceptions_enable=False)
UserOption = Annotated[
    str | None,
    typer.Option(help="A user of the store: what was liked counts, what is known does not return."),
]
ShownOption = Annotated[
    int, typer.Option("--k", help="Items to show where the question does not say how many.")
]


@ask.command()
def _ask(
    question: Annotated[str, typer.Argument(help="What you are looking for, in plain words.")],
    store: StoreOption = DEFAULT_STORE,
    user: UserOption = None,
    k: ShownOption = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole answer as one JSON object.")
    ] = False,
) -> None:
    """Ask for a recommendation, without a language model.

    Example: rerec ask "a comedy from the 80s, not starring Tom Hanks" --store runs/movies.duckdb
    """
    if not question.strip():
        raise DataError('nothing was asked: say what you want, as in rerec ask "a comedy"')
    answer = _assistant(store).answer(question, user=user, k=k)
    print(answer.model_dump_json() if as_json else answer.text)


@chat.command()
def _chat(
    store: StoreOption = DEFAULT_STORE,
    user: UserOption = None,
    k: ShownOption = 10,
    thread: Annotated[
        str,
        typer.Option(help="The name under which the conversation is kept; it goes on next time."),
    ] = "terminal",
    new: Annotated[
        bool, typer.Option("--new", help="Begin the conversation anew; the kept one is left.")
    ] = False,
) -> None:
    """Talk about what to watch or read; the conditions are shown and can be edited (/help).

    Example: rerec chat --store runs/movies.duckdb
    """
    from agents.assistant.chat import Chat

    with _assistant(store) as assistant:
        assistant.keep(assistant_folder(store) / CONVERSATIONS)
        Chat(assistant, thread, user=user, k=k).run(new=new)


def _assistant(store: Path) -> "Assistant":
    """Imported here: LangGraph takes half a second, and a missing store must be said at once."""
    check_store(store)
    from agents.assistant.assistant import Assistant

    return Assistant(store)
