"""The configuration of a synthesis run, and the digest that names its rows."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from agents.synthesis.chat_config import ChatConfig
from agents.synthesis.gate import GateConfig, NaturalnessGate
from agents.synthesis.writers.registers import USUAL as USUAL_REGISTERS
from agents.synthesis.writers.registers import check_registers, parse_registers
from agents.synthesis.writers.registry import WRITERS, make_offline
from agents.synthesis.writers.terse import TerseWriter
from data_engine.runtime.config import Config
from data_engine.schema import Kind, Split, content_hash

USUAL: tuple[Kind, ...] = ("explicit", "implicit", "misinformed", "interest")


class SynthConfig(Config):
    """How many Examples of each split are made, and how.

    counts: Examples per split, shared evenly by `kinds`. levels: difficulties, in turn.
    candidates: items to choose from per query, gold included. chat: what the chat writer needs.
    registers: weight per register of the request. noise: whether the template's words have typos.
    workers: processes or, with `ray`, tasks of a Ray cluster; they do not change the rows.
    checkpoints: a postgresql:// URL for the chat writer's; SQLite beside the store by default.
    gate: the offline critic's model; None: no such critic.
    """

    counts: dict[Split, int]
    kinds: tuple[Kind, ...] = USUAL
    levels: tuple[int, ...] = Field((2,), min_length=1)
    candidates: int = Field(6, ge=2, le=100)
    writer: Literal["template", "terse", "chat"] = "template"
    chat: ChatConfig | None = None
    registers: dict[str, float] = dict(USUAL_REGISTERS)
    noise: bool = False
    seed: int = 0
    workers: int = Field(2, ge=1)
    ray: bool = False
    checkpoints: str | None = None
    gate: GateConfig | None = None

    @field_validator("counts")
    @classmethod
    def _not_negative(cls, counts: dict[Split, int]) -> dict[Split, int]:
        if any(n < 0 for n in counts.values()) or not sum(counts.values()):
            raise ValueError("counts must not be negative, and one at least must be above zero")
        return counts

    @field_validator("kinds")
    @classmethod
    def _each_once(cls, kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        if not kinds or len(set(kinds)) < len(kinds):
            raise ValueError("name at least one kind, and each once")
        return kinds

    @field_validator("levels")
    @classmethod
    def _in_range(cls, levels: tuple[int, ...]) -> tuple[int, ...]:
        if not set(levels) <= {1, 2, 3}:
            raise ValueError("levels are 1, 2 and 3")
        return levels

    @field_validator("registers", mode="before")
    @classmethod
    def _parsed_registers(cls, weights: object) -> object:
        return parse_registers(weights) if isinstance(weights, str) else weights

    @field_validator("registers")
    @classmethod
    def _known_registers(cls, weights: dict[str, float]) -> dict[str, float]:
        check_registers(weights)
        return weights

    @model_validator(mode="after")
    def _something_to_choose_from(self) -> Self:
        if self.gate and self.writer == "terse":
            raise ValueError("the terse writer has one phrasing per kind: leave --critic out")
        return self

    def make_gate(self) -> NaturalnessGate | None:
        """The offline critic, None where there is none."""
        return NaturalnessGate(self.gate) if self.gate else None

    def offline_writer(self) -> TerseWriter:
        """The writer of a run that asks no model."""
        return make_offline(self.writer, self.registers, self.noise)

    def digest(self, graph_digest: str) -> str:
        """Name of the rows: a digest of all that decides them."""
        apart = {"workers", "ray", "chat", "checkpoints", "gate"}
        decides: list[Any] = [self.model_dump(mode="json", exclude=apart)]
        decides += [self.chat and self.chat.decisive(), WRITERS[self.writer].prompt_hash]
        decides += [self.gate.name] if self.gate else []
        return content_hash([*decides, graph_digest])
