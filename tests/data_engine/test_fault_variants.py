"""A hundred variants of small files, each written in another way (encoding, separators, line ends,
quoting, types) and some of them broken.

What `rerec data import` takes is the same graph as that of the plain files, or names every row it
left out; all else is one line and no store.
"""

import csv
import io
import json
import random
import sys

import pytest

from data_engine.store.database import Store
from rerec import cli

ROWS = 30
ENCODINGS = ("utf-8",) * 6 + ("utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252")
SEPARATORS = (",",) * 5 + (";", "\t", "|", " ", "::")
LINE_ENDS = ("\n", "\n", "\r\n", "\r", "\n\r", "mixed")
QUOTINGS = (csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)
BREAKS = ("",) * 10 + (
    "a short row",
    "a long row",
    "an open quote",
    "a footer",
    "a header twice",
    "a word for a number",
    "cut",
    "NUL",
    "no header",
)


def run(monkeypatch, capsys, *words):
    """(exit code, standard output, standard error) of a command, in this process."""
    monkeypatch.setattr(sys, "argv", ["rerec", *map(str, words)])
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    return code, *capsys.readouterr()


def times(rng):
    """A way to write the k-th second."""
    from datetime import UTC, datetime

    forms = (
        str,
        str,
        str,
        str,
        lambda t: str(1000 * t),
        lambda t: f"{t}.0",
        lambda t: datetime.fromtimestamp(t, UTC).isoformat(),
        lambda t: datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        lambda t: datetime.fromtimestamp(t, UTC).strftime("%d/%m/%Y %H:%M"),
        lambda t: f" {t} ",
    )
    return rng.choice(forms)


def marks(rng):
    """A way to write a rating."""
    return rng.choice(
        (
            str,
            str,
            str,
            str,
            lambda r: f"{r}.0",
            lambda r: f"{r:.2f}",
            lambda r: f"{r},0",
            lambda r: f" {r}",
            lambda r: "★" * r,
        )
    )


def tables(rng):
    """The rows of each file, header first."""
    time, mark = times(rng), marks(rng)
    ratings = [["userId", "movieId", "rating", "timestamp"]]
    ratings += [
        [f"u{k % 5}", f"{k % 6}", mark(k % 5 + 1), time(1_600_000_000 + 86_400 * k)]
        for k in range(ROWS)
    ]
    films = [["movieId", "title"], *([f"{n}", f"Amélie, part {n} (199{n})"] for n in range(6))]
    triples = [
        ["movieId", "relation", "value"],
        *([f"{n}", "genre", f"Comédie {n % 3}"] for n in range(6)),
    ]
    return {"ratings.csv": ratings, "movies.csv": films, "kg.csv": triples}


def movielens(rng):
    time, mark = times(rng), marks(rng)
    ratings = [["userId", "movieId", "rating", "timestamp"]]
    ratings += [
        [f"u{k % 5}", f"{k % 6}", mark(k % 5 + 1), time(1_600_000_000 + 86_400 * k)]
        for k in range(ROWS)
    ]
    films = [["movieId", "title", "genres"]]
    films += [[f"{n}", f"Amélie {n} (199{n})", "Drama|IMAX"] for n in range(6)]
    return {"ratings.csv": ratings, "movies.csv": films}


def text_of(rows, rng, separator, end, quoting, broken):
    """The rows as one text in that style; `separator`s of several characters and "mixed" ends are
    put in afterwards.
    """
    out = io.StringIO()
    single = separator if len(separator) == 1 else "\x01"
    csv.writer(out, delimiter=single, lineterminator="\n", quoting=quoting).writerows(rows)
    lines = out.getvalue().replace("\x01", separator).split("\n")[:-1]
    place = rng.randrange(1, len(lines))
    if broken in ("a short row", "cut"):
        lines[place] = lines[place].rsplit(separator, 1)[0]
    if broken == "cut":
        lines = lines[: place + 1]
    if broken == "a long row":
        lines[place] += f"{separator}x{separator}y"
    elif broken == "an open quote":
        lines[place] = '"' + lines[place]
    elif broken == "a footer":
        lines.append(f"({len(rows) - 1} rows)")
    elif broken == "a header twice":
        lines.insert(place, lines[0])
    elif broken == "a word for a number":
        lines[place] = lines[place].rsplit(separator, 1)[0] + separator + "soon"
    elif broken == "no header":
        lines = lines[1:]
    ends = [("\r\n" if k % 2 else "\n") if end == "mixed" else end for k in range(len(lines))]
    text = "".join(line + mark for line, mark in zip(lines, ends, strict=True))
    return text.replace("1", "\0", 1) if broken == "NUL" else text


def drawn_options(rng: random.Random, encoded: bool) -> list[str]:
    options = ["--max-rejects", "1000"] * (rng.random() < 0.5)
    options += ["--skip-unknown"] * (rng.random() < 0.3)
    return options + ["--encoding", "latin-1"] * (encoded and rng.random() < 0.5)


@pytest.mark.journey
@pytest.mark.parametrize(("make", "count"), [(tables, 65), (movielens, 35)])
def test_fault_variants_are_read_as_they_are_meant_or_refused_in_one_line(
    tmp_path, monkeypatch, capsys, make, count
):
    rng, here, store = random.Random(make.__name__), tmp_path / "d", tmp_path / "s.duckdb"
    here.mkdir()

    def write(files, victim="", *style):
        for name, rows in files.items():
            separator, end, quoting, broken, encoding = (
                style if name == victim else (",", "\n", csv.QUOTE_MINIMAL, "", "utf-8")
            )
            (here / name).write_bytes(
                text_of(rows, rng, separator, end, quoting, broken).encode(
                    encoding, errors="replace"
                )
            )

    def load(*options):
        store.unlink(missing_ok=True)
        return run(
            monkeypatch,
            capsys,
            "data",
            "import",
            make.__name__,
            here,
            "--store",
            store,
            "--json",
            *options,
        )

    steady = random.Random(1)
    steady.choice = lambda forms: forms[0]
    write(make(steady))
    code, out, _ = load()
    assert code == 0
    plain, refused, same, counted = json.loads(out)["graph_digest"], 0, 0, 0
    with Store.open(store, read_only=True) as opened:
        whole = opened.counts()
    for _ in range(count):
        files = make(rng)
        style = tuple(map(rng.choice, (SEPARATORS, LINE_ENDS, QUOTINGS, BREAKS, ENCODINGS)))
        victim = rng.choice([*files, "ratings.csv"])
        if victim != "ratings.csv" and style[3] in ("a header twice", "a word for a number"):
            victim = "ratings.csv"  # elsewhere such a row is another title, and no fault
        write(files, victim, *style)
        options = drawn_options(rng, make is tables)
        code, out, err = load(*options)
        what = (victim, style, options, out, err)
        assert "Traceback" not in err + out, what
        if code:
            refused += 1
            assert (
                not store.exists()
                and not out
                and err.startswith("error: ")
                and err.count("\n") == 1
            ), what
            assert len(err) < 600 and "aborted" not in err, what
            continue
        told = json.loads(out)
        if told["graph_digest"] == plain:
            same += 1
            continue
        counted += 1  # something is missing: it must have been counted, every row of it
        left_out = told["rejected"] + told["skipped"]
        assert left_out, what
        missing = sum(max(0, whole[part] - told[part]) for part in ("items", "interactions"))
        assert style[3] == "cut" or left_out >= missing, what
    assert refused > count // 5 and same > count // 8, (refused, same, counted)
