"""The model of a folder, computed by vLLM: many responses at once, on GPUs or on CPU."""

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from train.errors import TrainError
from train.evaluation.chat_model import ChatModel
from train.evaluation.decoding import Decoding
from train.evaluation.placement import Placement
from train.evaluation.policies import as_chat, of_turn
from train.evaluation.sampling import SamplingRequest
from train.tasks.base import Chat, Progress, no_progress

CPU_CACHE = 2 * 2**30  # bytes of keys and values; on a GPU vLLM takes what is free
BATCH = 1000  # responses between two reports of progress; vLLM schedules within them by itself


class VLLMPolicy:
    """Prompts, lengths and seeds are those of `HFPolicy`; only what computes them is another.

    Raises TrainError where vLLM is not installed, or for another device, and for a model that
    cannot be asked.
    """

    tool_role = "tool"

    def __init__(self, folder: Path, decoding: Decoding, placed: Placement) -> None:
        if find_spec("vllm") is None:
            raise TrainError(
                "--engine vllm needs vLLM, which is not installed here: "
                '`./justw vllm` installs it for CPU, `pip install "verl[vllm]==0.9.1"` for GPUs'
            )
        self._chat_model, self._decoding = ChatModel.open(str(folder)), decoding
        self._vllm = _start(self._chat_model.folder, placed, decoding.seed)

    def respond(
        self, prompts: Sequence[str | Chat], turn: int, progress: Progress = no_progress
    ) -> list[str]:
        """The next message after each prompt."""
        from vllm import SamplingParams

        chats = [as_chat(prompt) for prompt in prompts]
        requests = self._chat_model.requests(chats, of_turn(self._decoding, turn))
        texts: list[str] = []
        for start in range(0, len(requests), BATCH):
            batch = requests[start : start + BATCH]
            prompts_ids = [{"prompt_token_ids": list(request.prompt)} for request in batch]
            params = [SamplingParams(**_parameters(request)) for request in batch]
            outputs = self._vllm.generate(prompts_ids, params, use_tqdm=False)
            texts += [output.outputs[0].text for output in outputs]
            progress(len(texts), len(requests))
        return texts

    def stream(self, chat: Chat) -> Iterator[str]:
        """The next message after a chat, in one piece."""
        yield from self.respond([chat], 0)


def _parameters(request: SamplingRequest) -> dict[str, Any]:
    """The arguments of vLLM's SamplingParams."""
    return {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        "skip_special_tokens": True,
        "spaces_between_special_tokens": False,
    }


def _start(folder: Path, placed: Placement, seed: int) -> Any:
    """vLLM with the model. Raises TrainError where it is built for another device, or refuses."""
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")  # two did not end by themselves
    from vllm import LLM
    from vllm.platforms import current_platform

    built_for = current_platform.device_type
    if placed.device != built_for:
        raise TrainError(
            f"the vLLM installed here computes on {built_for}, and not on {placed.device}: "
            f"give --device {built_for}, or --engine hf"
        )
    room = {"kv_cache_memory_bytes": CPU_CACHE, "enforce_eager": True} if built_for == "cpu" else {}
    try:
        return LLM(model=str(folder), dtype=placed.dtype, seed=seed, max_model_len=-1, **room)
    except (ValueError, RuntimeError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrainError(f"vLLM does not take {folder}: {why}") from error
