"""`rerec serve` and `rerec score`."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.errors import DataError
from data_engine.runtime.options import DEFAULT_STORE, StoreOption

if TYPE_CHECKING:
    from reward_server.snapshot import Snapshot
    from reward_server.wire import Response, Score, Weights

serve = typer.Typer(pretty_exceptions_enable=False)
score = typer.Typer(pretty_exceptions_enable=False)
token = typer.Typer(pretty_exceptions_enable=False)


@serve.command()
def _serve(
    store: StoreOption = DEFAULT_STORE,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 is any that is free; the URL is printed.")
    ] = 8700,
    host: Annotated[
        str,
        typer.Option(help="Address to listen at; another than this machine's own needs --tokens."),
    ] = "127.0.0.1",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; they share the graph's memory.")
    ] = 1,
    rechead: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a RecHead (`rerec train rechead`) to serve at /v1/rechead/score."
        ),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(help="Token file: callers must then send one (see `rerec token`)."),
    ] = None,
    explore: Annotated[
        bool,
        typer.Option(
            "--explore", help="Show gold on the page at / to everybody who may ask for scores."
        ),
    ] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let strangers reach the server without a token.")
    ] = False,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate, for https; with --tls-key.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key of the certificate.")] = None,
    at_once: Annotated[
        int,
        typer.Option(
            min=1, help="Requests served at once by a process; more are told to come back (429)."
        ),
    ] = 64,
    seconds: Annotated[float, typer.Option(min=0.1, help="Most seconds for one request.")] = 30.0,
    ray: Annotated[
        bool,
        typer.Option(
            "--ray",
            help="As replicas on a Ray cluster (RAY_ADDRESS, else one of this machine's own).",
        ),
    ] = False,
    while_stdin: Annotated[
        bool, typer.Option("--while-stdin", hidden=True, help="Stop when standard input closes.")
    ] = False,
    tell: Annotated[
        int | None,
        typer.Option(hidden=True, help="File descriptor that gets the URL when it serves."),
    ] = None,
) -> None:
    """Serve scores on http://127.0.0.1:PORT until stopped (Ctrl-C). A hang-up signal loads the store again.

    Example: rerec serve --store runs/movies.duckdb --port 8700 --workers 2
    """
    if (tls_cert is None) != (tls_key is None):
        raise DataError("TLS needs both --tls-cert and --tls-key")
    if ray and tls_cert:
        raise DataError("Ray Serve speaks http: put TLS before it, and leave out --tls-cert")
    tls = (tls_cert, tls_key) if tls_cert and tls_key else None
    with _metrics_of(1 if ray else workers):
        from reward_server.server.app import ServeConfig
        from reward_server.server.serve import serve as run

        config = ServeConfig(
            store=store,
            rechead=rechead,
            tokens=tokens,
            explore=explore,
            at_once=at_once,
            seconds=seconds,
        )
        run(
            config,
            host,
            port,
            workers=workers,
            insecure=insecure,
            tls=tls,
            ray=ray,
            while_stdin=while_stdin,
            tell=tell,
        )


@contextmanager
def _metrics_of(workers: int) -> Iterator[None]:
    """Several workers count in files of one folder, as prometheus_client wants it said before it is imported; one counts in its memory."""
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # another server's
    if workers == 1:
        yield
        return
    with TemporaryDirectory(prefix="rerec-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


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
    from reward_server.server.guards import issue

    print(issue(file, name, ("score", "admin") if admin else ("score",), days))


@score.command()
def _score(
    file: Annotated[
        Path | None,
        typer.Argument(help='JSON lines of {"example_id", "response"}; "-" reads standard input.'),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    profile: Annotated[
        str, typer.Option(help="ndcg, rerec, rerec-conditions or open-catalogue.")
    ] = "rerec",
    compare: Annotated[
        str | None,
        typer.Option(
            help="Another profile: show both, and how often they order two responses to one query otherwise."
        ),
    ] = None,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit",
            help="Instead of a file, try canned cheats on the store's Examples; fails if one pays.",
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print every score (or the audit), one JSON object a line, instead of the means.",
        ),
    ] = False,
) -> None:
    """Score stored responses in process: the server's own code and figures, without a server.

    Example: rerec score rollouts.jsonl --store runs/movies.duckdb --json
    """
    import msgspec

    from data_engine.runtime.console import show
    from reward_server.scoring import PROFILES
    from reward_server.snapshot import Snapshot

    for name in (profile, compare):
        if name is not None and name not in PROFILES:
            raise DataError(f"no profile {name!r}: choose from {', '.join(PROFILES)}")
    if audit:
        _audit(Snapshot.load(store), PROFILES[profile], as_json)
        return
    if file is None:
        raise DataError("give a file of responses, or --audit")
    responses = _responses(file)
    snapshot = Snapshot.load(store)
    scores = snapshot.score(responses, PROFILES[profile])
    if compare is not None:
        others = snapshot.score(responses, PROFILES[compare])
        facts = {
            name: {"mean": round(sum(s.score for s in found) / len(found), 4)}
            for name, found in ((profile, scores), (compare, others))
        }
        show(
            {
                "responses": len(scores),
                **facts,
                "pairs_ordered_otherwise": _disagreement(scores, others),
            },
            as_json,
        )
        return
    if as_json:
        for one in scores:
            print(msgspec.json.encode(one).decode())
        return
    mean = {
        name: round(sum(getattr(s, name) or 0.0 for s in scores) / len(scores), 4)
        for name in ("score", "ndcg")
    }
    show(
        {"responses": len(scores), "mean": mean, "status": dict(Counter(s.status for s in scores))},
        False,
    )


def _responses(file: Path) -> list["Response"]:
    """The responses of a file. Raises DataError with file and line."""
    import msgspec

    from reward_server.wire import Response

    if str(file) != "-" and not file.is_file():
        raise DataError(f"no file {file}")
    found = []
    for number, line in enumerate(
        sys.stdin if str(file) == "-" else file.open(encoding="utf-8"), 1
    ):
        if line.strip():
            try:
                row = json.loads(line)
                found.append(
                    msgspec.convert(
                        {name: row[name] for name in ("example_id", "response")}, Response
                    )
                )
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f'{file} line {number}: expected {{"example_id": text, "response": text}} ({type(error).__name__})'
                ) from error
    if not found:
        raise DataError(f"{file} holds no responses")
    return found


def _disagreement(one: list["Score"], other: list["Score"]) -> float | None:
    """Share of the pairs of responses to one Example that two profiles order otherwise; None where no Example has two responses."""
    by_example: dict[str, list[tuple[float, float]]] = {}
    for mine, its in zip(one, other, strict=True):
        by_example.setdefault(mine.example_id, []).append((mine.score, its.score))
    pairs = [(a, b) for rows in by_example.values() for a, b in combinations(rows, 2)]
    sign = lambda x: (x > 1e-12) - (x < -1e-12)  # noqa: E731
    return (
        round(sum(sign(a[0] - b[0]) != sign(a[1] - b[1]) for a, b in pairs) / len(pairs), 4)
        if pairs
        else None
    )


def _audit(snapshot: "Snapshot", weights: "Weights", as_json: bool) -> None:
    """Show what each cheat got. Raises RewardError when one beats an honest right answer."""
    from data_engine.runtime.console import show
    from reward_server.cheats import probe
    from reward_server.errors import RewardError

    found = probe(snapshot, weights)
    if as_json:
        for one in found:
            print(
                json.dumps(
                    {
                        "name": one.name,
                        "mean": round(one.mean, 4),
                        "beats_honest": one.beats,
                        "statuses": one.statuses,
                    }
                )
            )
    else:
        show(
            {
                one.name: {"mean": round(one.mean, 3), "beats honest": one.beats, **one.statuses}
                for one in found
            },
            False,
            "cheats",
        )
    if paying := [one.name for one in found if one.beats]:
        raise RewardError(
            f"{len(paying)} cheats beat an honest right answer ({', '.join(paying)}): do not train on this reward"
        )
