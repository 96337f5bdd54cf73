"""The machines of a Ray cluster: how a run joins them, and what it does when one is lost."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGINT, pthread_kill
from threading import Event, Thread, get_ident

import ray
from omegaconf import DictConfig, OmegaConf

from data_engine.runtime.children import ray_address
from data_engine.runtime.quiet import LOG
from train.errors import TrainError
from train.rft.environment import environment

POLL_SECONDS = 1.0
NOTICE_SECONDS = 60.0  # Ray says within about 20 s that a machine is gone; errors may come sooner
SIZES = (
    "num_cpus",
    "num_gpus",
    "object_store_memory",
    "include_dashboard",
)  # a cluster has its own


class MachineLost(TrainError):
    """A machine of the cluster is gone; the last checkpoint is there to go on from."""


def join_cluster(config: DictConfig) -> None:
    """Make the config's `ray_init` one for the cluster that RAY_ADDRESS names, or for its own.

    Its workers get the environment of this process, which those of a cluster of its own inherit.
    """
    ray_init = config.ray_kwargs.ray_init
    OmegaConf.set_struct(ray_init, False)
    ray_init.address = ray_address()
    if ray_init.address == "local":
        return
    for size in SIZES:
        ray_init.pop(size, None)
    ours = environment(config.trainer.device == "cpu")
    ray_init.runtime_env.env_vars = ours | {LOG: os.environ.get(LOG, os.devnull)}


@contextmanager
def watched_machines() -> Iterator[None]:
    """Within the block a machine that is lost raises MachineLost, whatever is waited for.

    Without it a run would wait for ever for responses that were to come from there.
    """
    watch = _Watch(_alive())
    watch.start()
    try:
        try:
            yield
        except Exception:  # the first sign may be an error of any library
            if len(watch.before) > 1:
                watch.lost.wait(NOTICE_SECONDS)
            raise
    except BaseException as error:
        if watch.message:
            raise MachineLost(watch.message) from error
        raise
    finally:
        watch.ended.set()
        watch.join()


class _Watch(Thread):
    """Looks every POLL_SECONDS whether the machines `before` are there."""

    def __init__(self, before: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.before, self.caller, self.message = before, get_ident(), ""
        self.lost, self.ended = Event(), Event()

    def run(self) -> None:
        """Until the end of the block, or the loss of a machine: then interrupt the block."""
        while not self.ended.wait(POLL_SECONDS):
            gone = self.before.keys() - _alive().keys()
            if gone:
                names = ", ".join(sorted(self.before[node] for node in gone))
                self.message = f"{len(gone)} of {len(self.before)} machines were lost ({names})"
                pthread_kill(self.caller, SIGINT)
                self.lost.set()  # last: who waits for it is interrupted first
                return


def _alive() -> dict[str, str]:
    """Names of the machines that are there, by Ray's id."""
    return {node["NodeID"]: node["NodeName"] for node in ray.nodes() if node["Alive"]}
