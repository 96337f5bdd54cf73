"""verl's synchronous V1 trainer with our curriculum, our reward figures and a guard: no step is taken on unscored responses."""

import json
import sys
from collections import defaultdict
from collections.abc import Container
from math import isnan
from pathlib import Path

import numpy as np
import torch
import transfer_queue as tq
from tensordict import NonTensorStack, TensorDict
from torchdata.stateful_dataloader import StatefulDataLoader
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
from verl.utils.dataset.rl_dataset import collate_fn

from data_engine.runtime.atomic import to_disk, write
from reward_server.errors import ServerUnreachable
from train.algorithms import ALGORITHMS
from train.algorithms.claims import JudgedClaim
from train.rft.checkpoints import FOLDER, LATEST, STOP
from train.rft.curriculum import Curriculum, CurriculumConfig
from train.rft.health import RECENT, alarms, line
from train.verl_plugin.sampler import CurriculumSampler


class AllMastered(Exception):
    """Every query is mastered: nothing is left to learn from. A good end, not a failure."""


class Stopped(Exception):
    """Somebody asked for an end; a checkpoint was saved."""


def _rows(column: object) -> list:
    """TransferQueue returns a column as a jagged tensor or a stack of objects."""
    return column.tolist() if hasattr(column, "tolist") else list(column)


def _filled(column: list) -> list:
    """Where a part of the reward is no number, the mean of the others, which leaves the mean as it is; nothing where none is a number."""
    given = [value for value in column if value == value]
    return (
        given
        if len(given) == len(column)
        else [value if value == value else float(np.mean(given)) for value in column if given]
    )


class RerecTrainer(PPOTrainerSync):
    """The settings of ours are under `rerec` in the config; `curriculum: null` leaves verl's own order."""

    def _build_replay_buffer(self) -> object:
        buffer = super()._build_replay_buffer()
        buffer.poll_interval = (
            self.config.rerec.poll_seconds
        )  # 2 s by default, longer than a whole step of a tiny policy
        return buffer

    def get_llm_client(self) -> object:
        """For the hf rollout, our client that sends in batches."""
        if self.config.actor_rollout_ref.rollout.name != "hf":
            return super().get_llm_client()
        from train.verl_plugin.rollout import HFClient

        return HFClient(self.config, self.llm_server_manager.server_handles)

    def _init_dataloader(self) -> None:
        super()._init_dataloader()
        self.history: dict[str, list[float]] = defaultdict(list)
        self.drawn = 0
        settings, self.curriculum = self.config.rerec.curriculum, None
        if settings is None:
            return
        extra = self.train_dataset.dataframe["extra_info"]
        self.row_of = {row["example_id"]: k for k, row in enumerate(extra)}
        batch = self.config.data.train_batch_size
        self.curriculum = Curriculum(
            [float(row["difficulty"]) for row in extra], batch, CurriculumConfig(**settings)
        )
        # verl 0.9.1 ignores data.sampler; without prefetching, what was handed out is what was asked for
        self.train_dataloader = StatefulDataLoader(
            self.train_dataset,
            batch_size=batch,
            num_workers=0,
            drop_last=True,
            collate_fn=collate_fn,
            sampler=CurriculumSampler(self.curriculum),
        )

    def _fetch_one_gen_batch(self) -> TensorDict:
        """verl's, with names that say in which order the queries were drawn, where verl's are random."""
        try:
            batch = super()._fetch_one_gen_batch()
        except StopIteration:
            raise AllMastered from None
        batch["uid"] = NonTensorStack(*(f"{self.drawn + k:012d}" for k in range(len(batch))))
        self.drawn += len(batch)
        return batch

    def _balance_batch(self, batch: object, *args: object, **kwargs: object) -> object:
        """verl's, of responses in the order of their queries, where verl's is that of arrival: equal seeds make equal mini-batches."""
        batch.reorder(
            sorted(
                range(len(batch.keys)),
                key=lambda k: [int(part) for part in batch.keys[k].split("_")],
            )
        )
        return super()._balance_batch(batch, *args, **kwargs)

    def _compute_advantage(self, batch: object, metrics: dict) -> object:
        """Before anything is learned: were all responses scored? Nothing is learned from a query of which one was not."""
        infos = self._reward_infos(batch)
        lost = {example: info["reason"] for example, info in infos if info["unscored"]}
        if len(lost) > self.config.rerec.most_unscored * len({example for example, _ in infos}):
            self.global_steps -= (
                1  # this step did not happen: the weights are still the last step's
            )
            self._ensure_checkpoint()
            why = (
                f"of step {self.global_steps + 1} could not be scored: {next(iter(lost.values()))}"
            )
            raise ServerUnreachable(f"responses to {len(lost)} queries {why}")
        if lost:
            self._leave_out(batch, lost)
        infos = [(example, info) for example, info in infos if example not in lost]
        metrics["rerec/dropped_groups"] = float(len(lost))
        for name in sorted(
            name
            for name, value in infos[0][1].items()
            if isinstance(value, float) and name != "unscored"
        ):
            if given := [info[name] for _, info in infos if not isnan(info[name])]:
                metrics[f"rerec/{name}"] = float(np.mean(given))
        groups: dict[str, list[float]] = {}
        for example, info in infos:
            groups.setdefault(example, []).append(info["score"])
        metrics["rerec/flat_groups"] = float(
            np.mean([np.std(scores) < 1e-3 for scores in groups.values()])
        )
        logprobs = tq.kv_batch_get(
            keys=batch.keys, partition_id=batch.partition_id, select_fields=["rollout_log_probs"]
        )["rollout_log_probs"]
        metrics["rerec/entropy"] = -float(
            logprobs.values().mean()
        )  # estimated on the sampled tokens
        if ALGORITHMS[self.config.rerec.algorithm].compares_claims:
            self._add_process_rewards(batch)
        batch = super()._compute_advantage(batch, metrics)
        if self.curriculum is not None:
            self.curriculum.observe((self.row_of[example], info["ndcg"]) for example, info in infos)
            metrics["curriculum/epoch"] = self.curriculum.epoch
            metrics["curriculum/mastered"] = sum(
                map(self.curriculum.mastered, range(len(self.curriculum.prior)))
            )
            metrics["curriculum/difficulty"] = float(
                np.mean([self.curriculum.difficulty(self.row_of[e]) for e in groups])
            )
        return batch

    def on_step_begin(self) -> None:
        """Between two steps: was an end asked for?"""
        folder = Path(self.config.trainer.default_local_dir)
        if (folder / STOP).is_file():
            self.global_steps -= 1
            self._ensure_checkpoint()
            raise Stopped
        super().on_step_begin()

    def _val_metrics_update(
        self, sources: list, uids: list, infos: dict[str, list], turns: list, **counts: object
    ) -> dict[str, float]:
        """verl's, over the answers that were scored. Raises ServerUnreachable where more than `rerec.most_unscored` of them were not."""
        scored = [k for k, lost in enumerate(infos["unscored"]) if not lost]
        if (lost := len(uids) - len(scored)) > self.config.rerec.most_unscored * len(uids):
            self._ensure_checkpoint()
            why = next(reason for reason in infos["reason"] if reason)
            raise ServerUnreachable(
                f"{lost} of {len(uids)} validation answers at step {self.global_steps} could not be scored: {why}"
            )
        sources, uids, turns = ([column[k] for k in scored] for column in (sources, uids, turns))
        infos = {
            name: full
            for name, column in infos.items()
            if (full := _filled([column[k] for k in scored]))
        }
        return super()._val_metrics_update(sources, uids, infos, turns, **counts)

    def _compute_metrics(
        self, batch: object, metrics: dict, timing_raw: dict, **where: int
    ) -> None:
        """verl's metrics, then what a person watches, and every RECENT steps what is wrong."""
        super()._compute_metrics(batch, metrics, timing_raw, **where)
        for name, value in metrics.items():
            if isinstance(value, int | float):
                self.history[name].append(value)
        print(
            line(self.global_steps, self.total_training_steps, metrics),
            file=sys.__stdout__,
            flush=True,
        )  # see data_engine/runtime/quiet.py
        for alarm in alarms(self.history) if self.global_steps % RECENT == 0 else ():
            print(f"alarm: {alarm}", file=sys.__stdout__, flush=True)

    def _leave_out(self, batch: object, queries: Container[str]) -> None:
        """No token of the responses to these queries counts: advantage estimators and losses go by the mask."""
        data = tq.kv_batch_get(
            keys=batch.keys,
            partition_id=batch.partition_id,
            select_fields=["reward_model", "response_mask"],
        )
        rows = zip(_rows(data["reward_model"]), data["response_mask"].unbind(), strict=True)
        masks = [
            torch.zeros_like(mask) if model["ground_truth"] in queries else mask
            for model, mask in rows
        ]
        fields = TensorDict(
            {"response_mask": torch.nested.nested_tensor(masks, layout=torch.jagged)},
            batch_size=len(masks),
        )
        tq.kv_batch_put(keys=batch.keys, partition_id=batch.partition_id, fields=fields)

    def _add_process_rewards(self, batch: object) -> None:
        """Write the judged claims, compared within their group, on the tokens before each response's last."""
        data = tq.kv_batch_get(
            keys=batch.keys,
            partition_id=batch.partition_id,
            select_fields=["reward_model", "extra_fields", "rm_scores"],
        )
        rows = [row.clone() for row in data["rm_scores"].unbind()]
        groups: dict[str, list[int]] = {}
        for k, (model, tag) in enumerate(zip(_rows(data["reward_model"]), batch.tags, strict=True)):
            if not tag.get("is_padding", False):
                groups.setdefault(model["ground_truth"], []).append(k)
        extra = _rows(data["extra_fields"])
        algorithm = ALGORITHMS[self.config.rerec.algorithm]
        for members in groups.values():
            claims = [
                [JudgedClaim(*claim) for claim in extra[k]["reward_extra_info"]["claims"]]
                for k in members
            ]
            for k, found in zip(
                members, algorithm.group_rewards(claims, self.config.rerec.judged), strict=True
            ):
                for token, value in found.items():
                    if token < len(rows[k]) - 1:
                        rows[k][token] = value
        scores = TensorDict(
            {"rm_scores": torch.nested.nested_tensor(rows, layout=torch.jagged)},
            batch_size=len(rows),
        )
        tq.kv_batch_put(keys=batch.keys, partition_id=batch.partition_id, fields=scores)

    def _reward_infos(self, batch: object) -> list[tuple[str, dict]]:
        """(example id, reward figures) of every real trajectory of the batch."""
        data = tq.kv_batch_get(
            keys=batch.keys,
            partition_id=batch.partition_id,
            select_fields=["reward_model", "extra_fields"],
        )
        real = [k for k, tag in enumerate(batch.tags) if not tag.get("is_padding", False)]
        models, extra = _rows(data["reward_model"]), _rows(data["extra_fields"])
        return [(models[k]["ground_truth"], extra[k]["reward_extra_info"]) for k in real]

    def _ensure_checkpoint(self) -> None:
        """Save the step last taken, if it has not been: a folder alone may be what a kill left of a save."""
        latest = Path(self.config.trainer.default_local_dir, LATEST)
        if not latest.is_file() or int(latest.read_text()) != self.global_steps:
            self._save_checkpoint()

    def _save_checkpoint(self) -> None:
        """verl's checkpoint, then a line a person can read."""
        super()._save_checkpoint()
        note = {
            "step": self.global_steps,
            "curriculum_epoch": self.curriculum.epoch if self.curriculum else None,
        }
        folder = Path(self.config.trainer.default_local_dir)
        for saved in (folder / f"{FOLDER}{self.global_steps}", folder / LATEST):
            to_disk(saved)  # verl leaves that to the system
        write(folder / "last.json", json.dumps(note))
