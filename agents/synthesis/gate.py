"""The naturalness gate: a small language model that stands in for the critic, without a network.

It objects to words that it finds improbable, more so than the limit of their kind and register
allows. Names are read, but not counted: how rare they are is no fault of the words.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from threading import Lock

from pydantic import Field

from agents.llm.smollm2 import folder_digest
from agents.synthesis.naturalness import LanguageModel, Span, perplexity
from agents.synthesis.state import Draft
from agents.synthesis.wording import wanted_names
from agents.synthesis.world import World
from data_engine.runtime.config import Config
from data_engine.schema import Kind, Turn, content_hash

LIMITS = Path(__file__).with_name("naturalness.toml")


class Limits(Config):
    """Perplexities above which words read unnaturally.

    kinds: per kind of query. registers: factors for registers that read differently.
    """

    kinds: dict[Kind, float]
    registers: dict[str, float] = {}

    @classmethod
    def read(cls) -> "Limits":
        """The limits of the package."""
        return cls.model_validate(tomllib.loads(LIMITS.read_text(encoding="utf-8")))

    def of(self, kind: Kind, style: str) -> float:
        """The limit of a kind in a register, "" for none."""
        return self.kinds[kind] * self.registers.get(style, 1.0)


class GateConfig(Config):
    """The gate's model and limits.

    digest: of the weights; it decides the rows, not the folder that they lie in.
    """

    folder: Path
    digest: str
    limits: Limits = Field(default_factory=Limits.read)

    @classmethod
    def of(cls, folder: Path) -> "GateConfig":
        """The gate of a model folder. Raises DataError where it holds no weights."""
        return cls(folder=folder.resolve(), digest=folder_digest(folder))

    @property
    def name(self) -> str:
        """What decides the verdicts: "smollm2:WEIGHTS:LIMITS"."""
        return f"smollm2:{self.digest}:{content_hash(self.limits.model_dump(), 8)}"


class NaturalnessGate:
    """Objects to words that read unnaturally.

    Texts are scored one by one, on one thread, so that verdicts do not depend on what else is
    scored, or how many workers there are. The model is loaded when it is first asked.
    """

    def __init__(self, config: GateConfig) -> None:
        self.name = config.name
        self._folder, self._limits, self._lock = config.folder, config.limits, Lock()

    @cached_property
    def _model(self) -> LanguageModel:
        return LanguageModel(self._folder)

    def objections(
        self, draft: Draft, style: str, turns: tuple[Turn, ...], world: World
    ) -> list[str]:
        """What is wrong with the words of a draft, [] for nothing. style: their register."""
        said = "\n".join(turn.text for turn in turns)
        found = self.perplexity(said, wanted_names(draft, world))
        limit = self._limits.of(draft.kind, style)
        if not found > limit:  # nor where nothing but names is said
            return []
        return [f"reads unnaturally: perplexity {found:.0f}, limit {limit:.0f}"]

    def perplexity(self, text: str, names: Iterable[str]) -> float:
        """The perplexity of a text without its names, to four digits."""
        import torch

        with self._lock:
            model, threads = self._model, torch.get_num_threads()
            torch.set_num_threads(1)
            try:
                (score,) = model.score([text])
            finally:
                torch.set_num_threads(threads)
        return float(f"{perplexity([score.outside(list(_spans(text, names)))]):.4g}")


def _spans(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Where the names stand in the text."""
    for name in names:
        for found in re.finditer(re.escape(name), text, re.IGNORECASE):
            yield found.span()
