"""`just bench growth [INTERACTIONS …]`: seconds and memory of each command as a catalogue grows.

For each number of interactions a folder of tables is made, with a hundredth as many users and as
many items, likes that follow tastes, and ten facts per item; the commands of a user are run on it.
The figure is how much slower per interaction the largest is than the smallest.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import duckdb

from data_engine.runtime.children import rerec_command
from tests.bench.load import report

SHARE = 100  # interactions per user, and per item
TASTES = 20
MOST = 2.0  # times the smallest's seconds per interaction
EXAMPLES = ("--sft", "400", "--rl", "100", "--validation", "50", "--test", "50")


def make(folder: Path, interactions: int) -> Path:
    """A folder with ratings, items and triples, in parquet."""
    count, db = interactions // SHARE, duckdb.connect()
    folder.mkdir()

    def write(name: str, query: str) -> None:
        db.execute(f"COPY ({query}) TO '{folder / name}.parquet'")

    # Four of five ratings are of the user's taste, and few items have most of them.
    item = (
        f"(CASE WHEN hash(range, 1) % 5 THEN hash(range // {SHARE}, 2) % {TASTES} "
        f"ELSE hash(range, 3) % {TASTES} END "
        f"+ {TASTES} * floor({count} / {TASTES} * pow((hash(range, 4) % 1000000) / 1e6, 2)))::INT"
    )
    write(
        "ratings",
        f"SELECT 'u' || range // {SHARE} AS user_id, 'i' || {item} AS item_id, "
        f"(3 + hash(range, 5) % 3)::DOUBLE AS rating, "
        f"1000000000 + hash(range, 6) % 100000000 AS timestamp FROM range({interactions})",
    )
    letters = "translate(md5(({0})::VARCHAR), '0123456789abcdef', 'aeioulmnrstdkpbv')"
    word = f"upper({letters}[1]) || {letters}[2:7]"
    title = f"{word.format('range')} || ' ' || {word.format('-range')}"
    write(
        "items",
        f"SELECT 'i' || range AS item_id, {title} || ' (' || 1950 + range % 70 || ')' AS title "
        f"FROM range({count})",
    )
    person = f"hash(i.range * 16 + k.range) % {max(100, count // 2)}"
    name = f"{word.format(person)} || ' ' || {word.format(f'1000000000 + {person}')}"
    relation = "CASE k.range WHEN 0 THEN 'director' WHEN 1 THEN 'composer' ELSE 'starring' END"
    write(
        "triples",
        f"SELECT 'i' || i.range AS item_id, {relation} AS relation, {name} AS value, "
        f"'p' || {person} AS value_id FROM range({count}) i, range(9) k UNION ALL "
        f"SELECT 'i' || range, 'genre', 'genre ' || range % {TASTES} AS value, value "
        f"FROM range({count})",
    )
    return folder


def run(*words: object) -> tuple[float, float]:
    """Seconds of a command, and the GB that its own process had at most."""
    start = time.perf_counter()
    child = subprocess.Popen(rerec_command(*words), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"rerec {' '.join(map(str, words))} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 2**20


def measure(folder: Path, interactions: int) -> float:
    """Print a line per command; the seconds of all."""
    tables, store = make(folder / str(interactions), interactions), folder / "growth.duckdb"
    total = 0.0
    for name, words in (
        ("import", ("data", "import", "tables", tables)),
        ("embed, LightGCN, one epoch", ("data", "embed", "--epochs", 1)),
        ("embed, ALS, two rounds", ("data", "embed", "--method", "als", "--epochs", 2)),
        ("synth, 600 Examples", ("synth", *EXAMPLES)),
        ("verify", ("verify",)),
    ):
        seconds, gigabytes = run(*words, "--store", store)
        total += seconds
        print(f"{interactions:>11,}  {name:<28}{seconds:8.1f} s {gigabytes:6.2f} GB", flush=True)
    print(f"{interactions:>11,}  {'the store':<28}{store.stat().st_size / 2**20:8.0f} MB")
    store.unlink()
    return total


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="just bench growth")
    parser.add_argument("interactions", nargs="*", type=int, default=[1_000_000, 10_000_000])
    sizes = sorted(parser.parse_args().interactions)
    with tempfile.TemporaryDirectory() as folder:
        each = [measure(Path(folder), size) / size for size in sizes]
    grown = each[-1] / each[0]
    report("growth", grown, "times the seconds per interaction", f"<= {MOST:g}", grown <= MOST)


if __name__ == "__main__":
    main()
