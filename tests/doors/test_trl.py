"""TRL: GRPOTrainer takes real steps from our parquet, scored by the running server."""

import json
from statistics import mean

import pytest

from tests.doors.conftest import code_of
from tests.structure import ROOT

pytestmark = pytest.mark.doors


def test_grpo_trainer_learns_from_our_parquet(maker, dataset, server, expected, tmp_path):
    environment = maker.beside_ours("trl", "trl==1.16.0", "jmespath")
    (tmp_path / "page.py").write_text(code_of("train-with-trl.md"))
    script, rows = ROOT / "tests/doors/trl_steps.py", dataset / "rl.parquet"
    words = (environment.python, script, tmp_path / "page.py", rows, tmp_path)
    printed = environment.run(*words, cwd=tmp_path, REREC_URL=server, HF_HUB_OFFLINE="1")
    found = json.loads(printed.splitlines()[-1])
    assert found["kinds"] == ["list"]  # messages, not texts
    assert len(found["logged"]) == len(found["returned"]) == 2
    for logged, returned in zip(found["logged"], found["returned"], strict=True):
        assert logged == pytest.approx(mean(returned))
        assert all(gold > 1.2 for gold in returned[1::2]) and not any(returned[0::2])
    assert len(found["environment"]) == 2
    assert found["refused"] == "409"
    gold = expected(found["example_id"], f"<answer>{found['gold']}</answer>")
    assert found["gold"] in found["held"] and found["reward"] == gold.score > 1.2
