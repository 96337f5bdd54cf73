"""What a method gains over the first one, over starts that were made anew.

`python experiments/starts.py RUN [RUN …]`: folders of `rerec train compare`, one per start, named
CATALOGUE-START, such as ml1m-2. The unit is the start: the mean over its seeds of the paired
difference in NDCG@1. Intervals are 95 % t-intervals over starts, for each catalogue and over all,
for each kind of query and for all.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from train.evaluation.comparison import interval

ALL = "all"
Gain = dict[tuple[str, str], float]  # (method, kind) → mean difference of one start


def gains(run: Path) -> Gain:
    """The gain of each method of a start over its first, for each kind of query and for all."""
    table = json.loads((run / "comparison.json").read_text())["table"]
    return {
        (method, kind): entry["against"]["mean"]
        for method, entries in table.items()
        for kind, entry in entries.items()
        if "against" in entry
    }


def rows(runs: list[Path]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(method, catalogue, kind → gain in words), all catalogues last for each method."""
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        catalogue = run.name.rsplit("-", 1)[0]
        for (method, kind), gain in gains(run).items():
            found[method, catalogue][kind].append(gain)
            found[method, ALL][kind].append(gain)
    for method, catalogue in sorted(found, key=lambda key: (key[0], key[1] == ALL, key[1])):
        by_kind = found[method, catalogue]
        yield method, catalogue, {kind: _words(values) for kind, values in by_kind.items()}


def _words(values: list[float]) -> str:
    found = interval(values)
    half = "" if found["half"] is None else f" ±{found['half']:.3f}"
    return f"{found['mean']:+.3f}{half} ({found['n']})"


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(prog="python experiments/starts.py")
    parser.add_argument("run", nargs="+", type=Path)
    table = list(rows(parser.parse_args().run))
    kinds = sorted({kind for *_, cells in table for kind in cells}, key=lambda k: (k == ALL, k))
    print(f"| method | catalogue | {' | '.join(kinds)} |")
    print(f"|---|---|{'---|' * len(kinds)}")
    for method, catalogue, cells in table:
        print(f"| `{method}` | {catalogue} | {' | '.join(cells.get(k, '') for k in kinds)} |")


if __name__ == "__main__":
    main()
