"""`rerec data doctor` on a catalogue with one planted fault of each kind: found, named, and mended
only where nothing is guessed.
"""

import json

import pytest

from data_engine.quality.doctor import CHECKS, examine, repair
from data_engine.store.database import Store
from tests.conftest import hand_catalogue
from tests.test_cli import rerec

FAULTS = """
INSERT INTO interactions SELECT * FROM interactions LIMIT 1;
INSERT INTO interactions SELECT user_id, item_id, 1.0, timestamp + 1, liked FROM interactions
ORDER BY user_id DESC, item_id LIMIT 1;
INSERT INTO edges SELECT * FROM edges WHERE item_id = 'i1' AND relation = 'genre';
INSERT INTO edges VALUES ('i99', 'genre', 'Drama', 0), ('i1', 'genre', 'nothing', 9);
INSERT INTO attributes VALUES ('alone', 'Al One'), ('y', '1925'), ('d9', 'Ann Arden'),
('z', 'Someone Else');
INSERT INTO interactions VALUES ('u1', 'i98', 4.0, 5, NULL);
INSERT INTO items VALUES ('i50', 'Film A (1981)');
INSERT INTO edges VALUES ('i1', 'year', 'y', 0), ('i2', 'director', 'd9', 1),
('i3', 'directed_by', 'z', 0);
"""
EXPECTED = {
    "interactions twice in the same words": 1,
    "users with several ratings of one item": 13,
    "edges twice": 1,
    "edges from or to nothing": 2,
    "attributes of no item": 1,
    "interactions with unknown items": 1,
    "items without a single edge": 1,
    "items nobody touched": 1,
    "titles of several items": 1,
    "names of several attributes, which no query is made of": 1,
    "suspicious links: the year of the linked work is not the title's": 1,
    "suspicious links: two sources name no director in common": 1,
}


@pytest.fixture
def ill(tmp_path):
    """A store with the faults."""
    with Store.open(tmp_path / "ill.duckdb", create=True) as store:
        store.replace_catalogue(hand_catalogue())
        store.db.execute(FAULTS)
        yield store


def test_a_sound_catalogue_has_little_to_report(hand_store):
    with Store.open(hand_store, read_only=True) as store:
        (only,) = examine(store)
        again = len(hand_catalogue().interactions) - len(
            {(user, item) for user, item, _, _ in hand_catalogue().interactions}
        )
        assert (only.kind, only.count, only.fix) == (
            "users with several ratings of one item",
            again,
            None,
        )


def test_every_planted_fault_is_found_once_and_shown(ill):
    found = {finding.kind: finding for finding in examine(ill)}
    assert {kind: f.count for kind, f in found.items()} == EXPECTED
    assert set(EXPECTED) == {check.kind for check in CHECKS}
    assert found["suspicious links: the year of the linked work is not the title's"].shown == [
        "Film A (1981) ↔ 1925"
    ]
    assert found["names of several attributes, which no query is made of"].shown == [
        "Ann Arden: d1, d9"
    ]
    assert found["titles of several items"].shown == ["Film A (1981): i1, i50"]


def test_only_what_is_safe_is_mended_and_the_graph_gets_a_new_name(ill):
    before, digest = ill.counts(), ill.graph_digest
    mended = repair(ill)
    assert {f.kind for f in mended} == {c.kind for c in CHECKS if c.repair}
    assert {f.kind for f in examine(ill)} == {c.kind for c in CHECKS if not c.repair}
    lost = {table: before[table] - n for table, n in ill.counts().items()}
    assert lost == {
        "items": 0,
        "attributes": 1,
        "edges": 3,
        "interactions": 2,
        "users": 0,
        "links": 0,
    }
    assert ill.graph_digest != digest and repair(ill) == []


@pytest.mark.journey
def test_the_command_reports_and_mends(tmp_path, ill):
    ill.close()
    seen = json.loads(rerec("data", "doctor", "--store", tmp_path / "ill.duckdb", "--json").stdout)
    assert (
        len(seen["findings"]) == 12
        and seen["coverage"]["director"] == round(12 / 13, 3)
        and seen["degrees"]["interactions of a user"]["half"] == 8
    )
    said = rerec("data", "doctor", "--store", tmp_path / "ill.duckdb", "--fix").stdout
    assert "mended: 1 edges twice" in said and "embeddings and Examples were removed" in said
