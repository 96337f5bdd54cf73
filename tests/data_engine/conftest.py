"""Fixtures of the tests of files."""

import pytest

from data_engine.importers.graph_files import GraphFile
from data_engine.importers.tables import Tables
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from tests.conftest import hand_catalogue
from tests.data_engine.files import HEADER, folder, load, rows

EDGES = """SELECT item_id, relation, attribute_id, name
    FROM edges JOIN attributes USING (attribute_id) ORDER BY ALL"""


@pytest.fixture
def plain(tmp_path):
    """The digest of the thirty ratings as they should be read."""
    return load(
        tmp_path / "plain.duckdb", Tables(folder=folder(tmp_path / "plain", HEADER + rows()))
    )[2]


@pytest.fixture
def read(tmp_path):
    """read(name, text, links=rows, …) → (edges, what was understood); i1 is "Film A (1981)" …"""

    def run(name, text, links=None, **options):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / "links.csv").write_text(
            "item_id,uri\n" + "".join(f"{item},{uri}\n" for item, uri in links or ())
        )
        with Store.open(tmp_path / "s.duckdb", create=True) as store:
            store.replace_catalogue(hand_catalogue())
            source = GraphFile(
                path=tmp_path / name, links=tmp_path / "links.csv" if links else None, **options
            )
            settled = store.replace_attributes(source, ImportOptions())
            return store.rows(EDGES), settled.understood

    return run
