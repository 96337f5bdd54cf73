"""A transformers rollout behind verl's server interface, for machines without vLLM.

HFServer is a Ray actor with a copy of the policy that batches what arrives together; HFReplica launches it; HFServerAdapter in
the training worker pushes new weights to it after each step.
"""

import asyncio
import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import ray
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.llm_server import LLMServerClient
from verl.workers.rollout.replica import RolloutReplica, TokenOutput
from verl.workers.rollout.utils import ensure_async_iterator

from train.cores import threads
from train.evaluation.sampling import SamplingRequest, generate

GATHER_SECONDS = 0.02


def _server_name(replica_rank: int) -> str:
    return f"rerec_hf_server_{replica_rank}"


class HFServer:
    """Generates batches of at most `most_rows`. The seed of a request is its step, its prompt and its turn among equal prompts of the step."""

    def __init__(
        self, path: str, dtype: str, response_length: int, most_rows: int, seed: int
    ) -> None:
        torch.set_num_threads(threads())
        self.tokenizer = AutoTokenizer.from_pretrained(path)
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype)).eval()
        self.response_length, self.most_rows, self.seed = response_length, most_rows, seed
        self.step: int | None = None
        self.turns: Counter[tuple] = Counter()
        self.pool = ThreadPoolExecutor(1)
        self.queue: asyncio.Queue = asyncio.Queue()
        self.gate = asyncio.Lock()  # generation against weight updates

    async def ready(self) -> bool:
        """Start serving."""
        self.task = asyncio.get_running_loop().create_task(self._serve())
        return True

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self.queue.get()]
            await asyncio.sleep(GATHER_SECONDS)  # let the rest of the rollout batch arrive
            while len(batch) < self.most_rows and not self.queue.empty():
                batch.append(self.queue.get_nowait())
            async with self.gate:
                asks = [ask for ask, _ in batch]
                work = loop.run_in_executor(
                    self.pool,
                    generate,
                    self.model,
                    asks,
                    self.tokenizer.eos_token_id,
                    self.tokenizer.pad_token_id,
                )
                try:
                    found = await work
                except Exception as error:  # whatever went wrong belongs to the requests that wait for it; the server lives on
                    for _, answer in batch:
                        answer.set_exception(RuntimeError(f"generation failed: {error!r}"))
                    continue
            for (_, answer), result in zip(batch, found, strict=True):
                answer.set_result(result)

    async def generate_all(self, asked: list[tuple[list[int], dict]]) -> list[TokenOutput]:
        """A response for each (prompt ids, sampling parameters)."""
        return await asyncio.gather(
            *(self.generate(prompt_ids=prompt, sampling_params=params) for prompt, params in asked)
        )

    async def generate(
        self, *, prompt_ids: list[int], sampling_params: dict, **_: object
    ) -> TokenOutput:
        """One response."""
        temperature = float(sampling_params.get("temperature", 1.0))
        most = (
            sampling_params.get("max_tokens")
            or sampling_params.get("max_new_tokens")
            or self.response_length
        )
        key = (self.step, tuple(prompt_ids), temperature)
        seed = int.from_bytes(
            hashlib.sha256(repr((self.seed, *key, self.turns[key])).encode()).digest()[:8]
        )
        self.turns[key] += 1
        answer = asyncio.get_running_loop().create_future()
        request = SamplingRequest(key[1], temperature, int(most), seed)
        await self.queue.put((request, answer))
        ids, logprobs = await answer
        return TokenOutput(
            token_ids=ids,
            log_probs=logprobs if sampling_params.get("logprobs") else None,
            stop_reason="completed",
            extra_fields={
                "global_steps": self.step,
                "min_global_steps": self.step,
                "max_global_steps": self.step,
            },
        )

    async def load_weights(self, state: dict[str, torch.Tensor], step: int | None) -> None:
        """Take over the trainer's weights between batches. Raises RuntimeError when names do not match."""
        async with self.gate:
            missing, unexpected = self.model.load_state_dict(state, strict=False)
            if self.model.config.tie_word_embeddings:
                missing = [name for name in missing if name != "lm_head.weight"]
            if missing or unexpected:
                raise RuntimeError(
                    f"weights do not fit the rollout model: missing {missing}, unexpected {unexpected}"
                )
        if step is not None:
            await self.set_global_steps(step)

    async def set_global_steps(self, step: int) -> None:
        """The trainer's step; a new step starts the turns of equal prompts anew."""
        self.step = step
        self.turns.clear()

    async def _nothing(self, *_: object, **__: object) -> None:
        """Life-cycle calls that free GPU memory: there is none."""

    wake_up = sleep = abort_all_requests = resume_generation = clear_kv_cache = _nothing
    release_kv_cache = resume_kv_cache = start_profile = stop_profile = _nothing


class HFClient(LLMServerClient):
    """What is asked within GATHER_SECONDS goes to the server in one remote call (verl's own makes three a response)."""

    def __init__(self, config: object, servers: list[ray.actor.ActorHandle]) -> None:
        super().__init__(config)
        self._servers = servers
        self._waiting: list[tuple[tuple[list[int], dict], asyncio.Future[TokenOutput]]] = []
        self._task: asyncio.Task[None] | None = None

    async def generate(
        self,
        request_id: str,
        *,
        prompt_ids: list[int],
        sampling_params: dict,
        image_data: object = None,
        video_data: object = None,
        **_: object,
    ) -> TokenOutput:
        """One response, text only."""
        if image_data is not None or video_data is not None:
            raise ValueError("the hf rollout reads text only")
        answer = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._task = asyncio.create_task(self._send())
        self._waiting.append(((prompt_ids, sampling_params), answer))
        return await answer

    async def _send(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        batch, self._waiting = self._waiting, []
        await asyncio.gather(
            *(
                self._answer(server, batch[k :: len(self._servers)])
                for k, server in enumerate(self._servers)
            )
        )

    async def _answer(
        self,
        server: ray.actor.ActorHandle,
        batch: list[tuple[tuple[list[int], dict], asyncio.Future[TokenOutput]]],
    ) -> None:
        try:
            found = await server.generate_all.remote([ask for ask, _ in batch])
        except Exception as error:  # it belongs to the requests that wait for it
            found = [error] * len(batch)
        for (_, answer), output in zip(batch, found, strict=True):
            if isinstance(output, Exception):
                answer.set_exception(output)
            else:
                answer.set_result(output)


class HFReplica(RolloutReplica):
    """Launches one HFServer on the trainer's node."""

    async def launch_servers(self) -> None:
        """Called by verl once, before training."""
        node = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=True
        )
        options = {
            "name": _server_name(self.replica_rank),
            "num_cpus": 0,
            "max_concurrency": self.max_concurrency,
            "scheduling_strategy": node,
        }
        server = (
            ray.remote(HFServer)
            .options(**options)
            .remote(
                os.path.expanduser(self.model_config.path),
                self.config.dtype,
                self.config.response_length,
                self.config.max_num_seqs,
                self.config.seed + self.replica_rank,
            )
        )
        await server.ready.remote()
        self.servers, self._server_handle = [server], server
        self._server_address = f"hf://{_server_name(self.replica_rank)}"


class HFServerAdapter(BaseRollout):
    """The training worker's side: gathers full weights (every rank must drain the iterator) and the leader sends them."""

    def __init__(
        self, config: object, model_config: object, device_mesh: object, replica_rank: int = -1
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
        """Nothing to release on CPU."""

    @torch.no_grad()
    async def update_weights(
        self,
        weights: object,
        wire_format: str = "named_tensors",
        global_steps: int | None = None,
        **_: object,
    ) -> None:
        """Send the new weights. Raises ValueError for a wire format other than named tensors."""
        if wire_format != "named_tensors":
            raise ValueError(f"the hf rollout takes named_tensors, not {wire_format}")
        dtype, state = getattr(torch, self.config.dtype), {}
        async for name, tensor in ensure_async_iterator(weights):
            if self.leader:
                state[name] = tensor.detach().to(
                    "cpu", dtype=dtype if tensor.is_floating_point() else None, copy=True
                )
        if self.leader:
            await ray.get_actor(_server_name(self.replica_rank)).load_weights.remote(
                state, global_steps
            )
