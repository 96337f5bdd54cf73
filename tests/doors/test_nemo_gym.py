"""NeMo-Gym: its own client and records take what the server answers, and its means are ours."""

import json

import pytest

from tests.doors.conftest import code_of
from tests.doors.environments import newer_python
from tests.structure import ROOT

pytestmark = pytest.mark.doors


def test_nemo_gyms_client_verifies_rollouts(maker, dataset, server, expected, tmp_path):
    environment = maker.make("nemo", "nemo-gym==0.4.0", python=newer_python(12))
    (tmp_path / "page.py").write_text(code_of("train-with-nemo-gym.md"))
    script, rows = ROOT / "tests/doors/nemo_rollouts.py", dataset / "rl.jsonl"
    words = (environment.python, script, tmp_path / "page.py", rows, server)
    printed = environment.run(*words, cwd=tmp_path, REREC_URL=server)
    found = json.loads(printed.splitlines()[-1])
    assert len(found["verified"]) == 8
    for rollout in found["verified"]:
        text = rollout["response"]["output"][0]["content"][0]["text"]
        score = expected(rollout["example_id"], text)
        assert (rollout["reward"], rollout["ndcg"]) == (score.score, score.ndcg)
    rewards = [rollout["reward"] for rollout in found["verified"]]
    assert len(set(rewards)) > 2
    assert found["by_page"] == rewards[::2]
    for part in ("agent_metrics", "key_metrics"):
        assert found["metrics"][part] == pytest.approx(found["theirs"][part])
    for ours, theirs in zip(
        found["metrics"]["group_level_metrics"],
        found["theirs"]["group_level_metrics"],
        strict=True,
    ):
        assert ours == pytest.approx({name: theirs[name] for name in ours})
    assert found["page_mean"] == found["metrics"]["agent_metrics"]["mean/reward"]
    assert found["looked"]["found"] and found["stale"] == 409
