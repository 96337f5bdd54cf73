"""What is said before Ray starts where the rollout of a recipe cannot run in this environment."""

import importlib.metadata

import pytest

from data_engine.errors import RerecError
from train.rft import rollout_check
from train.rft.compose import RFTConfig, compose
from train.rft.preflight import preflight
from train.rft.rollout_check import check_rollout
from train.rft.run import train

CPU, GPU = "smollm2-135m-grpo-vllm", "qwen3-0.6b-grpo"


def composed(recipe):
    return compose(RFTConfig(recipe=recipe, run="r", model="m"), "digest")


@pytest.fixture
def installed(monkeypatch):
    """installed(version): as if vLLM of this version were here; None: without that name."""

    def pretend(version):
        def found(name):
            if version is None:
                raise importlib.metadata.PackageNotFoundError(name)
            return version

        monkeypatch.setattr(rollout_check, "find_spec", lambda name: object())
        monkeypatch.setattr(rollout_check, "version", found)

    return pretend


@pytest.mark.parametrize(
    ("recipe", "version", "line"),
    [
        (CPU, "0.17.1+cpu", "vLLM 0.17.1+cpu is older than 0.18.0"),
        (CPU, "0.24.0", "vLLM 0.24.0 is built for GPUs, and the recipe trains on a CPU"),
        (GPU, "0.27.1+cpu", "vLLM 0.27.1+cpu is built for CPUs, and the recipe trains on a GPU"),
        (CPU, None, "vLLM is here under another name than vllm"),
    ],
)
def test_a_vllm_that_verl_or_the_device_does_not_take_is_refused(
    recipe, version, line, installed, tmp_path
):
    installed(version)
    with pytest.raises(RerecError) as refused:
        check_rollout(composed(recipe))
    assert line in str(refused.value) and "\n" not in str(refused.value)
    verdicts = {check.name: check for check in preflight(composed(recipe), tmp_path / "none")}
    assert verdicts["rollout"].passed is False and line in verdicts["rollout"].message


def test_a_recipe_for_another_machine_is_refused_at_a_run_and_can_be_looked_at(
    film_store, tmp_path, monkeypatch
):
    monkeypatch.setattr(rollout_check, "find_spec", lambda name: None)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for recipe, line in ((CPU, "`./justw vllm` makes"), (GPU, 'pip install "verl[vllm]')):
        config = RFTConfig(recipe=recipe, run=tmp_path / "run", model="m")
        with pytest.raises(RerecError, match="needs vLLM, which is not installed") as refused:
            train(film_store, {}, config, resume=False)
        assert line in str(refused.value) and not (tmp_path / "run").exists()
        verdicts = {check.name: check for check in preflight(composed(recipe), film_store)}
        assert verdicts["rollout"].passed is None


def test_a_recipe_for_gpus_wants_as_many_here_or_a_cluster(installed, monkeypatch):
    installed("0.24.0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    check_rollout(composed(GPU))
    with pytest.raises(RerecError, match="trains on 8 GPUs, and this machine has 4"):
        check_rollout(composed("qwen2.5-3b-rerec"))
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    check_rollout(composed_elsewhere("qwen2.5-3b-rerec"))


def composed_elsewhere(recipe):
    """Several machines need a server that all of them reach."""
    config = RFTConfig(recipe=recipe, run="r", model="m", server="http://10.0.0.1:8700")
    return compose(config, "digest")


def test_other_rollouts_need_no_vllm(monkeypatch):
    monkeypatch.setattr(rollout_check, "find_spec", lambda name: None)
    check_rollout(composed("tiny-grpo"))
