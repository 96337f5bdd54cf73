"""Running the server: where it may listen, and how its processes are made."""

import logging
import os
import signal
import socket
import sys
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from data_engine.children import on_end_of
from data_engine.errors import DataError
from reward_server.app import ServeConfig, make_app
from reward_server.cluster import serve_on_ray
from reward_server.prefork import Prefork

DRAIN_SECONDS = 30


def serve(
    config: ServeConfig, host: str, port: int, *, workers: int, insecure: bool, tls: tuple[Path, Path] | None, ray: bool, while_stdin: bool
) -> None:
    """Serve until stopped; on SIGTERM requests in flight are finished first. On SIGHUP the store is loaded again. With `ray`, on its cluster.

    Raises DataError for an address that strangers reach without a token, a port in use, a store that cannot be served.
    """
    if not (_loopback(host) or config.tokens or insecure):
        raise DataError(f"{host} can be reached by others: give --tokens FILE (see `rerec token`), or --insecure if that is what you want")
    for file in tls or ():
        if not file.is_file():
            raise DataError(f"no file {file} for TLS")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("rerec.access").setLevel(os.environ.get("REREC_ACCESS_LOG", "WARNING"))
    options = {
        "log_level": "warning",
        "access_log": False,
        "proxy_headers": False,  # who connects is who is logged
        "timeout_graceful_shutdown": DRAIN_SECONDS,
        "ssl_certfile": tls[0] if tls else None,
        "ssl_keyfile": tls[1] if tls else None,
    }
    if ray:
        make_app(config)  # what cannot be served is said at once
        _listener(host, port).close()
        if while_stdin:
            _stop_with_stdin()
        serve_on_ray(config, host, port, workers)
        return
    with _listener(host, port) as listener:
        app = make_app(config)
        address, snapshot = f"http{'s' if tls else ''}://{host}:{port}", app.live.snapshot
        print(f"reward server: {address}  graph {snapshot.digest}  {len(snapshot.targets)} examples  docs at /docs", flush=True)
        if while_stdin:
            _stop_with_stdin()
        if workers > 1:
            Prefork(app, lambda: make_app(config), listener, workers, options).run()
        else:
            uvicorn.Server(uvicorn.Config(app, **options)).run(sockets=[listener])


def _stop_with_stdin() -> None:
    """End this process when its standard input closes: a child does not outlive who started it, however that ended."""
    on_end_of(sys.stdin.fileno(), lambda: os.kill(os.getpid(), signal.SIGTERM))


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _listener(host: str, port: int) -> socket.socket:
    """A bound socket. Raises DataError when the port or the address cannot be had."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048)
    except OSError as error:
        raise DataError(f"port {port} is in use, or {host} is not an address of this machine: give another --port or --host") from error
