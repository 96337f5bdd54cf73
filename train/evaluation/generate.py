"""The responses of a model folder, computed with transformers."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from train.cores import threads
from train.errors import TrainError
from train.evaluation.chat_model import ChatModel
from train.evaluation.decoding import Decoding, Device, Precision
from train.evaluation.placement import placement
from train.evaluation.sampling import SamplingRequest, draw_tokens, generate
from train.models.memory import GB, available_memory, inference_memory
from train.tasks.base import Chat, Progress, no_progress

MOST_ROWS = 200  # of a batch
UNFINISHED = "\ufffd"  # what a part of a character is decoded to
CACHE_BYTES = 2 * 2**30  # of a batch on the CPU; on a GPU a third of what is free


def load(
    name: Path, device: Device = "auto", precision: Precision = "auto"
) -> tuple[PreTrainedModel, ChatModel]:
    """The weights of a folder, or of that name on the hub, and what prompts need to be for them.

    Raises TrainError where there is no model, or one that cannot be asked or does not fit.
    """
    placed = placement(device, precision)
    dtype: torch.dtype = getattr(torch, placed.dtype)
    chat_model = ChatModel.open(str(name))
    need = inference_memory(chat_model.shape, dtype.itemsize)
    room = available_memory(gpu=placed.device == "cuda")
    if need > room:
        raise TrainError(
            f"{name} needs about {need / GB:.1f} GB of memory, and {room / GB:.1f} GB are free: "
            "give --precision bf16, or take a smaller model"
        )
    torch.set_num_threads(threads())
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(chat_model.folder, dtype=dtype)
    model.to(placed.device)  # type: ignore[arg-type]  # transformers wraps torch's `to` untyped
    return model.eval(), chat_model


def rows_per_batch(config: PretrainedConfig, tokens: int, itemsize: int, room: int) -> int:
    """How many responses to sample at once, 1 to MOST_ROWS, so that their key-value cache fits.

    tokens: of the longest prompt and its response. itemsize: bytes per number. room: bytes.
    """
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    row = 2 * config.num_hidden_layers * heads * width * tokens * itemsize
    return max(1, min(MOST_ROWS, room // row))


def _room(model: PreTrainedModel) -> int:
    """Bytes for the key-value cache of a batch."""
    if model.device.type != "cuda":
        return CACHE_BYTES
    return int(torch.cuda.mem_get_info(model.device)[0] // 3)


def respond(
    folder: Path, prompts: Sequence[str], decoding: Decoding, progress: Progress = no_progress
) -> list[str]:
    """One response per prompt, in order. Raises what `load` raises."""
    model, chat_model = load(folder)
    chats = [[{"role": "user", "content": prompt}] for prompt in prompts]
    return continue_chats(model, chat_model, chats, decoding, progress)


def continue_chats(
    model: PreTrainedModel,
    chat_model: ChatModel,
    chats: Sequence[Chat],
    decoding: Decoding,
    progress: Progress = no_progress,
) -> list[str]:
    """The next message of each chat, in order.

    Raises TrainError for a chat that cannot be asked, or that does not fit into memory even alone.
    """
    requests = chat_model.requests(chats, decoding)
    if not requests:
        return []
    longest = max(len(request.prompt) + request.max_tokens for request in requests)
    rows = rows_per_batch(model.config, longest, model.dtype.itemsize, _room(model))
    texts: list[str] = []
    for start in range(0, len(requests), rows):
        responses = _responses(model, chat_model, requests[start : start + rows])
        texts += chat_model.tokenizer.batch_decode(responses, skip_special_tokens=True)
        progress(len(texts), len(requests))
    return texts


def _responses(
    model: PreTrainedModel, chat_model: ChatModel, requests: Sequence[SamplingRequest]
) -> list[list[int]]:
    """Token ids per request; a batch that the GPU has no room for is halved.

    The text of a request does not depend on what else is in the batch.
    """
    eos = chat_model.tokenizer.eos_token_id
    try:
        return [ids for ids, _ in generate(model, requests, eos, chat_model.padding)]
    except torch.OutOfMemoryError as error:
        if len(requests) == 1:
            raise TrainError(
                f"the GPU has no room for one response to {len(requests[0].prompt)} tokens: "
                "take a smaller model, or --device cpu"
            ) from error
    torch.cuda.empty_cache()
    half = len(requests) // 2
    first = _responses(model, chat_model, requests[:half])
    return first + _responses(model, chat_model, requests[half:])


def stream_chat(
    model: PreTrainedModel, chat_model: ChatModel, chat: Chat, decoding: Decoding
) -> Iterator[str]:
    """The next message of a chat, piece by piece as its tokens come; raises TrainError as
    `continue_chats` does.
    """
    tokenizer, said = chat_model.tokenizer, ""
    ids: list[int] = []
    (request,) = chat_model.requests([chat], decoding)
    for token in draw_tokens(model, request, tokenizer.eos_token_id, chat_model.padding):
        ids.append(token)
        text = tokenizer.decode(ids, skip_special_tokens=True)
        if text.startswith(said) and text != said and not text.endswith(UNFINISHED):
            yield text[len(said) :]
            said = text
    yield tokenizer.decode(ids, skip_special_tokens=True)[len(said) :]
