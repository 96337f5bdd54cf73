"""verl's SFT data set, with our mask: the loss counts the policy's own right messages only.

verl tokenises every message alone and takes what the template puts around it away again, which
fails for templates that refuse a chat without a user's message; and it has no flag per message.
"""

from typing import Any

import torch
from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset

from train.sft.chat_model.encoding import encode_chat


class LessonDataset(MultiTurnSFTDataset):
    """Rows of `train.sft.chat_model.rows` in verl's unpadded layout."""

    def __getitem__(self, item: int) -> dict[str, torch.Tensor]:
        """Token ids, positions and loss mask of a row, each (tokens,)."""
        row: Any = self.dataframe.iloc[item]
        ids, learned = encode_chat(self.tokenizer, self.messages[item], list(row["learned"]))
        if len(ids) > self.max_length:
            raise ValueError(f"a lesson of {len(ids)} tokens is longer than {self.max_length}")
        return {
            "input_ids": torch.tensor(ids),
            "position_ids": torch.arange(len(ids)),
            "loss_mask": torch.tensor(learned, dtype=torch.long),
        }
