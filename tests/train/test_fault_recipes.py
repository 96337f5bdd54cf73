"""Faults of recipes.

Settings at odds with each other, inherited devices, hostile paths, files of the user's.
"""

import glob
import json
import shlex
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.graphs.evidence import Evidence
from tests.test_cli import rerec
from train.errors import BadRecipe
from train.evaluation.compare import run_matrix
from train.evaluation.matrix import CompareConfig
from train.rft.compose import RFTConfig, compose, on_cpu
from train.rft.overrides import quoted, quoted_path_value
from train.rft.recipes import recipes
from train.rft.run import command
from train.sequential.config import SequentialConfig
from train.sequential.rporec import run_rporec
from train.sequential.stages import RPORecConfig


def composed(recipe, *overrides, run="r", model="m"):
    return compose(
        RFTConfig(
            recipe=recipe, run=run, model=model, server="http://127.0.0.1:1", overrides=overrides
        ),
        "digest",
    )


AT_ODDS = [
    ("tiny-grpo", ("rerec.judged=3",), "rerec.judged=3 do not agree"),
    ("tiny-rerec", ("rerec.judged=3",), "rerec.judged=3 do not agree"),
    ("tiny-rerec-graph", ("rerec.judged=0",), "rerec.judged=0 do not agree"),
    (
        "tiny-rerec-graph",
        ("rerec.algorithm=raae",),
        "rerec.algorithm=raae and rerec.judged=3 do not agree",
    ),
    ("tiny-rporec", ("rerec.algorithm=raae_graph",), "do not agree"),
    (
        "tiny-rporec",
        ("algorithm.adv_estimator=raae_graph",),
        "adv_estimator=raae_graph and rerec.algorithm=grpo do not agree: the algorithm names its "
        "estimator: set rerec.algorithm=raae_graph instead",
    ),
    ("tiny-reinforce-plus-plus", ("rerec.weights.penalty=0.5",), "set rerec.weights.penalty=0"),
    ("tiny-rerec", ("rerec.algorithm=grpo",), "set rerec.weights.penalty=0"),
    ("tiny-rerec", ("algorithm.adv_estimator=null",), "do not agree"),
    ("tiny-rporec", ("rerec.algorithm=raae",), "set rerec.algorithm=grpo"),
    (
        "tiny-rerec",
        ("actor_rollout_ref.rollout.n=1",),
        "set actor_rollout_ref.rollout.n to 2 or more",
    ),
    (
        "tiny-rerec-graph",
        ("algorithm.use_kl_in_reward=true",),
        "set algorithm.use_kl_in_reward=false",
    ),
    ("tiny-rerec", ("algorithm.norm_adv_by_std_in_grpo=false",), "is GRPO's alone"),
    ("tiny-grpo", ("+rerec.queries=9",), "rerec.queries is for next_item"),
    ("tiny-grpo", ("+rerec.cut=last",), "rerec.cut is for next_item"),
    (
        "tiny-grpo",
        (
            "rerec.head={k: 1, accuracy: 1, format: 0, consistency: 0, "
            "compression: 0, entropy_gap: 0}",
        ),
        "rerec.head is for next_item",
    ),
    (
        "tiny-rporec",
        ("actor_rollout_ref.rollout.agent.default_agent_loop=rerec",),
        "next_item goes with default_agent_loop=rporec",
    ),
]


@pytest.mark.parametrize(("recipe", "overrides", "words"), AT_ODDS)
def test_fault_09_settings_that_do_not_agree_are_refused(recipe, overrides, words):
    with pytest.raises(BadRecipe) as refused:
        composed(recipe, *overrides)
    assert words in str(refused.value) and "\n" not in str(refused.value)


def test_fault_09_what_agrees_composes():
    judged = composed("tiny-grpo", "rerec.algorithm=raae_graph", "rerec.judged=3")
    assert (judged.algorithm.adv_estimator, judged.rerec.judged) == ("raae_graph", 3)
    plain = composed(
        "tiny-rerec-graph",
        "rerec.algorithm=grpo",
        "rerec.judged=0",
        "rerec.weights.penalty=0",
    )
    assert (plain.algorithm.adv_estimator, plain.rerec.judged) == ("grpo", 0)
    composed("tiny-rporec", "rerec.cut=last", "rerec.queries=9")


def test_fault_09_a_comparison_is_refused_before_anything_is_started(tmp_path):
    matrix = CompareConfig(
        store=tmp_path / "none",
        model=tmp_path,
        methods=("tiny-rerec-graph", "tiny-grpo"),
        seeds=(0,),
        overrides=("rerec.judged=3",),
    )
    with pytest.raises(BadRecipe, match="rerec.algorithm=grpo and rerec.judged=3 do not agree"):
        run_matrix(tmp_path / "run", matrix, lambda *_: None)
    assert not (tmp_path / "run").exists()


def test_fault_09_rporec_is_refused_before_its_beginner_is_taught(
    film_store, tmp_path, monkeypatch
):
    monkeypatch.setattr("train.sequential.rporec.sentence_encoder", lambda name: None)
    config = RPORecConfig(next=SequentialConfig(cut="last"), overrides=("rerec.judged=1",))
    with pytest.raises(BadRecipe, match="not for next_item"):
        run_rporec(tmp_path / "run", film_store, Evidence.load(film_store), config, lambda *_: None)
    assert not (tmp_path / "run/sft").exists()


@pytest.mark.journey
def test_fault_09_both_ways_to_run_a_recipe_refuse_it(film_store, tmp_path):
    for more in ([], ["--dry-run"]):
        done = rerec(
            "train",
            "rft",
            "tiny-grpo",
            "--store",
            film_store,
            "--model",
            tmp_path,
            "--run",
            tmp_path / "r",
            "--set",
            "rerec.judged=3",
            *more,
        )
        assert (
            done.returncode == 1 and "do not agree" in done.stderr and not (tmp_path / "r").exists()
        )


def test_fault_10_a_recipe_of_a_recipe_trains_where_its_first_does(tmp_path):
    """Two files away from tiny_cpu, and one that moves to another device."""
    (tmp_path / "mine.yaml").write_text("defaults: [tiny-rerec, _self_]\n")
    (tmp_path / "again.yaml").write_text("defaults: [mine, _self_]\n")
    (tmp_path / "moved.yaml").write_text("defaults: [again, _self_]\ntrainer: {device: cuda}\n")
    assert on_cpu(str(tmp_path / "again.yaml")) and not on_cpu(str(tmp_path / "moved.yaml"))
    assert {name for name in recipes() if on_cpu(name)} == {
        name for name in recipes() if name.startswith(("tiny-", "smollm2-"))
    }
    assert not on_cpu("tiny-grpo", ("trainer.device=cuda",)) and not on_cpu("qwen2.5-3b-rerec-lora")


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="/"),
    min_size=1,
    max_size=12,
) | st.text("'\"\\ ,=$[]{}#:;*?~()&|<>%éa", min_size=1, max_size=12)


@given(NAMES.filter(lambda name: "${" not in name))
def test_fault_11_any_text_is_one_value(name):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    assert OverridesParser.create().parse_override(f"key={quoted(name)}").value() == name


PATHS = [
    "it's/a b/a,b/a=b",
    '$HOME/{a}/[a]/"q"',
    "#1/ü é 😀/a(b)/~",
    "'/a:b/%20/a*b?/null",
    "a\\b/\\'/a\\",
]


@pytest.mark.parametrize("name", PATHS)
def test_fault_11_whatever_a_path_holds_composes(name, tmp_path):
    place = tmp_path / name
    place.mkdir(parents=True)
    kept = "trainer.save_freq=2" if "\\" in name else f"trainer.rollout_data_dir={place}"
    asked = RFTConfig(
        recipe="tiny-grpo",
        run=place,
        model=str(place),
        server=f"http://h/{name}",
        overrides=(kept,),
    )
    found = compose(asked, "d")
    assert found.trainer.default_local_dir == str(place / "checkpoints")
    assert found.trainer.validation_data_dir == str(place / "samples")
    assert (
        found.actor_rollout_ref.model.path == str(place)
        and found.rerec.server == f"http://h/{name}"
    )
    assert "\\" in name or found.trainer.rollout_data_dir == str(place)


@pytest.mark.parametrize("name", ["a[b]", "a?b", "it's", "a{b}"])
def test_fault_11_the_data_of_a_run_are_read_from_there_and_nowhere_else(name, tmp_path):
    """As verl reads them."""
    for folder, value in ((name, 1), (name.replace("?", "x"), 2)):
        (tmp_path / folder / "data").mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"a": [value]}), tmp_path / folder / "data/rl.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / name / "data/rl.parquet")
    files = composed("tiny-grpo", run=tmp_path / name).data.train_files
    assert datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))[
        "train"
    ]["a"][:] == [1]
    assert glob.glob(files) == [str(tmp_path / name / "data/rl.parquet")]


@pytest.mark.parametrize("name", ["${x}", "a::b"])
def test_fault_11_a_path_that_cannot_be_is_refused_in_one_line(name, tmp_path):
    with pytest.raises(BadRecipe) as refused:
        composed("tiny-grpo", run=tmp_path / name)
    assert (
        name in str(refused.value)
        and "\n" not in str(refused.value)
        and not (tmp_path / name).exists()
    )


def test_fault_11_other_overrides_are_left_to_the_grammar():
    for said in (
        "trainer.logger=[file,'a/b']",
        "~rerec.head",
        "x={a: 1/2}",
        "x='/a,b'",
        "x=1,2",
        "x=${y}/z",
        "a/b",
    ):
        assert quoted_path_value(said) == said
    assert (
        quoted_path_value("x=/a,b") == "x='/a,b'"
        and quoted_path_value("x=/it's") == r"x='/it\'s'"
        and quoted_path_value("x=/a b") == "x=/a b"
    )
    with pytest.raises(BadRecipe, match="does not compose"):
        composed("tiny-grpo", "trainer.project_name=a,b")


MINE = "defaults: [tiny-grpo, _self_]\ntrainer: {total_training_steps: 7}\n"


@pytest.mark.parametrize("folder", ["plain", "it's [mine], 1"])
def test_fault_gap_a_recipe_file_of_the_user_s_composes_on_ours(folder, tmp_path, monkeypatch):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "mine.yaml").write_text(MINE)
    monkeypatch.chdir(tmp_path / folder)
    found = composed("./mine.yaml", "trainer.save_freq=2")
    assert (
        found.trainer.total_training_steps,
        found.trainer.save_freq,
        found.algorithm.adv_estimator,
    ) == (7, 2, "grpo")
    assert found.trainer.device == "cpu" and found.rerec.weights.qas == 0 and on_cpu("mine.yaml")
    (tmp_path / folder / "next.yaml").write_text(
        "defaults: [mine, _self_]\nrerec: {retries: 9}\n"
    )  # of the user's own too
    assert (
        composed("next.yaml").rerec.retries == 9
        and composed("next.yaml").trainer.total_training_steps == 7
    )
    words = shlex.split(command(Path("s"), RFTConfig(recipe="./mine.yaml", run="r", model="m")))
    assert words[:4] == ["rerec", "train", "rft", "./mine.yaml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no recipe can be read from ./mine.yaml: .*No such file"),
        ("defaults: [tiny-grpo\n", "no recipe can be read from ./mine.yaml: while parsing"),
        (b"\xff\xfe\x00", "no recipe can be read from ./mine.yaml: "),
        ("- a\n", "begin it with `defaults"),
        ("", "begin it with `defaults"),
        ("trainer: {save_freq: 2}\n", "begin it with `defaults"),
        ("defaults: [tiny-gpro, _self_]\n", "does not compose: .*tiny-gpro"),
        ("defaults: [mine, _self_]\n", "lead back to itself|does not compose"),
        ("defaults: [tiny-grpo, _self_]\nrerec: {judged: 3}\n", "do not agree"),
        (
            "defaults: [tiny-grpo, _self_]\nrerec: {sppeed: 3}\n",
            "does not compose: .*sppeed|rerec.sppeed: Extra inputs",
        ),
        ("defaults: [ppo_trainer, _self_]\n", "does not compose: .*rerec"),
    ],
)
def test_fault_gap_a_bad_recipe_file_is_told_in_one_line(text, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("mine.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadRecipe, match=words) as refused:
        composed("./mine.yaml")
    assert "\n" not in str(refused.value) and "rerec.graph_digest=" not in str(refused.value)


def test_fault_gap_what_is_neither_a_name_nor_a_file_says_both(tmp_path):
    for name in ("mine", "./mine", "mine.yml", ""):
        with pytest.raises(
            BadRecipe, match=r"choose from .*tiny-grpo.*, or give a file, ./NAME.yaml"
        ):
            composed(name)


@pytest.mark.journey
def test_fault_gap_the_command_composes_a_recipe_file(film_store, tmp_path):
    (tmp_path / "mine.yaml").write_text(MINE)
    words = [
        "train",
        "rft",
        str(tmp_path / "mine.yaml"),
        "--store",
        film_store,
        "--model",
        tmp_path / "none",
        "--run",
        tmp_path / "it's",
    ]
    done = rerec(*words, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["trainer"]["total_training_steps"] == 7
    assert "mine.yaml" in done.stderr.splitlines()[-1] and recipes() == recipes()
