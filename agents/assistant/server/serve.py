"""Running the assistant's server, as one process or several."""

from agents.assistant.server.app import App
from agents.assistant.server.config import AssistantConfig
from agents.assistant.server.metrics import AskMetrics
from agents.assistant.server.service import OpenPolicy
from data_engine.http.listening import ListenOptions, run_app
from data_engine.http.served import ServedApp


def serve(
    config: AssistantConfig, options: ListenOptions, open_policy: OpenPolicy | None = None
) -> None:
    """Serve until stopped; the URL is printed when the server serves. open_policy: see `App`.

    On SIGTERM requests in flight are finished first. On SIGHUP the store is loaded again.
    Raises DataError for an address that others reach without a token, a port in use, a store that
    cannot be served.
    """
    options.check(guarded=config.tokens is not None)
    options.prepare_process()
    with options.bind() as listener:
        port, metrics = listener.getsockname()[1], AskMetrics()

        def load() -> App:
            return App(config, metrics, open_policy)

        def on_serving(app: ServedApp) -> None:
            options.announce("assistant", port, f"{app.facts()['items']:,} items  page at /")

        run_app(load, options, listener, on_serving)
