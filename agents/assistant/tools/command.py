"""`rerec mcp`."""

from typing import Annotated

import typer

from agents.assistant.files import check_store
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
    tls_files,
)
from data_engine.runtime.options import DEFAULT_STORE, StoreOption

mcp = typer.Typer(pretty_exceptions_enable=False)


@mcp.command()
def _mcp(
    store: StoreOption = DEFAULT_STORE,
    http: Annotated[
        bool,
        typer.Option("--http", help="Serve http://127.0.0.1:PORT/mcp, not standard input."),
    ] = False,
    port: PortOption = 8702,
    host: HostOption = "127.0.0.1",
    tokens: TokensOption = None,
    insecure: InsecureOption = False,
    tls_cert: CertificateOption = None,
    tls_key: KeyOption = None,
    at_once: AtOnceOption = 64,
    seconds: SecondsOption = 30.0,
    while_stdin: WhileStdinOption = False,
    tell: TellOption = None,
) -> None:
    """Offer the assistant as MCP tools that any agent can call: recommend, explain, lookup,
    holders, resolve_title. They read the store and change nothing. The agent starts this command
    and speaks to it over standard input and output; with --http, and the options after it, it
    serves HTTP until stopped.

    Example: rerec mcp --store runs/movies.duckdb
    """
    check_store(store)
    from agents.assistant.tools.serve import make_tool_server, serve
    from data_engine.http.mcp_server import serve_stdio

    if not http:
        serve_stdio(make_tool_server(store))
        return
    from agents.assistant.server.config import AssistantConfig
    from data_engine.http.guard import LOOPBACK
    from data_engine.http.listening import ListenOptions, is_loopback

    config = AssistantConfig(
        store=store,
        tokens=tokens,
        names=LOOPBACK if is_loopback(host) and tokens is None else None,
        at_once=at_once,
        seconds=seconds,
    )
    options = ListenOptions(
        host=host,
        port=port,
        insecure=insecure,
        tls=tls_files(tls_cert, tls_key),
        while_stdin=while_stdin,
        url_descriptor=tell,
    )
    serve(config, options)
