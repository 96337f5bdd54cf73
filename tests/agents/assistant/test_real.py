import pytest

from agents.assistant.catalogue import Catalogue
from data_engine.importers.movielens import MovieLens
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from tests.agents.assistant.real import QUERIES, SHARED, compared, scores

pytestmark = pytest.mark.journey
ML1M = SHARED / "ml-1m"


@pytest.mark.skipif(not (QUERIES.is_file() and ML1M.is_dir()), reason="no real queries here")
def test_real_queries_are_understood_as_they_were_labelled(tmp_path):
    files = {"triples": ML1M / "kg.tsv.gz", "ratings": ML1M / "pairs.tsv.gz"}
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        store.replace_catalogue(MovieLens(folder=ML1M, **files), ImportOptions(skip_unknown=True))
    found = list(compared(Catalogue.load(tmp_path / "s.duckdb").graph))
    assert scores(found, "conditions")[2] >= 0.90
    assert scores(found, "anchors")[2] >= 0.90
    assert scores(found, "same")[2] >= 0.90
    assert scores(found, "unknown names")[1] == 1.0  # all of them are said
