"""verl's own run_ppo with a task runner that builds our trainer (its documented hook)."""

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ray
from omegaconf import DictConfig, OmegaConf

from data_engine.runtime.quiet import words_to
from train.verl_plugin.machines import join_cluster, watched_machines

STARTS, START_IS_SLOW = 3, "timed out during startup"  # of Ray, which waits 30 s on a busy machine
UNUSED_ROUTER = Path(__file__).with_name("router.yaml")


class TaskRunner:
    """verl's V1 task runner with `RerecTrainer` in the trainer's place.

    `run_ppo` calls `remote` once Ray is up, and `run.remote` of what that returns. verl's own is
    a Ray actor; ours trains in this process, which saves the start of another and its copy of
    verl, and lets errors and lines for the terminal come as they are.
    """

    def __init__(self, stop: Path) -> None:
        self.stop = stop
        self.run = SimpleNamespace(remote=self.train)

    def remote(self) -> "TaskRunner":
        """Ray has taken SIGTERM for itself by now: take it back."""
        signal.signal(signal.SIGTERM, lambda *_: self.stop.touch())
        return self

    def train(self, config: DictConfig) -> Any:
        """Train; returns a reference to how it ended: "done", "all mastered" or "stopped"."""
        import transfer_queue as tq
        from verl.trainer.ppo.v1 import AgentLoopManagerTQ
        from verl.utils.logging_utils import configure_verl_logging

        from train.verl_plugin.trainer import AllMastered, RerecTrainer, Stopped

        configure_verl_logging()
        config.transfer_queue.enable = True
        OmegaConf.resolve(config)
        if config.actor_rollout_ref.rollout.name == "hf":
            config.actor_rollout_ref.rollout.router_config_path = str(UNUSED_ROUTER)
        tq.init(config.transfer_queue)
        trainer: Any = None
        try:
            with watched_machines():
                trainer = RerecTrainer(config=config)
                trainer.init()
                loops = AgentLoopManagerTQ.create(
                    config=config,
                    llm_client=trainer.get_llm_client(),
                    teacher_client=trainer.get_teacher_client(),
                    reward_loop_worker_handles=trainer.get_reward_handles(),
                )
                trainer.fit(loops)
            return ray.put("done")
        except AllMastered:
            trainer.global_steps -= 1
            trainer._save_checkpoint()
            return ray.put("all mastered")
        except Stopped:
            return ray.put("stopped")
        finally:
            try:
                if getattr(trainer, "logger", None) is not None:
                    trainer.logger.finish()
            finally:
                tq.close()


def validate(config: DictConfig) -> None:
    """verl's own checks of a composed config; raises what they raise."""
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config
    from verl.utils.device import auto_set_device

    auto_set_device(config)
    validate_config(
        config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config)
    )


def run(config: DictConfig, stop: Path) -> None:
    """Validate and train on Ray, in a local cluster of this process unless RAY_ADDRESS names one.

    SIGTERM makes the file `stop`, at which the trainer saves a checkpoint and ends. The output of
    verl, Ray and their libraries goes to libraries.log, where verl's file logger writes.
    """
    with words_to(Path(os.environ["VERL_FILE_LOGGER_ROOT"], "libraries.log")):
        from verl.trainer.main_ppo import run_ppo

        validate(config)
        join_cluster(config)
        for attempt in range(STARTS):
            try:
                run_ppo(config, task_runner_class=TaskRunner(stop))
                return
            except Exception as error:  # Ray has no kind of its own for it
                if START_IS_SLOW not in str(error) or attempt + 1 == STARTS:
                    raise
                ray.shutdown()
