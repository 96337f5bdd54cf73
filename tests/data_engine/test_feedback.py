"""Feedback becomes interactions: one user per asker, the last opinion, all or nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from data_engine.errors import DataError
from data_engine.importers.feedback import import_feedback
from data_engine.store.database import Store
from data_engine.store.examples_of_people import replace_examples_of_people
from data_engine.store.feedback import Feedback, feedback_path

ONE, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def path(asked_store, tmp_path):
    """The hand-made world with one Example, in a folder of its own, and a folder for feedback."""
    path = tmp_path / "hand.duckdb"
    path.write_bytes(asked_store.read_bytes())
    feedback_path(path).parent.mkdir()
    return path


@pytest.fixture
def feedback(path):
    with Feedback(feedback_path(path)) as feedback:
        yield feedback


def kept(store):
    """What the store has of askers: (item, liked) by user."""
    rows = store.rows(
        "SELECT user_id, item_id, liked, rating FROM interactions WHERE user_id LIKE 'asker-%' "
        "ORDER BY ALL"
    )
    assert all(rating is None for *_, rating in rows)
    return {(user, item, liked) for user, item, liked, _ in rows}


def test_each_asker_is_a_user_with_the_last_opinion_of_each_item(path, feedback):
    for thread, user, item, liked in [
        (ONE, None, "i6", False),
        (ONE, None, "i6", True),
        (ONE, None, "i7", False),
        (OTHER, "u1", "i6", True),
        (OTHER, "u1", "gone", True),
    ]:
        feedback.add_opinion(thread, user, item, liked)
    one, named = feedback.asker(ONE, None), feedback.asker(OTHER, "u1")
    with Store.open(path) as store:
        of_u1 = store.rows("SELECT * FROM interactions WHERE user_id = 'u1' ORDER BY ALL")
        report = import_feedback(store)
        assert kept(store) == {(one, "i6", True), (one, "i7", False), (named, "i6", True)}
        assert (report.likes, report.dislikes, report.askers) == (2, 1, 2)
        assert (report.added, report.removed, report.unknown, report.examples) == (3, 0, 1, 1)
        assert of_u1 == store.rows("SELECT * FROM interactions WHERE user_id = 'u1' ORDER BY ALL")
        assert store.meta("feedback")["likes"] == 2
    assert ONE not in one and OTHER not in named and "u1" not in named


def test_a_second_import_adds_nothing_and_keeps_what_was_made_since(path, feedback, asked_store):
    feedback.add_opinion(ONE, None, "i6", True)
    with Store.open(asked_store, read_only=True) as other:
        (example,) = other.examples()
    with Store.open(path) as store:
        import_feedback(store)
        store.replace_examples([example])
        digest, interactions = store.graph_digest, store.counts()["interactions"]
        report = import_feedback(store)
        assert (report.likes, report.added, report.removed) == (1, 0, 0)
        assert (store.graph_digest, store.counts()["interactions"]) == (digest, interactions)
        assert store.examples() == [example]


def test_what_is_forgotten_goes_from_the_store_too(path, feedback):
    feedback.add_opinion(ONE, None, "i6", True)
    feedback.add_question(ONE, None, "a secret wish", ())
    with Store.open(path) as store:
        before = store.graph_digest
        import_feedback(store)
        assert store.graph_digest != before
        feedback.forget(ONE)
        assert import_feedback(store).removed == 1 and not kept(store)
        assert store.graph_digest == before
        assert b"secret" not in feedback_path(path).read_bytes()
        feedback.add_opinion(ONE, None, "i6", True)
        import_feedback(store)
        feedback_path(path).unlink()
        assert import_feedback(store).removed == 1 and store.graph_digest == before


def test_an_import_that_fails_leaves_the_store_as_it_was(path, feedback, monkeypatch):
    feedback.add_opinion(ONE, None, "i6", True)

    def fail(store):
        raise RuntimeError

    monkeypatch.setattr(Store, "drop_derived", fail)
    with Store.open(path) as store:
        with pytest.raises(RuntimeError):
            import_feedback(store)
        assert not kept(store) and len(store.examples()) == 1 and store.meta("feedback") is None


def test_without_feedback_an_import_says_where_it_would_be(path):
    with Store.open(path) as store:
        with pytest.raises(
            DataError, match=r"no feedback at .*: `rerec assistant --store .* keeps"
        ):
            import_feedback(store)
        feedback_path(path).write_text("no database")
        with pytest.raises(DataError, match="is no feedback file"):
            import_feedback(store)


def test_deleted_feedback_takes_the_examples_of_questions_with_it(path, feedback):
    with Store.open(path) as store:
        (example,) = store.examples()
        written = {"provenance": example.provenance.model_copy(update={"writer": "people"})}
        replace_examples_of_people(store, [example.model_copy(update=written).named()])
        assert len(store.examples()) == 2
        feedback_path(path).unlink()
        assert import_feedback(store).examples == 1 and store.examples() == [example]
        with pytest.raises(DataError, match="no feedback at"):
            import_feedback(store)


def test_askers_are_known_by_the_key_of_the_file_alone(feedback, tmp_path):
    with Feedback(tmp_path / "other.sqlite") as other:
        assert other.asker(ONE, "u1") != feedback.asker(ONE, "u1") == feedback.asker(OTHER, "u1")
    with Feedback(tmp_path / "other.sqlite") as again:
        assert again.asker(ONE, None) == other_asker(tmp_path / "other.sqlite")


def other_asker(path):
    with Feedback(path) as feedback:
        return feedback.asker(ONE, None)


def test_threads_that_share_the_file_lose_nothing(feedback):
    with ThreadPoolExecutor(8) as threads:
        for k in range(160):
            threads.submit(feedback.add_question, str(k), None, "a film?", ())
    assert sorted(int(one.thread) for one in feedback.questions()) == list(range(160))


def test_the_file_is_private_even_where_it_was_not(path):
    feedback_path(path).touch(mode=0o644)
    Feedback(feedback_path(path)).close()
    assert feedback_path(path).stat().st_mode & 0o777 == 0o600
