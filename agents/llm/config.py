"""Where an endpoint lies, how often it is asked and at what price."""

from typing import Self

from pydantic import Field, model_validator

from data_engine.runtime.config import Config


class Connection(Config):
    """An OpenAI-compatible endpoint.

    key_env: the environment variable that holds the key, which is read when calls are made and
    never kept. concurrency: calls at once. timeout: seconds to wait for an answer.
    """

    base_url: str = "http://127.0.0.1:8000/v1"
    key_env: str = "OPENAI_API_KEY"
    concurrency: int = Field(16, ge=1, le=1024)
    timeout: float = Field(60.0, gt=0)


class ClientConfig(Connection):
    """A connection and its limits.

    per_minute: calls. retries: of a failed call, after its first try. structured: ask for JSON
    objects by their schema (`response_format`). budget_tokens, budget_money: of the whole run.
    price_in, price_out: per million tokens of prompts and of answers, in any currency.
    replay: recorded answers only, no call.
    """

    per_minute: int | None = Field(None, ge=1)
    retries: int = Field(8, ge=0)
    structured: bool = True
    budget_tokens: int | None = Field(None, ge=1)
    budget_money: float | None = Field(None, gt=0)
    price_in: float = Field(0.0, ge=0)
    price_out: float = Field(0.0, ge=0)
    replay: bool = False

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.budget_money is not None and not self.price_in + self.price_out:
            raise ValueError("a budget in money needs the prices: give --price-in and --price-out")
        return self
