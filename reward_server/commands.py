"""`rerec serve` and `rerec score`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from data_engine.commands import DEFAULT_STORE, StoreOption
from data_engine.errors import DataError

serve = typer.Typer(pretty_exceptions_enable=False)
score = typer.Typer(pretty_exceptions_enable=False)
token = typer.Typer(pretty_exceptions_enable=False)


@serve.command()
def _serve(
    store: StoreOption = DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8700,
    host: Annotated[str, typer.Option(help="Address to listen at; another than this machine's own needs --tokens.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; they share the graph's memory.")] = 1,
    tokens: Annotated[Path | None, typer.Option(help="Token file: callers must then send one (see `rerec token`).")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Let strangers reach the server without a token.")] = False,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate, for https; with --tls-key.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key of the certificate.")] = None,
    at_once: Annotated[int, typer.Option(min=1, help="Requests served at once by a process; more are told to come back (429).")] = 64,
    seconds: Annotated[float, typer.Option(min=0.1, help="Most seconds for one request.")] = 30.0,
    while_stdin: Annotated[bool, typer.Option("--while-stdin", hidden=True, help="Stop when standard input closes.")] = False,
) -> None:
    """Serve scores on http://127.0.0.1:PORT until stopped (Ctrl-C). A hang-up signal loads the store again.

    Example: rerec serve --store runs/movies.duckdb --port 8700 --workers 2
    """
    from reward_server.app import ServeConfig
    from reward_server.serve import serve as run

    if (tls_cert is None) != (tls_key is None):
        raise DataError("TLS needs both --tls-cert and --tls-key")
    config = ServeConfig(store=store, tokens=tokens, at_once=at_once, seconds=seconds)
    tls = (tls_cert, tls_key) if tls_cert and tls_key else None
    run(config, host, port, workers=workers, insecure=insecure, tls=tls, while_stdin=while_stdin)


@token.command()
def _token(
    name: Annotated[str, typer.Argument(help="Who will use it; a name of one's own for each.")],
    file: Annotated[Path, typer.Option(help="Token file of the server; made where there is none.")] = Path("runs/tokens.json"),
    admin: Annotated[bool, typer.Option("--admin", help="May reload the store too.")] = False,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
) -> None:
    """Make a bearer token for a server. It is printed once; the file keeps only its hash.

    Example: rerec token trainer --file runs/tokens.json --days 30
    """
    from reward_server.guards import issue

    print(issue(file, name, ("score", "admin") if admin else ("score",), days))


@score.command()
def _score(
    file: Annotated[Path, typer.Argument(help='JSON lines of {"example_id", "response"}; "-" reads standard input.')],
    store: StoreOption = DEFAULT_STORE,
    profile: Annotated[str, typer.Option(help="ndcg, rerec or rerec-conditions.")] = "rerec",
    as_json: Annotated[bool, typer.Option("--json", help="Print every score, one JSON object a line, instead of the means.")] = False,
) -> None:
    """Score stored responses in process: the server's own code and figures, without a server.

    Example: rerec score rollouts.jsonl --store runs/movies.duckdb --json
    """
    from collections import Counter

    import msgspec

    from data_engine.console import show
    from reward_server.scoring import PROFILES
    from reward_server.snapshot import Snapshot
    from reward_server.wire import Response

    if profile not in PROFILES:
        raise DataError(f"no profile {profile!r}: choose from {', '.join(PROFILES)}")
    if str(file) != "-" and not file.is_file():
        raise DataError(f"no file {file}")
    responses = []
    for number, line in enumerate(sys.stdin if str(file) == "-" else file.open(encoding="utf-8"), 1):
        if line.strip():
            try:
                row = json.loads(line)
                responses.append(msgspec.convert({name: row[name] for name in ("example_id", "response")}, Response))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f'{file} line {number}: expected {{"example_id": text, "response": text}} ({type(error).__name__})') from error
    if not responses:
        raise DataError(f"{file} holds no responses")
    scores = Snapshot.load(store).score(responses, PROFILES[profile])
    if as_json:
        for one in scores:
            print(msgspec.json.encode(one).decode())
        return
    mean = {name: round(sum(getattr(s, name) or 0.0 for s in scores) / len(scores), 4) for name in ("score", "ndcg")}
    show({"responses": len(scores), "mean": mean, "status": dict(Counter(s.status for s in scores))}, False)
