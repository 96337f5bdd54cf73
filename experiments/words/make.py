"""Writes what `rerec synth` says, for a person to read: `python experiments/words/make.py`.

films.md and books.md have 40 queries and the chains of ten of them per kind, seed 1, as they come:
of the embedded world, whose users are given groups by their taste, and of the tests' book
catalogue.
"""

import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from agents.synthesis.config import SynthConfig
from agents.synthesis.kinds import can_carry
from agents.synthesis.run import synthesise
from agents.synthesis.world import World
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.evidence import Evidence
from data_engine.importers.world import WorldConfig, make_world
from data_engine.responses.telling import told
from data_engine.schema import KINDS, Example
from data_engine.store.catalogue import Catalogue
from data_engine.store.database import Store
from tests.agents.books import book_catalogue

HERE, QUERIES, CHAINS = Path(__file__).parent, 40, 10
GROUPS = {  # a user's favourite genre → gender, age and occupation
    "Romance": ("F", "25-34", "homemaker"),
    "Drama": ("F", "35-44", "lawyer"),
    "Comedy": ("M", "18-24", "college/grad student"),
    "Action": ("M", "under 18", "K-12 student"),
    "War": ("M", "56+", "retired"),
}
OTHERS = ("F", "45-49", "artist")


def films() -> Catalogue:
    """The embedded world, its users in groups by the genre that they like most."""
    made = make_world(WorldConfig())
    genres = defaultdict(list)
    names = dict(made.attributes)
    for item, relation, attribute, _ in made.edges:
        if relation == "genre":
            genres[item].append(names[attribute])
    liked: dict[str, Counter[str]] = defaultdict(Counter)
    for user, item, rating, _ in made.interactions:
        liked[user].update(genres[item] if rating is not None and rating >= 4 else ())
    for user in sorted(liked):
        (favourite, _), *_ = liked[user].most_common(1) or [("", 0)]
        gender, age, occupation = GROUPS.get(favourite, OTHERS)
        made.users.append((user, age, gender, occupation))
    return made


def write(catalogue: Catalogue, path: Path) -> None:
    """Make the Examples of a catalogue and the page."""
    with tempfile.TemporaryDirectory() as made:
        store = Path(made) / "store.duckdb"
        with Store.open(store, create=True) as opened:
            opened.replace_catalogue(catalogue)
        evidence = Evidence.load(store)
        kinds = [kind for kind in KINDS if can_carry(kind, World(evidence))]
        config = SynthConfig(
            counts={"sft": QUERIES * len(kinds)}, kinds=kinds, levels=(1, 2, 3), seed=1
        )
        by_kind: dict[str, list[Example]] = defaultdict(list)
        for example in synthesise(store, config):
            by_kind[example.kind].append(example)
    lines = [f"# {path.stem.capitalize()}: what `rerec synth` says, seed 1", ""]
    for kind in kinds:
        lines += page(kind, by_kind[kind], evidence.attributes)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def page(kind: str, examples: list[Example], graph: AttributeGraph) -> list[str]:
    """The lines of one kind: queries with register and level, then chains as sentences."""
    lines = [f"## {kind}", ""]
    for example in examples:
        turns = [f"{t.role}: {t.text}" for t in example.turns] or [example.query]
        lines.append(f"- ({example.style}, {example.level}) {' / '.join(turns)}")
    lines += ["", "### Chains", ""]
    for example in examples[:CHAINS]:
        lines += [f"**{example.query}**", ""]
        for chain in example.chains:
            said = " ".join(told(example, chain, graph.titles, graph.names))
            lines.append(f"- {chain.flaw or 'gold'}: {said}")
        lines.append("")
    return lines


if __name__ == "__main__":
    write(films(), HERE / "films.md")
    write(book_catalogue(), HERE / "books.md")
