"""`rerec token`."""

from pathlib import Path
from typing import Annotated

import typer

token = typer.Typer(pretty_exceptions_enable=False)


@token.command()
def _token(
    name: Annotated[str, typer.Argument(help="Who will use it; a name of one's own for each.")],
    file: Annotated[
        Path, typer.Option(help="Token file of the server; made where there is none.")
    ] = Path("runs/tokens.json"),
    admin: Annotated[
        bool, typer.Option("--admin", help="May reload the store and see gold too.")
    ] = False,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
) -> None:
    """Make a bearer token for a server. It is printed once; the file keeps only its hash.

    Example: rerec token trainer --file runs/tokens.json --days 30
    """
    from data_engine.http.tokens import issue_token

    print(issue_token(file, name, ("score", "admin") if admin else ("score",), days))
