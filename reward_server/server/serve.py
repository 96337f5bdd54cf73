"""Running the reward server: here, as one process or several, or on a Ray cluster."""

import socket
from dataclasses import dataclass

from data_engine.http.listening import ListenOptions, run_app
from data_engine.http.served import ServedApp
from reward_server.server.app import App, load_app, make_app
from reward_server.server.cluster import serve_on_ray
from reward_server.server.config import ServeConfig
from reward_server.server.metrics import Metrics

NAME = "reward server"


@dataclass(frozen=True)
class RunOptions(ListenOptions):
    """As `ListenOptions`. ray: as so many replicas on a Ray cluster as there are workers."""

    ray: bool = False


def serve(config: ServeConfig, options: RunOptions) -> None:
    """Serve until stopped; the URL is printed when the server serves.

    On SIGTERM requests in flight are finished first. On SIGHUP the store is loaded again.
    Raises DataError for an address that others reach without a token, a port in use, a store that
    cannot be served.
    """
    options.check(guarded=config.tokens is not None)
    options.prepare_process()
    with options.bind() as listener:
        if options.ray:
            _serve_on_ray(config, options, listener)
        else:
            _serve_here(config, options, listener)


def _serve_on_ray(config: ServeConfig, options: RunOptions, listener: socket.socket) -> None:
    port = listener.getsockname()[1]

    def on_serving() -> None:
        options.announce(NAME, port, f"on Ray, {options.workers} replicas")

    make_app(config)  # a store that cannot be served is an error at once
    listener.close()  # Ray's proxies, one per node, bind the port themselves
    serve_on_ray(config, options.host, port, options.workers, on_serving)


def _serve_here(config: ServeConfig, options: RunOptions, listener: socket.socket) -> None:
    port, metrics = listener.getsockname()[1], Metrics()

    def load() -> App:
        return load_app(config, metrics)

    def on_serving(app: ServedApp) -> None:
        facts = app.facts()
        served = f"graph {facts['graph_digest']}  {facts['examples']} examples  docs at /docs"
        options.announce(NAME, port, served)

    run_app(load, options, listener, on_serving)
