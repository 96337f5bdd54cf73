"""`rerec data stats`, `rerec data doctor` and `rerec verify`: what a store holds, and whether it is
right.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.errors import DataError
from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from data_engine.quality.checks import Finding


def stats(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Sizes, coverage by relation, and what can be asked of this store.

    Example: rerec data stats --store runs/movies.duckdb --json
    """
    from data_engine.quality.statistics import statistics

    show(statistics(store), as_json, str(store))


def doctor(
    store: StoreOption = DEFAULT_STORE,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Mend what can be mended without guessing, and say what was done."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Duplicates, orphans, dangling edges, name collisions, suspicious links; coverage and degrees.

    Example: rerec data doctor --store runs/movies.duckdb
    """
    from data_engine.quality.doctor import examine, repair
    from data_engine.quality.statistics import coverage, degrees
    from data_engine.store.database import Store

    with Store.open(store, read_only=not fix) as opened:
        digest = opened.graph_digest
        mended = repair(opened) if fix else []
        found, spread = examine(opened), degrees(opened)
        shares = coverage(opened)
        changed = {"new_graph_digest": opened.graph_digest} if opened.graph_digest != digest else {}
    if as_json:
        records = {"findings": found, "mended": mended}
        listed = {name: [f.model_dump() for f in some] for name, some in records.items()}
        show({"coverage": shares, "degrees": spread, **changed, **listed}, True)
        return
    figures = {f"degree: {what}": quartiles for what, quartiles in spread.items()}
    show({**figures, "coverage": shares, **changed}, False, str(store))
    show({f"mended: {f.count} {f.kind}": f.fix for f in mended}, False, "mended" if mended else "")
    show({f"{f.count} {f.kind}": _cases(f) for f in found}, False, "found")
    if changed:
        print(
            "the graph changed: embeddings and Examples were removed, make them again with "
            "`rerec data embed` and `rerec synth`"
        )


def _cases(finding: "Finding") -> str:
    return "; ".join(finding.shown) + (" …" if finding.count > len(finding.shown) else "")


def verify_examples(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Re-check every Example against the raw tables, with code of its own.

    Exits non-zero when one fails.

    Example: rerec verify --store runs/movies.duckdb
    """
    from data_engine.quality.audit import audit
    from data_engine.store.database import Store

    with Store.open(store, read_only=True) as opened, progress("verify") as report:
        result = audit(opened, report)
    if not result.checked:
        raise DataError(f"{store} holds no Examples: run `rerec synth --store {store}`")
    failed = len({example for example, _ in result.violations})
    show(
        {
            "checked": result.checked,
            "passed": result.checked - failed,
            "kinds": dict(result.kinds),
            "splits": dict(result.splits),
        },
        as_json,
    )
    if result.violations:
        example, problem = result.violations[0]
        raise DataError(
            f"{failed} of {result.checked} Examples fail the re-check (first: {example}: "
            f"{problem}): synthesise again"
        )
