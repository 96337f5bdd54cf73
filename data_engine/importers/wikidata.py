"""More attributes from Wikidata, for items that have an IMDb id, an ISBN or a Wikidata id: batched
SPARQL, cached, polite, resumable.

Every answer is kept as a file named after its query, so a rerun asks only what is missing; the
store changes once, at the end.
"""

import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
from pydantic import Field

from data_engine.errors import DataError
from data_engine.names.cleaning import clean_text
from data_engine.runtime.config import Config
from data_engine.runtime.progress import ReportProgress, no_progress
from data_engine.runtime.provenance import write_json
from data_engine.store.database import Store
from data_engine.store.sql import append

ENDPOINT = "https://query.wikidata.org/sparql"
AGENT = "rerec (recommendation research; SPARQL in batches with pauses)"
PROPERTIES = {
    "director": "P57",
    "starring": "P161",
    "composer": "P86",
    "writer": "P58",
    "genre": "P136",
    "country": "P495",
    "author": "P50",
    "publisher": "P123",
    "language": "P407",
}
IDS = {"imdb": "P345", "isbn": "P212", "wikidata": ""}
ENTITY = "http://www.wikidata.org/entity/"
BLANK = "/.well-known/genid/"
LONGEST_WAIT = 120.0
RETRIED = (429, 500, 502, 503, 504)  # HTTP statuses
COLUMNS = {"id", "relation", "v", "vLabel"}
Found = tuple[str, str, str, str]  # item, relation, value, name


class Wikidata(Config):
    """How to ask. `pause` in seconds lies between two requests; `batch` ids go into one."""

    cache: Path
    endpoint: str = ENDPOINT
    relations: tuple[str, ...] = tuple(PROPERTIES)
    batch: int = Field(50, ge=1, le=500)
    pause: float = Field(1.0, ge=0)
    tries: int = Field(5, ge=1)
    timeout: float = Field(60.0, gt=0)


def enrich(
    store: Store, config: Wikidata, progress: ReportProgress = no_progress
) -> dict[str, int]:
    """Add the found edges and return figures: items asked, items found, edges added. A changed
    graph loses embeddings and Examples.

    Where there are any: `blank_nodes` ("somebody, unknown") that were left out, and `nameless`
    edges to things without a label, which go by their ids.

    Raises DataError when no item has a known id, for an unknown relation, or when the endpoint
    stays silent or talks nonsense; what was answered until then is in the cache.
    """
    if strange := sorted(set(config.relations) - set(PROPERTIES)):
        raise DataError(f"no relation {strange[0]!r}: choose from {', '.join(PROPERTIES)}")
    items = _items_by_id(store)
    rows: list[Found] = []
    batches = _batches(items, config.batch)
    with httpx.Client(
        timeout=config.timeout,
        headers={"user-agent": AGENT, "accept": "application/sparql-results+json"},
    ) as http:
        for done, (source, ids) in enumerate(batches, 1):
            for found in _ask(http, config, _query(source, ids, config.relations)):
                facts = found["relation"], found["v"], found["vLabel"]
                known = items.get((source, _hyphenless(found["id"])), ())
                rows += [(item, *facts) for item in known]
            progress(done, len(batches))
    named = [(item, r, value, clean_text(n)) for item, r, value, n in rows if BLANK not in value]
    figures = {"asked": sum(map(len, items.values())), "found": len({row[0] for row in rows})}
    figures["edges_added"] = _keep(store, named)
    nameless = sum(name == value.removeprefix(ENTITY) for _, _, value, name in named)
    left = {"blank_nodes": len(rows) - len(named), "nameless": nameless}
    return figures | {what: count for what, count in left.items() if count}


def _items_by_id(store: Store) -> dict[tuple[str, str], list[str]]:
    """(source, id there) → the items that have it. Raises DataError where no item has one."""
    items: dict[tuple[str, str], list[str]] = {}
    for item, source, value in store.rows(
        "SELECT item_id, source, value FROM links WHERE source IN ('imdb', 'isbn', 'wikidata') "
        "ORDER BY ALL"
    ):
        items.setdefault((source, _hyphenless(value)), []).append(item)
    if not items:
        raise DataError(
            f"no item of {store.path} has an IMDb id, an ISBN or a Wikidata id: "
            "import links with the catalogue"
        )
    return items


def _batches(ids: Iterable[tuple[str, str]], size: int) -> list[tuple[str, list[str]]]:
    """(source, ids there), at most `size` ids in each."""
    by_source: dict[str, list[str]] = {source: [] for source in IDS}
    for source, value in ids:
        by_source[source].append(value)
    found: list[tuple[str, list[str]]] = []
    for source, values in by_source.items():
        found += [(source, values[k : k + size]) for k in range(0, len(values), size)]
    return found


def _query(source: str, ids: list[str], relations: tuple[str, ...]) -> str:
    wanted = " ".join(f'(wdt:{PROPERTIES[r]} "{r}")' for r in relations)
    if source == "wikidata":
        named = (
            f"VALUES ?item {{ {' '.join('wd:' + i for i in ids)} }} "
            f"BIND(STRAFTER(STR(?item), '{ENTITY}') AS ?id)"
        )
    elif source == "isbn":  # hyphens stand anywhere in Wikidata's ISBNs
        named = (
            f"VALUES ?id {{ {' '.join(json.dumps(i) for i in ids)} }} ?item "
            f"wdt:{IDS[source]} ?isbn . FILTER(REPLACE(?isbn, '-', '') = ?id)"
        )
    else:
        named = (
            f"VALUES ?id {{ {' '.join(json.dumps(i) for i in ids)} }} ?item wdt:{IDS[source]} ?id ."
        )
    label = 'SERVICE wikibase:label { bd:serviceParam wikibase:language "en,mul" . }'
    return (
        f"SELECT ?id ?relation ?v ?vLabel WHERE {{ {named} VALUES (?p ?relation) {{ {wanted} "
        f"}} ?item ?p ?v . {label} }} ORDER BY ?id ?relation ?v"
    )


def _ask(http: httpx.Client, config: Wikidata, query: str) -> list[dict[str, str]]:
    """The bindings of a query as plain texts, from the cache or the endpoint."""
    path = (
        config.cache
        / f"{hashlib.sha256(f'{config.endpoint} {query}'.encode()).hexdigest()[:24]}.json"
    )
    if path.is_file():
        kept: list[dict[str, str]] = json.loads(path.read_text())
        return kept
    reason = ""
    for attempt in range(config.tries):
        wait = min(LONGEST_WAIT, config.pause * 2**attempt)
        try:
            answer = http.post(config.endpoint, data={"query": query})
            if answer.status_code == 200:
                rows = _bindings(answer)
                write_json(path, rows)
                time.sleep(config.pause)
                return rows
            reason = f"HTTP {answer.status_code}"
            if answer.status_code not in RETRIED:
                break
            seconds = answer.headers.get("retry-after", "")
            wait = min(LONGEST_WAIT, float(seconds)) if seconds.isdigit() else wait
        except _WrongRows as error:
            reason = str(error)
        except (httpx.TransportError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
        if attempt + 1 < config.tries:
            time.sleep(wait)
    raise DataError(
        f"{config.endpoint} did not answer ({reason}): run the same command again later, it "
        f"goes on from the cache in {config.cache}"
    )


class _WrongRows(Exception):
    """An answer that is none to the query."""


def _bindings(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of an answer. Raises _WrongRows, or what JSON of another shape raises."""
    rows = [
        {name: cell["value"] for name, cell in row.items()}
        for row in answer.json()["results"]["bindings"]
    ]
    for row in rows:
        if not (row.keys() >= COLUMNS and row["relation"] in PROPERTIES):
            raise _WrongRows("rows without the columns asked for")
    return rows


def _hyphenless(value: str) -> str:
    return value.replace("-", "")


def _keep(store: Store, rows: list[Found]) -> int:
    """Add new edges after the known ones of their relation; the number added."""
    before = store.counts()["edges"]
    with store.transaction():
        store.db.execute(
            "CREATE OR REPLACE TEMP TABLE found (item_id VARCHAR, relation VARCHAR, "
            "attribute_id VARCHAR, name VARCHAR)"
        )
        append(
            store.db, "found", ("item_id", "relation", "attribute_id", "name"), sorted(set(rows))
        )
        store.db.execute(
            "INSERT INTO attributes SELECT attribute_id, min(name) FROM found "
            "WHERE attribute_id NOT IN (SELECT attribute_id FROM attributes) GROUP BY 1"
        )
        store.db.execute(
            "WITH last AS (SELECT item_id, relation, max(position) AS place FROM edges GROUP "
            "BY ALL), "
            "new AS (SELECT DISTINCT item_id, relation, attribute_id FROM found ANTI JOIN "
            "edges USING (item_id, relation, attribute_id)) "
            "INSERT INTO edges SELECT item_id, relation, attribute_id, "
            "coalesce(place, -1) + row_number() OVER (PARTITION BY item_id, relation ORDER BY "
            "attribute_id) "
            "FROM new LEFT JOIN last USING (item_id, relation)"
        )
        if added := store.counts()["edges"] - before:
            store.drop_derived()
    return added
