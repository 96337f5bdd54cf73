"""What supervised fine-tuning of the tiny policy is told, checked before torch is imported."""

from pydantic import Field

from data_engine.runtime.config import Config

ENTITIES = "entities.json"  # in the folder of a tiny policy: token ids of names by group


class SFTConfig(Config):
    """Steps of each phase, and the optimisers.

    lr, matrix_lr: learning rates of AdamW and Muon.
    flawed: share of the phase-B samples that follow a flawed chain.
    shuffled: share of all samples whose names are swapped.
    decisive: weight of a yes or no in the loss.
    """

    gold_steps: int = Field(800, ge=1)
    mixed_steps: int = Field(350, ge=0)
    batch: int = Field(32, ge=1)
    lr: float = Field(3e-3, gt=0)
    matrix_lr: float = Field(1e-2, gt=0)
    flawed: float = Field(0.5, ge=0, le=1)
    shuffled: float = Field(0.9, ge=0, le=1)
    decisive: float = Field(5.0, ge=1)
    seed: int = 0
