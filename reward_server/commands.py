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


@serve.command()
def _serve(
    store: StoreOption = DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Loopback port.")] = 8700,
    while_stdin: Annotated[bool, typer.Option("--while-stdin", hidden=True, help="Stop when standard input closes.")] = False,
) -> None:
    """Serve scores on http://127.0.0.1:PORT until stopped (Ctrl-C). Nothing but loopback is bound.

    Example: rerec serve --store runs/movies.duckdb --port 8700
    """
    import socket
    from threading import Thread

    import uvicorn

    from reward_server.app import make_app
    from reward_server.snapshot import Snapshot

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DataError(f"port {port} is in use: stop what listens there or give another --port") from error
    snapshot = Snapshot.load(store)
    print(f"reward server: http://127.0.0.1:{port}  graph {snapshot.digest}  {len(snapshot.targets)} examples  docs at /docs", flush=True)
    server = uvicorn.Server(uvicorn.Config(make_app(snapshot), host="127.0.0.1", port=port, log_level="warning", access_log=False))
    if while_stdin:
        Thread(target=lambda: (sys.stdin.read(), setattr(server, "should_exit", True)), daemon=True).start()
    server.run()


@score.command()
def _score(
    file: Annotated[Path, typer.Argument(help='JSON lines of {"example_id", "response"}; "-" reads standard input.')],
    store: StoreOption = DEFAULT_STORE,
    profile: Annotated[str, typer.Option(help="ndcg or rerec.")] = "rerec",
    as_json: Annotated[bool, typer.Option("--json", help="Print every score, one JSON object a line, instead of the means.")] = False,
) -> None:
    """Score stored responses in process: the server's own code and figures, without a server.

    Example: rerec score rollouts.jsonl --store runs/movies.duckdb --json
    """
    from collections import Counter

    from pydantic import ValidationError

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
                responses.append(Response(example_id=row["example_id"], response=row["response"]))
            except (ValueError, KeyError, TypeError, ValidationError) as error:
                raise DataError(f'{file} line {number}: expected {{"example_id": text, "response": text}} ({type(error).__name__})') from error
    if not responses:
        raise DataError(f"{file} holds no responses")
    scores = Snapshot.load(store).score(responses, PROFILES[profile])
    if as_json:
        for one in scores:
            print(one.model_dump_json())
        return
    mean = {name: round(sum(getattr(s, name) or 0.0 for s in scores) / len(scores), 4) for name in ("score", "ndcg")}
    show({"responses": len(scores), "mean": mean, "status": dict(Counter(s.status for s in scores))}, False)
