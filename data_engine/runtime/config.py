"""The base of every configuration record."""

from pydantic import BaseModel, ConfigDict, ValidationError


class Config(BaseModel):
    """A typed record that cannot be changed and refuses keys it does not know.

    Validated when it is made, before anything heavy starts: raises pydantic.ValidationError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


def first_problem(error: ValidationError) -> tuple[str, str]:
    """The key, dotted, that is wrong first, and why; the key is empty for all of them together."""
    problem = error.errors()[0]
    return ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")
