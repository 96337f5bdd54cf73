"""`rerec token`."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.errors import DataError

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
    ask: Annotated[
        bool, typer.Option("--ask", help="For the assistant (`rerec assistant`), for nothing else.")
    ] = False,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
) -> None:
    """Make a bearer token for a server. It is printed once; the file keeps only its hash.

    Example: rerec token trainer --file runs/tokens.json --days 30
    """
    from data_engine.http.tokens import Scope, issue_token

    if ask and admin:
        raise DataError("the assistant knows no admin: give --ask or --admin")
    scopes: tuple[Scope, ...] = ("ask",) if ask else ("score", "admin") if admin else ("score",)
    print(issue_token(file, name, scopes, days))
