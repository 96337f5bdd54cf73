"""What a policy still knows of what it was taught: how surprising it finds gold chains of queries that it was never trained on.

Reinforcement rewards the end; a policy may forget the language on the way. With the share of readable answers (format) this is the probe.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from train.evaluation.generate import load
from train.sft.training import Lesson, encode

BATCH = 64


@torch.inference_mode()
def gold_surprise(folder: Path, taught: Sequence[Lesson]) -> float:
    """Mean −log p, in nats a token over all tokens of all golds, each after its prompt and with the end of the turn."""
    model, tokenizer = load(folder)
    samples, total, count = (
        encode([lesson._replace(flawed=()) for lesson in taught], tokenizer),
        0.0,
        0,
    )
    for start in range(0, len(samples), BATCH):
        rows = samples[start : start + BATCH]
        ids = torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(s.prompt + s.gold) for s in rows], batch_first=True
        )  # behind: causal, so unseen
        ids = ids.to(model.device)
        logp = (
            model(input_ids=ids)
            .logits[:, :-1]
            .float()
            .log_softmax(-1)
            .gather(2, ids[:, 1:, None])[..., 0]
        )
        total -= sum(
            float(row[len(s.prompt) - 1 : len(s.prompt) + len(s.gold) - 1].sum())
            for row, s in zip(logp, rows, strict=True)
        )
        count += sum(len(s.gold) for s in rows)
    return total / count
