"""Supervised training that is killed."""

import os
import signal

import pytest

from tests.test_cli import rerec, start, wait_for


@pytest.mark.journey
def test_sft_killed_without_warning_resumes_to_the_same_weights(film_store, tmp_path):
    words = [
        "train",
        "sft",
        "--store",
        film_store,
        "--gold-steps",
        55,
        "--mixed-steps",
        10,
        "--run",
    ]
    process = start(*words, tmp_path / "killed")
    wait_for(process, lambda: (tmp_path / "killed/checkpoint.pt").is_file())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "killed/model").exists()
    for folder, extra in (("killed", ["--resume"]), ("whole", [])):
        assert rerec(*words, tmp_path / folder, *extra).returncode == 0
    killed, whole = (tmp_path / f"{name}/model/model.safetensors" for name in ("killed", "whole"))
    assert killed.read_bytes() == whole.read_bytes()
