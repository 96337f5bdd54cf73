"""How well a policy remembers what it was taught: its surprise at gold chains it never saw.

Reinforcement rewards the end of a response; on the way a policy may forget the language. With the
share of readable answers (format) this is the probe.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence

from train.evaluation.generate import load
from train.sft.encoding import EncodedLesson, encode
from train.sft.lessons import Lesson

BATCH = 64


@torch.inference_mode()
def gold_surprise(folder: Path, taught: Sequence[Lesson]) -> float:
    """Mean −log p, in nats per token over the tokens of all gold responses.

    Each gold response follows its prompt and ends with the end of the turn.
    """
    model, tokenizer = load(folder)
    samples = encode([lesson._replace(flawed=()) for lesson in taught], tokenizer)
    total, count = 0.0, 0
    for start in range(0, len(samples), BATCH):
        batch = samples[start : start + BATCH]
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
