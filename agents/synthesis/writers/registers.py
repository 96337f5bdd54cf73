"""Registers: how a request is spoken, and the share of each."""

from collections.abc import Mapping
from random import Random

from pydantic import TypeAdapter, ValidationError

from agents.synthesis.state import Draft

REGISTERS = ("plain", "chatty", "terse", "formal")
USUAL: Mapping[str, float] = {"plain": 0.5, "chatty": 0.2, "terse": 0.15, "formal": 0.15}
_NUMBER = TypeAdapter(float)


def register_of(draft: Draft, weights: Mapping[str, float]) -> str:
    """The register of a draft's words, drawn by weight: the same whenever it is asked."""
    rng = Random(f"{draft.gold}/{draft.shuffle_seed}")
    return rng.choices(list(weights), list(weights.values()))[0]


def check_registers(weights: Mapping[str, float]) -> None:
    """Raise ValueError for an unknown register, or weights that leave nothing to draw."""
    if unknown := sorted(set(weights) - set(REGISTERS)):
        raise ValueError(f"no register {unknown[0]!r}: choose from {', '.join(REGISTERS)}")
    if any(not 0 <= w < float("inf") for w in weights.values()) or not sum(weights.values()):
        raise ValueError("weights of registers must not be negative, and one must be above zero")


def parse_registers(text: str) -> dict[str, float]:
    """ "plain=2,terse=1" as weights. Raises ValueError for a weight that is no number."""
    found = {}
    for part in text.split(","):
        name, _, weight = part.partition("=")
        try:
            found[name.strip()] = _NUMBER.validate_python(weight.strip() or "1")
        except ValidationError:
            raise ValueError(f"{part.strip()!r} is no register=weight") from None
    return found
