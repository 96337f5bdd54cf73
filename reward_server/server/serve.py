"""Running the server: where it may listen, and how its processes are made."""

import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from data_engine.errors import DataError
from data_engine.runtime.children import on_end_of
from reward_server.server.app import App, ServeConfig, load_app, make_app
from reward_server.server.cluster import serve_on_ray
from reward_server.server.metrics import Metrics
from reward_server.server.workers import Prefork, Server

DRAIN_SECONDS = 30


def serve(
    config: ServeConfig,
    host: str,
    port: int,
    *,
    workers: int,
    insecure: bool,
    tls: tuple[Path, Path] | None,
    ray: bool,
    while_stdin: bool,
    tell: int | None,
) -> None:
    """Serve until stopped; on SIGTERM requests in flight are finished first. On SIGHUP the store is loaded again. With `ray`, on its cluster. Port 0
    is any that is free. When it serves, the URL is printed, and written to the file descriptor `tell`, which is closed then.

    Raises DataError for an address that strangers reach without a token, a port in use, a store that cannot be served.
    """
    if not (_loopback(host) or config.tokens or insecure):
        raise DataError(
            f"{host} can be reached by others: give --tokens FILE (see `rerec token`), or --insecure if that is what you want"
        )
    for file in tls or ():
        if not file.is_file():
            raise DataError(f"no file {file} for TLS")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("rerec.access").setLevel(os.environ.get("REREC_ACCESS_LOG", "WARNING"))
    if tell is not None:
        os.set_inheritable(tell, False)
    if while_stdin:
        _stop_with_stdin()
    options = {
        "log_level": "warning",
        "access_log": False,
        "proxy_headers": False,  # who connects is who is logged
        "timeout_graceful_shutdown": DRAIN_SECONDS,
        "ssl_certfile": tls[0] if tls else None,
        "ssl_keyfile": tls[1] if tls else None,
    }
    with _listener(host, port) as listener:
        port = listener.getsockname()[1]
        url = f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{port}"
        if ray:
            make_app(config)  # what cannot be served is said at once
            listener.close()  # Ray's proxies, one a node, bind it themselves
            serve_on_ray(
                config, host, port, workers, lambda: _told(url, f"on Ray, {workers} replicas", tell)
            )
            return
        metrics = Metrics()

        def started(app: App) -> None:
            snapshot = app.live.snapshot
            _told(
                url,
                f"graph {snapshot.digest}  {len(snapshot.targets)} examples  docs at /docs",
                tell,
            )

        if workers > 1:
            Prefork(lambda: load_app(config, metrics), listener, workers, options, started).run()
        else:
            app = make_app(config, metrics)
            Server(app, options, lambda: started(app)).run(sockets=[listener])


def _told(url: str, facts: str, tell: int | None) -> None:
    print(f"reward server: {url}  {facts}", flush=True)
    if tell is not None:
        with suppress(BrokenPipeError), os.fdopen(tell, "w") as out:  # who asked may have gone
            out.write(f"{url}\n")


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
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        raise DataError(
            f"port {port} is in use, or {host} is not an address of this machine: give another --port or --host"
        ) from error
