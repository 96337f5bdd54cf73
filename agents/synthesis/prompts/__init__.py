"""Prompts: one Markdown file each, with the parts "# system" and "# user".

"$name" stands for data that the caller fills in.
"""

from dataclasses import dataclass
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent
ROLES = ("writer", "critic", "labeller")


@dataclass(frozen=True)
class Prompt:
    """The system and the user message of a request."""

    system: str
    user: str


def text_of(role: str) -> str:
    """A prompt file as it is, for its hash."""
    return (FOLDER / f"{role}.md").read_text()


def fill(role: str, **data: str) -> Prompt:
    """The prompt of a role with its data."""
    system, user = text_of(role).removeprefix("# system\n").split("\n# user\n")
    return Prompt(system.strip(), Template(user.strip()).substitute(data))
