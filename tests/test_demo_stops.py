"""A demo that ends early: what was spent is kept, and what still runs ends before its server."""

import json
from contextlib import contextmanager

import psutil
import pytest
from rich.console import Console

from rerec import demo
from rerec.journey import QUICK, Stage

pytestmark = pytest.mark.journey


def run_stages(run):
    return demo._run_stages(Console(quiet=True), run, None, QUICK, 0)


def test_a_failed_stage_ends_the_others_then_their_server_and_the_seconds_add_up(
    film_store, tmp_path, monkeypatch
):
    """`lasts` is a server, which would never end; `fails` has no store."""
    others = set(psutil.Process().children(recursive=True))  # of tests before, as a tracker
    outlived = []

    @contextmanager
    def server(run):
        try:
            yield "http://127.0.0.1:1"
        finally:
            outlived.append(set(psutil.Process().children(recursive=True)) - others)

    words = ["serve", "--store", str(film_store), "--port", "0"]
    lasts = Stage(name="lasts", arguments=words)
    words = ["eval", "--baseline", "popularity", "--store", str(tmp_path / "no")]
    fails = Stage(name="fails", arguments=words, scored=True)
    monkeypatch.setattr(demo, "_server", server)
    monkeypatch.setattr(demo, "stages", lambda *_: iter([lasts, fails]))
    monkeypatch.setattr(demo, "at_once", lambda *_: 2)
    spent = []
    for _ in range(2):
        with pytest.raises(demo.JourneyError, match=r"stage fails failed \("):
            run_stages(tmp_path / "run")
        spent.append(json.loads((tmp_path / "run/journey.json").read_text())["seconds"])
    assert 0 < spent[0] < spent[1]
    assert outlived == [set(), set()]
