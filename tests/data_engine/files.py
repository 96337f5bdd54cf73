"""Small catalogues as files, and imports of them into new stores."""

import json

from data_engine.importers.amazon import Amazon
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions

FIRST = 1_600_000_000


DAY = 86_400


def folder(path, ratings, items="", triples=""):
    path.mkdir(parents=True, exist_ok=True)
    if isinstance(ratings, bytes):
        (path / "ratings.csv").write_bytes(ratings)
    elif ratings:
        (path / "ratings.csv").write_text(ratings)
    films = "".join(f"{n},Film {n} (199{n})\n" for n in range(6))
    (path / "movies.csv").write_text(items or "movieId,title\n" + films)
    edges = "".join(f"{n},genre,G{n % 3}\n{n},starring,Star {n % 2}\n" for n in range(6))
    (path / "kg.csv").write_text(triples or "movieId,relation,value\n" + edges)
    return path


def rows(time=lambda k: FIRST + k * DAY, rating=lambda k: k % 5 + 1, end="\n", count=30):
    return "".join(f"u{k % 5},{k % 6},{rating(k)},{time(k)}{end}" for k in range(count))


HEADER = "userId,movieId,rating,timestamp\n"


def load(path, source, **options):
    """(settled, interactions by time, digest) of an import into a new store."""
    with Store.open(path, create=True) as store:
        settled = store.replace_catalogue(source, ImportOptions(**options))
        found = store.rows(
            "SELECT user_id, item_id, rating, timestamp FROM interactions ORDER BY timestamp, "
            "user_id, item_id"
        )
        return settled, found, store.graph_digest


def amazon(path, first_time):
    times = [first_time, *(1000 * (FIRST + k * DAY) for k in range(1, 30))]
    lines = [
        {"user_id": f"U{k % 5}", "parent_asin": f"B{k % 6}", "rating": k % 5 + 1, "timestamp": t}
        for k, t in enumerate(times)
    ]
    (path / "Things.jsonl").write_text("\n".join(map(json.dumps, lines)))
    meta = [{"parent_asin": f"B{k}", "title": f"Thing {k}", "store": f"S{k % 2}"} for k in range(6)]
    (path / "meta_Things.jsonl").write_text("\n".join(map(json.dumps, meta)))
    return Amazon(reviews=path / "Things.jsonl", meta=path / "meta_Things.jsonl")
