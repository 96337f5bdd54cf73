"""The loss of supervised fine-tuning: cross entropy of the tokens that the policy should write."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from transformers import PreTrainedModel


class Sample(NamedTuple):
    """One prompt with one response, as token ids; `own` as in `EncodedLesson`."""

    prompt: list[int]
    answer: list[int]
    own: list[int]


def response_loss(
    model: PreTrainedModel, batch: Sequence[Sample], weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean cross entropy, in nats per token, of the answers and of the prompt positions `own`.

    weights: (vocabulary,) how much each token counts; None: all alike.
    """
    width = max(len(sample.prompt) + len(sample.answer) for sample in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)  # padding behind: causal, so unseen
    learned = torch.zeros(len(batch), width, dtype=torch.bool)  # positions that predict a target
    for row, (prompt, answer, own) in enumerate(batch):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        learned[row, len(prompt) - 1 : end - 1] = True
        learned[row, [position - 1 for position in own]] = True
    hidden = model.model(input_ids=ids).last_hidden_state
    return torch.nn.functional.cross_entropy(
        model.lm_head(hidden[learned]), ids[:, 1:][learned[:, :-1]], weight=weights
    )
