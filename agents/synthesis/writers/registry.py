"""Writers by name."""

from collections.abc import Mapping

from agents.synthesis.writers.chat import ChatWriter
from agents.synthesis.writers.template import TemplateWriter
from agents.synthesis.writers.terse import TerseWriter

OFFLINE_WRITERS: Mapping[str, type[TerseWriter]] = {
    "template": TemplateWriter,
    "terse": TerseWriter,
}
WRITERS: Mapping[str, type[TerseWriter]] = {**OFFLINE_WRITERS, "chat": ChatWriter}
