"""A method to compare: a recipe, less some of its ideas.

"tiny-rerec-qas-pas" is tiny-rerec without query and preference alignment.
"""

from typing import NamedTuple

from train.errors import BadRecipe
from train.rft.recipes import recipes

ABLATIONS = {
    "raae": ("rerec.algorithm=grpo", "rerec.weights.penalty=0", "rerec.judged=0"),
    "qas": ("rerec.weights.qas=0",),
    "pas": ("rerec.weights.pas=0",),
    "curriculum": ("rerec.curriculum=null",),
}


class Method(NamedTuple):
    """A recipe and the overrides that take something away from it."""

    name: str
    recipe: str
    overrides: tuple[str, ...]


def method(name: str) -> Method:
    """The method of that name. Raises BadRecipe for an unknown recipe or ablation."""
    known = [r for r in recipes() if name == r or name.startswith(f"{r}-")]
    if not known:
        raise BadRecipe(
            f"no recipe begins {name!r}: choose from {', '.join(recipes())}, "
            f"with -{', -'.join(ABLATIONS)} to leave something out"
        )
    recipe = max(known, key=len)
    left_out = name[len(recipe) + 1 :].split("-") if name != recipe else []
    if unknown := [word for word in left_out if word not in ABLATIONS]:
        raise BadRecipe(
            f"{name}: nothing called {unknown[0]!r} can be left out of {recipe}, "
            f"only {', '.join(ABLATIONS)}"
        )
    overrides: list[str] = []
    for word in left_out:
        overrides += ABLATIONS[word]
    return Method(name, recipe, tuple(overrides))
