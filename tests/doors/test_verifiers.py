"""verifiers: gold is validated, a scripted model plays with the look-ups, and each part is ours."""

import json

import pytest

from tests.doors.conftest import code_of
from tests.doors.scripted_model import first_candidate, scripted_model
from tests.structure import ROOT

pytestmark = pytest.mark.doors
NAME = "verifiers-rerec"


@pytest.fixture(scope="module")
def environment(maker):
    """With uv, by which verifiers starts its harness."""
    package = ROOT / "environments/verifiers_rerec"
    return maker.make("verifiers", "verifiers==0.4.0", "uv", "hatchling", str(package))


def test_gold_scores_one_and_every_other_candidate_less(environment, dataset, server, tmp_path):
    words = (environment.path / "bin/vf-validate", NAME, "--no-rich", "--select.limit", "3")
    task = ("--taskset.dataset", dataset / "rl.parquet", "--taskset.task.server", server)
    environment.run(*words, *task, "--runtime.type", "subprocess", "-o", "out", cwd=tmp_path)
    (summary,) = tmp_path.glob("out/**/summary.json")
    checks = json.loads(summary.read_text())["checks"]
    assert checks["gold"]["valid"] == 3 and checks["noop"]["valid"] == 3


def test_a_rollout_with_look_ups_has_our_parts(environment, dataset, server, expected, tmp_path):
    with scripted_model() as model:
        options = {
            "env.taskset.dataset": dataset / "rl.parquet",
            "env.taskset.task.server": server,
            "env.taskset.task.look-ups": "true",
            "env.taskset.task.rewards.qas.weight": "0.5",
            "env.agent.harness.id": "null",
            "env.agent.runtime.type": "subprocess",
            "client.base-url": model.url,
            "client.api-key-var": "SCRIPTED_KEY",
            "select.limit": "1",
            "model": "scripted",
            "output-dir": "out",
        }
        words = [part for name, value in options.items() for part in (f"--{name}", value)]
        program = environment.path / "bin/vf-eval"
        flags = ("--no-rich", "--no-push")
        environment.run(program, NAME, *words, *flags, cwd=tmp_path, SCRIPTED_KEY="x")
    (file,) = tmp_path.glob("out/**/traces.jsonl")
    (trace,) = json.loads(file.read_text())["traces"]
    assert trace["ok"]
    task, messages = trace["task"]["data"], [node["message"] for node in trace["nodes"]]
    (told,) = [message["content"] for message in messages if message["role"] == "tool"]
    last, title = messages[-1]["content"], first_candidate(messages)
    assert told and last == f"It has {told}.\n<answer>{title}</answer>"
    score = expected(task["example_id"], last)
    assert trace["rewards"] == {
        "ndcg": {"score": score.ndcg, "weight": 1.0},
        "qas": {"score": score.qas, "weight": 0.5},
        "pas": {"score": score.pas, "weight": 0.2},
    }


def test_another_graph_is_an_error_and_python_gives_the_tasks(
    environment, dataset, server, rows, tmp_path
):
    (tmp_path / "page.py").write_text(code_of("train-with-verifiers.md"))
    script = """
import asyncio, json, sys
from page import tasks

found = tasks(*sys.argv[1:])
stale = found[0].with_data(graph_digest="another")
try:
    said = asyncio.run(stale._part("ndcg", "<answer>x</answer>"))
except Exception as error:
    said = str(error)
print(json.dumps({"ids": [task.data.example_id for task in found], "said": said}))
"""
    words = (environment.python, "-c", script, dataset / "rl.parquet", server)
    found = json.loads(environment.run(*words, cwd=tmp_path).splitlines()[-1])
    assert found["ids"] == [row["example_id"] for row in rows]
    assert "409" in found["said"] and "another" in found["said"]
