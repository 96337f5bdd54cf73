"""RecBench+ queries (Huang et al., arXiv 2503.09382) as Examples to evaluate on: all five kinds,
films and books.

The benchmark names films by title and people by name; here both become ids of the store. What
cannot be found, or what the store's graph disproves, is left out and counted by reason. These
Examples hold no chains: nobody has labelled their reasoning.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from pydantic import Field

from data_engine.errors import ImportRefused
from data_engine.graphs.attributes import AttributeGraph
from data_engine.names.titles import TitleResolver, fold
from data_engine.runtime.config import Config
from data_engine.schema import Claim, Condition, Example, Kind, Provenance, content_hash

NAME = "recbench+"
Record = dict[str, Any]  # one JSON object of a file
RELATIONS = {
    "directed_by": "director",
    "produced_by": "producer",
    "written_by": "writer",
    "based_on": "based_on",
    "screenplay_by": "writer",
    "narrated_by": "narrator",
    "cinematography": "cinematographer",
    "edited_by": "editor",
    "music_by": "composer",
    "distributed_by": "distributor",
    "production_country": "country",
    "belongs_to": "genre",
}


class RecBench(Config):
    """`candidates`: items to choose from in each query, all gold ones among them; negatives are
    drawn by `seed`.
    """

    files: tuple[Path, ...]
    candidates: int = Field(20, ge=2, le=1000)
    seed: int = 0


class _Unusable(Exception):
    """A query that this store cannot carry; the message is the reason it is counted under."""


def read_recbench(
    config: RecBench, graph: AttributeGraph, domain: str, digest: str
) -> tuple[list[Example], Counter[str]]:
    """The Examples in file order, and how many queries were left out for which reason.

    Raises ImportRefused with file and record for what is no RecBench+ file, and when not one query
    can be used.
    """
    reader = _Reader(config, graph, domain, digest)
    examples, left_out = list[Example](), Counter[str]()
    for path in config.files:
        for number, record in enumerate(_records(path), 1):
            try:
                queries = list(_queries(record))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ImportRefused(
                    f"{path}: record {number} is no RecBench+ record ({type(error).__name__}: "
                    f"{error})"
                ) from error
            for kind, query, subset in queries:
                try:
                    examples.append(reader.example(record, kind, query, subset))
                except _Unusable as reason:
                    left_out[str(reason)] += 1
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise ImportRefused(
                        f"{path}: record {number} is no RecBench+ record "
                        f"({type(error).__name__}: {error})"
                    ) from error
    if not examples:
        raise ImportRefused(
            f"{', '.join(map(str, config.files))}: no query fits this store "
            f"({dict(left_out) or 'the files are empty'})"
        )
    return examples, left_out


def _records(path: Path) -> list[Record]:
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ImportRefused(f"no file at {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ImportRefused(f"{path}: no JSON file ({error})") from error
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ImportRefused(f"{path}: expected a list of records")
    return records


def _queries(record: Record) -> Iterator[tuple[Kind, str, list[str]]]:
    """(kind, query, titles of the gold items) for each query of a record."""
    if "query & ground true" in record:
        kind: Kind = "demographics" if "group" in record else "interest"
        for answer in record["query & ground true"]:
            if answer:
                yield kind, answer["query"], _either(answer, "{} subset")
        return
    kind = (
        "misinformed"
        if "misinformed" in record
        else "implicit"
        if "multihop_info" in record
        else "explicit"
    )
    query = record["query"] if kind == "misinformed" else record["situational_description_query"]
    yield kind, query, _either(record, "{}Subset")


def _either(record: Record, pattern: str) -> list[str]:
    """The value under the film's or the book's key."""
    film = pattern.format("movie")
    titles: list[str] = record[film if film in record else pattern.format("book")]
    return titles


class _Reader:
    def __init__(self, config: RecBench, graph: AttributeGraph, domain: str, digest: str) -> None:
        self.config, self.graph, self.domain, self.digest = config, graph, domain, digest
        self.titles, self.items = TitleResolver(graph.titles), sorted(graph.titles)
        self.named: dict[tuple[str, str], set[str]] = {}
        for relation, attribute in graph.items_by_edge:
            self.named.setdefault((relation, fold(graph.names[attribute])), set()).add(attribute)

    def example(self, record: Record, kind: Kind, query: str, subset: list[str]) -> Example:
        """Raises _Unusable with the reason."""
        if not isinstance(query, str) or not query.strip():
            raise _Unusable("no query")
        conditions = tuple(
            self._condition(relation, name)
            for relation, name in record.get("sharedRelationships", ())
        )
        gold = self._gold(subset, conditions)
        anchors = tuple(dict.fromkeys(self._item(hop) for hop in record.get("multihop_info", ())))
        films, books = (f"Shared consecutive {what}" for what in ("movies", "books"))
        liked = record[films] if films in record else record.get(books, ())
        users = record.get("source_user") or record.get("source_users") or ""
        body = Example(
            domain=self.domain,
            kind=kind,
            user=str(users if isinstance(users, str | int) else users[0]),
            query=query.strip(),
            conditions=conditions,
            anchors=anchors,
            premise=self._premise(record["misinformed"][0]) if kind == "misinformed" else None,
            history=tuple(self._known(liked)),
            candidates=gold,
            shuffle_seed=0,
            gold=gold,
            chains=(),
            difficulty=min(1.0, len(conditions) / 4),
            split="benchmark",
            provenance=Provenance(
                seed=self.config.seed,
                graph_digest=self.digest,
                writer=NAME,
                prompt_hash=content_hash(record),
            ),
        )
        return self._among_candidates(body).named()

    def _known(self, titles: Iterable[str]) -> list[str]:
        """The items that the titles name, those left out that name none or several."""
        found = [self.titles.resolve(title) for title in titles]
        return [resolution.items[0] for resolution in found if resolution.status == "ok"]

    def _gold(self, titles: list[str], conditions: tuple[Condition, ...]) -> tuple[str, ...]:
        """The items that the titles name and that the graph does not disprove."""
        items = dict.fromkeys(self._known(titles))
        gold = tuple(item for item in items if not self._disproved(item, conditions))
        if not gold:
            raise _Unusable("no gold item in this store that its graph does not disprove")
        return gold

    def _disproved(self, item: str, conditions: tuple[Condition, ...]) -> bool:
        return any(self.graph.excludes(item, c.relation, c.value) for c in conditions)

    def _condition(self, relation: str, name: str) -> Condition:
        key = RELATIONS.get(relation.lower(), relation.lower())
        values = self.named.get((key, fold(name)), set())
        if len(values) != 1:
            raise _Unusable(
                f"{'several values' if values else 'no value'} of that name in the store"
            )
        (value,) = values
        return Condition(relation=key, value=value, name=self.graph.names[value])

    def _item(self, hop: Record) -> str:
        found = self.titles.resolve(hop["movie"] if "movie" in hop else hop["book"])
        if found.status != "ok":
            raise _Unusable("an item that the query speaks of is not in the store")
        return found.items[0]

    def _premise(self, wrong: Record) -> Claim:
        item, false = self._item(wrong), self._condition(wrong["relation"], wrong["person"])
        if not self.graph.excludes(item, false.relation, false.value):
            raise _Unusable("the false premise is not false in the store")
        return Claim(kind="fact", subject=item, relation=false.relation, value=false.value)

    def _among_candidates(self, body: Example) -> Example:
        """Add negatives: any items for a query without conditions, else items that the graph proves
        to miss one.
        """
        seed = int(content_hash([self.config.seed, body.query], 8), 16)
        rng, chosen = Random(seed), dict.fromkeys(body.gold)
        for item in rng.sample(self.items, len(self.items)):
            if len(chosen) >= max(self.config.candidates, len(body.gold) + 1):
                break
            misses = not body.conditions or self._disproved(item, body.conditions)
            if misses and item not in body.anchors and item not in body.history:
                chosen.setdefault(item)
        candidates = sorted(chosen)
        rng.shuffle(candidates)
        return body.model_copy(update={"candidates": tuple(candidates), "shuffle_seed": seed})
