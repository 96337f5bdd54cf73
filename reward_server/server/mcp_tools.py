"""The look-ups as an MCP server (streamable HTTP, stateless), by the official SDK.

The SDK is an extra (`rerec[mcp]`), imported when the server is asked for.
"""

from typing import Any

import msgspec

from data_engine.errors import DataError
from reward_server.compat.tools import TOOLS, tool_schemas
from reward_server.server.state import ServerState

MOST_BYTES = 2**18  # of a request: one call


def session_manager(state: ServerState, guarded: bool) -> Any:
    """The SDK's handler of requests, with our tools. Raises DataError without the SDK.

    guarded: by tokens. Without them only loopback names are served, so that no page in a browser
    can reach the server by a name of its own.
    """
    try:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
        from mcp.server.transport_security import TransportSecuritySettings
    except ImportError as error:
        raise DataError("--mcp needs the package mcp: pip install 'rerec[mcp]'") from error
    loopback = [f"{host}:*" for host in ("127.0.0.1", "localhost", "[::1]")]
    return StreamableHTTPSessionManager(
        _tool_server(state),
        json_response=True,
        stateless=True,
        max_request_body_size=MOST_BYTES,
        security_settings=TransportSecuritySettings(
            enable_dns_rebinding_protection=not guarded,
            allowed_hosts=loopback,
            allowed_origins=[f"http://{host}" for host in loopback],
        ),
    )


def _tool_server(state: ServerState) -> Any:
    """The SDK's server of our tools, described by the graph that is served now."""
    import mcp_types as types
    from mcp.server.lowlevel import Server

    async def list_tools(context: Any, params: Any) -> Any:
        tools = []
        for tool in tool_schemas(state.snapshot.graph.relations):
            name, told, schema = (
                tool["function"][k] for k in ("name", "description", "parameters")
            )
            tools.append(types.Tool(name=name, description=told, input_schema=schema))
        return types.ListToolsResult(tools=tools)

    async def call_tool(context: Any, params: Any) -> Any:
        text, failed = answer(state, params.name, params.arguments or {})
        content = [types.TextContent(type="text", text=text)]
        return types.CallToolResult(content=content, is_error=failed)

    return Server("rerec", on_list_tools=list_tools, on_call_tool=call_tool)


def answer(state: ServerState, name: str, arguments: dict[str, Any]) -> tuple[str, bool]:
    """(text for the model, whether the call failed): names one a line, or why there are none."""
    if name not in TOOLS:
        return f"no tool {name[:50]!r}: choose from {', '.join(TOOLS)}", True
    try:
        asked = msgspec.convert(arguments, TOOLS[name])
    except msgspec.ValidationError as error:
        return str(error), True
    result = state.snapshot.call_tool(asked.look())
    return "\n".join(result.found) or result.problem or "nothing", bool(result.problem)
