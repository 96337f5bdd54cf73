"""A matrix of methods and seeds to compare, and its cells on disk."""

from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from data_engine.runtime.config import Config
from train.evaluation.methods import Method


class CompareConfig(Config):
    """The matrix.

    methods: the others are compared with the first.
    model: all start from it.
    split: all are evaluated on it.
    queries: of the RL split to learn from; None: all.
    cores: per cell on Ray; None: no Ray.
    """

    store: Path
    model: Path
    methods: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    split: str = "validation"
    queries: int | None = Field(None, ge=1)
    overrides: tuple[str, ...] = ()
    cores: int | None = Field(None, ge=1)


@dataclass(frozen=True)
class Cell:
    """One method with one seed; `folder` holds its training run, eval.json and seconds.json."""

    method: Method
    seed: int
    folder: Path

    @property
    def done(self) -> bool:
        """Whether it was trained and evaluated."""
        return (self.folder / "eval.json").is_file()


def cells_of(run: Path, methods: list[Method], seeds: tuple[int, ...]) -> list[Cell]:
    """All cells in the order in which they are filled: every method before the next seed."""
    found = []
    for seed in seeds:
        found += [Cell(method, seed, run / method.name / str(seed)) for method in methods]
    return found


def trained_config(folder: Path) -> DictConfig:
    """The composed configuration that a cell was trained with."""
    config = OmegaConf.load(folder / "config.yaml")
    assert isinstance(config, DictConfig)
    return config
