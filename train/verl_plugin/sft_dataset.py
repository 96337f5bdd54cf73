"""verl's SFT data set, with our weights: the loss counts the policy's own right messages only,
and their answer more than the rest where that was asked for.

verl tokenises every message alone and takes what the template puts around it away again, which
fails for templates that refuse a chat without a user's message; and it has no flag per message.
"""

from typing import Any

import torch
from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset

from train.sft.chat_model.encoding import answer_tokens, encode_chat


class LessonDataset(MultiTurnSFTDataset):
    """Rows of `train.sft.chat_model.rows` in verl's unpadded layout."""

    def __getitem__(self, item: int) -> dict[str, torch.Tensor]:
        """Token ids, positions and weights in the loss of a row, each (tokens,)."""
        row: Any = self.dataframe.iloc[item]
        chat, learned = self.messages[item], list(row["learned"])
        ids, counts = encode_chat(self.tokenizer, chat, learned)
        if len(ids) > self.max_length:
            raise ValueError(f"a lesson of {len(ids)} tokens is longer than {self.max_length}")
        weights = torch.tensor(counts, dtype=torch.long)
        if "answer_weight" in row:
            answer = answer_tokens(self.tokenizer, chat, learned)
            weights = weights.float()
            weights[answer.start : answer.stop] = row["answer_weight"]
        return {
            "input_ids": torch.tensor(ids),
            "position_ids": torch.arange(len(ids)),
            "loss_mask": weights,
        }
