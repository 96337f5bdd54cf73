"""The memory that training a model takes, by arithmetic checked against measured runs.

Measured with SmolLM2-135M on CPU, one micro batch of about 1,400 tokens: 6.1 GB (estimated 6.5),
with an adapter 5.3 GB (5.4); about 2,600 tokens: 8.6 GB (9.1).
"""

from train.errors import TrainError
from train.models.folder import Shape

GB = 1e9
PROCESS = 1.25e9  # Python, torch and verl
TRAINED = 16  # bytes per parameter in fp32: weights, gradients, two moments of Adam
FROZEN = 8  # bytes per parameter beside an adapter: weights in fp32, and a copy while they load
ROLLOUT = 4  # bytes per parameter of the copy that writes responses
ROLLOUT_PROCESSES = 3.0e9  # Ray, the reward server and the workers beside the trainer
WIDE, INNER = 10, 5  # activations of a layer per token, in its width and in that of its inside
LOGITS = 3  # copies of a token's logits: themselves, log-probabilities, gradients


def sft_memory(shape: Shape, tokens: int, *, lora: bool, checkpointing: bool) -> float:
    """Bytes at the peak of an SFT step with micro batches of so many tokens, in fp32.

    checkpointing: activations are computed again in the backward pass, one layer at a time.
    """
    state = shape.parameters * (FROZEN if lora else TRAINED)
    layer = 4 * (WIDE * shape.width + INNER * shape.inner)
    kept = shape.layers * 4 * 2 * shape.width + layer if checkpointing else shape.layers * layer
    return PROCESS + state + tokens * (kept + LOGITS * 4 * shape.vocabulary)


def rft_memory(shape: Shape, tokens: int) -> float:
    """Bytes at the peak of an RFT step on one machine without a GPU."""
    trainer = sft_memory(shape, tokens, lora=False, checkpointing=False)
    return trainer + shape.parameters * ROLLOUT + ROLLOUT_PROCESSES


def available_memory() -> float:
    """Bytes that training may take: of the first GPU, or free on this machine without one."""
    import psutil
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.mem_get_info()[0])
    return float(psutil.virtual_memory().available)


def fits(shape: Shape, tokens: int, *, lora: bool, room: float) -> bool:
    """Whether SFT fits as it is (True), or with checkpointed activations (False).

    Raises TrainError where neither does.
    """
    if sft_memory(shape, tokens, lora=lora, checkpointing=False) <= room:
        return True
    least = sft_memory(shape, tokens, lora=lora, checkpointing=True)
    if least > room:
        advice = "take a smaller model" if lora else "add --lora-rank 16, or take a smaller model"
        raise TrainError(
            f"SFT of {shape.parameters / 1e6:,.0f} M parameters needs about {least / GB:.1f} GB "
            f"of memory, and {room / GB:.1f} GB are free: {advice}"
        )
    return False
