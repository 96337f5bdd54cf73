"""Enrichment against a stand-in endpoint that throttles, fails, sends half a body and nonsense
before it answers.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from data_engine.errors import DataError
from data_engine.importers.wikidata import ENTITY, Wikidata, enrich
from data_engine.store.database import Store
from tests.conftest import hand_catalogue
from tests.test_cli import rerec

FACTS = {  # id → rows
    "tt0000001": [("director", "Q1", "Ann Arden"), ("starring", "Q7", "Una New")],
    "tt0000002": [("director", "Q1", "Ann Arden")],
    "Q300": [("country", "Q30", "Utopia")],
}


class Sparql(BaseHTTPRequestHandler):
    """Plays `script` (how to misbehave, in order), then answers; `asked` records the queries."""

    script: list[str] = []
    asked: list[str] = []

    def do_POST(self):
        query = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())["query"][0]
        self.asked.append(query)
        rows = [
            (i, *row)
            for i, found in FACTS.items()
            if i in query
            for row in found
            if f'"{row[0]}"' in query
        ]
        cells = [
            {
                "id": {"value": i},
                "relation": {"value": r},
                "v": {"value": ENTITY + q},
                "vLabel": {"value": n},
            }
            for i, r, q, n in rows
        ]
        body = json.dumps({"results": {"bindings": cells}}).encode()
        fault = self.script.pop(0) if self.script else ""
        if fault.isdigit():
            self.send_response(int(fault))
            self.send_header("retry-after", "0")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        body = {
            "nonsense": b"<html>",
            "columns": b'{"results": {"bindings": [{"x": {"value": "1"}}]}}',
            "list": b"[]",
        }.get(fault, body)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault == "half" else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint():
    """URL of the stand-in, well-behaved at first."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sparql)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Sparql.script, Sparql.asked = [], []
    yield f"http://127.0.0.1:{server.server_port}/sparql"
    server.shutdown()


@pytest.fixture
def store(tmp_path):
    """The hand-made catalogue with three linked items."""
    with Store.open(tmp_path / "s.duckdb", create=True) as opened:
        opened.replace_catalogue(hand_catalogue())
        opened.db.execute(
            "INSERT INTO links VALUES ('i1', 'imdb', 'tt0000001'), ('i2', 'imdb', "
            "'tt0000002'), ('i3', 'wikidata', 'Q300')"
        )
        yield opened


def config(tmp_path, endpoint, **changes):
    return Wikidata(cache=tmp_path / "cache", endpoint=endpoint, pause=0, **changes)


ADDED = (
    "SELECT item_id, relation, attribute_id, position FROM edges WHERE "
    "starts_with(attribute_id, 'http') ORDER BY ALL"
)


@pytest.mark.parametrize(
    "script", [[], ["429", "500", "503"], ["half", "nonsense"], ["columns", "list", "429"]]
)
def test_edges_are_added_whatever_the_endpoint_does_first(tmp_path, store, endpoint, script):
    Sparql.script, before = list(script), store.graph_digest
    assert enrich(store, config(tmp_path, endpoint)) == {"asked": 3, "found": 3, "edges_added": 4}
    assert store.rows(ADDED) == [
        ("i1", "director", ENTITY + "Q1", 1),
        ("i1", "starring", ENTITY + "Q7", 1),
        ("i2", "director", ENTITY + "Q1", 1),
        ("i3", "country", ENTITY + "Q30", 0),
    ]
    assert store.graph_digest != before and len(Sparql.asked) == 2 + len(script)
    assert store.rows("SELECT name FROM attributes WHERE attribute_id = ?", [ENTITY + "Q7"]) == [
        ("Una New",)
    ]


def test_a_rerun_is_free_and_changes_nothing(tmp_path, store, endpoint):
    enrich(store, config(tmp_path, endpoint))
    digest, asked = store.graph_digest, len(Sparql.asked)
    assert enrich(store, config(tmp_path, endpoint))["edges_added"] == 0
    assert store.graph_digest == digest and len(Sparql.asked) == asked


def test_after_giving_up_the_next_run_asks_only_what_is_missing(tmp_path, store, endpoint):
    one, before = config(tmp_path, endpoint, batch=1, tries=2), store.graph_digest
    Sparql.script = ["", "500", "500"]
    with pytest.raises(
        DataError, match="did not answer .HTTP 500.: run the same command again later"
    ):
        enrich(store, one)
    assert store.graph_digest == before and len(list((tmp_path / "cache").iterdir())) == 1
    Sparql.asked = []
    assert enrich(store, one)["edges_added"] == 4 and len(Sparql.asked) == 2


def test_a_refusal_is_not_repeated_and_what_cannot_be_asked_is_said(tmp_path, store, endpoint):
    Sparql.script = ["400"]
    with pytest.raises(DataError, match="HTTP 400"):
        enrich(store, config(tmp_path, endpoint))
    assert len(Sparql.asked) == 1
    with pytest.raises(DataError, match="no relation 'mood'"):
        enrich(store, config(tmp_path, endpoint, relations=("mood",)))
    store.db.execute("DELETE FROM links")
    with pytest.raises(DataError, match="no item .* has an IMDb id"):
        enrich(store, config(tmp_path, endpoint))


@pytest.mark.journey
def test_the_command(tmp_path, store, endpoint):
    store.close()
    words = (
        "data",
        "enrich",
        "wikidata",
        "--store",
        tmp_path / "s.duckdb",
        "--endpoint",
        endpoint,
        "--cache",
        tmp_path / "c",
        "--pause",
        0,
    )
    facts = json.loads(rerec(*words, "--relations", "director", "--json").stdout)
    assert facts["edges_added"] == 2 and len(facts["graph_digest"]) == 16


def test_fault_case_08_blank_nodes_are_left_out(tmp_path, store, endpoint, monkeypatch):
    blank = "../.well-known/genid/0123"
    spelled = "Pen&eacute;\u00a0Land"
    rows = [("country", "Q99", "Q99"), ("country", blank, "t1"), ("country", "Q31", spelled)]
    monkeypatch.setitem(FACTS, "Q300", rows)
    figures = {"asked": 3, "found": 3, "edges_added": 5, "blank_nodes": 1, "nameless": 1}
    assert enrich(store, config(tmp_path, endpoint)) == figures
    named = (
        "SELECT name FROM attributes WHERE name LIKE '%Land' OR name IN ('Q99', 't1') ORDER BY 1"
    )
    assert store.rows(named) == [("Pené Land",), ("Q99",)]
