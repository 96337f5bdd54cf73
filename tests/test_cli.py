"""The command line: help, JSON, one clear line on bad input, whole files or none."""

import json
import os
import re
import subprocess
import time
import tomllib
from pathlib import Path

import pytest

from data_engine.runtime.children import rerec_command

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    "data import world",
    "data import tables",
    "data import movielens",
    "data import recbole",
    "data import amazon",
    "data import graph",
    "data import recbench",
    "data import feedback",
    "data embed",
    "train compare",
    "train sequential",
    "train rechead",
    "train rporec",
    "train export",
    "synth report",
    "data stats",
    "data doctor",
    "data card",
    "data push",
    "data fetch",
    "data enrich wikidata",
    "data subset",
    "data export-graph",
    "synth",
    "ask",
    "chat",
    "verify",
    "assistant",
    "mcp",
    "serve",
    "token",
    "score",
    "model smollm2",
    "model check",
    "train sft",
    "train rft",
    "eval",
    "report",
    "demo",
    "doctor",
)


def rerec(*words, **kwargs):
    return subprocess.run(
        rerec_command(*words),
        capture_output=True,
        text=True,
        cwd=kwargs.pop("cwd", ROOT),
        check=False,
        **kwargs,
    )


def start(*words):
    """The command as a process of its own group, to be waited for or killed."""
    return subprocess.Popen(
        rerec_command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def wait_for(process, ready, seconds=900):
    """Poll until `ready()`; fail when the process ends first, or seems to hang.

    A busy machine may take minutes.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0][
            -2000:
        ]
        time.sleep(0.2)


@pytest.mark.journey
def test_the_version_is_that_of_the_package():
    assert (
        rerec("--version").stdout
        == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] + "\n"
    )


@pytest.mark.journey
def test_the_front_page_lists_every_command():
    page = rerec("--help")
    assert page.returncode == 0
    assert all(command.split()[0] in page.stdout for command in COMMANDS)


@pytest.mark.journey
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_in_its_help(command):
    page = rerec(*command.split(), "--help")
    assert page.returncode == 0 and f"Example: rerec {command}" in re.sub(r"\s+", " ", page.stdout)


@pytest.mark.journey
def test_from_import_to_scores_by_hand(tmp_path):
    store = tmp_path / "w.duckdb"
    assert (
        json.loads(
            rerec(
                "data",
                "import",
                "world",
                "--store",
                store,
                "--items",
                300,
                "--users",
                100,
                "--json",
            ).stdout
        )["items"]
        == 300
    )
    assert (
        json.loads(
            rerec("data", "embed", "--store", store, "--epochs", 2, "--dims", 8, "--json").stdout
        )["dims"]
        == 8
    )
    made = rerec(
        "synth",
        "--store",
        store,
        "--sft",
        16,
        "--rl",
        8,
        "--validation",
        4,
        "--test",
        4,
        "--out",
        tmp_path / "out",
        "--workers",
        1,
        "--json",
    )
    assert json.loads(made.stdout)["examples"] == 32
    assert json.loads(rerec("verify", "--store", store, "--json").stdout)["passed"] == 32
    facts = json.loads(rerec("data", "stats", "--store", store, "--json").stdout)
    assert facts["items_with_card"] > 200 and facts["embedded"] > 100
    example = json.loads(rerec("synth", "--store", store, "--show", 1, "--json").stdout)
    from data_engine.datasets.parquet import read_examples

    assert read_examples(tmp_path / "out/sft.parquet")[0].example_id == example["example_id"]
    row = {"example_id": example["example_id"], "response": "no answer here"}
    score = json.loads(
        rerec("score", "-", "--store", store, "--json", input=json.dumps(row)).stdout
    )
    assert (score["status"], score["score"]) == ("no_answer", 0.0)
    out = rerec(
        "data",
        "export-graph",
        tmp_path / "g.graphml",
        "--store",
        store,
        "--item",
        "f00001",
        "--hops",
        1,
        "--json",
    )
    assert json.loads(out.stdout)["nodes"] > 5 and (tmp_path / "g.graphml").is_file()


@pytest.mark.journey
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("data import tables nowhere --store {tmp}/x.duckdb", "nowhere is no folder"),
        ("data embed --store {tmp}/x.duckdb", "no store at"),
        ("synth --store {films} --kinds demographics", "age, gender or occupation"),
        ("synth --store {films} --kinds psychic", "kinds"),
        ("synth --store {films} --sft -1", "must not be negative"),
        ("verify --store {empty}", "holds no Examples"),
        ("serve --store {empty}", "holds no examples"),
        ("score {tmp}/none.jsonl --store {films}", "no file"),
        ("score {bad} --store {films}", "line 2: expected"),
        ("train sft --store {empty} --run {tmp}/sft", "holds no SFT Examples"),
        ("train compare --model {tmp} --recipes tiny-grpo --store {films}", "no model folder"),
        (
            "train rft tiny-magic --store {films}",
            "no recipe 'tiny-magic': choose from llama-3.2-3b-rerec, qwen2.5-3b-grpo",
        ),
        ("train rft tiny-grpo --dry-run --set no.such.key=1", "does not compose"),
        (
            "train rft tiny-grpo --dry-run --set rerec.server=http://127.0.0.1:9",
            "give --server URL",
        ),
        (
            "train rft qwen2.5-3b-rerec --dry-run --set trainer.nnodes=2",
            "several machines need a reward server that all of them reach",
        ),
        ("train rft tiny-grpo --store {films} --run {tmp}/rft", "no model folder"),
        ("eval {tmp} --store {films}", "no model folder"),
        ("model smollm2 --out {bad}", "holds something else"),
        ("train rechead --store {films} --run {tmp}/h --policy {tmp}", "no model folder"),
        (
            "train rechead --store {films} --run {tmp}/h --policy {tmp} --ask x",
            "only one can think",
        ),
        ("eval {tmp} --store {films} --split nope", "splits are sft"),
        ("report {tmp}", "holds no evaluation"),
        ("demo --data {tmp}/none", "is no folder"),
        ("data export-graph {tmp}/g.txt --store {films}", "the ending must be one of"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(
    tmp_path, film_store, hand_store, command, words
):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('\n{"example_id": 1}\n')
    before = set(tmp_path.iterdir())
    done = rerec(*command.format(tmp=tmp_path, films=film_store, empty=hand_store, bad=bad).split())
    lines = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert done.returncode not in (0, None) and len(lines) == 1 and words in lines[0], done.stderr[
        -500:
    ]
    assert "Traceback" not in done.stderr and set(tmp_path.iterdir()) == before


@pytest.mark.journey
@pytest.mark.parametrize(
    ("given", "cluster", "said"),
    [
        (("--server", "http://127.0.0.1:9"), {}, "http://127.0.0.1:9 does not answer"),
        (
            ("--set", "trainer.nnodes=2"),
            {},
            "several machines need a reward server that all of them reach",
        ),
        (
            (),
            {"RAY_ADDRESS": "127.0.0.1:9"},
            "several machines need a reward server that all of them reach",
        ),
    ],
)
def test_rft_fails_at_once_where_no_server_would_answer_and_says_what_to_start(
    tmp_path, film_store, given, cluster, said
):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}")
    words = (
        "train",
        "rft",
        "tiny-grpo",
        "--store",
        film_store,
        "--model",
        tmp_path / "model",
        "--run",
        tmp_path / "rft",
        *given,
    )
    done = rerec(*words, env={**os.environ, **cluster})
    assert (
        done.returncode != 0
        and said in done.stderr
        and "rerec serve" in done.stderr
        and not (tmp_path / "rft").exists()
    )


@pytest.mark.journey
def test_a_dry_run_shows_the_recipe_and_says_what_was_not_checked():
    done = rerec("train", "rft", "qwen2.5-3b-rerec", "--lora-rank", "64", "--dry-run", "--json")
    config = json.loads(done.stdout.splitlines()[-1])
    model = config["actor_rollout_ref"]["model"]
    assert (model["path"], model["lora_rank"]) == ("Qwen/Qwen2.5-3B-Instruct", 64)
    assert config["algorithm"]["adv_estimator"] == "raae" and done.returncode == 0
    assert "not checked: rollout: " in done.stderr and "--lora-rank 64" in done.stderr


@pytest.mark.journey
def test_doctor_finds_this_machine_well():
    facts = json.loads(rerec("doctor", "--json").stdout)
    assert facts["ok"] is True and facts["verl"] == "0.9.1"
