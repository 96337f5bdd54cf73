"""Responses that cost time or money, kept as they come, a JSON line each: a run cut short goes on, and nothing is asked for twice."""

import json
from pathlib import Path


class Kept:
    """`found` has what was answered, by name. Without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        """Read what is there; a line that was cut short counts as not there, and is ended, so that the next starts anew."""
        self.path, self.found = path, {}
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as lines:
            lines.seek(0)
            text = lines.read()
            if text and not text.endswith("\n"):
                lines.write("\n")
            for line in text.splitlines():
                try:
                    entry = json.loads(line)
                    self.found[entry["prompt"]] = entry["response"]
                except (ValueError, KeyError, TypeError):
                    continue

    def add(self, responses: dict[str, str]) -> None:
        """Keep some more, by name."""
        self.found |= responses
        if self.path:
            with self.path.open("a", encoding="utf-8") as out:
                out.writelines(
                    json.dumps({"prompt": name, "response": text}, ensure_ascii=False) + "\n"
                    for name, text in responses.items()
                )
