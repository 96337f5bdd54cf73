"""Writers by name."""

from collections.abc import Mapping

from agents.synthesis.writers.chat import ChatWriter
from agents.synthesis.writers.registers import USUAL
from agents.synthesis.writers.template import TemplateWriter
from agents.synthesis.writers.terse import TerseWriter

OFFLINE_WRITERS: Mapping[str, type[TerseWriter]] = {
    "template": TemplateWriter,
    "terse": TerseWriter,
}
WRITERS: Mapping[str, type[TerseWriter]] = {**OFFLINE_WRITERS, "chat": ChatWriter}


def make_offline(
    name: str, registers: Mapping[str, float] = USUAL, noise: bool = False
) -> TerseWriter:
    """The offline writer of this name; registers and noise are the template writer's."""
    if name == "template":
        return TemplateWriter(registers, noise)
    return OFFLINE_WRITERS[name]()
