"""A store, its export and a running server, for the packages of other trainers."""

import json
import re

import pytest

from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from reward_server.local import local_server
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response
from tests.doors.environments import Maker
from tests.structure import ROOT
from train.tasks.export import export

FENCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="session")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("environments"))


@pytest.fixture(scope="session")
def dataset(film_store, tmp_path_factory):
    """rl.parquet and rl.jsonl, as `rerec train export` writes them."""
    out = tmp_path_factory.mktemp("dataset")
    with Store.open(film_store, read_only=True) as store:
        export({"rl": store.examples("rl")}, Evidence.load(film_store), out, "chat", tools=True)
    return out


@pytest.fixture(scope="session")
def rows(dataset):
    return [json.loads(line) for line in (dataset / "rl.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def server(film_store, tmp_path_factory):
    """A server that shows gold to whoever may ask, so that gold can be validated."""
    log = tmp_path_factory.mktemp("server") / "log"
    with local_server(film_store, log, ["--explore"]) as url:
        yield url


@pytest.fixture(scope="session")
def expected(film_store):
    """expected(example id, text) → the Score that the scorer gives in this process."""
    snapshot = Snapshot.load(film_store)

    def score(example_id, text):
        return snapshot.score([Response(example_id, text)], PROFILES["rerec"])[0]

    return score


def code_of(page):
    """The Python of a how-to page, its blocks one after the other."""
    text = (ROOT / "docs/how-to" / page).read_text(encoding="utf-8")
    return "\n".join(FENCE.findall(text))
