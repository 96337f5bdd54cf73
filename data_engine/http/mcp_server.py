"""An MCP server of tools, by the official SDK: over standard input and output, or streamable HTTP.

The SDK is an extra (`rerec[mcp]`), imported when a server is asked for.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple

from data_engine.errors import DataError

MOST_BYTES = 2**18  # of a request over HTTP: one call
INTERRUPTED = 130  # exit code after Ctrl-C


class Tool(NamedTuple):
    """A tool as a model is told of it. schema: the JSON schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Any]


class ToolResult(NamedTuple):
    """What a model reads, and whether the call failed."""

    text: str
    failed: bool = False


ListTools = Callable[[], Iterable[Tool]]
CallTool = Callable[[str, dict[str, Any]], Awaitable[ToolResult]]


def check_sdk(needed_by: str) -> None:
    """Raise DataError without the SDK, which names what needs it."""
    if find_spec("mcp") is None:
        raise DataError(f"{needed_by} needs the package mcp: pip install 'rerec[mcp]'")


def make_server(list_tools: ListTools, call_tool: CallTool) -> Any:
    """The SDK's server of these tools."""
    import mcp_types as types
    from mcp.server.lowlevel import Server

    hints = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)

    async def on_list_tools(context: Any, params: Any) -> Any:
        tools = [
            types.Tool(
                name=tool.name,
                description=tool.description,
                input_schema=dict(tool.schema),
                annotations=hints,
            )
            for tool in list_tools()
        ]
        return types.ListToolsResult(tools=tools)

    async def on_call_tool(context: Any, params: Any) -> Any:
        text, failed = await call_tool(params.name, params.arguments or {})
        content = [types.TextContent(type="text", text=text)]
        return types.CallToolResult(content=content, is_error=failed)

    return Server(
        "rerec", version=version("rerec"), on_list_tools=on_list_tools, on_call_tool=on_call_tool
    )


def session_manager(server: Any, guarded: bool) -> Any:
    """The SDK's handler of HTTP requests, stateless; its `run` is the context in which it works.

    guarded: by tokens. Without them only loopback names are served, so that no page in a browser
    can reach the server by a name of its own.
    """
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings

    loopback = [f"{host}:*" for host in ("127.0.0.1", "localhost", "[::1]")]
    return StreamableHTTPSessionManager(
        server,
        json_response=True,
        stateless=True,
        max_request_body_size=MOST_BYTES,
        security_settings=TransportSecuritySettings(
            enable_dns_rebinding_protection=not guarded,
            allowed_hosts=loopback,
            allowed_origins=[f"http://{host}" for host in loopback],
        ),
    )


def serve_stdio(server: Any) -> None:
    """Serve over standard input and output until the input ends, or Ctrl-C.

    Whatever else is printed meanwhile goes to standard error: the output is the protocol's alone.
    """
    from mcp.server.stdio import stdio_server

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    # The thread that waits for input cannot be woken, and there is nothing to finish or to keep.
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    asyncio.run(serve())
