"""The rollouts of a training batch: columns of TransferQueue read and written by its keys."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transfer_queue as tq
from tensordict import TensorDict

from train.algorithms import Algorithm
from train.algorithms.claims import JudgedClaim

Figures = dict[str, Any]  # see `train.verl_plugin.reward.reward`


@dataclass(frozen=True)
class Batch:
    """verl's batch (`meta`: keys, tags, partition_id) with its columns."""

    meta: Any

    def read(self, *fields: str) -> Mapping[str, Any]:
        """The columns, one row per key."""
        columns: Mapping[str, Any] = tq.kv_batch_get(
            keys=self.meta.keys, partition_id=self.meta.partition_id, select_fields=list(fields)
        )
        return columns

    def write_rows(self, field: str, rows: Sequence[torch.Tensor]) -> None:
        """Replace a column of tensors of different lengths."""
        column = torch.nested.nested_tensor(list(rows), layout=torch.jagged)
        fields = TensorDict({field: column}, batch_size=len(rows))
        tq.kv_batch_put(keys=self.meta.keys, partition_id=self.meta.partition_id, fields=fields)

    def figures(self) -> list[tuple[str, Figures]]:
        """(example id, reward figures) of every rollout that is no padding."""
        data = self.read("reward_model", "extra_fields")
        models, extra = _as_list(data["reward_model"]), _as_list(data["extra_fields"])
        return [(_example(models[k]), extra[k]["reward_extra_info"]) for k in self._real()]

    def mean_logprob(self) -> float:
        """The mean log-probability of the sampled tokens, in nats."""
        return float(self.read("rollout_log_probs")["rollout_log_probs"].values().mean())

    def mask_out(self, excluded: Container[str]) -> None:
        """Let no token of the responses to these Examples count.

        Advantage estimators and losses go by the mask.
        """
        data = self.read("reward_model", "response_mask")
        rows = zip(_as_list(data["reward_model"]), data["response_mask"].unbind(), strict=True)
        masks = [
            torch.zeros_like(mask) if _example(model) in excluded else mask for model, mask in rows
        ]
        self.write_rows("response_mask", masks)

    def add_group_rewards(self, algorithm: Algorithm, weight: float) -> None:
        """Write the algorithm's group rewards on the tokens before each response's last."""
        data = self.read("reward_model", "extra_fields", "rm_scores")
        rows = [row.clone() for row in data["rm_scores"].unbind()]
        extra = _as_list(data["extra_fields"])
        for members in self._groups(_as_list(data["reward_model"])):
            claims = [_claims(extra[k]["reward_extra_info"]) for k in members]
            rewards = algorithm.group_rewards(claims, weight)
            for k, by_token in zip(members, rewards, strict=True):
                for token, value in by_token.items():
                    if token < len(rows[k]) - 1:
                        rows[k][token] = value
        self.write_rows("rm_scores", rows)

    def _groups(self, models: Sequence[Mapping[str, Any]]) -> Iterator[list[int]]:
        """The rows of the rollouts of each Example."""
        groups: dict[str, list[int]] = {}
        for k in self._real():
            groups.setdefault(_example(models[k]), []).append(k)
        yield from groups.values()

    def _real(self) -> list[int]:
        """The rows that are no padding."""
        return [k for k, tag in enumerate(self.meta.tags) if not tag.get("is_padding", False)]


def _claims(figures: Figures) -> list[JudgedClaim]:
    return [JudgedClaim(*claim) for claim in figures["claims"]]


def _example(model: Mapping[str, Any]) -> str:
    """The id in a row's `reward_model`."""
    return str(model["ground_truth"])


def _as_list(column: Any) -> list[Any]:
    """TransferQueue returns a column as a jagged tensor or a stack of objects."""
    return column.tolist() if hasattr(column, "tolist") else list(column)
