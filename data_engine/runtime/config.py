"""The base of every configuration record."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A typed record that cannot be changed and refuses keys it does not know.

    Validated when it is made, before anything heavy starts: raises pydantic.ValidationError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
