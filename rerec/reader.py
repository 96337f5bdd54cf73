"""The options of a language model that reads what people ask of the assistant, too."""

from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.errors import DataError

if TYPE_CHECKING:
    from agents.assistant.second_reader import ReaderConfig

URL = "http://127.0.0.1:8000/v1"
UnderstandOption = Annotated[
    str | None,
    typer.Option(
        "--understand",
        metavar="NAME",
        help="A language model at an OpenAI-compatible endpoint that reads the questions too. "
        "Where it reads them otherwise, the answer asks; nothing is taken over.",
    ),
]
UrlOption = Annotated[
    str, typer.Option("--understand-url", help="With --understand: the endpoint.")
]
KeyEnvOption = Annotated[
    str,
    typer.Option(
        "--understand-key-env",
        help="With --understand: the environment variable that holds the key.",
    ),
]


def config(model: str | None, url: str, key_env: str) -> "ReaderConfig | None":
    """The reader of a command's options, None without one. Raises DataError for a URL that is none,
    and for one that means nothing.
    """
    if model is None:
        if url != URL:
            raise DataError("--understand-url needs --understand NAME, the model to ask there")
        return None
    if not url.startswith(("http://", "https://")):
        raise DataError(f"--understand-url {url} is no URL: give one like {URL}")
    from agents.assistant.second_reader import ReaderConfig

    return ReaderConfig(model=model, base_url=url, key_env=key_env)
