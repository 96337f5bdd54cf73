"""Recipes: the names of ours, and the files of others."""

from pathlib import Path

import yaml

from train.errors import BadRecipe

RECIPES = Path(__file__).parents[1] / "recipes"
# files that recipes are made from, which `rerec train rft` cannot run
BASES = {"rerec_base", "tiny_cpu", "chat_cpu", "gpu_3b", "sft_chat"}


def recipes() -> list[str]:
    """Names of the recipes that can be run."""
    return sorted(p.stem for p in RECIPES.glob("*.yaml") if p.stem not in BASES)


def recipe_file(recipe: str) -> Path:
    """The file of a recipe: one of ours by name, or any by its path. Raises BadRecipe."""
    if recipe in recipes():
        return RECIPES / f"{recipe}.yaml"
    if not recipe.endswith(".yaml"):
        raise BadRecipe(
            f"no recipe {recipe!r}: choose from {', '.join(recipes())}, or give a file, ./NAME.yaml"
        )
    path = Path(recipe).resolve()
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise BadRecipe(f"no recipe can be read from {recipe}: {why}") from error
    if not isinstance(found, dict) or "defaults" not in found:
        raise BadRecipe(
            f"{recipe} must say which recipe it changes: "
            "begin it with `defaults: [tiny-grpo, _self_]`"
        )
    return path
