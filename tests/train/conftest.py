from pathlib import Path

import pytest

from tests.test_cli import rerec


@pytest.fixture(scope="session")
def beginner(film_store, tmp_path_factory) -> Path:
    """A policy that has hardly learned to write."""
    run = tmp_path_factory.mktemp("beginner") / "sft"
    done = rerec(
        "train", "sft", "--store", film_store, "--run", run, "--gold-steps", 60, "--mixed-steps", 10
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return run / "model"
