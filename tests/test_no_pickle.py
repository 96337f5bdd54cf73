"""Nothing of ours unpickles from disk: by the source of all loaders, and by files that would run
code if one did.
"""

import ast

import numpy as np
import pytest
import torch

from data_engine.errors import DataError
from data_engine.graphs.arrays import GraphArrays
from data_engine.graphs.interactions import InteractionGraph
from data_engine.names.sentences import kept_vectors
from data_engine.preference import Likes, embed, make_model
from data_engine.runtime.atomic import write
from data_engine.store.database import Store
from tests.structure import ROOMS, ROOT

UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
SAFE = {"torch.load": {"weights_only": True}, "np.load": {"allow_pickle": False}}  # and must say so
UNSAFE = {
    "np.fromfile",
    "pd.read_pickle",
    "yaml.load",
    "yaml.full_load",
    "yaml.unsafe_load",
    "torch.jit.load",
    "torch.hub.load",
}
PLACES = [
    pytest.param(path, id=str(path.relative_to(ROOT)))
    for room in (*ROOMS, "environments")
    for path in sorted((ROOT / room).rglob("*.py"))
]


class Bomb:
    """What unpickling it does: a file appears."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def problems(source):
    """Imports and calls by which a file could unpickle."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] in UNPICKLERS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNPICKLERS:
            yield node.module
        elif isinstance(node, ast.Call):
            given = {
                k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)
            }
            name = ast.unparse(node.func).replace("numpy.", "np.")
            if name in UNSAFE or given.get("trust_remote_code"):
                yield name
            if name in SAFE and not given.items() >= SAFE[name].items():
                yield name


def test_no_loader_in_the_source_can_unpickle():
    found = {path.id: list(problems(path.values[0].read_text())) for path in PLACES}
    assert len(found) > 250 and {name: some for name, some in found.items() if some} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(x)",
        "torch.load(x, weights_only=False)",
        "numpy.load(x, mmap_mode='r')",
        "np.load(x, allow_pickle=True)",
        "yaml.load(x)",
        "AutoModel.from_pretrained(x, trust_remote_code=True)",
    ],
)
def test_the_check_sees_what_it_looks_for(source):
    assert list(problems(source))


def test_a_checkpoint_that_is_a_bomb_does_not_go_off(film_store, tmp_path):
    checkpoint, mark = tmp_path / "lightgcn.pt", tmp_path / "mark"
    torch.save({"state": Bomb(mark)}, checkpoint)
    with Store.open(film_store, read_only=True) as store:
        likes = Likes.of(InteractionGraph.from_store(store))
    model = make_model("lightgcn", dims=4, layers=1, epochs=1, seed=0, checkpoint=checkpoint)
    with pytest.raises(Exception, match="(?i)weights"):
        embed(likes, model)
    assert not mark.exists()


def test_arrays_that_are_bombs_do_not_go_off(film_store, tmp_path):
    mark = tmp_path / "mark"
    texts, folder = ["a", "b"], tmp_path / "vectors"
    kept_vectors(lambda some: np.ones((len(some), 2)), "encoder", texts, folder)
    (kept,) = folder.iterdir()
    np.save(kept, np.array([Bomb(mark)], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        kept_vectors(lambda some: np.ones((len(some), 2)), "encoder", texts, folder)
    with Store.open(film_store, read_only=True) as store:
        arrays = GraphArrays.of(store)
    saved = tmp_path / arrays.digest
    arrays.save(saved)
    write(saved / "relation.npy", kept.read_bytes())
    with pytest.raises(DataError, match="delete the folder"):
        GraphArrays.open(saved)
    assert not mark.exists()
    np.load(kept, allow_pickle=True)  # it would have gone off
    assert mark.exists()
