"""Tokens and money: set aside before a call, counted after it, so that no budget is overrun."""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.llm.config import ClientConfig
from agents.llm.errors import BudgetSpent
from agents.llm.request import Message


@dataclass(frozen=True)
class Cost:
    """Tokens and money of a call."""

    tokens: int
    money: float


class Budget:
    """Tokens and money of a run so far, with those that calls on their way may still cost."""

    def __init__(self, config: ClientConfig, tokens: int, money: float) -> None:
        self.config, self.tokens, self.money = config, tokens, money
        self._reserved_tokens, self._reserved_money = 0, 0.0

    def price(self, tokens_in: int, tokens_out: int) -> float:
        """Money for so many tokens."""
        return (tokens_in * self.config.price_in + tokens_out * self.config.price_out) / 1e6

    def reserve(self, messages: Iterable[Message], max_tokens: int) -> Cost:
        """Set aside the most that a call can cost. Raises BudgetSpent when that is too much."""
        # hardly any tokenizer makes more than one token of two bytes
        tokens_in = sum(len(m["content"].encode()) for m in messages) // 2 + 16
        cost = Cost(tokens_in + max_tokens, self.price(tokens_in, max_tokens))
        most_tokens, most_money = self.config.budget_tokens, self.config.budget_money
        if most_tokens is not None and (
            self.tokens + self._reserved_tokens + cost.tokens > most_tokens
        ):
            raise BudgetSpent(
                f"the budget of {most_tokens} tokens is spent ({self.tokens} used): "
                "raise it to go on"
            )
        if most_money is not None and self.money + self._reserved_money + cost.money > most_money:
            raise BudgetSpent(
                f"the budget of {most_money:g} is spent ({self.money:.4f} used): raise it to go on"
            )
        self._reserved_tokens += cost.tokens
        self._reserved_money += cost.money
        return cost

    def spend(self, reserved: Cost, spent: Cost) -> None:
        """Replace a reservation by what the call did cost."""
        self._reserved_tokens -= reserved.tokens
        self._reserved_money -= reserved.money
        self.tokens += spent.tokens
        self.money += spent.money
