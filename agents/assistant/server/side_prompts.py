"""The prompts that chat pages send beside a dialogue: for a title, tags, follow-ups, searches.

They ask a language model for JSON. A harmless answer is given: what can be had from the dialogue
itself, and nothing else.
"""

import json
import re
from collections.abc import Callable

TASK = re.compile(r"\s*#+ *task\b", re.IGNORECASE)
HISTORY = re.compile(r"<chat_history>(.*?)(?:</chat_history>|$)", re.DOTALL)
OUTPUT = re.compile(r"<chat_history>|#+ *output", re.IGNORECASE)
FIRST = re.compile(r"^\s*(?:user|human)\s*:\s*(.+)$", re.IGNORECASE | re.MULTILINE)
TITLE_WORDS, TITLE_CHARACTERS = 6, 60


def _title(prompt: str) -> str:
    """The first words of the dialogue."""
    history = HISTORY.search(prompt)
    first = FIRST.search(history[1] if history else "")
    words = re.sub(r"[\"“”#*`<>]", "", first[1]).split() if first else []
    return " ".join(words[:TITLE_WORDS])[:TITLE_CHARACTERS] or "Recommendations"


# The key of the JSON that is asked for → its value.
ANSWERS: dict[str, Callable[[str], object]] = {
    "title": _title,
    "tags": lambda prompt: ["Recommendations"],
    "follow_ups": lambda prompt: ["Why?", "More, please"],
    "queries": lambda prompt: [],
    "text": lambda prompt: "",
    "prompt": lambda prompt: "",
}


def is_side_prompt(prompt: str) -> bool:
    """Whether it starts with "### Task" and speaks of the dialogue or of an output format."""
    return bool(TASK.match(prompt) and OUTPUT.search(prompt))


def side_answer(prompt: str) -> str | None:
    """The answer to such a prompt, None where `prompt` is a person's message."""
    if not is_side_prompt(prompt):
        return None
    instructions = HISTORY.sub("", prompt)
    for key, answer in ANSWERS.items():
        if re.search(rf"[\"'`]{key}[\"'`]", instructions):
            return json.dumps({key: answer(prompt)}, ensure_ascii=False)
    return _title(prompt)
