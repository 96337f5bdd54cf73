"""verl's client of the transformers rollout: requests travel to the server in batches."""

import asyncio
from typing import Any

import ray
from omegaconf import DictConfig
from verl.workers.rollout.llm_server import LLMServerClient
from verl.workers.rollout.replica import TokenOutput

from train.verl_plugin.hf_server import GATHER_SECONDS, Request

Pending = tuple[Request, "asyncio.Future[TokenOutput]"]


class HFClient(LLMServerClient):
    """Sends the requests of GATHER_SECONDS in one remote call.

    verl's own makes three calls per response.
    """

    def __init__(self, config: DictConfig, servers: list[ray.actor.ActorHandle]) -> None:
        super().__init__(config)
        self._servers = servers
        self._pending: list[Pending] = []
        self._task: asyncio.Task[None] | None = None

    async def generate(
        self,
        request_id: str,
        *,
        prompt_ids: list[int],
        sampling_params: dict[str, Any],
        image_data: Any = None,
        video_data: Any = None,
        **_: Any,
    ) -> TokenOutput:
        """One response, text only."""
        if image_data is not None or video_data is not None:
            raise ValueError("the hf rollout reads text only")
        future: asyncio.Future[TokenOutput] = asyncio.get_running_loop().create_future()
        if not self._pending:
            self._task = asyncio.create_task(self._send())
        self._pending.append(((prompt_ids, sampling_params), future))
        return await future

    async def _send(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        batch, self._pending = self._pending, []
        shares = (batch[k :: len(self._servers)] for k in range(len(self._servers)))
        await asyncio.gather(*map(self._send_share, self._servers, shares))

    async def _send_share(self, server: ray.actor.ActorHandle, share: list[Pending]) -> None:
        try:
            outputs = await server.generate_all.remote([request for request, _ in share])
        except Exception as error:  # it belongs to the requests that wait for it
            outputs = [error] * len(share)
        for (_, future), output in zip(share, outputs, strict=True):
            if isinstance(output, Exception):
                future.set_exception(output)
            else:
                future.set_result(output)
