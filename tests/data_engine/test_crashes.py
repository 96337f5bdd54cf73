"""Killed without warning, or out of disk: the store opens and holds the old state or the new one,
and the rerun finishes.
"""

import random
import shutil
import subprocess
import time

import pytest

from data_engine.runtime.children import rerec_command
from data_engine.store.database import Store
from tests.conftest import hand_catalogue
from tests.data_engine.test_wikidata import endpoint  # noqa: F401, a fixture
from tests.test_cli import ROOT, rerec

pytestmark = pytest.mark.journey
USERS, FILMS = 1500, 300


@pytest.fixture(scope="module")
def movielens(tmp_path_factory):
    """A folder in the MovieLens 25M layout with 90,000 ratings."""
    folder, rng = tmp_path_factory.mktemp("ml"), random.Random(0)
    (folder / "movies.csv").write_text(
        "movieId,title,genres\n"
        + "".join(f"{n},Film {n} (1990),Drama|G{n % 7}\n" for n in range(FILMS))
    )
    rows = (
        f"{u},{i},{rng.choice((2, 4, 5))},{1000 * u + k}\n"
        for u in range(USERS)
        for k, i in enumerate(rng.sample(range(FILMS), 60))
    )
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(rows))
    return folder


def state(path):
    """What tells an old state from a new one, read from a store that must open."""
    with Store.open(path) as store:
        return store.graph_digest, store.counts(), len(store.embeddings())


@pytest.mark.parametrize("command", ["import", "embed", "enrich"])
def test_killed_at_twenty_moments_the_store_is_old_or_new(
    tmp_path,
    movielens,
    endpoint,  # noqa: F811
    command,
):
    path, rng, cache = tmp_path / "s.duckdb", random.Random(command), tmp_path / "cache"
    words = {
        "import": ["data", "import", "movielens", str(movielens)],
        "embed": ["data", "embed", "--dims", "8", "--epochs", "2"],
        "enrich": [
            "data",
            "enrich",
            "wikidata",
            "--endpoint",
            endpoint,
            "--cache",
            str(cache),
            "--batch",
            "1",
            "--pause",
            "0",
        ],
    }[command]
    words = rerec_command(*words, "--store", path)
    with Store.open(path, create=True) as store:
        store.replace_catalogue(hand_catalogue())
        store.db.executemany(
            "INSERT INTO links VALUES (?, 'imdb', ?)", [("i1", "tt0000001"), ("i2", "tt0000002")]
        )
    if command == "embed":
        assert rerec("data", "import", "movielens", movielens, "--store", path).returncode == 0
    old, killed = state(path), 0
    copy = path.read_bytes()
    start = time.monotonic()
    assert subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode == 0
    whole, new = time.monotonic() - start, state(path)
    assert old != new
    for _ in range(20):
        shutil.rmtree(cache, ignore_errors=True)
        path.write_bytes(copy)
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        process = subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(whole * rng.uniform(0.1, 1.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        assert state(path) in (old, new)
    assert killed >= 5
    assert (
        subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode == 0
        and state(path) == new
    )


def test_a_full_disk_is_one_clear_line_and_the_old_state_stays(tmp_path, movielens):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    ).returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        with Store.open(small / "s.duckdb", create=True) as store:
            store.replace_catalogue(hand_catalogue())
        old = state(small / "s.duckdb")
        done = rerec("data", "import", "movielens", movielens, "--store", small / "s.duckdb")
        lines = [line for line in done.stderr.splitlines() if line.startswith("error:")]
        assert (
            done.returncode != 0
            and len(lines) == 1
            and "space" in lines[0].lower()
            and "Traceback" not in done.stderr
        ), done.stderr
        assert state(small / "s.duckdb") == old
    finally:
        subprocess.run(["umount", str(small)], check=True)
