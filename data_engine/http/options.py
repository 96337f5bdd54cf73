"""Options that the commands that serve share, so that they are called and explained alike."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.errors import DataError

PortOption = Annotated[
    int, typer.Option(min=0, max=65535, help="0 is any that is free; the URL is printed.")
]
HostOption = Annotated[
    str,
    typer.Option(help="Address to listen at; another than this machine's own needs --tokens."),
]
WorkersOption = Annotated[
    int, typer.Option(min=1, max=64, help="Processes; they share the graph's memory.")
]
TokensOption = Annotated[
    Path | None,
    typer.Option(help="Token file: callers must then send one (see `rerec token`)."),
]
InsecureOption = Annotated[
    bool, typer.Option("--insecure", help="Let strangers reach the server without a token.")
]
CertificateOption = Annotated[
    Path | None, typer.Option("--tls-cert", help="Certificate, for https; with --tls-key.")
]
KeyOption = Annotated[
    Path | None, typer.Option("--tls-key", help="Private key of the certificate.")
]
AtOnceOption = Annotated[
    int,
    typer.Option(
        min=1, help="Requests served at once by a process; more are told to come back (429)."
    ),
]
SecondsOption = Annotated[float, typer.Option(min=0.1, help="Most seconds for one request.")]
WhileStdinOption = Annotated[
    bool, typer.Option("--while-stdin", hidden=True, help="Stop when standard input closes.")
]
TellOption = Annotated[
    int | None,
    typer.Option(hidden=True, help="File descriptor that gets the URL when it serves."),
]


def tls_files(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    """Both files, or None. Raises DataError where one is missing."""
    if (certificate is None) != (key is None):
        raise DataError("TLS needs both --tls-cert and --tls-key")
    return (certificate, key) if certificate and key else None
