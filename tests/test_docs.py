"""What the documentation shows works: its Python runs as it stands, its commands and options exist."""

import re
import shlex
import sys
from functools import lru_cache
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from data_engine.store.database import Store
from rerec.cli import app
from reward_server.local import local_server
from tests.test_cli import COMMANDS, ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: Path(p).name)
def test_commands_and_options_exist(page):
    text = page.read_text()
    lines = [
        line.split("#")[0].strip()
        for block in re.findall(r"```\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("rerec ")
    ]
    lines += [
        words
        for words in re.findall(r"`(rerec [^`…]+)", text)
        if any(words[6:].startswith(command) for command in COMMANDS)
    ]
    assert len(lines) >= 4
    for line in lines:
        words = shlex.split(line)[1:]
        name = next(
            c for c in sorted(COMMANDS, key=len, reverse=True) if " ".join(words).startswith(c)
        )
        assert all(option in help_page(name) for option in words if option.startswith("--")), line


@lru_cache
def help_page(command):
    """In this process: a page names many commands, and each process would load the rooms again."""
    words = [*command.split(), "--help"]
    with patch.object(sys, "argv", ["rerec", *words]):
        return CliRunner().invoke(app, words).stdout


@pytest.mark.journey
def test_the_trl_reward_function_scores_as_shown(film_store, monkeypatch):
    (code,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/reward_server.md").read_text(), re.DOTALL
    )
    with Store.open(film_store, read_only=True) as store:
        examples, titles = (
            store.examples(limit=3),
            dict(store.rows("SELECT item_id, title FROM items")),
        )
    with local_server(film_store) as url:
        monkeypatch.setenv("REREC_URL", url)
        names: dict = {}
        exec(code, names)
        rewards = names["dual_graph_reward"](
            [f"<answer>{titles[e.gold[0]]}</answer>" for e in examples],
            example_id=[e.example_id for e in examples],
            prompts=[],
        )
    assert len(code.strip().splitlines()) <= 12 and all(reward > 1.2 for reward in rewards)
