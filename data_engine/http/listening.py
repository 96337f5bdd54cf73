"""Where a server may listen, and how it is run there: alone or as several workers."""

import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from data_engine.errors import DataError
from data_engine.http.served import ServedApp
from data_engine.http.supervisor import Supervisor
from data_engine.http.uvicorn_server import NotifyingServer
from data_engine.runtime.children import on_end_of

DRAIN_SECONDS = 30  # for requests in flight when the server stops


@dataclass(frozen=True)
class ListenOptions:
    """How a server runs.

    port: 0 is any that is free. workers: processes. insecure: others may reach it without a token.
    tls: (certificate, private key). while_stdin: stop when standard input closes.
    url_descriptor: a file descriptor that gets the URL when the server serves; closed then.
    """

    host: str = "127.0.0.1"
    port: int = 0
    workers: int = 1
    insecure: bool = False
    tls: tuple[Path, Path] | None = None
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

    def check(self, guarded: bool) -> None:
        """Raise DataError for an address that others reach without a token, or bad TLS files."""
        if not (is_loopback(self.host) or guarded or self.insecure):
            raise DataError(
                f"{self.host} can be reached by others: give --tokens FILE (see `rerec token`), "
                "or --insecure if that is what you want"
            )
        for file in self.tls or ():
            if not file.is_file():
                raise DataError(f"no file {file} for TLS")
        if self.tls:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self.tls)
            except ssl.SSLError as error:
                certificate, key = self.tls
                raise DataError(
                    f"{certificate} and {key} are no certificate and its key: {error.strerror}"
                ) from error

    def prepare_process(self) -> None:
        """Logging; what children inherit; the end of standard input."""
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
        logging.getLogger("rerec.access").setLevel(os.environ.get("REREC_ACCESS_LOG", "WARNING"))
        if self.url_descriptor is not None:
            os.set_inheritable(self.url_descriptor, False)
        if self.while_stdin:
            on_end_of(sys.stdin.fileno(), _stop)

    def bind(self) -> socket.socket:
        """A listening socket. Raises DataError when the port or the address cannot be had."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family, backlog=2048)
        except OSError as error:
            raise DataError(
                f"port {self.port} is in use, or {self.host} is not an address of this machine: "
                "give another --port or --host"
            ) from error

    def announce(self, name: str, port: int, facts: str) -> None:
        """Print the address and what is served, and tell whoever waits for the URL."""
        url = self.url(port)
        print(f"{name}: {url}  {facts}", flush=True)
        if self.url_descriptor is not None:
            # Who waits for the URL may have gone.
            with suppress(BrokenPipeError), os.fdopen(self.url_descriptor, "w") as out:
                out.write(f"{url}\n")


def run_app(
    load: Callable[[], ServedApp],
    options: ListenOptions,
    listener: socket.socket,
    on_serving: Callable[[ServedApp], None],
) -> None:
    """Serve what `load` returns until stopped; `on_serving` is called when it serves.

    On SIGTERM requests in flight are finished first. Raises DataError when there is nothing to
    serve.
    """
    if options.workers > 1:
        Supervisor(load, listener, options.workers, options.uvicorn, on_serving).run()
        return
    app = load()
    app.start()

    def on_serving_alone() -> None:
        on_serving(app)

    NotifyingServer(app, options.uvicorn, on_serving_alone).run(sockets=[listener])


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
