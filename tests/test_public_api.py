"""The public Python interface: a change of it changes this file first, and is made knowingly."""

import inspect
import json
import re
import subprocess
import sys
import tomllib
from importlib.resources import files

import msgspec
import pytest

import rerec
from tests.structure import ROOT

HEAVY = {"duckdb", "fastapi", "httpx", "msgspec", "numpy", "pydantic", "torch", "transformers"}
SIGNATURES = {
    "score": (
        "(store: Path | str, responses: Iterable[tuple[str, str]], "
        "weights: Weights | str = 'rerec') -> list[Score]"
    ),
    "RewardClient": (
        "(url: str, digest: str | None = None, profile: str | Weights = 'rerec', "
        "retries: int = 4, deadline: float = 120.0, claims: bool = True) -> None"
    ),
    "RewardClient.score": (
        "(self, responses: Sequence[Response], profile: str | Weights | None = None, "
        "claims: bool | None = None) -> list[Score]"
    ),
    "RewardClient.ready": "(self) -> dict[str, Any]",
    "RewardClient.close": "(self) -> None",
    "Store.open": ("(path: Path | str, *, create: bool = False, read_only: bool = False) -> Self"),
    "Store.close": "(self) -> None",
    "Store.counts": "(self) -> dict[str, int]",
    "Store.example": "(self, example_id: str) -> Example | None",
    "Store.examples": (
        "(self, split: str | None = None, limit: int | None = None) -> list[Example]"
    ),
}
REQUIRED = ...
EXAMPLE_FIELDS = {
    "version": 2,
    "example_id": "",
    "domain": REQUIRED,
    "kind": REQUIRED,
    "user": REQUIRED,
    "query": REQUIRED,
    "conditions": REQUIRED,
    "anchors": (),
    "premise": None,
    "turns": (),
    "calls": (),
    "history": (),
    "candidates": REQUIRED,
    "shuffle_seed": REQUIRED,
    "gold": REQUIRED,
    "chains": REQUIRED,
    "level": 2,
    "difficulty": REQUIRED,
    "split": REQUIRED,
    "style": "",
    "provenance": REQUIRED,
}
WEIGHTS_FIELDS = {
    "k": 1,
    "qas": 0.0,
    "pas": 0.0,
    "penalty": 0.0,
    "qas_over": "ground_truth",
    "right": "gold",
}


def public(path):
    """The object of a dotted path below `rerec`."""
    found = rerec
    for name in path.split("."):
        found = getattr(found, name)
    return found


def signature(path):
    """A signature as text, types without their modules."""
    text = str(inspect.signature(public(path)))
    return re.sub(r"\b(?:[A-Za-z_]\w*\.)+(?=\w)", "", text)


def modules_after(code):
    """Top-level modules that a fresh interpreter holds after the code."""
    report = "import json, sys; print(json.dumps(list(sys.modules)))"
    words = [sys.executable, "-P", "-c", f"{code}\n{report}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_the_public_names():
    assert sorted(rerec.__all__) == ["Example", "RewardClient", "Store", "Weights", "score"]
    assert set(rerec.__all__) <= set(dir(rerec))
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        _ = rerec.scores


@pytest.mark.parametrize("path", SIGNATURES)
def test_signatures(path):
    assert signature(path) == SIGNATURES[path]


def test_the_fields_of_an_example():
    fields = rerec.Example.model_fields
    assert {
        name: REQUIRED if field.is_required() else field.default for name, field in fields.items()
    } == EXAMPLE_FIELDS


def test_the_fields_of_weights():
    fields = msgspec.structs.fields(rerec.Weights)
    assert {field.name: field.default for field in fields} == WEIGHTS_FIELDS


def test_importing_rerec_imports_nothing_heavy():
    assert not modules_after("import rerec; dir(rerec)") & HEAVY
    assert not modules_after("import rerec.cli") & HEAVY


def test_a_name_imports_what_it_needs_and_no_more():
    held = modules_after("import rerec; rerec.Weights")
    assert "msgspec" in held and not held & {"duckdb", "torch", "fastapi"}


@pytest.mark.parametrize("package", ["data_engine", "rerec", "reward_server"])
def test_type_checkers_find_the_annotations(package):
    """py.typed is beside the package, and in what is installed: the public names live in three."""
    assert files(package).joinpath("py.typed").is_file()
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "py.typed" in config["tool"]["setuptools"]["package-data"][package]
