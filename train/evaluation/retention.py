"""How well a policy remembers what it was taught: its surprise at gold chains it never saw.

Reinforcement rewards the end of a response; on the way a policy may forget the language. With the
share of readable answers (format) this is the probe.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence

from train.evaluation.decoding import Device, Precision
from train.evaluation.generate import load
from train.sft.encoding import EncodedLesson, encode
from train.sft.lessons import Lesson

BATCH = 64
LOGITS_BYTES = 2 * 2**30  # of a batch, in fp32 and twice


@torch.inference_mode()
def gold_surprise(
    folder: Path, taught: Sequence[Lesson], device: Device = "auto", precision: Precision = "auto"
) -> float:
    """Mean −log p, in nats per token over the tokens of all gold responses.

    Each gold response follows its prompt and ends with the end of the turn.
    """
    model, chat_model = load(folder, device, precision)
    samples = encode([lesson._replace(flawed=()) for lesson in taught], chat_model.tokenizer)
    longest = max(len(sample.prompt) + len(sample.gold) for sample in samples)
    fitting = LOGITS_BYTES // (longest * chat_model.shape.vocabulary * 8)
    rows = max(1, min(BATCH, fitting))
    total, count = 0.0, 0
    for start in range(0, len(samples), rows):
        batch = samples[start : start + rows]
        # padding behind: attention is causal, so it is not seen
        ids = pad_sequence([torch.tensor(s.prompt + s.gold) for s in batch], batch_first=True)
        ids = ids.to(model.device)
        logits = model(input_ids=ids).logits[:, :-1]
        logp = logits.float().log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
        total -= sum(_gold_logp(row, s) for row, s in zip(logp, batch, strict=True))
        count += sum(len(s.gold) for s in batch)
    return total / count


def _gold_logp(logp: torch.Tensor, sample: EncodedLesson) -> float:
    """The log-probability of the gold response; `logp` (tokens − 1,) starts at the second token."""
    first = len(sample.prompt) - 1
    return float(logp[first : first + len(sample.gold)].sum())
