"""The same application on a Ray cluster, by Ray Serve: replicas anywhere, one address on every node."""

import logging
import signal
import sys
import time
from collections.abc import Callable

from data_engine.runtime.children import RAY_ENVIRONMENT
from reward_server.errors import Refused
from reward_server.server.app import App, ServeConfig, make_app

NAME = "rerec-reward"


def serve_on_ray(
    config: ServeConfig, host: str, port: int, replicas: int, started: Callable[[], None]
) -> None:
    """Run until interrupted, on the cluster that RAY_ADDRESS names or on one of this machine's own. `started` is called when it serves.

    The store (and the token file) must lie where every node can read them, under the same path.
    """
    import ray
    from ray import serve

    here = config.model_copy(
        update={
            "store": config.store.resolve(),
            "tokens": config.tokens and config.tokens.resolve(),
        }
        | ({"rechead": config.rechead.resolve()} if config.rechead else {})
    )

    def refuse() -> None:
        raise Refused(
            501,
            f"this is one of {replicas} replicas, which cannot be loaded again together: start `rerec serve --ray` again",
        )

    def build() -> App:
        app = make_app(here)
        app.live.elsewhere = refuse if replicas > 1 else None
        return app

    ray.init(
        log_to_driver=False,
        include_dashboard=False,
        logging_level="error",
        runtime_env=RAY_ENVIRONMENT,
    )
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(0)
    )  # through the finally below; Ray took it for itself
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    serve.start(proxy_location="EveryNode", http_options={"host": host, "port": port})
    serve.run(
        serve.deployment(num_replicas=replicas, name=NAME)(serve.ingress(build)()).bind(),
        name=NAME,
        route_prefix="/",
    )
    started()
    try:
        while True:
            time.sleep(1)
    finally:
        serve.shutdown()
        ray.shutdown()
