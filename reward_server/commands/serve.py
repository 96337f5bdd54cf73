"""`rerec serve`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from data_engine.errors import DataError
from data_engine.runtime.options import DEFAULT_STORE, StoreOption

serve = typer.Typer(pretty_exceptions_enable=False)


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
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Offer the look-ups as an MCP server at /mcp too.")
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
    """Serve scores on http://127.0.0.1:PORT until stopped (Ctrl-C). A hang-up signal loads the
    store again.

    Example: rerec serve --store runs/movies.duckdb --port 8700 --workers 2
    """
    if (tls_cert is None) != (tls_key is None):
        raise DataError("TLS needs both --tls-cert and --tls-key")
    if ray and tls_cert:
        raise DataError("Ray Serve speaks http: put TLS before it, and leave out --tls-cert")
    with _metrics_folder(processes=1 if ray else workers):
        from reward_server.server.config import ServeConfig
        from reward_server.server.serve import RunOptions
        from reward_server.server.serve import serve as run

        config = ServeConfig(
            store=store,
            rechead=rechead,
            tokens=tokens,
            explore=explore,
            mcp=mcp,
            at_once=at_once,
            seconds=seconds,
        )
        options = RunOptions(
            host=host,
            port=port,
            workers=workers,
            insecure=insecure,
            tls=(tls_cert, tls_key) if tls_cert and tls_key else None,
            ray=ray,
            while_stdin=while_stdin,
            url_descriptor=tell,
        )
        run(config, options)


@contextmanager
def _metrics_folder(processes: int) -> Iterator[None]:
    """Several processes count in files of one folder, one counts in its memory.

    prometheus_client reads the folder from the environment when it is imported: call this before.
    """
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # another server's
    if processes == 1:
        yield
        return
    with TemporaryDirectory(prefix="rerec-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield
