"""What an endpoint is asked, how often and at what price."""

from typing import Literal

from pydantic import Field, model_validator

from data_engine.runtime.config import Config

Role = Literal["writer", "critic", "labeller"]


class ChatConfig(Config):
    """The endpoint and its limits. Roles without a model of their own use the writer's; `critic` and `labeller` may be "" to go without.

    `concurrency` is of calls. The key is read from the environment variable `key_env`, never kept. Prices are per million tokens, in any currency.
    """

    base_url: str = "http://127.0.0.1:8000/v1"
    writer: str = Field(min_length=1)
    critic: str | None = None
    labeller: str | None = ""
    key_env: str = "OPENAI_API_KEY"
    concurrency: int = Field(16, ge=1, le=1024)
    per_minute: int | None = Field(None, ge=1)
    timeout: float = Field(60.0, gt=0)
    retries: int = Field(8, ge=0)
    temperature: float = Field(0.9, ge=0, le=2)
    most_tokens: int = Field(700, ge=16)
    structured: bool = True
    budget_tokens: int | None = Field(None, ge=1)
    budget_money: float | None = Field(None, gt=0)
    price_in: float = Field(0.0, ge=0)
    price_out: float = Field(0.0, ge=0)
    least_natural: int = Field(3, ge=1, le=5)
    replay: bool = False

    @model_validator(mode="after")
    def _priced(self) -> "ChatConfig":
        if self.budget_money is not None and not self.price_in + self.price_out:
            raise ValueError("a budget in money needs the prices: give --price-in and --price-out")
        return self

    def model(self, role: Role) -> str:
        """The model of a role, "" where the role is left out."""
        own = getattr(self, role)
        return self.writer if own is None else own

    def asked(self) -> dict[str, object]:
        """What decides the answers: part of a run's identity, while limits and prices are not."""
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
