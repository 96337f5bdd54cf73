"""What is wrong with a catalogue, and the little of it that can be mended without guessing.

A finding is safe to fix when the fix throws away nothing that means anything: an exact copy, an
edge to nothing, an attribute of nothing, another spelling of a name that is all an attribute is.
"""

from collections.abc import Iterator

from data_engine.quality.checks import CHECKS, SHOWN, Finding
from data_engine.quality.merging import apply_merges, spellings
from data_engine.store.database import Store

ALIKE = "attributes that differ in case, encoding or white space only"


def examine(store: Store) -> list[Finding]:
    """Every check that found something, in a fixed order."""
    found = []
    for check in CHECKS:
        (count,) = store.rows(f"SELECT count(*) FROM ({check.cases})")[0]
        if count:
            shown = [
                case
                for (case,) in store.rows(f"SELECT * FROM ({check.cases}) ORDER BY 1 LIMIT {SHOWN}")
            ]
            found.append(Finding(kind=check.kind, count=count, shown=shown, fix=check.fix))
    return [*found, *_found_alike(store)]


def repair(store: Store) -> list[Finding]:
    """Mend what is safe, in one transaction, and return what was mended. A changed graph loses its
    embeddings and Examples.
    """
    mended = [finding for finding in examine(store) if finding.fix]
    if mended:
        with store.transaction():
            for check in CHECKS:
                if check.repair:
                    store.db.execute(check.repair)
            if merges := spellings(store)[0]:
                apply_merges(store, merges)
            store.drop_derived()
    return mended


def _found_alike(store: Store) -> Iterator[Finding]:
    merges, apart = spellings(store)
    if merges:
        shown = [str(merge) for merge in merges]
        more = " …" if len(shown) > SHOWN else ""
        fix = f"they are merged into the most frequent spelling: {'; '.join(shown[:SHOWN])}{more}"
        yield Finding(kind=ALIKE, count=len(merges), shown=shown[:SHOWN], fix=fix)
    if apart:
        kind = f"{ALIKE}, but have ids of their own"
        yield Finding(kind=kind, count=len(apart), shown=apart[:SHOWN])
