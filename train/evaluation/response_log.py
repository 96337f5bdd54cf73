"""Responses that took long to generate, one JSON line each: a run cut short goes on from them."""

import json
from collections.abc import Mapping
from pathlib import Path


class ResponseLog:
    """`found` maps the names of prompts to their responses. Without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        """Read the file; a line that was cut short counts as missing, and is ended."""
        self.path = path
        self.found: dict[str, str] = {}
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as lines:
            lines.seek(0)
            text = lines.read()
            if text and not text.endswith("\n"):
                lines.write("\n")  # so that the next response has a line of its own
        self.found |= responses_in(text)

    def add(self, responses: Mapping[str, str]) -> None:
        """Append responses, by name."""
        self.found |= responses
        if self.path is None:
            return
        with self.path.open("a", encoding="utf-8") as out:
            for name, text in responses.items():
                line = json.dumps({"prompt": name, "response": text}, ensure_ascii=False)
                out.write(line + "\n")


def responses_in(text: str) -> dict[str, str]:
    """The responses of a log by name, without lines that were cut short."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        try:
            entry = json.loads(line)
            found[entry["prompt"]] = entry["response"]
        except (ValueError, KeyError, TypeError):
            continue
    return found
