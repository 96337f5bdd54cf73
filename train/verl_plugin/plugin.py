"""What every verl worker loads (model.external_lib): our estimator, and on CPU the rollout, the engine and the gloo group."""

import os

import torch
from verl.trainer.ppo.core_algos import register_adv_est
from verl.utils.device import get_device_name
from verl.workers.engine.base import EngineRegistry
from verl.workers.rollout import base as rollout_base
from verl.workers.rollout.replica import RolloutReplicaRegistry

from train.algorithms.advantage import raae
from train.cores import threads
from train.verl_plugin.engine import ResponseEngine


@register_adv_est("raae")
def estimate_raae(
    token_level_rewards: torch.Tensor, response_mask: torch.Tensor, index: object, **_: object
) -> tuple[torch.Tensor, torch.Tensor]:
    """verl's estimator interface over `train.algorithms.advantage.raae`; advantages serve as returns, as in GRPO."""
    with torch.no_grad():
        advantage = raae(token_level_rewards, response_mask, list(index))
    return advantage, advantage


@register_adv_est("raae_graph")
def estimate_raae_graph(
    token_level_rewards: torch.Tensor, response_mask: torch.Tensor, index: object, **_: object
) -> tuple[torch.Tensor, torch.Tensor]:
    """As `raae`, for a process part that the trainer has centred over the group (`rerec.judged` is its weight): it is added as it is."""
    with torch.no_grad():
        advantage = raae(token_level_rewards, response_mask, list(index), scaled=False)
    return advantage, advantage


def _hf_replica() -> type:
    from train.verl_plugin.rollout import HFReplica

    return HFReplica


RolloutReplicaRegistry.register("hf", _hf_replica)
# verl has no register function for the worker-side adapter table (workers/rollout/base.py): the one private touch
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
    # verl would ask torch for "cpu:gloo,cpu:gloo", which torch refuses; it leaves an existing group alone
    if {
        "WG_PREFIX",
        "RANK",
        "MASTER_ADDR",
    } <= os.environ.keys() and not torch.distributed.is_initialized():
        torch.distributed.init_process_group(
            "gloo", rank=int(os.environ["RANK"]), world_size=int(os.environ["WORLD_SIZE"])
        )
