"""A data set of the hub: its card tells `datasets` what it holds, and it is pushed as one commit,
to a stand-in for the hub on loopback.
"""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow.parquet as pq
import pytest

from data_engine.datasets.dataset_card import write_card
from data_engine.datasets.hub import push
from data_engine.datasets.parquet import read_examples, write_whole
from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from train.tasks.export import export


class Hub(BaseHTTPRequestHandler):
    """The four routes of the hub that a push of small files needs."""

    def do_POST(self):
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        self.server.calls.append((self.path, self.headers.get("authorization")))
        if self.server.refusing:
            return self.reply(403, {"error": "no"})
        if self.path == "/api/repos/create":
            self.server.created = json.loads(body)
            return self.reply(200, {"url": f"{self.server.url}/datasets/org/films"})
        if self.path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            told = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files
            ]
            return self.reply(200, {"files": told})
        if self.path.endswith("/commit/main"):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    value = line["value"]
                    self.server.files[value["path"]] = base64.b64decode(value["content"])
            url = f"{self.server.url}/datasets/org/films/commit/abc"
            return self.reply(200, {"commitUrl": url, "commitOid": "abc"})
        return self.reply(200, {})  # /api/validate-yaml

    def reply(self, code, body):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.calls, server.files, server.refusing = [], {}, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def dataset(film_store, tmp_path_factory):
    out = tmp_path_factory.mktemp("dataset")
    with Store.open(film_store, read_only=True) as store:
        examples = {split: store.examples(split) for split in ("rl", "test")}
    assert export(examples, Evidence.load(film_store), out, "chat") == {"rl": 40, "test": 20}
    write_card(film_store, out, "other", ["rl", "test"])
    return out


def test_datasets_reads_the_folder_by_its_card(dataset, film_store, tmp_path):
    from datasets import load_dataset

    found = load_dataset(str(dataset), cache_dir=str(tmp_path))
    assert {split: len(rows) for split, rows in found.items()} == {"rl": 40, "test": 20}
    with Store.open(film_store, read_only=True) as store:
        example, digest = store.examples("rl")[0], store.graph_digest
    row = found["rl"][0]
    assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    assert example.query in row["prompt"][1]["content"]
    assert {name: row[name] for name in ("example_id", "graph_digest", "kind", "label")} == {
        "example_id": example.example_id,
        "graph_digest": digest,
        "kind": example.kind,
        "label": f"{example.example_id}@{digest}",
    }
    plain = load_dataset("parquet", data_files=str(dataset / "rl.parquet"), cache_dir=str(tmp_path))
    assert plain["train"].features == found["rl"].features
    assert plain["train"].to_list() == found["rl"].to_list()


def test_an_export_holds_no_gold(dataset, film_store):
    """Of the candidates nothing tells the gold; the texts of chains are nowhere."""
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples("rl")
    table = pq.read_table(dataset / "rl.parquet")
    assert "example" not in table.column_names
    lines = (dataset / "rl.jsonl").read_text().splitlines()
    for example, row, line in zip(examples, table.to_pylist(), lines, strict=True):
        assert row["candidates"] == list(example.candidates)
        told = json.loads(line)
        assert told.pop("responses_create_params") == {"input": row["prompt"]}
        assert told == {name: row[name] for name in told}
        for text in (json.dumps(row), line):
            assert not any(step.text in text for step in example.chains[0].steps[-2:])
            assert text.count(example.gold[0]) == 1


def test_a_folder_is_pushed_as_one_commit(dataset, hub):
    (dataset / "notes.txt").write_text("not for the hub")
    assert push(dataset, "org/films", True, False).endswith("/commit/abc")
    assert hub.created["visibility"] == "private" and hub.created["type"] == "dataset"
    assert hub.files.keys() == {
        str(path.relative_to(dataset))
        for path in dataset.rglob("*")
        if path.is_file() and path.suffix != ".txt"
    }
    assert hub.files["rl.parquet"] == (dataset / "rl.parquet").read_bytes()
    assert {token for _, token in hub.calls if token} == {"Bearer hf_secret"}


def test_gold_is_pushed_only_on_purpose(dataset, film_store, hub, tmp_path):
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples("test")
    write_whole(tmp_path / "test.parquet", examples)
    with pytest.raises(DataError, match="rerec train export"):
        push(tmp_path, "org/films", True, False)
    (tmp_path / "README.md").write_text("---\nlicense: other\n---\n")
    with pytest.raises(DataError, match="holds gold.*--with-gold"):
        push(tmp_path, "org/films", True, False)
    assert not hub.calls
    push(tmp_path, "org/films", True, True)
    assert "test.parquet" in hub.files and read_examples(tmp_path / "test.parquet") == examples


def test_a_hub_that_refuses_is_one_clear_line(dataset, hub):
    hub.refusing = True
    with pytest.raises(DataError, match=r"the hub at http://127.* refused org/films: .*403"):
        push(dataset, "org/films", True, False)
    with pytest.raises(DataError, match="refused a name with spaces"):
        push(dataset, "a name with spaces", True, False)
