"""The configuration of the chat writer: an endpoint, and a model per role."""

from typing import Any, Literal

from pydantic import Field

from agents.llm.config import ClientConfig

Role = Literal["writer", "critic", "labeller"]


class ChatConfig(ClientConfig):
    """The endpoint and the models of the chat writer.

    writer, critic, labeller: models; the critic's is the writer's where it is None, and critic and
    labeller may be "" to go without. most_tokens: of an answer. least_natural: the critic's mark,
    1..5, below which words are tried again.
    """

    writer: str = Field(min_length=1)
    critic: str | None = None
    labeller: str | None = ""
    temperature: float = Field(0.9, ge=0, le=2)
    most_tokens: int = Field(700, ge=16)
    least_natural: int = Field(3, ge=1, le=5)

    def model(self, role: Role) -> str:
        """The model of a role, "" where the role is left out."""
        models = {"writer": self.writer, "critic": self.critic, "labeller": self.labeller}
        own = models[role]
        return self.writer if own is None else own

    def decisive(self) -> dict[str, Any]:
        """The settings that decide the answers: part of a run's identity, unlike limits."""
        return self.model_dump(
            include={
                "writer",
                "critic",
                "labeller",
                "temperature",
                "most_tokens",
                "structured",
                "least_natural",
            }
        )
