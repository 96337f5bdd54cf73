"""The trained model of a run, from its checkpoints."""

import shutil
from pathlib import Path

from omegaconf import DictConfig

from data_engine.runtime.atomic import draft
from train.errors import TrainError
from train.rft.checkpoints import FOLDER, LATEST
from train.rft.selection import first_of_the_best

MODEL = "model"


def export_model(run: Path, composed: DictConfig) -> Path:
    """Copy a checkpoint's Hugging Face weights to run/model, an adapter merged into them.

    The last checkpoint's; or with `rerec.best_by` those of the first step that validation cannot
    tell from the best, which may be where the run began, if that is a folder.
    """
    folder = run / "checkpoints"
    start = Path(composed.actor_rollout_ref.model.path)

    def weights(step: int) -> Path:
        return folder / f"{FOLDER}{step}/actor/huggingface" if step else start

    step = int((folder / LATEST).read_text())
    if by := composed.rerec.best_by:
        step, means = first_of_the_best(run / "samples", by, lambda at: weights(at).is_dir())
        listed = ", ".join(f"{at}: {mean:.4f}" for at, mean in means.items())
        print(f"by {by} on validation step {step} is the first of the best: {listed}")
    if not weights(step).is_dir():
        raise TrainError(
            f"the checkpoint of step {step} in {folder} holds no Hugging Face weights: "
            "keep hf_model in checkpoint.save_contents"
        )
    target = run / MODEL
    with draft(target) as part:
        shutil.copytree(weights(step), part)
        if step and composed.actor_rollout_ref.model.lora_rank:
            from train.rft.adapter import merge_adapter

            merge_adapter(part, composed.actor_rollout_ref.model)
        shutil.rmtree(target, ignore_errors=True)
    return target
