"""The documentation is true: its commands and options exist, its Python runs, its tutorial prints
what it shows, and its tables agree with the recipes and the server."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from unittest.mock import patch

import httpx
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from data_engine.datasets.parquet import write_whole
from data_engine.store.database import Store
from rerec.cli import app
from reward_server.local import local_server
from tests.test_cli import COMMANDS, ROOT
from train.rft.recipes import BASES

DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted((ROOT / "experiments").glob("*.md")),
]
FENCE = re.compile(r"^ *```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
ANSI = re.compile(r"\x1b\[[0-9;]*m")
BORDERS = re.compile(r"[┌┐└┘├┤┬┴┼─\s]*")


def fences(page):
    """(language, title, text) of each fenced block."""
    return FENCE.findall(page.read_text(encoding="utf-8"))


def commands(page):
    """The rerec command lines of a page, in blocks and in the running text."""
    lines = [
        line.split("#")[0].strip().removeprefix("$ ")
        for _, _, block in fences(page)
        for line in block.splitlines()
    ]
    inline = re.findall(r"`(rerec [^`…]+)", FENCE.sub("", page.read_text(encoding="utf-8")))
    named = [line for line in inline if line[6:].startswith(COMMANDS)]
    return [line for line in lines if line.startswith("rerec ")] + named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_exist(page):
    for line in commands(page):
        words = shlex.split(line)[1:]
        if words[0] == "--version":
            continue
        name = next(
            c for c in sorted(COMMANDS, key=len, reverse=True) if " ".join(words).startswith(c)
        )
        assert all(option in help_page(name) for option in words if option.startswith("--")), line


def test_pages_show_commands():
    assert sum(len(commands(page)) for page in PAGES) >= 60
    assert all(len(commands(page)) >= 4 for page in (ROOT / "README.md", DOCS / "tutorial.md"))


@lru_cache
def help_page(command):
    """In this process: a page names many commands, and each process would load the rooms again."""
    words = [*command.split(), "--help"]
    with patch.object(sys, "argv", ["rerec", *words]):
        return CliRunner().invoke(app, words).stdout


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 90


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_paths_exist(page):
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    paths = re.findall(r"`((?:\w+/)+[\w.-]+\.\w+)`", text) + re.findall(r"\]\(([\w/.-]+)\)", text)
    assert paths
    for path in paths:
        if "NAME" not in path and "NNN" not in path:
            assert (ROOT / path).exists(), path


def test_experiments_and_their_figures_agree():
    script = runpy.run_path(str(ROOT / "experiments/figures.py"))
    index = (ROOT / "experiments/README.md").read_text(encoding="utf-8")
    assert len(script["pages"]()) >= 22
    for page in script["pages"]():
        assert page.with_suffix(".json").read_text(encoding="utf-8") == script["encoded"](page)
        assert f"]({page.name})" in index
        assert all(
            part in page.read_text(encoding="utf-8") for part in ("**Recorded:**", "## Verdict")
        )


def section_keys(section, prefix=""):
    """The dotted keys of a recipe's section with their values."""
    for key, value in section.items():
        yield prefix + key, value
        if isinstance(value, dict):
            yield from section_keys(value, f"{prefix}{key}.")


def documented_keys():
    """The dotted keys of the recipe reference with their defaults, as they are written."""
    prefix, found = "", {}
    for line in (DOCS / "reference/recipes.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"### `rerec\.(\w+)`", line):
            prefix = heading[1] + "."
        if row := re.match(r"\| `(\w+)` \| .+? \| (.*?) \| ", line):
            found[prefix + row[1]] = row[2].strip("`")
    return found


def test_recipe_keys_are_documented_with_their_defaults():
    documented = documented_keys()
    for path in sorted((ROOT / "train/recipes").glob("*.yaml")):
        section = yaml.safe_load(path.read_text(encoding="utf-8")).get("rerec", {})
        assert {key for key, _ in section_keys(section)} <= documented.keys(), path.name
    base = yaml.safe_load((ROOT / "train/recipes/rerec_base.yaml").read_text(encoding="utf-8"))
    for key, value in section_keys(base["rerec"]):
        if value != "???" and key not in ("weights", "head_digest"):
            assert documented[key] == ("null" if value is None else str(value)), key


def test_every_recipe_is_in_the_table():
    text = (DOCS / "reference/recipes.md").read_text(encoding="utf-8")
    recipes = {path.stem for path in (ROOT / "train/recipes").glob("*.yaml")} - BASES
    assert all(f"`{recipe}`" in text for recipe in recipes)


def without_prose(document):
    """An OpenAPI document without its descriptions."""
    if isinstance(document, list):
        return [without_prose(part) for part in document]
    if not isinstance(document, dict):
        return document
    prose = ("description", "summary", "operationId", "title")
    return {key: without_prose(value) for key, value in document.items() if key not in prose}


@pytest.mark.journey
def test_the_openapi_document_is_the_servers(film_store):
    with local_server(film_store) as url:
        served = httpx.get(f"{url}/openapi.json").json()
    written = json.loads((DOCS / "reference/openapi.json").read_text(encoding="utf-8"))
    assert without_prose(written) == without_prose(served)


@pytest.mark.journey
def test_the_trl_reward_function_scores_as_shown(film_store, monkeypatch, tmp_path):
    (code,) = [text for kind, _, text in fences(DOCS / "how-to/train-with-trl.md") if kind]
    with Store.open(film_store, read_only=True) as store:
        examples, titles = (
            store.examples(limit=3),
            dict(store.rows("SELECT item_id, title FROM items")),
        )
    whole = tmp_path / "whole.parquet"
    write_whole(whole, examples)
    with local_server(film_store) as url:
        monkeypatch.setenv("REREC_URL", url)
        names: dict = {}
        exec(code, names)
        rewards = names["dual_graph_reward"](
            [f"<answer>{titles[e.gold[0]]}</answer>" for e in examples[:2]]
            + [
                [
                    {
                        "role": "assistant",
                        "content": f"<answer>{titles[examples[2].gold[0]]}</answer>",
                    }
                ]
            ],
            prompts=[],
            **{"example_id": pq.read_table(whole)["example_id"].to_pylist()},
        )
    assert len(code.strip().splitlines()) <= 13 and all(reward > 1.2 for reward in rewards)


def shown_as(line):
    """A pattern of a line of output: "0.36…" is any number, another "…" any text."""
    pattern = re.escape(" ".join(line.split()))
    pattern = re.sub(r"[+-]?\d[\d\\.,e-]*…", r"[-+]?[\\d.,e-]+", pattern.replace("\\-", "-"))
    return pattern.replace("…", ".*")


def check_output(shown, printed):
    """Asserts that the lines printed are those shown; a line "…" stands for any lines."""
    lines = [" ".join(line.split()) for line in ANSI.sub("", printed).splitlines()]
    lines = [line for line in lines if not BORDERS.fullmatch(line)]
    wanted = [line for line in shown.splitlines() if not BORDERS.fullmatch(line)]
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else shown_as(line) + r"\n" for line in wanted
    )
    text = "".join(line + "\n" for line in lines)
    assert re.fullmatch(pattern, text), f"shown:\n{shown}\nprinted:\n{printed}"


@pytest.mark.journey
def test_the_tutorial_prints_what_it_shows(tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1"}
    steps = 0
    for kind, title, block in fences(DOCS / "tutorial.md"):
        if title:
            (tmp_path / title).write_text(block, encoding="utf-8")
        if kind != "console":
            continue
        for command, _, shown in (part.partition("\n") for part in block.split("$ ")[1:]):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stderr[-2000:]}"
            check_output(shown, done.stdout)
            steps += 1
    assert steps >= 9 and (tmp_path / "runs/grpo/report.html").stat().st_size > 10_000


def test_shown_output_is_compared():
    check_output(
        "┌──┐\n│ a │ 0.36… (0.2…–0.5…, n 200) │\n…\nend", "│ a   │ .1 (0–1, n 200) │\nx\nend\n"
    )
    for shown, printed in [("│ a │ 1 │", "│ a │ 2 │"), ("a", "a\nb"), ("a 1…", "a x")]:
        with pytest.raises(AssertionError):
            check_output(shown, printed)
