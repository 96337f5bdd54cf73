"""Which stages of the demo run, what runs side by side, and what a person sees meanwhile."""

import json
import time

import pytest
from rich.console import Console

from rerec.journey import JourneySize, Stage, at_once, stages, startable, to_run
from rerec.watching import Watch, last_line, sparkline

pytestmark = pytest.mark.unit


def stage(name, *after, alone=False):
    return Stage(name=name, arguments=[name], after=after, alone=alone)


A, B, C = stage("a"), stage("b", "a"), stage("c", "a")
WHOLE = stage("whole", alone=True)


def test_a_stage_waits_for_those_it_needs_and_for_room():
    assert startable([B, A], [], 2) == A
    assert startable([B, C], [], 2) == B
    assert startable([C], [B], 2) == C
    assert startable([C], [B], 1) is None
    assert startable([B, C], [A], 2) is None
    assert startable([], [], 2) is None


def test_nothing_runs_beside_a_stage_that_uses_all_cores():
    assert startable([A], [WHOLE], 2) is None
    assert startable([WHOLE], [A], 2) is None
    assert startable([WHOLE, A], [C], 2) == A
    assert startable([WHOLE, A], [], 2) == WHOLE


def test_what_waits_for_a_stage_that_runs_anew_runs_anew():
    assert to_run([A, B, C], {"a", "b", "c"}) == []
    assert to_run([A, B, C], {"a", "c"}) == [B]
    assert to_run([A, B, C, stage("d", "c")], {"b", "c", "d"}) == [A, B, C, stage("d", "c")]


def test_every_stage_of_the_journey_comes_to_its_turn_whatever_the_room(tmp_path):
    for most in (1, 2, 3):
        waiting, running, seen = list(stages(tmp_path, None, JourneySize(), 0)), [], []
        names = {one.name for one in waiting}
        assert all(names.issuperset(one.after) for one in waiting)
        while waiting or running:
            while (found := startable(waiting, running, most)) is not None:
                waiting.remove(found)
                running.append(found)
            assert 0 < len(running) <= most
            ended = running.pop(0)
            assert set(ended.after) <= set(seen)
            seen.append(ended.name)
        assert seen[-1] == "report" and len(seen) == len(names) == 15


@pytest.mark.parametrize(
    ("cores", "memory", "most"), [(1, 64, 1), (2, 7.8, 1), (2, 15.6, 2), (16, 15.6, 2), (16, 64, 3)]
)
def test_small_machines_do_one_thing_after_the_other(cores, memory, most):
    assert at_once(cores, memory) == most


def test_a_curve_is_drawn_by_means_of_its_stretches():
    assert sparkline([0, 0.5, 1], 8) == "▁▅█"
    assert sparkline([0, 0, 1, 1], 2) == "▁█"
    assert sparkline([-1, 2], 8) == "▁█"
    assert sparkline([], 8) == ""


def shown(watch, running):
    console = Console(width=100, height=40, record=True, file=open("/dev/null", "w"))
    console.print(watch.view(running))
    return console.export_text()


def test_a_person_sees_steps_their_curve_and_the_last_words_of_other_stages(tmp_path):
    log = tmp_path / "grpo/log/rerec/rft.jsonl"
    log.parent.mkdir(parents=True)
    lines = [json.dumps({"step": n, "data": {"rerec/ndcg": n / 2}}) for n in range(3)]
    log.write_text("\n".join([*lines, '{"step": 3, "da']))  # the last is being written
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/eval-sft.log").write_text("eval 3/9\neval 4/9 \n")
    seen = shown(Watch(tmp_path), {"grpo": time.monotonic() - 5, "eval sft": time.monotonic()})
    assert "step 3   right ▁▅█ 1.00" in seen and "   5 s" in seen and "eval 4/9" in seen
    assert last_line(tmp_path / "none") == ""


def test_a_response_is_shown_below_its_query_and_plain_where_no_server_judges_it(
    film_store, tmp_path
):
    (tmp_path / "store.duckdb").symlink_to(film_store)
    (tmp_path / "rerec/rollouts").mkdir(parents=True)
    row = {"output": "some words", "gts": "unknown", "step": 2}
    (tmp_path / "rerec/rollouts/1.jsonl").write_text(json.dumps(row | {"step": 1}))
    (tmp_path / "rerec/rollouts/2.jsonl").write_text(json.dumps(row))
    watch = Watch(tmp_path)
    watch.server = "http://127.0.0.1:1"
    seen = shown(watch, {"rerec": time.monotonic()})
    assert "ReRec as published, step 2:" in seen and "some words" in seen
