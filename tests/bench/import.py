"""Importing ten million interactions in the MovieLens 25M layout, in a process of its own: seconds,
and peak memory beside them.

`python -m tests.bench.import 100` does a hundred million (about 3 GB of disk).
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from data_engine.runtime.children import rerec_command

MILLIONS, SECONDS, GIGABYTES = int(sys.argv[1]) if len(sys.argv) > 1 else 10, 40.0, 4.0


def write(folder: Path, rows: int) -> None:
    """Ratings of rows/100 users over 60,000 films, times ascending; a genre a film."""
    title = "'Film ' || range || ' (' || (1950 + range % 70) || ')'"
    films = (
        f"SELECT range AS movieId, {title} AS title, 'Drama|G' || (range % 20) AS genres "
        "FROM range(60000)"
    )
    duckdb.sql(films).write_csv(str(folder / "movies.csv"))
    ratings = (
        "SELECT range // 100 AS userId, hash(range) % 60000 AS movieId, 0.5 * (1 + hash(range + "
        "1) % 10) AS rating, "
        f"1000000000 + range AS timestamp FROM range({rows})"
    )
    duckdb.sql(ratings).write_csv(str(folder / "ratings.csv"))


with tempfile.TemporaryDirectory() as made:
    here = Path(made)
    write(here, MILLIONS * 1_000_000)
    words = rerec_command(
        "data", "import", "movielens", str(here), "--store", str(here / "s.duckdb"), "--json"
    )
    start = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - start
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    assert json.loads(done.stdout)["interactions"] == MILLIONS * 1_000_000
    print(f"{MILLIONS} M interactions in {seconds:.1f} s, peak {memory:.2f} GB")
    limit, most = (SECONDS, GIGABYTES) if MILLIONS <= 10 else (SECONDS * MILLIONS / 10, 6.0)
    holds = seconds <= limit and memory <= most
    print(
        json.dumps(
            {
                "bench": "import",
                "figure": round(seconds, 1),
                "unit": f"s ({memory:.2f} GB)",
                "target": f"<= {limit:g} s, {most:g} GB",
                "holds": holds,
            }
        )
    )
