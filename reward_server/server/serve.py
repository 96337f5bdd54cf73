"""Running the server: where it may listen, and how its processes are made."""

import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from data_engine.errors import DataError
from data_engine.runtime.children import on_end_of
from reward_server.server.app import App, load_app, make_app
from reward_server.server.cluster import serve_on_ray
from reward_server.server.config import ServeConfig
from reward_server.server.metrics import Metrics
from reward_server.server.supervisor import Supervisor
from reward_server.server.uvicorn_server import NotifyingServer

DRAIN_SECONDS = 30  # for requests in flight when the server stops


@dataclass(frozen=True)
class RunOptions:
    """How a server runs.

    port: 0 is any that is free. workers: processes, or replicas with `ray`.
    insecure: others may reach it without a token. tls: (certificate, private key).
    while_stdin: stop when standard input closes.
    url_descriptor: a file descriptor that gets the URL when the server serves; closed then.
    """

    host: str = "127.0.0.1"
    port: int = 8700
    workers: int = 1
    insecure: bool = False
    tls: tuple[Path, Path] | None = None
    ray: bool = False
    while_stdin: bool = False
    url_descriptor: int | None = None

    @property
    def uvicorn(self) -> dict[str, Any]:
        """The options of `uvicorn.Config`."""
        certificate, key = self.tls or (None, None)
        return {
            "log_level": "warning",
            "access_log": False,
            "proxy_headers": False,  # the peer that connects is the one that is logged
            "timeout_graceful_shutdown": DRAIN_SECONDS,
            "ssl_certfile": certificate,
            "ssl_keyfile": key,
        }

    def url(self, port: int) -> str:
        """The address, at the port that was bound."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.tls else ''}://{host}:{port}"


def serve(config: ServeConfig, options: RunOptions) -> None:
    """Serve until stopped; the URL is printed when the server serves.

    On SIGTERM requests in flight are finished first. On SIGHUP the store is loaded again.
    Raises DataError for an address that others reach without a token, a port in use, a store that
    cannot be served.
    """
    _check(config, options)
    _prepare_process(options)
    with _bind(options.host, options.port) as listener:
        if options.ray:
            _serve_on_ray(config, options, listener)
        else:
            _serve_here(config, options, listener)


def _check(config: ServeConfig, options: RunOptions) -> None:
    if not (_is_loopback(options.host) or config.tokens or options.insecure):
        raise DataError(
            f"{options.host} can be reached by others: give --tokens FILE (see `rerec token`), "
            "or --insecure if that is what you want"
        )
    for file in options.tls or ():
        if not file.is_file():
            raise DataError(f"no file {file} for TLS")


def _prepare_process(options: RunOptions) -> None:
    """Logging; what children inherit; the end of standard input."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("rerec.access").setLevel(os.environ.get("REREC_ACCESS_LOG", "WARNING"))
    if options.url_descriptor is not None:
        os.set_inheritable(options.url_descriptor, False)
    if options.while_stdin:
        on_end_of(sys.stdin.fileno(), _stop)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _serve_on_ray(config: ServeConfig, options: RunOptions, listener: socket.socket) -> None:
    port = listener.getsockname()[1]

    def on_serving() -> None:
        _announce(options, port, f"on Ray, {options.workers} replicas")

    make_app(config)  # a store that cannot be served is an error at once
    listener.close()  # Ray's proxies, one per node, bind the port themselves
    serve_on_ray(config, options.host, port, options.workers, on_serving)


def _serve_here(config: ServeConfig, options: RunOptions, listener: socket.socket) -> None:
    port, metrics = listener.getsockname()[1], Metrics()

    def load() -> App:
        return load_app(config, metrics)

    def on_serving(app: App) -> None:
        snapshot = app.state.snapshot
        facts = f"graph {snapshot.digest}  {len(snapshot.targets)} examples  docs at /docs"
        _announce(options, port, facts)

    if options.workers > 1:
        Supervisor(load, listener, options.workers, options.uvicorn, on_serving).run()
        return
    app = make_app(config, metrics)

    def on_serving_alone() -> None:
        on_serving(app)

    NotifyingServer(app, options.uvicorn, on_serving_alone).run(sockets=[listener])


def _announce(options: RunOptions, port: int, facts: str) -> None:
    url = options.url(port)
    print(f"reward server: {url}  {facts}", flush=True)
    if options.url_descriptor is not None:
        # Who waits for the URL may have gone.
        with suppress(BrokenPipeError), os.fdopen(options.url_descriptor, "w") as out:
            out.write(f"{url}\n")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises DataError when the port or the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise DataError(
            f"port {port} is in use, or {host} is not an address of this machine: "
            "give another --port or --host"
        ) from error
