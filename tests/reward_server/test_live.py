"""Swapping snapshots: the new one is served, the old one is freed, a failure changes nothing; and late scores are refused."""

import weakref

import pytest

from data_engine.store.database import Store
from reward_server.errors import Refused
from reward_server.server.endpoint import ScoreEndpoint
from reward_server.server.live import Live
from reward_server.server.metrics import Metrics
from reward_server.snapshot import Snapshot
from reward_server.wire import Response, ScoreRequest


@pytest.fixture
def store(film_store, tmp_path):
    path = tmp_path / "s.duckdb"
    path.write_bytes(film_store.read_bytes())
    return path


def test_a_reload_serves_the_new_and_frees_the_old(store):
    live = Live(store, Snapshot.load(store))
    for count in (120, 80):
        old = weakref.ref(live.snapshot)
        with Store.open(store) as opened:
            opened.replace_examples(opened.examples()[:count])
        assert live.reload() and len(live.snapshot.targets) == count
        assert old() is None


def test_a_failed_reload_keeps_the_old(store, caplog):
    live = Live(store, Snapshot.load(store))
    before = live.snapshot
    whole = store.read_bytes()
    for broken in (b"no store at all", *(whole[: len(whole) * share // 10] for share in (1, 5, 9))):
        caplog.clear()
        store.write_bytes(broken)
        assert not live.reload() and live.snapshot is before and "still served" in caplog.text


def test_a_batch_past_its_deadline_is_refused_not_half_scored(store):
    live = Live(store, snapshot := Snapshot.load(store))
    request = ScoreRequest([Response(next(iter(snapshot.targets)), "x")] * 100)
    endpoint = ScoreEndpoint(live, Metrics(), most_bytes=1024, at_once=1, seconds=1.0)
    with pytest.raises(Refused) as refused:
        endpoint.reply(snapshot, request, deadline=0.0)
    assert refused.value.code == 503 and refused.value.headers == {"retry-after": "1"}
