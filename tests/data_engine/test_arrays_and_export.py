"""The graphs as arrays and as other tools' files: the same edges as the tables hold, read back by
the other tool.
"""

import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data_engine.errors import DataError
from data_engine.graphs.arrays import GraphArrays, Strings
from data_engine.graphs.export import export_graph
from data_engine.store.database import Store


@pytest.fixture
def store(hand_store, tmp_path):
    path = tmp_path / "s.duckdb"
    path.write_bytes(hand_store.read_bytes())
    with Store.open(path) as opened:
        yield opened


@given(st.lists(st.text(), unique=True))
def test_strings_come_back_and_are_found(words):
    words.sort()
    packed = Strings.pack(words)
    assert list(packed) == words
    assert [packed.find(w) for w in words] == list(range(len(words)))
    assert packed.find("no such word, surely") is None


def test_arrays_hold_the_tables(store):
    arrays = GraphArrays.of(store)
    found = {
        (
            arrays.item_ids[k],
            arrays.relations[arrays.relation[e]],
            arrays.attribute_ids[arrays.attribute[e]],
        )
        for k in range(len(arrays.item_ids))
        for e in range(arrays.edge_start[k], arrays.edge_start[k + 1])
    }
    assert found == set(store.rows("SELECT item_id, relation, attribute_id FROM edges"))
    assert (
        arrays.titles[arrays.item_ids.find("i3")] == "Film C (1983)"
        and arrays.names[arrays.attribute_ids.find("d1")] == "Ann Arden"
    )
    k = arrays.user_ids.find("u2")
    mine = slice(arrays.like_start[k], arrays.like_start[k + 1])
    rows = store.rows(
        "SELECT item_id, rating, timestamp FROM interactions WHERE user_id = 'u2' ORDER BY "
        "timestamp"
    )
    assert [
        (arrays.item_ids[i], r, t)
        for i, r, t in zip(arrays.item[mine], arrays.rating[mine], arrays.time[mine], strict=True)
    ] == rows
    assert arrays.liked[mine].tolist() == [rating >= 4 for _, rating, _ in rows]


def test_credit_order_is_kept(store):
    arrays = GraphArrays.of(store)
    k = arrays.item_ids.find("i5")  # s1 before s2 in the credits
    edges = slice(arrays.edge_start[k], arrays.edge_start[k + 1])
    stars = [
        arrays.attribute_ids[a]
        for r, a in zip(arrays.relation[edges], arrays.attribute[edges], strict=True)
        if arrays.relations[r] == "starring"
    ]
    assert stars == ["s1", "s2"]


def test_arrays_are_mapped_read_only_and_made_once(store):
    first = GraphArrays.of(store)
    assert isinstance(first.attribute.base, np.memmap) and not first.attribute.flags.writeable
    folder = store.path.with_name("s.duckdb.arrays") / store.graph_digest
    made = (folder / "item.npy").stat().st_mtime_ns
    assert GraphArrays.of(store).digest == store.graph_digest
    assert (folder / "item.npy").stat().st_mtime_ns == made


def test_another_graph_gets_other_arrays_while_the_old_stay_readable(store):
    old = GraphArrays.of(store)
    with store.transaction():
        store.db.execute("DELETE FROM edges WHERE relation = 'composer'")
        store.drop_derived()
    new = GraphArrays.of(store)
    assert len(new.relation) == len(old.relation) - 12 and new.digest != old.digest
    assert int(old.attribute.sum()) > 0  # still mapped
    assert [p.name for p in store.path.with_name("s.duckdb.arrays").iterdir()] == [new.digest]


WRITES = """
import sys
from pathlib import Path
import numpy as np
from data_engine.graphs.arrays import GraphArrays
from data_engine.store.database import Store
save, names = np.save, []

def slow(file, array, **options):
    save(file, array, **options)
    names.append(file)
    if len(names) == 3:
        print(file.parent, flush=True)
        sys.stdin.read()

np.save = slow
with Store.open(Path(sys.argv[1]), read_only=True) as store:
    assert GraphArrays.of(store).digest == store.graph_digest
"""


@pytest.fixture
def writer(hand_store, tmp_path):
    """A copy of the store, another process that is half through writing its arrays, and the folder
    it writes to.
    """
    path = tmp_path / "s.duckdb"
    path.write_bytes(hand_store.read_bytes())
    words = [sys.executable, "-c", WRITES, str(path)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield path, process, process.stdout.readline().strip()
        process.kill()


def folders(path):
    return sorted(p.name for p in path.with_name("s.duckdb.arrays").iterdir())


def test_fault_15_what_another_process_is_writing_is_left_to_it(writer):
    path, process, part = writer
    with Store.open(path, read_only=True) as store:
        assert len(GraphArrays.of(store).item_ids) == 12
        assert os.path.isdir(part) and len(folders(path)) == 2
        process.communicate("")
        assert process.returncode == 0 and folders(path) == [
            store.graph_digest
        ]  # the first of both is kept


def test_fault_15_what_a_killed_process_left_is_removed(writer):
    path, process, part = writer
    process.kill()
    process.wait()
    other = path.with_name("s.duckdb.arrays") / ".part-another-machine-1-abcdefgh"
    other.mkdir()
    with Store.open(path, read_only=True) as store:
        assert len(GraphArrays.of(store).item_ids) == 12
        assert not os.path.exists(part) and folders(path) == [other.name, store.graph_digest]
    os.utime(other, (0, 0))
    with Store.open(path) as store:
        with store.transaction():
            store.db.execute("DELETE FROM edges WHERE relation = 'composer'")
            store.drop_derived()
        GraphArrays.of(store)
        assert folders(path) == [store.graph_digest]


def test_fault_15_a_failed_write_leaves_nothing(store, monkeypatch):
    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "save", full)
    assert len(GraphArrays.of(store).item_ids) == 12 and folders(store.path) == []


def test_fault_15_arrays_that_another_process_removes_are_held_in_memory(store, monkeypatch):
    """Another process, which has a newer graph, removes the folder after this one has found it."""
    GraphArrays.of(store)
    folder, load = store.path.with_name("s.duckdb.arrays") / store.graph_digest, np.load

    def removed(file, **options):
        if folder.exists():
            folder.rename(folder.with_name(".part-removed"))
        return load(file, **options)

    monkeypatch.setattr(np, "load", removed)
    assert len(GraphArrays.of(store).item_ids) == 12


def test_where_nothing_can_be_written_the_arrays_stay_in_memory(store):
    store.path.with_name("s.duckdb.arrays").write_text("in the way")
    arrays = GraphArrays.of(store)
    assert len(arrays.relation) == len(store.rows("FROM edges")) and not isinstance(
        arrays.relation.base, np.memmap
    )


@pytest.mark.parametrize("harm", ["missing", "cut", "object"])
def test_a_damaged_file_says_what_to_do(store, harm):
    GraphArrays.of(store)
    file = store.path.with_name("s.duckdb.arrays") / store.graph_digest / "item.npy"
    if harm == "object":
        np.save(file, np.array([{}], object), allow_pickle=True)
    elif harm == "cut":
        file.write_bytes(file.read_bytes()[:20])
    else:
        file.unlink()
    with pytest.raises(DataError, match="delete the folder"):
        GraphArrays.of(store)


def test_parquet_holds_every_edge_with_its_names(store, tmp_path):
    facts = export_graph(store, tmp_path / "edges.parquet", None, 2)
    table = pq.read_table(tmp_path / "edges.parquet").to_pylist()
    assert facts["edges"] == len(table) == len(store.rows("FROM edges"))
    assert {
        "item_id": "i1",
        "title": "Film A (1981)",
        "relation": "director",
        "attribute_id": "d1",
        "name": "Ann Arden",
        "position": 0,
    } in table


def test_pytorch_geometric_reads_both_graphs_without_pickle(store, tmp_path):
    from torch_geometric.data import (
        HeteroData,  # seconds, which every worker would spend where it stood above
    )

    export_graph(store, tmp_path / "graph.pt", None, 2)
    data = HeteroData.from_dict(torch.load(tmp_path / "graph.pt", weights_only=True))
    data.validate()
    assert data["item"].num_nodes == 12 and set(data.node_types) == {"item", "attribute", "user"}
    edges = data["item", "director", "attribute"].edge_index.T.tolist()
    named = {(data["item"].title[i], data["attribute"].name[a]) for i, a in edges}
    assert named == set(
        store.rows(
            "SELECT title, name FROM edges JOIN items USING (item_id) JOIN attributes USING "
            "(attribute_id) WHERE relation = 'director'"
        )
    )
    seen = data["user", "interacts", "item"]
    assert (
        seen.edge_index.shape == (2, len(store.rows("FROM interactions")))
        and seen.rating.max() == 5
    )


@pytest.mark.parametrize(
    ("name", "item", "words"),
    [("g.txt", None, "ending"), ("g.pt", "i1", "whole graph"), ("g.gexf", "i99", "no item")],
)
def test_wrong_wishes_write_nothing(store, tmp_path, name, item, words):
    with pytest.raises(DataError, match=words):
        export_graph(store, tmp_path / "out" / name, item, 2)
    assert not (tmp_path / "out").exists()
