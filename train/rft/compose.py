"""A recipe with its overrides as verl's whole config, checked before anything starts."""

import glob
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import Field

from data_engine.runtime.config import Config
from data_engine.runtime.quiet import words_to
from train.errors import BadRecipe
from train.rft.environment import prepare_environment
from train.rft.overrides import quoted, quoted_path_value
from train.rft.recipes import RECIPES, recipe_file
from train.rft.settings import check_agreement, check_section

AGENT_LOOPS = Path(__file__).parents[1] / "verl_plugin/agent_loops.yaml"


class RFTConfig(Config):
    """One run of a recipe: one of ours by name, or a YAML file.

    overrides: hydra overrides of the recipe ("trainer.total_training_steps=60"). model: None means
    the recipe's own. server: None means one that is started for the run. most_queries: learn from
    so many.
    """

    recipe: str
    run: Path
    model: str | None
    server: str | None = None
    seed: int = 0
    overrides: tuple[str, ...] = ()
    most_queries: int | None = Field(None, ge=1)


def compose(config: RFTConfig, digest: str) -> DictConfig:
    """The whole verl config of a run.

    Raises BadRecipe when it does not compose, is at odds with itself (see `train.rft.settings`), or
    would run where its server is not.
    """
    if any(override.lstrip("+").startswith("rerec.server=") for override in config.overrides):
        raise BadRecipe(
            "rerec.server is where this run's own server lies, or what --server says: "
            "give --server URL"
        )
    overrides = (*_filled_in(config, digest), *map(quoted_path_value, config.overrides))
    composed = _composed(config.recipe, overrides, config.overrides)
    try:
        check_section(plain(composed.rerec))
        check_agreement(composed)
    except OmegaConfBaseException as error:
        raise _uncomposable(config.recipe, config.overrides, error) from error
    if not config.server and (composed.trainer.nnodes > 1 or "RAY_ADDRESS" in os.environ):
        raise BadRecipe(
            "several machines need a reward server that all of them reach: "
            "start `rerec serve --host …` and give its URL as --server"
        )
    return composed


def plain(config: DictConfig) -> dict[str, Any]:
    """A config as resolved plain values; missing ones are "???"."""
    found: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    return found


def on_cpu(recipe: str, overrides: Sequence[str] = ()) -> bool:
    """Whether a recipe trains on CPU, as composed. Raises BadRecipe when it does not compose."""
    return bool(_composed(recipe, overrides).trainer.device == "cpu")


def dry_run(config: RFTConfig) -> DictConfig:
    """Compose and let verl validate, without data, model or server. Raises BadRecipe."""
    prepare_environment(cpu=True)  # verl validates on a device it can name, maybe not the recipe's
    from train.verl_plugin.main import validate

    composed = compose(config, "dry-run")
    validated = composed.copy()
    if find_spec("vllm") is None:  # verl would ask vLLM itself whether it takes the rank
        validated.actor_rollout_ref.model.lora_rank = 0
    try:
        with words_to(None):
            validate(validated)
    except (ValueError, AssertionError, NotImplementedError, TypeError) as error:
        raise BadRecipe(f"recipe {config.recipe} is refused by verl: {error}") from error
    return composed


def _filled_in(config: RFTConfig, digest: str) -> list[str]:
    """Overrides for what depends on the run: paths, seed, server and model."""
    run = config.run.resolve()
    if "::" in str(run):
        raise BadRecipe(f"{run}: data are not read from a path with :: in it: give another --run")
    values: dict[str, object] = {
        "rerec.graph_digest": digest,
        "rerec_seed": config.seed,
        "data.train_files": glob.escape(str(run / "data/rl.parquet")),  # read as a pattern
        "data.val_files": glob.escape(str(run / "data/validation.parquet")),
        "trainer.default_local_dir": run / "checkpoints",
        "trainer.validation_data_dir": run / "samples",
        "actor_rollout_ref.rollout.agent.agent_loop_config_path": AGENT_LOOPS,
    }
    if config.server:
        values["rerec.server"] = config.server
    if config.model is not None:
        folder = Path(config.model)
        values["actor_rollout_ref.model.path"] = (
            folder.resolve() if folder.is_dir() else config.model
        )
    return [
        f"{key}={value if isinstance(value, int) else quoted(str(value))}"
        for key, value in values.items()
    ]


def _composed(recipe: str, overrides: Sequence[str], given: Sequence[str] = ()) -> DictConfig:
    """A recipe's file with its defaults (which may be ours, or verl's) and the overrides.

    An error names only the overrides that a user has `given`.
    """
    from hydra.errors import HydraException

    path = recipe_file(recipe)
    try:
        return compose_file(path, overrides)
    except RecursionError:
        raise BadRecipe(
            f"the defaults of {recipe} lead back to itself: give the file another name"
        ) from None
    except (HydraException, OmegaConfBaseException) as error:
        raise _uncomposable(recipe, given, error) from error


def compose_file(path: Path, overrides: Sequence[str]) -> DictConfig:
    """A YAML file with its defaults and the overrides. Raises what hydra raises."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    verl = find_spec("verl")
    assert verl is not None and verl.origin is not None
    folders = (RECIPES, Path(verl.origin).parent / "trainer/config")
    searched = ",".join(quoted(f"file://{folder}") for folder in folders)
    with words_to(None), initialize_config_dir(str(path.parent), version_base=None):
        return hydra_compose(path.stem, [*overrides, f"hydra.searchpath=[{searched}]"])


def _uncomposable(recipe: str, given: Sequence[str], error: Exception) -> BadRecipe:
    why = (str(error) or repr(error)).splitlines()[0]
    return BadRecipe(f"recipe {recipe} with {list(given)} does not compose: {why}")
