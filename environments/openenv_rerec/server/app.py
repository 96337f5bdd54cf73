"""The environment as an application: `uvicorn openenv_rerec.server.app:app`."""

import argparse

from openenv.core.env_server.http_server import create_app

try:
    from ..models import RerecAction, RerecObservation
    from .environment import RerecEnvironment
except ImportError:  # started in its own folder, as `openenv serve` does
    from models import RerecAction, RerecObservation
    from server.environment import RerecEnvironment

MOST_SESSIONS = 256
app = create_app(
    RerecEnvironment,
    RerecAction,
    RerecObservation,
    env_name="openenv_rerec",
    max_concurrent_envs=MOST_SESSIONS,
)


def main() -> None:
    """Serve on loopback, or where `--host` says."""
    import uvicorn

    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    uvicorn.run(app, host=options.host, port=options.port)


if __name__ == "__main__":
    main()
