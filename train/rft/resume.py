"""Whether a run directory may be gone on with, and where each attempt logs."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from data_engine.runtime.run_directory import RunDirectory
from train.rft.compose import plain

PLACES = (  # where server and code lie: a resume may find them elsewhere
    "rerec.server",
    "actor_rollout_ref.rollout.agent.agent_loop_config_path",
    "ray_kwargs.ray_init.runtime_env.worker_process_setup_hook",
    "ray_kwargs.ray_init.logging_level",
)


def check_resume(run: Path, composed: DictConfig, resume: bool) -> None:
    """Refuse a directory in use, and a resume with another config but for where things lie."""
    directory = RunDirectory(run, "config.yaml", movable=PLACES, upgrade=upgraded)
    directory.check(plain(composed), resume=resume)


def upgraded(config: dict[str, Any]) -> dict[str, Any]:
    """A config.yaml as it would be written now.

    Before recipes named an algorithm, verl's estimator told which it was.
    """
    ours = {"algorithm": config["algorithm"]["adv_estimator"]} | config["rerec"]
    return config | {"rerec": ours}


def metrics_files(run: Path) -> list[Path]:
    """verl's logs of a run, oldest first, one JSON object per step: {"step", "data"}.

    Each resume starts a new file.
    """
    folder = run / "log/rerec"
    return sorted(folder.glob("rft-*.jsonl")) + [p for p in (folder / "rft.jsonl",) if p.is_file()]


def keep_log(run: Path) -> None:
    """Rename the log of the attempt before: verl's file logger starts its file anew."""
    files = metrics_files(run)
    if files and files[-1].name == "rft.jsonl":
        files[-1].rename(files[-1].with_name(f"rft-{len(files):03d}.jsonl"))
