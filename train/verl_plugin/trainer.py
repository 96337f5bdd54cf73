"""verl's synchronous V1 trainer with our curriculum, our reward figures and a guard.

No step is taken on unscored responses.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from tensordict import NonTensorStack, TensorDict
from torchdata.stateful_dataloader import StatefulDataLoader
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
from verl.utils.dataset.rl_dataset import collate_fn

from data_engine.runtime.atomic import to_disk, write
from reward_server.errors import ServerUnreachable
from train.algorithms import ALGORITHMS
from train.rft.checkpoints import FOLDER, LATEST, STOP
from train.rft.curriculum import Curriculum, CurriculumConfig
from train.rft.health import RECENT, alarms, line
from train.verl_plugin.batches import Batch, Figures
from train.verl_plugin.sampler import CurriculumSampler
from train.verl_plugin.step_metrics import mean_filled, step_metrics


class AllMastered(Exception):
    """Every query is mastered: nothing is left to learn from. A good end, not a failure."""


class Stopped(Exception):
    """Somebody asked for an end; a checkpoint was saved."""


class RerecTrainer(PPOTrainerSync):
    """Our settings are under `rerec` in the config; `curriculum: null` leaves verl's own order."""

    curriculum: Curriculum | None

    def _build_replay_buffer(self) -> Any:
        buffer: Any = super()._build_replay_buffer()
        # 2 s by default, longer than a whole step of a tiny policy
        buffer.poll_interval = self.config.rerec.poll_seconds
        return buffer

    def get_llm_client(self) -> Any:
        """For the hf rollout, our client that sends in batches."""
        if self.config.actor_rollout_ref.rollout.name != "hf":
            return super().get_llm_client()
        from train.verl_plugin.hf_client import HFClient

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
        priors = [float(row["difficulty"]) for row in extra]
        self.curriculum = Curriculum(priors, batch, CurriculumConfig(**settings))
        # verl 0.9.1 ignores data.sampler; without prefetching, what was handed out was asked for
        self.train_dataloader = StatefulDataLoader(
            self.train_dataset,
            batch_size=batch,
            num_workers=0,
            drop_last=True,
            collate_fn=collate_fn,
            sampler=CurriculumSampler(self.curriculum),
        )

    def _fetch_one_gen_batch(self) -> TensorDict:
        """verl's, with names in the order in which queries were drawn, where verl's are random."""
        try:
            batch: TensorDict = super()._fetch_one_gen_batch()
        except StopIteration:
            raise AllMastered from None
        batch["uid"] = NonTensorStack(*(f"{self.drawn + k:012d}" for k in range(len(batch))))
        self.drawn += len(batch)
        return batch

    def _balance_batch(self, batch: Any, *args: Any, **kwargs: Any) -> Any:
        """verl's, of responses in the order of their queries, where verl's is that of arrival.

        Equal seeds make equal mini-batches.
        """
        numbers = [list(map(int, key.split("_"))) for key in batch.keys]
        batch.reorder(sorted(range(len(numbers)), key=numbers.__getitem__))
        return super()._balance_batch(batch, *args, **kwargs)

    def _compute_advantage(self, batch: Any, metrics: dict[str, Any]) -> Any:
        """verl's, after what is learned from was checked.

        Nothing is learned from a query of which a response was not scored. Raises ServerUnreachable
        where these are more than `rerec.most_unscored` of the queries.
        """
        rollouts = Batch(batch)
        figures = self._scored(rollouts, metrics)
        metrics.update(step_metrics(figures))
        metrics["rerec/entropy"] = -rollouts.mean_logprob()  # estimated on the sampled tokens
        algorithm = ALGORITHMS[self.config.rerec.algorithm]
        if algorithm.compares_claims:
            rollouts.add_group_rewards(algorithm, self.config.rerec.judged)
        batch = super()._compute_advantage(batch, metrics)
        if self.curriculum is not None:
            self._observe(self.curriculum, figures, metrics)
        return batch

    def _scored(self, rollouts: Batch, metrics: dict[str, Any]) -> list[tuple[str, Figures]]:
        """The figures of Examples whose responses were all scored; the others count no more."""
        figures = rollouts.figures()
        unscored = {example: one["reason"] for example, one in figures if one["unscored"]}
        examples = {example for example, _ in figures}
        if len(unscored) > self.config.rerec.most_unscored * len(examples):
            self.global_steps -= 1  # this step did not happen: the weights are the last step's
            self._ensure_checkpoint()
            raise ServerUnreachable(
                f"responses to {len(unscored)} queries of step {self.global_steps + 1} "
                f"could not be scored: {next(iter(unscored.values()))}"
            )
        if unscored:
            rollouts.mask_out(unscored)
        metrics["rerec/dropped_groups"] = float(len(unscored))
        return [(example, one) for example, one in figures if example not in unscored]

    def _observe(
        self,
        curriculum: Curriculum,
        figures: list[tuple[str, Figures]],
        metrics: dict[str, Any],
    ) -> None:
        """Tell the curriculum what was scored."""
        curriculum.observe((self.row_of[example], one["ndcg"]) for example, one in figures)
        examples = dict.fromkeys(example for example, _ in figures)
        difficulties = [curriculum.difficulty(self.row_of[example]) for example in examples]
        metrics["curriculum/epoch"] = curriculum.epoch
        metrics["curriculum/mastered"] = sum(map(curriculum.mastered, range(len(curriculum.prior))))
        metrics["curriculum/difficulty"] = float(np.mean(difficulties))

    def on_step_begin(self) -> None:
        """Between two steps: was an end asked for?"""
        folder = Path(self.config.trainer.default_local_dir)
        if (folder / STOP).is_file():
            self.global_steps -= 1
            self._ensure_checkpoint()
            raise Stopped
        super().on_step_begin()

    def _val_metrics_update(
        self,
        data_sources: Any,
        sample_uids: Any,
        reward_extra_infos_dict: Any,
        sample_turns: Any,
        expected_acc_counts: dict[tuple[str, str], int] | None = None,
    ) -> dict[str, float]:
        """verl's, over the answers that were scored.

        Raises ServerUnreachable where more than `rerec.most_unscored` of them were not.
        """
        infos, count = reward_extra_infos_dict, len(sample_uids)
        scored = [k for k, unscored in enumerate(infos["unscored"]) if not unscored]

        def chosen(column: Any) -> list[Any]:
            return [column[k] for k in scored]

        if count - len(scored) > self.config.rerec.most_unscored * count:
            self._ensure_checkpoint()
            why = next(reason for reason in infos["reason"] if reason)
            raise ServerUnreachable(
                f"{count - len(scored)} of {count} validation answers at step "
                f"{self.global_steps} could not be scored: {why}"
            )
        filled = {name: mean_filled(chosen(column)) for name, column in infos.items()}
        return super()._val_metrics_update(
            chosen(data_sources),
            chosen(sample_uids),
            {name: column for name, column in filled.items() if column},
            chosen(sample_turns),
            expected_acc_counts=expected_acc_counts,
        )

    def _compute_metrics(
        self, batch: Any, metrics: Any, timing_raw: Any, global_steps: Any, epoch: Any
    ) -> None:
        """verl's metrics, then a line for the console, and every RECENT steps what is wrong."""
        super()._compute_metrics(batch, metrics, timing_raw, global_steps=global_steps, epoch=epoch)
        for name, value in metrics.items():
            if isinstance(value, int | float):
                self.history[name].append(value)
        # to the console itself: see data_engine/runtime/quiet.py
        shown = line(self.global_steps, self.total_training_steps, metrics)
        print(shown, file=sys.__stdout__, flush=True)
        for alarm in alarms(self.history) if self.global_steps % RECENT == 0 else ():
            print(f"alarm: {alarm}", file=sys.__stdout__, flush=True)

    def _ensure_checkpoint(self) -> None:
        """Save the step last taken, unless it was saved.

        The tracker decides: a folder alone may be what a kill left of a save.
        """
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
