"""`Evidence`: all that the other rooms may know of a store, in memory, so that they never touch
DuckDB.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.audience import with_audiences
from data_engine.graphs.cards import Cards
from data_engine.graphs.interactions import InteractionGraph
from data_engine.store.database import Store


@dataclass(frozen=True)
class Evidence:
    """The graphs, the cards made from them and the item embeddings (empty before `rerec data
    embed`).
    """

    domain: str
    digest: str
    attributes: AttributeGraph
    interactions: InteractionGraph
    cards: Cards
    embeddings: dict[str, np.ndarray]
    demographics: frozenset[str]

    @classmethod
    def load(cls, path: Path | str) -> "Evidence":
        """Read a store without locking others out. Raises DataError when there is no catalogue in
        it.
        """
        with Store.open(path, read_only=True) as store:
            digest, attributes = (
                store.graph_digest,
                with_audiences(AttributeGraph.from_store(store), store),
            )
            known = {
                c
                for c in ("age", "gender", "occupation")
                if store.rows(f"SELECT 1 FROM users WHERE {c} IS NOT NULL LIMIT 1")
            }
            return cls(
                str(store.meta("domain")),
                digest,
                attributes,
                InteractionGraph.from_store(store),
                Cards.from_graph(attributes),
                store.embeddings(),
                frozenset(known),
            )
