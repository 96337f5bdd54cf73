"""`rerec serve`."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.errors import DataError
from data_engine.http.counting import metrics_folder
from data_engine.http.options import (
    AtOnceOption,
    CertificateOption,
    HostOption,
    InsecureOption,
    KeyOption,
    PortOption,
    SecondsOption,
    TellOption,
    TokensOption,
    WhileStdinOption,
    WorkersOption,
    tls_files,
)
from data_engine.runtime.options import DEFAULT_STORE, StoreOption

serve = typer.Typer(pretty_exceptions_enable=False)


@serve.command()
def _serve(
    store: StoreOption = DEFAULT_STORE,
    port: PortOption = 8700,
    host: HostOption = "127.0.0.1",
    workers: WorkersOption = 1,
    rechead: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a RecHead (`rerec train rechead`) to serve at /v1/rechead/score."
        ),
    ] = None,
    tokens: TokensOption = None,
    explore: Annotated[
        bool,
        typer.Option(
            "--explore", help="Show gold on the page at / to everybody who may ask for scores."
        ),
    ] = False,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Offer the look-ups as an MCP server at /mcp too.")
    ] = False,
    insecure: InsecureOption = False,
    tls_cert: CertificateOption = None,
    tls_key: KeyOption = None,
    at_once: AtOnceOption = 64,
    seconds: SecondsOption = 30.0,
    ray: Annotated[
        bool,
        typer.Option(
            "--ray",
            help="As replicas on a Ray cluster (RAY_ADDRESS, else one of this machine's own).",
        ),
    ] = False,
    while_stdin: WhileStdinOption = False,
    tell: TellOption = None,
) -> None:
    """Serve scores on http://127.0.0.1:PORT until stopped (Ctrl-C). A hang-up signal loads the
    store again.

    Example: rerec serve --store runs/movies.duckdb --port 8700 --workers 2
    """
    tls = tls_files(tls_cert, tls_key)
    if ray and tls:
        raise DataError("Ray Serve speaks http: put TLS before it, and leave out --tls-cert")
    with metrics_folder(processes=1 if ray else workers):
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
            tls=tls,
            ray=ray,
            while_stdin=while_stdin,
            url_descriptor=tell,
        )
        run(config, options)
