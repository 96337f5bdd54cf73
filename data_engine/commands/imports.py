"""How an import is run and told, whatever the format."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from data_engine.errors import DataError
from data_engine.runtime.console import show

if TYPE_CHECKING:
    from data_engine.importers.feedback import FeedbackReport
    from data_engine.store.catalogue import Source
    from data_engine.store.finishing import ImportOptions, ImportReport


def pairs(words: list[str] | None) -> dict[str, str]:
    """{"a": "b"} of ["a=b"]."""
    if wrong := [word for word in words or () if "=" not in word]:
        raise DataError(f"expected NAME=VALUE, found {wrong[0]!r}")
    return dict(word.split("=", 1) for word in words or ())


def summary(report: "ImportReport", as_json: bool) -> dict[str, object]:
    """What was left out and understood: one line per topic for a reader, one object in JSON."""
    facts = report.model_dump()
    topics = {topic: words for topic, words in report.understood.items() if topic != "warning"}
    return (
        facts if as_json else {"rejected": facts["rejected"], "skipped": facts["skipped"], **topics}
    )


def import_options(
    max_rejects: int,
    skip_unknown: bool = False,
    scale: str | None = None,
    liked_from: float | None = None,
    relation: list[str] | None = None,
) -> "ImportOptions":
    """What the user said of the data, checked."""
    from data_engine.store.finishing import ImportOptions
    from data_engine.store.ratings import make_scale, parse_scale

    bounds = parse_scale(scale) if scale else None
    if bounds:
        make_scale(*bounds, liked_from)  # refused before anything is read
    nouns = pairs(relation)
    if empty := [name for name, noun in nouns.items() if not noun.strip()]:
        raise DataError(f"--relation {empty[0]}=: a noun is missing after the =")
    return ImportOptions(
        max_rejects=max_rejects,
        skip_unknown=skip_unknown,
        scale=bounds,
        liked_from=liked_from,
        relations=nouns,
    )


def import_into(
    source: "Source", store: Path, as_json: bool, options: "ImportOptions | None" = None
) -> None:
    """Import, and leave no file behind where there was none and the import is refused."""
    from data_engine.store.database import Store
    from data_engine.store.finishing import STRICT

    new = not store.exists()
    folders = [folder for folder in store.parents if not folder.exists()]
    try:
        with Store.open(store, create=True) as opened:
            report = opened.replace_catalogue(source, options or STRICT)
            facts = {
                "store": str(store),
                "domain": source.domain,
                **opened.counts(),
                **summary(report, as_json),
            }
            facts["graph_digest"] = opened.graph_digest
    except BaseException:  # whatever ended it, Ctrl-C too, a half-made store must not stay
        with suppress(OSError):  # and what cannot be removed must not hide why it ended
            if new:
                store.unlink(missing_ok=True)
                for folder in folders:
                    folder.rmdir()
        raise
    show(facts, as_json)
    warn(report)


def warn(report: "ImportReport") -> None:
    """What a person should look at, on standard error too, where it is seen beside JSON."""
    if report.understood.get("warning"):
        print(f"warning: {report.understood['warning']}", file=sys.stderr)


def told_of_feedback(report: "FeedbackReport") -> dict[str, object]:
    """An import of feedback, one line per topic."""
    askers = "1 asker" if report.askers == 1 else f"{report.askers} askers"
    opinions = f"{report.likes} liked, {report.dislikes} disliked (kept as not liked), by {askers}"
    found: dict[str, object] = {"feedback": opinions}
    changed = f"{report.added} added, {report.removed} removed"
    found["interactions"] = changed if report.added or report.removed else "nothing new"
    if report.unknown:
        found["left out"] = f"{report.unknown} of items that the catalogue lacks"
    lost = {"embeddings": report.embeddings, "Examples": report.examples}
    if gone := [f"{count} {what}" for what, count in lost.items() if count]:
        again = "make them again with `rerec data embed` and `rerec synth`"
        found["removed"] = f"{' and '.join(gone)} of the interactions before: {again}"
    return found
