"""Whether the rollout that a recipe names can run in this environment, asked before Ray starts."""

import os
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from omegaconf import DictConfig
from packaging.version import Version

from train.errors import TrainError

OLDEST = Version("0.18.0")  # of vLLM, for verl 0.9.1
ON_CPU = "`./justw vllm` makes .venv-vllm, which has it"
ON_GPU = 'install `pip install "verl[vllm]==0.9.1"` in an environment of its own'


def check_rollout(composed: DictConfig) -> None:
    """Raises TrainError where a run of this recipe would fail for want of vLLM or of a GPU."""
    problem = missing_vllm(composed) or wrong_vllm(composed) or missing_gpu(composed)
    if problem:
        raise TrainError(problem)


def missing_vllm(composed: DictConfig) -> str:
    """A message where the recipe needs vLLM and there is none, "" otherwise."""
    if composed.actor_rollout_ref.rollout.name != "vllm" or find_spec("vllm"):
        return ""
    advice = ON_CPU if composed.trainer.device == "cpu" else ON_GPU
    return f"the recipe's rollout needs vLLM, which is not installed: {advice}"


def wrong_vllm(composed: DictConfig) -> str:
    """A message where vLLM is not one that verl takes, or was built for another device."""
    if composed.actor_rollout_ref.rollout.name != "vllm" or not find_spec("vllm"):
        return ""
    cpu = composed.trainer.device == "cpu"
    advice = ON_CPU if cpu else ON_GPU
    try:
        found = version("vllm")
    except PackageNotFoundError:
        return f"vLLM is here under another name than vllm, by which verl asks for it: {advice}"
    if Version(found) < OLDEST:
        return f"vLLM {found} is older than {OLDEST}, the first that verl 0.9.1 takes: {advice}"
    if ("cpu" in found) != cpu:
        built, wanted = ("CPUs", "a GPU") if not cpu else ("GPUs", "a CPU")
        return f"vLLM {found} is built for {built}, and the recipe trains on {wanted}: {advice}"
    return ""


def missing_gpu(composed: DictConfig) -> str:
    """A message where a recipe for GPUs would start its own Ray on a machine without one."""
    if composed.trainer.device != "cuda" or "RAY_ADDRESS" in os.environ:
        return ""
    import torch

    found, wanted = torch.cuda.device_count(), composed.trainer.n_gpus_per_node
    if found >= wanted:
        return ""
    return (
        f"the recipe trains on {wanted} GPUs, and this machine has {found}: "
        "give --set trainer.n_gpus_per_node=N, set RAY_ADDRESS, or take a recipe for CPUs"
    )
