"""The same application on a Ray cluster, by Ray Serve: replicas anywhere, one address per node."""

import logging
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from data_engine.runtime.children import RAY_ENVIRONMENT, ray_address
from reward_server.errors import Refused
from reward_server.server.app import App, load_app
from reward_server.server.config import ServeConfig
from reward_server.server.metrics import Metrics

NAME = "rerec-reward"
WAITS = {"upscale_delay_s": 5.0, "downscale_delay_s": 600.0}  # before replicas start or end


def serve_on_ray(
    config: ServeConfig, host: str, port: int, replicas: int, on_serving: Callable[[], None]
) -> None:
    """Run until interrupted, on the cluster that RAY_ADDRESS names or on one of this machine.

    All replicas start; those that are not needed end after ten minutes, and start again when they
    are. Store, token file and RecHead must lie where every node can read them, under the same path.
    on_serving: called when it serves.
    """
    import ray
    from ray import serve

    build = _app_builder(_absolute(config), replicas)
    ray.init(
        ray_address(),
        log_to_driver=False,
        include_dashboard=False,
        logging_level=logging.ERROR,
        runtime_env=RAY_ENVIRONMENT,
    )
    signal.signal(signal.SIGTERM, _exit)  # through the finally below; Ray took it for itself
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    serve.start(proxy_location="EveryNode", http_options={"host": host, "port": port})
    scaling = {"min_replicas": 1, "initial_replicas": replicas, "max_replicas": replicas}
    deployment = serve.deployment(autoscaling_config=scaling | WAITS, name=NAME)(
        serve.ingress(build)()
    )
    serve.run(deployment.bind(), name=NAME, route_prefix="/")
    on_serving()
    try:
        while True:
            time.sleep(1)
    finally:
        serve.shutdown()
        ray.shutdown()


def _app_builder(config: ServeConfig, replicas: int) -> Callable[[], App]:
    """A function that makes one replica's application."""

    def refuse() -> NoReturn:
        raise Refused(
            501,
            f"this is one of {replicas} replicas, which cannot be loaded again together: "
            "start `rerec serve --ray` again",
        )

    def build() -> App:
        app = load_app(config, Metrics())
        app.start(refuse if replicas > 1 else None)
        return app

    return build


def _absolute(config: ServeConfig) -> ServeConfig:
    """The same configuration with absolute paths: replicas have other working directories."""
    paths: dict[str, Path] = {"store": config.store.resolve()}
    if config.tokens:
        paths["tokens"] = config.tokens.resolve()
    if config.rechead:
        paths["rechead"] = config.rechead.resolve()
    return config.model_copy(update=paths)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)
