"""`rerec data …` and `rerec verify`."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from data_engine.console import progress, show
from data_engine.errors import DataError

StoreOption = Annotated[Path, typer.Option("--store", help="The DuckDB file of the catalogue.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the facts as one JSON object.")]
SeedOption = Annotated[int, typer.Option(help="Seed of every random draw.")]
DEFAULT_STORE = Path("runs/store.duckdb")

data = typer.Typer(no_args_is_help=True, help="Import catalogues, embed items, look at the graphs.", pretty_exceptions_enable=False)
importing = typer.Typer(no_args_is_help=True, help="Import a catalogue: `world` (invented) or `tables` (your files).")
data.add_typer(importing, name="import")


@importing.command("world")
def import_world(store: StoreOption = DEFAULT_STORE, items: int = 1400, users: int = 900, seed: SeedOption = 0, as_json: JsonOption = False) -> None:
    """Invent a film catalogue with planted tastes and two-hop structure, and import it.

    Example: rerec data import world --store runs/world.duckdb --seed 1
    """
    from data_engine.importers.world import WorldConfig, make_world

    _keep(make_world(WorldConfig(items=items, users=users, seed=seed)), store, as_json)


@importing.command("tables")
def import_tables(
    folder: Annotated[Path, typer.Argument(help="Folder with ratings, items and triples as .csv or .tsv, gz or not.")],
    store: StoreOption = DEFAULT_STORE,
    domain: Annotated[str, typer.Option(help="What the items are, in the plural: movies, books …")] = "movies",
    skip_unknown: Annotated[bool, typer.Option(help="Leave out ratings and triples of items that the items file lacks.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Import ratings, items and triples.

    Example: rerec data import tables ../shared/data/movies --store runs/movies.duckdb
    """
    from data_engine.importers.tables import read_folder

    _keep(read_folder(folder, domain, skip_unknown=skip_unknown), store, as_json)


def _keep(catalogue: object, store: Path, as_json: bool) -> None:
    from data_engine.store import Store, check

    check(catalogue)  # before the file is made
    with Store.open(store, create=True) as opened:
        digest = opened.replace_catalogue(catalogue)
    counts = {"items": len(catalogue.items), "edges": len(catalogue.edges), "interactions": len(catalogue.interactions)}
    show({"store": str(store), "domain": catalogue.domain, **counts, "graph_digest": digest}, as_json)


@data.command()
def embed(
    store: StoreOption = DEFAULT_STORE, dims: int = 64, layers: int = 3, epochs: int = 60, seed: SeedOption = 0, as_json: JsonOption = False
) -> None:
    """Train LightGCN on the liked interactions and keep the item embeddings (for preference alignment).

    Example: rerec data embed --store runs/movies.duckdb --dims 64
    """
    from data_engine.graphs import InteractionGraph
    from data_engine.lightgcn import LightGCNConfig, train
    from data_engine.provenance import provenance
    from data_engine.store import Store

    config = LightGCNConfig(dims=dims, layers=layers, epochs=epochs, seed=seed)
    with Store.open(store) as opened, progress("LightGCN", config.epochs) as tell:
        digest = opened.graph_digest
        found = train(InteractionGraph.from_store(opened), config, lambda epoch, ndcg: tell(epoch, note=f"validation NDCG@10 {ndcg:.4f}"))
        opened.save_embeddings(found.items, found.vectors, provenance(config=config.model_dump(), validation_ndcg10=found.validation_ndcg10))
    facts = {
        "items": len(found.items),
        "dims": dims,
        "epochs": found.epochs,
        "validation_ndcg10": round(found.validation_ndcg10, 4),
        "graph_digest": digest,
    }
    show(facts, as_json)


@data.command()
def stats(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Sizes, coverage by relation, and what can be asked of this store.

    Example: rerec data stats --store runs/movies.duckdb --json
    """
    from data_engine.evidence import Evidence

    evidence = Evidence.load(store)
    graph, interactions = evidence.attributes, evidence.interactions
    coverage = Counter(relation for by in graph.edges.values() for relation in by)
    show(
        {
            "domain": evidence.domain,
            "graph_digest": evidence.digest,
            "items": len(graph.titles),
            "users": len(interactions.users),
            "interactions": len(interactions.user),
            "liked": int(interactions.positive.sum()),
            "timed": interactions.has_time,
            "edges": sum(map(len, graph.edge_sets.values())),
            "coverage": {r: round(n / len(graph.titles), 3) for r, n in coverage.most_common()},
            "items_with_card": len(evidence.cards.rows),
            "card": ", ".join(f"{c.relation} ×{c.width}" for c in evidence.cards.columns),
            "embedded": len(evidence.embeddings),
            "user_columns": ", ".join(sorted(evidence.demographics)) or "none",
        },
        as_json,
        str(store),
    )


@data.command("export-graph")
def export_graph(
    out: Annotated[Path, typer.Argument(help="File to write: .graphml or .gexf.")],
    store: StoreOption = DEFAULT_STORE,
    item: Annotated[str | None, typer.Option(help="Only the neighbourhood of this item id.")] = None,
    hops: int = 2,
    as_json: JsonOption = False,
) -> None:
    """Write the item–attribute graph, whole or around one item.

    Example: rerec data export-graph heat.graphml --store runs/movies.duckdb --item 6 --hops 2
    """
    import networkx as nx

    from data_engine.evidence import Evidence

    writers = {".graphml": nx.write_graphml, ".gexf": nx.write_gexf}
    if out.suffix not in writers:
        raise DataError(f"cannot write {out}: the ending must be one of {', '.join(writers)}")
    graph = Evidence.load(store).attributes
    if item is not None and item not in graph.titles:
        raise DataError(f"no item {item!r} in {store}")
    view = graph.neighbourhood(item, hops) if item is not None else graph.as_networkx()
    plain = nx.relabel_nodes(view, {node: ":".join(node) for node in view})
    out.parent.mkdir(parents=True, exist_ok=True)
    writers[out.suffix](plain, out)
    show({"file": str(out), "nodes": plain.number_of_nodes(), "edges": plain.number_of_edges()}, as_json)


verify = typer.Typer(pretty_exceptions_enable=False)


@verify.command()
def _verify(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Re-check every Example against the raw tables, with code of its own. Exits non-zero when one fails.

    Example: rerec verify --store runs/movies.duckdb
    """
    from data_engine.audit import audit
    from data_engine.store import Store

    with Store.open(store, read_only=True) as opened, progress("verify") as tell:
        result = audit(opened, tell)
    if not result.checked:
        raise DataError(f"{store} holds no Examples: run `rerec synth --store {store}`")
    failed = len({example for example, _ in result.violations})
    show({"checked": result.checked, "passed": result.checked - failed, "kinds": dict(result.kinds), "splits": dict(result.splits)}, as_json)
    if result.violations:
        example, problem = result.violations[0]
        raise DataError(f"{failed} of {result.checked} Examples fail the re-check (first: {example}: {problem}): synthesise again")
