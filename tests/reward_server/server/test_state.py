"""Swapping snapshots: the new one is served, the old one freed; a failure changes nothing."""

import weakref

import pytest

from data_engine.store.database import Store
from reward_server.errors import Refused
from reward_server.server.metrics import Metrics
from reward_server.server.scoring_endpoints import ScoreEndpoint
from reward_server.server.state import ServerState
from reward_server.snapshot import Snapshot
from reward_server.wire import Response, ScoreRequest


def test_a_reload_serves_the_new_and_frees_the_old(store):
    state = ServerState(store, Snapshot.load(store))
    for count in (120, 80):
        old = weakref.ref(state.snapshot)
        with Store.open(store) as opened:
            opened.replace_examples(opened.examples()[:count])
        assert state.reload() and len(state.snapshot.targets) == count
        assert old() is None


def test_a_failed_reload_keeps_the_old(store, caplog):
    state = ServerState(store, Snapshot.load(store))
    before = state.snapshot
    whole = store.read_bytes()
    for broken in (b"no store at all", *(whole[: len(whole) * share // 10] for share in (1, 5, 9))):
        caplog.clear()
        store.write_bytes(broken)
        assert not state.reload() and state.snapshot is before and "still served" in caplog.text


def test_a_batch_past_its_deadline_is_refused_not_half_scored(store):
    state = ServerState(store, snapshot := Snapshot.load(store))
    request = ScoreRequest([Response(next(iter(snapshot.targets)), "x")] * 100)
    endpoint = ScoreEndpoint(state, Metrics(), most_bytes=1024, at_once=1, seconds=1.0)
    with pytest.raises(Refused) as refused:
        endpoint.reply(snapshot, request, deadline=0.0)
    assert refused.value.code == 503 and refused.value.headers == {"retry-after": "1"}
