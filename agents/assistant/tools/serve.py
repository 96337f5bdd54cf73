"""Running the tools as an MCP server: over standard input and output, or over HTTP."""

from pathlib import Path
from typing import Any

from agents.assistant.assistant import Assistant
from agents.assistant.server.config import AssistantConfig
from agents.assistant.tools.app import App
from agents.assistant.tools.tools import Tools
from data_engine.http.listening import ListenOptions, run_app
from data_engine.http.mcp_server import check_sdk, make_server
from data_engine.http.served import ServedApp


def make_tool_server(store: Path) -> Any:
    """The SDK's server of the tools. Raises DataError without the SDK, before the store is read."""
    check_sdk("rerec mcp")
    tools = Tools(Assistant(store))
    return make_server(tools.describe, tools.call)


def serve(config: AssistantConfig, options: ListenOptions) -> None:
    """Serve over HTTP until stopped; the URL is printed when the server serves.

    Raises DataError for an address that others reach without a token, a port in use, a store that
    cannot be served.
    """
    options.check(guarded=config.tokens is not None)
    options.prepare_process()
    with options.bind() as listener:
        port = listener.getsockname()[1]

        def load() -> App:
            return App(make_tool_server(config.store), config)

        def on_serving(app: ServedApp) -> None:
            options.announce("mcp", port, "tools at /mcp")

        run_app(load, options, listener, on_serving)
