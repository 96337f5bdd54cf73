"""Loaded by every verl worker (model.external_lib).

Registers our advantage estimators, and on CPU the rollout, the engine and the gloo group.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from verl.trainer.ppo.core_algos import register_adv_est
from verl.utils.device import get_device_name
from verl.workers.engine.base import EngineRegistry
from verl.workers.rollout import base as rollout_base
from verl.workers.rollout.replica import RolloutReplicaRegistry

from train.algorithms import ALGORITHMS, Algorithm
from train.cores import threads
from train.verl_plugin.engine import ResponseEngine

Estimator = Callable[..., tuple[torch.Tensor, torch.Tensor]]


def _estimator(algorithm: Algorithm) -> Estimator:
    """verl's estimator interface over an algorithm's; advantages serve as returns, as in GRPO."""

    def estimate(
        token_level_rewards: torch.Tensor, response_mask: torch.Tensor, index: np.ndarray, **_: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            advantage = algorithm.advantages(token_level_rewards, response_mask, list(index))
        return advantage, advantage

    return estimate


for _algorithm in ALGORITHMS.values():
    if _algorithm.own_estimator:
        register_adv_est(_algorithm.name)(_estimator(_algorithm))


def _hf_replica() -> type:
    from train.verl_plugin.rollout import HFReplica

    return HFReplica


RolloutReplicaRegistry.register("hf", _hf_replica)
# the one private touch: verl has no register function for the worker-side adapters
rollout_base._ROLLOUT_REGISTRY.setdefault(
    ("hf", "async"), "train.verl_plugin.rollout.HFServerAdapter"
)

if get_device_name() == "cpu":
    torch.set_num_threads(
        threads()
    )  # Ray gives its workers one thread each; here they work in turns
    if "cpu" not in EngineRegistry._engines.get("language_model", {}).get("fsdp2", {}):
        EngineRegistry.register(model_type="language_model", backend="fsdp2", device="cpu")(
            ResponseEngine
        )
    # verl would ask torch for "cpu:gloo,cpu:gloo", which torch refuses; it leaves a group as it is
    if {
        "WG_PREFIX",
        "RANK",
        "MASTER_ADDR",
    } <= os.environ.keys() and not torch.distributed.is_initialized():
        torch.distributed.init_process_group(
            "gloo", rank=int(os.environ["RANK"]), world_size=int(os.environ["WORLD_SIZE"])
        )
