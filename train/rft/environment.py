"""The environment variables that verl and Ray read."""

import os

from train.cores import threads


def prepare_environment(cpu: bool) -> None:
    """Set what verl and Ray read, before either is imported; workers of this machine inherit it."""
    os.environ.update(environment(cpu))


def environment(cpu: bool) -> dict[str, str]:
    """The variables by name, for this process and all workers."""
    found = dict(
        HF_HUB_OFFLINE=os.environ.get("HF_HUB_OFFLINE", "1"),
        RAY_USAGE_STATS_ENABLED="0",
        RAY_DEDUP_LOGS="0",
        TQ_NUM_THREADS="2",
        TQ_CLIENT_ZMQ_IO_THREADS="2",
        WANDB_MODE="disabled",
        TOKENIZERS_PARALLELISM="false",
        RAY_memory_usage_threshold="0.98",
    )
    if cpu:
        found |= {
            "VERL_PLATFORM": "cpu",
            "VERL_USE_EXTERNAL_MODULES": "train.verl_plugin.platform_cpu",
            "OMP_NUM_THREADS": str(threads()),
        }
    return found
