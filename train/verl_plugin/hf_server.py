"""The server of the transformers rollout: a copy of the policy that generates in batches."""

import asyncio
import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from verl.workers.rollout.replica import TokenOutput

from train.cores import threads
from train.evaluation.placement import device_of_copy
from train.evaluation.sampling import SamplingRequest, generate

GATHER_SECONDS = 0.02
Request = tuple[list[int], dict[str, Any]]  # prompt ids, sampling parameters
Generated = tuple[list[int], list[float]]  # token ids, log-probabilities


class HFServer:
    """Generates batches of at most `most_rows`; `number` counts the servers of a run from 0.

    The seed of a request is its step, its prompt and its number among equal prompts of the step.
    """

    def __init__(
        self, path: str, dtype: str, response_length: int, most_rows: int, seed: int, number: int
    ) -> None:
        torch.set_num_threads(threads())
        self.tokenizer: Any = AutoTokenizer.from_pretrained(path)
        model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype))
        self.model = model.to(device_of_copy(number)).eval()
        self.response_length, self.most_rows, self.seed = response_length, most_rows, seed
        self.step: int | None = None
        self.repeats: Counter[tuple[Any, ...]] = Counter()
        self.executor = ThreadPoolExecutor(1)
        self.queue: asyncio.Queue[tuple[SamplingRequest, asyncio.Future[Generated]]] = (
            asyncio.Queue()
        )
        self.gate = asyncio.Lock()  # generation against weight updates

    async def ready(self) -> bool:
        """Start serving."""
        self.task = asyncio.get_running_loop().create_task(self._serve())
        return True

    async def _serve(self) -> None:
        while True:
            batch = [await self.queue.get()]
            await asyncio.sleep(GATHER_SECONDS)  # let the rest of the rollout batch arrive
            while len(batch) < self.most_rows and not self.queue.empty():
                batch.append(self.queue.get_nowait())
            async with self.gate:
                try:
                    found = await self._generate([request for request, _ in batch])
                except Exception as error:  # it belongs to the requests; the server lives on
                    for _, future in batch:
                        future.set_exception(RuntimeError(f"generation failed: {error!r}"))
                    continue
            for (_, future), result in zip(batch, found, strict=True):
                future.set_result(result)

    async def _generate(self, requests: list[SamplingRequest]) -> list[Generated]:
        eos = self.tokenizer.eos_token_id
        pad = eos if self.tokenizer.pad_token_id is None else self.tokenizer.pad_token_id
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, generate, self.model, requests, eos, pad)

    async def generate_all(self, requests: list[Request]) -> list[TokenOutput]:
        """A response for each request."""
        return await asyncio.gather(
            *(self.generate(prompt_ids=ids, sampling_params=params) for ids, params in requests)
        )

    async def generate(
        self, *, prompt_ids: list[int], sampling_params: dict[str, Any], **_: Any
    ) -> TokenOutput:
        """One response."""
        request = self._sampling_request(tuple(prompt_ids), sampling_params)
        future: asyncio.Future[Generated] = asyncio.get_running_loop().create_future()
        await self.queue.put((request, future))
        ids, logprobs = await future
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

    def _sampling_request(self, prompt: tuple[int, ...], params: dict[str, Any]) -> SamplingRequest:
        temperature = float(params.get("temperature", 1.0))
        most = params.get("max_tokens") or params.get("max_new_tokens") or self.response_length
        key = (self.step, prompt, temperature)
        name = repr((self.seed, *key, self.repeats[key]))
        self.repeats[key] += 1
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
        top_p = float(params.get("top_p", 1.0))
        return SamplingRequest(prompt, temperature, int(most), seed, top_p)

    async def load_weights(self, state: dict[str, torch.Tensor], step: int | None) -> None:
        """Take over the trainer's weights between batches.

        Raises RuntimeError when names do not match.
        """
        async with self.gate:
            missing, unexpected = self.model.load_state_dict(state, strict=False)
            if self.model.config.tie_word_embeddings:
                missing = [name for name in missing if name != "lm_head.weight"]
            if missing or unexpected:
                raise RuntimeError(
                    f"weights do not fit the rollout model: missing {missing}, "
                    f"unexpected {unexpected}"
                )
        if step is not None:
            await self.set_global_steps(step)

    async def set_global_steps(self, step: int) -> None:
        """The trainer's step; a new step counts equal prompts anew."""
        self.step = step
        self.repeats.clear()

    async def _nothing(self, *_: Any, **__: Any) -> None:
        """Life-cycle calls that free GPU memory: there is none."""

    wake_up = sleep = abort_all_requests = resume_generation = clear_kv_cache = _nothing
    release_kv_cache = resume_kv_cache = start_profile = stop_profile = _nothing
