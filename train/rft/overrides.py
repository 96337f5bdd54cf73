"""Overrides in hydra's grammar, with paths that hold whatever a file system allows."""

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from train.errors import BadRecipe

STRUCTURE = ("[", "{", "'", '"')  # begins what is meant as a list, a mapping or a quoted text


def quoted(text: str) -> str:
    """The text itself as a value of an override.

    Raises BadRecipe for what OmegaConf would take for an interpolation: it is resolved more than
    once on the way to the workers.
    """
    if "${" in text:
        raise BadRecipe(
            f"{text}: a path cannot hold ${{, which a recipe reads as a reference: choose another"
        )
    return QuotedString(text=text, quote=Quote.single).with_quotes()


def quoted_path_value(override: str) -> str:
    """A user's override, in quotes where its value is a path that the grammar cannot read.

    In quotes too where the grammar takes the path for several values (a comma).
    """
    key, equals, value = override.partition("=")
    if not equals or "/" not in value or value.startswith(STRUCTURE) or "${" in value:
        return override
    try:
        whole = not OverridesParser.create().parse_override(override).is_sweep_override()
    except HydraException:
        whole = False
    return override if whole else f"{key}={quoted(value)}"
