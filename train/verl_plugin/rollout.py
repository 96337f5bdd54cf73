"""A transformers rollout behind verl's server interface, for machines without vLLM.

HFReplica launches a Ray actor with a copy of the policy (`hf_server`); HFServerAdapter in the
training worker pushes new weights to it after each step.
"""

import os
from typing import Any

import ray
import torch
from torch.distributed.device_mesh import DeviceMesh
from verl.utils.device import get_device_name
from verl.workers.config import HFModelConfig, RolloutConfig
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica
from verl.workers.rollout.utils import ensure_async_iterator

from train.verl_plugin.hf_server import HFServer

SEE_ALL_GPUS = "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"


def _server_name(replica_rank: int) -> str:
    return f"rerec_hf_server_{replica_rank}"


class HFReplica(RolloutReplica):
    """Launches one HFServer; the replicas are spread evenly over the machines of the cluster."""

    async def launch_servers(self) -> None:
        """Called by verl once, before training."""
        machines = sorted(node["NodeID"] for node in ray.nodes() if node["Alive"])
        node = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            machines[self.replica_rank % len(machines)], soft=True
        )
        options: dict[str, Any] = {
            "name": _server_name(self.replica_rank),
            "num_cpus": 0,
            "max_concurrency": self.max_concurrency,
            "scheduling_strategy": node,
        }
        if get_device_name() != "cpu":  # the trainer asked Ray for the GPUs; others see none
            options["runtime_env"] = {"env_vars": {SEE_ALL_GPUS: "1"}}
        actor: Any = ray.remote(HFServer)
        server = actor.options(**options).remote(
            os.path.expanduser(self.model_config.path),
            self.config.dtype,
            self.config.response_length,
            self.config.max_num_seqs,
            self.config.seed + self.replica_rank,
            self.replica_rank,
        )
        await server.ready.remote()
        self.servers, self._server_handle = [server], server
        self._server_address = f"hf://{_server_name(self.replica_rank)}"


class HFServerAdapter(BaseRollout):
    """The training worker's side.

    Every rank gathers full weights (all must drain the iterator), and the leader sends them.
    """

    def __init__(
        self,
        config: RolloutConfig,
        model_config: HFModelConfig,
        device_mesh: DeviceMesh,
        replica_rank: int = -1,
    ) -> None:
        super().__init__(config, model_config, device_mesh)
        per_replica = (
            config.tensor_model_parallel_size
            * config.data_parallel_size
            * config.pipeline_model_parallel_size
        )
        rank = int(os.environ["RANK"])
        self.replica_rank = rank // per_replica if replica_rank == -1 else replica_rank
        self.leader = rank % per_replica == 0

    async def resume(self, tags: list[str]) -> None:
        """Nothing was released."""

    async def release(self) -> None:
        """The server keeps its copy of the weights."""

    @torch.no_grad()
    async def update_weights(
        self,
        weights: Any,
        wire_format: str = "named_tensors",
        global_steps: int | None = None,
        **_: Any,
    ) -> None:
        """Send the new weights. Raises ValueError for a wire format other than named tensors."""
        if wire_format != "named_tensors":
            raise ValueError(f"the hf rollout takes named_tensors, not {wire_format}")
        dtype = getattr(torch, self.config.dtype)
        state: dict[str, torch.Tensor] = {}
        async for name, tensor in ensure_async_iterator(weights):
            if self.leader:
                target = dtype if tensor.is_floating_point() else None
                state[name] = tensor.detach().to("cpu", dtype=target, copy=True)
        if self.leader:
            server = ray.get_actor(_server_name(self.replica_rank))
            await server.load_weights.remote(state, global_steps)
