"""What people liked and disliked in an assistant's answers, as interactions of its store.

Each asker is a user of their own: whoever asks may claim any name, so that nobody's history
changes. The interactions follow the feedback: what is forgotten there goes here too.
"""

from pathlib import Path

from data_engine.runtime.config import Config
from data_engine.schema import content_hash
from data_engine.store.database import Store
from data_engine.store.examples_of_people import PEOPLE, replace_examples_of_people
from data_engine.store.feedback import PREFIX, Feedback, feedback_path
from data_engine.store.sql import append

OURS = f"regexp_full_match(user_id, '{PREFIX}[0-9a-f]{{16}}')"
COLUMNS = ("user_id", "item_id", "timestamp", "liked")
Interaction = tuple[str, str, int, bool]  # as COLUMNS


class FeedbackReport(Config):
    """What the store has of the feedback now, and what changed.

    unknown: opinions of items that the catalogue lacks. removed: interactions of before that were
    changed or forgotten. examples, embeddings: what the store has lost, as they were made from
    other interactions.
    """

    likes: int
    dislikes: int
    askers: int
    unknown: int
    added: int
    removed: int
    examples: int = 0
    embeddings: int = 0


def import_feedback(store: Store) -> FeedbackReport:
    """Bring the interactions of a store in line with its feedback, in one transaction; where that
    changes nothing, nothing is written. Feedback that was deleted leaves no interaction and no
    Example of a question.

    Raises DataError where there is no feedback and never was.
    """
    _ = store.graph_digest  # raises where there is no catalogue yet
    kept = set(store.rows(f"SELECT {', '.join(COLUMNS)} FROM interactions WHERE {OURS}"))
    people = sum(one.provenance.writer == PEOPLE for one in store.stream())
    gone = bool(kept or people) and not feedback_path(store.path).is_file()
    wanted = set() if gone else _wanted(store.path)
    items = {item for (item,) in store.rows("SELECT item_id FROM items")}
    known = {row for row in wanted if row[1] in items}
    added, removed = known - kept, kept - known
    likes = sum(liked for *_, liked in known)
    report = FeedbackReport(
        likes=likes,
        dislikes=len(known) - likes,
        askers=len({user for user, *_ in known}),
        unknown=len(wanted) - len(known),
        added=len(added),
        removed=len(removed),
    )
    if not added and not removed:
        if gone and people:
            replace_examples_of_people(store, [])
            return report.model_copy(update={"examples": people})
        return report
    return _replace(store, sorted(known), report)


def _wanted(store: Path) -> set[Interaction]:
    """The interactions that the feedback means."""
    with Feedback.of(store) as feedback:
        return _interactions(feedback)


def _interactions(feedback: Feedback) -> set[Interaction]:
    """The last opinion of each asker on each item."""
    last: dict[tuple[str, str], tuple[int, bool]] = {}
    for one in feedback.opinions():
        last[feedback.asker(one.thread, one.user), one.item] = int(one.at), one.liked
    return {(*place, *opinion) for place, opinion in last.items()}


def _replace(store: Store, rows: list[Interaction], report: FeedbackReport) -> FeedbackReport:
    """Swap in the rows; the store loses what was made from the old ones."""
    lost = {
        table: store.rows(f"SELECT count(*) FROM {table}")[0][0]
        for table in ("examples", "embeddings")
    }
    with store.transaction():
        store.db.execute(f"DELETE FROM interactions WHERE {OURS}")
        append(store.db, "interactions", COLUMNS, rows)
        origin = {"likes": report.likes, "dislikes": report.dislikes, "askers": report.askers}
        store.set_meta("feedback", {**origin, "digest": content_hash(rows)})
        store.drop_derived()
    return report.model_copy(update=lost)
