"""The look-ups as tools of an MCP server, described by the graph that is served now."""

from collections.abc import Iterator
from typing import Any

import msgspec

from data_engine.http.mcp_server import (
    Tool,
    ToolResult,
    check_sdk,
    make_server,
    session_manager,
)
from reward_server.compat.tools import TOOLS, tool_schemas
from reward_server.server.state import ServerState


def make_session_manager(state: ServerState, guarded: bool) -> Any:
    """The SDK's handler of requests, with our tools. Raises DataError without the SDK."""

    async def call_tool(name: str, arguments: dict[str, Any]) -> ToolResult:
        return answer(state, name, arguments)

    check_sdk("--mcp")
    return session_manager(make_server(lambda: _tools(state), call_tool), guarded)


def _tools(state: ServerState) -> Iterator[Tool]:
    for tool in tool_schemas(state.snapshot.graph.relations):
        function = tool["function"]
        yield Tool(function["name"], function["description"], function["parameters"])


def answer(state: ServerState, name: str, arguments: dict[str, Any]) -> ToolResult:
    """Names one a line, or why there are none."""
    if name not in TOOLS:
        return ToolResult(f"no tool {name[:50]!r}: choose from {', '.join(TOOLS)}", True)
    try:
        asked = msgspec.convert(arguments, TOOLS[name])
    except msgspec.ValidationError as error:
        return ToolResult(str(error), True)
    result = state.snapshot.call_tool(asked.look())
    return ToolResult("\n".join(result.found) or result.problem or "nothing", bool(result.problem))
