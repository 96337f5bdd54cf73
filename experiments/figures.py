"""Writes the figures of each experiment page as JSON beside it: `python experiments/figures.py`.

The tables of NNN-question.md become NNN-question.json, so that figures can be read by a program and
are written down once. A test holds the two together.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NUMBER = r"[+−-]?(?:\d+(?:,\d{3})*)?\.?\d+(?:e-?\d+)?"
MEASURED = re.compile(rf"({NUMBER})(?: ±({NUMBER}))?(?: (%))?")


def pages() -> list[Path]:
    """The experiment pages, in order."""
    return sorted(HERE.glob("[0-9]*.md"))


def figures(page: Path) -> dict[str, Any]:
    """The question, when it was recorded, the commands, and the tables of one page."""
    text = page.read_text(encoding="utf-8")
    recorded = re.search(r"\*\*Recorded:\*\* (.+?)\n\n", text, re.DOTALL)
    return {
        "experiment": page.name[:3],
        "question": text.splitlines()[0].removeprefix("# "),
        "recorded": " ".join(recorded[1].split()) if recorded else "",
        "commands": [
            line
            for block in re.findall(r"```\n(.*?)```", text, re.DOTALL)
            for line in block.splitlines()
        ],
        "tables": list(tables(text)),
        "verdict": " ".join(text.split("## Verdict\n")[1].split()),
    }


def tables(text: str) -> Iterator[dict[str, Any]]:
    """Each Markdown table: the paragraph before it as caption, the columns, the rows."""
    blocks = text.split("\n\n")
    for before, block in zip(blocks, blocks[1:], strict=False):
        if not block.lstrip().startswith("|"):
            continue
        header, _, *rows = [cells(line) for line in block.strip().splitlines()]
        caption = " ".join(before.split()) if not before.startswith(("#", "|")) else ""
        yield {
            "caption": caption,
            "columns": header,
            "rows": [[row[0], *map(value, row[1:])] for row in rows],
        }


def cells(line: str) -> list[str]:
    """The cells of one line of a Markdown table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def value(cell: str) -> Any:
    """A number; {"value", "plus_minus"} for a mean with its interval; null for nothing; text."""
    found = MEASURED.fullmatch(cell)
    if not found:
        return cell or None
    number, spread, percent = found.groups()
    mean = parsed(number) / (100 if percent else 1)
    return mean if spread is None else {"value": mean, "plus_minus": parsed(spread)}


def parsed(text: str) -> float:
    """A number as it is printed: ".5", "−.03", "+1,000"."""
    return float(text.replace("−", "-").replace(",", ""))


def encoded(page: Path) -> str:
    """The JSON text of one page's figures."""
    return json.dumps(figures(page), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for page in pages():
        page.with_suffix(".json").write_text(encoded(page), encoding="utf-8")
