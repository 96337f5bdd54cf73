"""What the doctor merges: spellings of one name that no id keeps apart."""

import pytest

from data_engine.quality.doctor import ALIKE, examine, repair
from data_engine.store.database import Store
from data_engine.store.sql import append
from tests.conftest import hand_catalogue

APART = f"{ALIKE}, but have ids of their own"


STARRING = """SELECT item_id, attribute_id, name, position FROM edges JOIN attributes
    USING (attribute_id) WHERE relation = 'starring' ORDER BY item_id, position"""


@pytest.fixture
def cast(tmp_path):
    """cast(rows) → a store with these starring edges (item, attribute id, name) in credit order."""
    opened = []

    def make(rows):
        store = Store.open(tmp_path / "s.duckdb", create=True)
        opened.append(store)
        store.replace_catalogue(hand_catalogue())
        store.db.execute("DELETE FROM edges WHERE relation = 'starring'")
        place = [
            sum(item == other for other, _, _ in rows[:n]) for n, (item, _, _) in enumerate(rows)
        ]
        edges = [
            (item, "starring", attribute, k)
            for (item, attribute, _), k in zip(rows, place, strict=True)
        ]
        append(store.db, "edges", ("item_id", "relation", "attribute_id", "position"), edges)
        names = {attribute: (attribute, name) for _, attribute, name in rows}
        append(store.db, "attributes", ("attribute_id", "name"), list(names.values()))
        store.db.execute(
            "DELETE FROM attributes WHERE attribute_id NOT IN (SELECT attribute_id FROM edges)"
        )
        return store

    yield make
    for store in opened:
        store.close()


def named(item, name):
    return item, f"starring:{name}", name


FOUR = [
    "Pen\u00e9lope Example",
    "Pene\u0301lope Example",
    "PEN\u00c9LOPE EXAMPLE",
    "Pen\u00e9lope\u00a0Example",
]


def test_fault_case_13_the_doctor_names_and_merges_spellings_of_one_name(cast):
    rows = [named("i1", "Ann"), named("i1", FOUR[2]), named("i1", "Bo"), named("i1", FOUR[0])]
    store = cast(
        [*rows, named("i2", FOUR[1]), named("i3", FOUR[3]), named("i3", "Bo"), named("i4", FOUR[2])]
    )
    (found,) = [f for f in examine(store) if f.kind == ALIKE]
    others = "PENÉLOPE EXAMPLE, 'Pene\\u0301lope Example', 'Pen\\xe9lope\\xa0Example'"
    assert found.count == 1 and found.shown == [f"starring {FOUR[0]} ← {others}"]
    digest, edges = store.graph_digest, store.counts()["edges"]
    (mended,) = [f for f in repair(store) if f.kind == ALIKE]
    assert mended.fix == f"they are merged into the most frequent spelling: {found.shown[0]}"
    kept = (f"starring:{FOUR[0]}", FOUR[0])
    assert store.rows(STARRING) == [
        ("i1", "starring:Ann", "Ann", 0),
        ("i1", *kept, 1),  # twice in the credits before: the first place counts
        ("i1", "starring:Bo", "Bo", 2),
        ("i2", *kept, 0),
        ("i3", *kept, 0),
        ("i3", "starring:Bo", "Bo", 1),
        ("i4", *kept, 0),
    ]
    assert store.counts()["edges"] == edges - 1 and store.graph_digest != digest
    assert not [f for f in examine(store) if f.kind == ALIKE] and repair(store) == []


def test_fault_case_13_the_most_frequent_spelling_is_kept(cast):
    store = cast(
        [
            named("i1", "ann bell"),
            named("i2", "ANN BELL"),
            named("i3", "ANN BELL"),
            named("i4", " ANN  BELL"),
        ]
    )
    repair(store)
    assert {row[1:3] for row in store.rows(STARRING)} == {("starring:ANN BELL", "ANN BELL")}
    store.close()
    store = cast(
        [named("i1", "ANN\u00a0BELL"), named("i2", "ANN\u00a0BELL"), named("i3", "Ann Bell")]
    )
    repair(store)  # no attribute has the spelling that is kept: one gets it as its name
    assert {row[1:3] for row in store.rows(STARRING)} == {("starring:ANN\u00a0BELL", "ANN BELL")}


def test_fault_case_13_ids_keep_people_apart_whatever_their_names(cast):
    rows = [
        ("i1", "http://x/1", "Ann Bell"),
        ("i2", "http://x/2", "ANN BELL"),
        ("i3", "nm7", "ann bell"),
    ]
    store = cast(
        [*rows, named("i4", "Ann Bell"), named("i5", "Ann bell"), ("i6", "starring:7", "Ann Bell")]
    )
    found = {f.kind: f for f in examine(store)}
    assert found[ALIKE].shown == ["starring Ann Bell ← Ann bell"] and found[APART].fix is None
    assert found[APART].count == 1 and "ANN BELL (http://x/2)" in found[APART].shown[0]
    repair(store)
    assert [row[1] for row in store.rows(STARRING)] == [
        "http://x/1",
        "http://x/2",
        "nm7",
        "starring:Ann Bell",
        "starring:Ann Bell",
        "starring:7",
    ]
    assert not [f for f in examine(store) if f.kind == ALIKE]


def test_fault_case_13_other_relations_and_other_letters_are_others(cast):
    store = cast(
        [
            named("i1", "Ann"),
            named("i2", "Änn"),
            named("i3", "Ann-Bell"),
            named("i4", "AnnBell"),
            named("i5", "drama"),
        ]
    )
    assert not [f for f in examine(store) if ALIKE in f.kind]  # "Drama" is a genre


def test_fault_case_13_a_text_of_two_relations_is_merged_in_both(cast):
    store = cast([("i1", "text:Ann", "Ann"), ("i2", "text:ANN", "ANN"), ("i3", "text:ann", "ann")])
    store.db.execute(
        "INSERT INTO edges VALUES ('i4', 'writer', 'text:ANN', 0), ('i5', 'writer', 'text:ann', 0)"
    )
    repair(store)
    assert {
        row[0]
        for row in store.rows(
            "SELECT attribute_id FROM edges WHERE starts_with(attribute_id, 'text:')"
        )
    } == {"text:Ann"}
    assert store.rows("SELECT * FROM attributes WHERE starts_with(attribute_id, 'text:')") == [
        ("text:Ann", "Ann")
    ]
