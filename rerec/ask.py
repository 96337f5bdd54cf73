"""`rerec ask` and `rerec chat`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.assistant.files import CONVERSATIONS, assistant_folder, check_store
from data_engine.errors import DataError
from data_engine.runtime.options import DEFAULT_STORE, StoreOption
from rerec import policy as policies
from rerec import reader as readers
from rerec.conversations import CheckpointsOption, check_url

if TYPE_CHECKING:
    from agents.assistant.answer import Answer
    from agents.assistant.assistant import Assistant
    from agents.assistant.second_reader import ReaderConfig

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
    questions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUESTION...", help="What you are looking for, in plain words; one or several."
        ),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    user: UserOption = None,
    k: ShownOption = 10,
    policy: policies.PolicyOption = None,
    policy_model: policies.NameOption = None,
    policy_style: policies.StyleOption = None,
    policy_engine: policies.EngineOption = "hf",
    policy_seconds: policies.SecondsOption = 20.0,
    policy_key_env: policies.KeyEnvOption = "OPENAI_API_KEY",
    understand: readers.UnderstandOption = None,
    understand_url: readers.UrlOption = readers.URL,
    understand_key_env: readers.KeyEnvOption = "OPENAI_API_KEY",
    examples: Annotated[
        int, typer.Option(min=0, help="Ask what so many test Examples of the store ask, too.")
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Write questions, answers and provenance as JSON.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each whole answer as one JSON object.")
    ] = False,
) -> None:
    """Ask for a recommendation, without a language model; with --policy one reasons about it too.

    Example: rerec ask "a comedy from the 80s, not starring Tom Hanks" --store runs/movies.duckdb
    """
    asked = list(questions or ())
    if not all(map(str.strip, asked)) or not (asked or examples):
        raise DataError('nothing was asked: say what you want, as in rerec ask "a comedy"')
    config = policies.config(
        policy, policy_model, policy_style, policy_engine, policy_seconds, policy_key_env
    )
    reader = readers.config(understand, understand_url, understand_key_env)
    check_store(store)
    asked += _queries(store, examples) if examples else []
    answers: list[dict[str, object]] = []
    assistant = _assistant(store, config, reader)
    for question in asked:
        answer = _answered(assistant, question, user, k, as_json, heading=len(asked) > 1)
        answers.append({"question": question, "answer": answer.model_dump(mode="json")})
    if out:
        _write(out, store, config, answers)


@chat.command()
def _chat(
    store: StoreOption = DEFAULT_STORE,
    user: UserOption = None,
    k: ShownOption = 10,
    policy: policies.PolicyOption = None,
    policy_model: policies.NameOption = None,
    policy_style: policies.StyleOption = None,
    policy_engine: policies.EngineOption = "hf",
    policy_seconds: policies.SecondsOption = 20.0,
    policy_key_env: policies.KeyEnvOption = "OPENAI_API_KEY",
    understand: readers.UnderstandOption = None,
    understand_url: readers.UrlOption = readers.URL,
    understand_key_env: readers.KeyEnvOption = "OPENAI_API_KEY",
    thread: Annotated[
        str,
        typer.Option(help="The name under which the conversation is kept; it goes on next time."),
    ] = "terminal",
    checkpoints: CheckpointsOption = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin the conversation anew; the kept one is left.")
    ] = False,
) -> None:
    """Talk about what to watch or read; the conditions are shown and can be edited (/help).

    Example: rerec chat --store runs/movies.duckdb
    """
    config = policies.config(
        policy, policy_model, policy_style, policy_engine, policy_seconds, policy_key_env
    )
    reader = readers.config(understand, understand_url, understand_key_env)
    check_url(checkpoints)
    check_store(store)
    from agents.assistant.chat import Chat

    with _assistant(store, config, reader) as assistant:
        assistant.keep(checkpoints or assistant_folder(store) / CONVERSATIONS)
        Chat(assistant, thread, user=user, k=k).run(new=new)


def _assistant(
    store: Path, config: policies.PolicyConfig | None, reader: "ReaderConfig | None"
) -> "Assistant":
    """Imported here: LangGraph takes half a second, and a missing store must be said at once."""
    from agents.assistant.assistant import Assistant

    assistant = Assistant(store)
    if config:
        assistant.reason_with(config.open(store), config.seconds)
    if reader:
        from agents.assistant.second_reader import EndpointReader

        assistant.read_with(EndpointReader(reader))
    return assistant


def _answered(
    assistant: "Assistant", question: str, user: str | None, k: int, as_json: bool, heading: bool
) -> "Answer":
    """The answer to a question, printed; with the question where there are several."""
    if as_json:
        answer = assistant.answer(question, user=user, k=k)
        print(answer.model_dump_json())
        return answer
    from rich.console import Console

    from agents.assistant.printing import ThoughtPrinter

    console = Console(highlight=False)
    if heading:
        console.print(f"\n> {question}", style="bold", markup=False, soft_wrap=True)
    printer = ThoughtPrinter(console)
    answer = assistant.answer(question, user=user, k=k, listen=printer.hear)
    printer.finish(answer)
    return answer


def _queries(store: Path, count: int) -> list[str]:
    """The queries of so many test Examples of a single turn. Raises DataError where there are
    none.
    """
    from data_engine.datasets.sampling import evenly
    from data_engine.store.database import Store

    with Store.open(store, read_only=True) as opened:
        found = [example for example in opened.examples("test") if not example.turns]
    if not found:
        raise DataError(f"{store} has no test Examples: `rerec synth --store {store}` makes some")
    return [example.query for example in evenly(found, count)]


def _write(
    out: Path, store: Path, config: policies.PolicyConfig | None, answers: list[dict[str, object]]
) -> None:
    """Write what was asked and answered, whole or not at all."""
    from data_engine.runtime.provenance import provenance, write_json
    from data_engine.store.database import Store

    with Store.open(store, read_only=True) as opened:
        digest = opened.graph_digest
    settings = config.model_dump(mode="json") if config else {}
    write_json(
        out, {"answers": answers, "provenance": provenance(config=settings, graph_digest=digest)}
    )
