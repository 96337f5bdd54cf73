"""rerec: data, reward and training for recommendation assistants that reason.

The names below are the public Python interface. Each is imported when it is first used, so that
`import rerec` takes milliseconds and needs none of the heavy libraries.

    Store         a catalogue, its interactions and its Examples in one DuckDB file
    Example       one query with its candidates, gold items and labelled reasoning
    RewardClient  a blocking client of the reward server
    Weights       how the parts of a reward make a score
    score         scores of responses, in this process, without a server
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_engine.schema import Example
    from data_engine.store.database import Store
    from reward_server.client import RewardClient
    from reward_server.local_scoring import score
    from reward_server.wire import Weights

__all__ = ["Example", "RewardClient", "Store", "Weights", "score"]

_MODULES = {
    "Example": "data_engine.schema",
    "RewardClient": "reward_server.client",
    "Store": "data_engine.store.database",
    "Weights": "reward_server.wire",
    "score": "reward_server.local_scoring",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'rerec' has no attribute {name!r}")
    try:
        value = getattr(import_module(_MODULES[name]), name)
    except ModuleNotFoundError as error:
        raise _explained(error, name) from None
    globals()[name] = value  # the next access finds it without this function
    return value


def _explained(error: ModuleNotFoundError, name: str) -> ImportError:
    """The error with the part that brings a public name, where that part is not installed."""
    from rerec.parts import PART_OF_ROOM, PartMissing, part_with

    part = part_with(error.name or "", PART_OF_ROOM[_MODULES[name].split(".")[0]])
    return ImportError(str(PartMissing(f"rerec.{name}", part))) if part else error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
