"""`just mutate [PATH…]`: the share of mutants of the pure core that the unit tests kill.

mutmut changes one operator, number, text, name or argument at a time and runs the tests that reach
the changed function. `[tool.mutmut]` in pyproject.toml names the core and its tests. Every run
starts afresh: what an earlier one found may be of other tests.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "mutants"
TARGET = 0.85
SURVIVED = (0, 5, 33)  # exit codes of pytest: all passed, none selected; of mutmut: none reaches it


def pattern(path: str) -> str:
    """The mutants of a file or folder, as mutmut names them."""
    return path.strip("/").removesuffix(".py").replace("/", ".") + ".*"


def verdicts() -> Iterator[tuple[str, Counter[bool]]]:
    """Of each module with mutants that were run: its path, how many were killed and how many not.

    A mutant that ends a run by any other way than a test that passes is killed: by a failure, by a
    crash, or because it never came to an end.
    """
    for meta in sorted(WORK.rglob("*.py.meta")):
        codes = json.loads(meta.read_text())["exit_code_by_key"].values()
        found = Counter(code not in SURVIVED for code in codes if code is not None)
        if found:
            yield meta.relative_to(WORK).as_posix().removesuffix(".meta"), found


def main(paths: list[str]) -> None:
    """Run mutmut over the paths, or over the whole core, and print the score of each module."""
    shutil.rmtree(WORK, ignore_errors=True)
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1"]
    patterns = [pattern(path) for path in paths] or ["*"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (ROOT / "mutants.log").open("w") as log:
        done = subprocess.run(
            [*command, *patterns], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    if done.returncode:
        sys.exit(f"mutmut ended with {done.returncode}: see mutants.log")
    total: Counter[bool] = Counter()
    print(f"{'module':<40} killed survived  score")
    for name, found in verdicts():
        total += found
        print(f"{name:<40} {found[True]:>6} {found[False]:>8} {found[True] / found.total():>6.1%}")
    figure = round(total[True] / total.total(), 4)
    line = {"bench": "mutate", "figure": figure, "unit": "of mutants killed", "target": TARGET}
    print(json.dumps(line | {"holds": figure >= TARGET}))


if __name__ == "__main__":
    main(sys.argv[1:])
