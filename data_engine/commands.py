"""`rerec data …` and `rerec verify`."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from data_engine.errors import DataError
from data_engine.import_commands import importing, keep
from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption

data = typer.Typer(
    no_args_is_help=True,
    help="Import catalogues, embed items, look at the graphs.",
    pretty_exceptions_enable=False,
)
data.add_typer(importing, name="import")
enriching = typer.Typer(no_args_is_help=True, help="Add attributes from elsewhere.")
data.add_typer(enriching, name="enrich")


@data.command()
def embed(
    store: StoreOption = DEFAULT_STORE,
    method: Annotated[str, typer.Option(help="lightgcn, als or popularity.")] = "lightgcn",
    dims: Annotated[int, typer.Option(min=2, max=1024)] = 64,
    layers: Annotated[int, typer.Option(min=1, max=8, help="Propagation steps of LightGCN.")] = 3,
    epochs: Annotated[
        int, typer.Option(min=1, help="The most; it stops when validation NDCG@10 no longer rises.")
    ] = 60,
    patience: Annotated[
        int,
        typer.Option(
            min=1,
            help="LightGCN: so many epochs without a rise before it stops; 20 finds a little more.",
        ),
    ] = 6,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Learn item embeddings from the liked interactions (for preference alignment). Run it again to
    go on after an interruption.

    Example: rerec data embed --store runs/movies.duckdb --dims 64
    """
    from data_engine.graphs.interactions import InteractionGraph
    from data_engine.preference import Likes, make_model
    from data_engine.preference import embed as learn
    from data_engine.runtime.provenance import provenance
    from data_engine.store.database import Store

    checkpoint = store.with_name(store.name + ".embed.pt")
    config = {
        "method": method,
        "dims": dims,
        "layers": layers,
        "epochs": epochs,
        "patience": patience,
        "seed": seed,
    }
    with Store.open(store) as opened, progress(method, epochs) as tell:
        digest = opened.graph_digest
        model = make_model(**config, checkpoint=checkpoint)
        likes = Likes.of(InteractionGraph.from_store(opened))
        found = learn(
            likes, model, lambda done, ndcg: tell(done, note=f"validation NDCG@10 {ndcg:.4f}")
        )
        opened.save_embeddings(
            found.items,
            found.vectors,
            provenance(config=config, validation_ndcg10=found.validation_ndcg10),
        )
    checkpoint.unlink(missing_ok=True)
    show(
        {
            "items": len(found.items),
            **config,
            "validation_ndcg10": round(found.validation_ndcg10, 4),
            "graph_digest": digest,
        },
        as_json,
    )


@enriching.command("wikidata")
def enrich_wikidata(
    store: StoreOption = DEFAULT_STORE,
    relations: Annotated[
        str | None, typer.Option(help="Comma-separated; all that are known when left out.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Another SPARQL endpoint than Wikidata's.")
    ] = None,
    cache: Annotated[
        Path,
        typer.Option(help="Where answers are kept, so that a rerun asks only what is missing."),
    ] = Path("runs/wikidata"),
    batch: Annotated[int, typer.Option(min=1, max=500, help="Ids in one request.")] = 50,
    pause: Annotated[float, typer.Option(min=0, help="Seconds between requests.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Add directors, casts, authors, genres, countries … to items with an IMDb id, ISBN or Wikidata
    id.

    Example: rerec data enrich wikidata --store runs/movies.duckdb --relations director,starring
    """
    from data_engine.importers.wikidata import ENDPOINT, PROPERTIES, Wikidata, enrich
    from data_engine.store.database import Store

    chosen = (
        tuple(word.strip() for word in relations.split(",")) if relations else tuple(PROPERTIES)
    )
    config = Wikidata(
        cache=cache, endpoint=endpoint or ENDPOINT, relations=chosen, batch=batch, pause=pause
    )
    with Store.open(store) as opened, progress("wikidata") as tell:
        facts = enrich(opened, config, lambda done, total: tell(done, total))
        show({**facts, "graph_digest": opened.graph_digest}, as_json)


@data.command()
def stats(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Sizes, coverage by relation, and what can be asked of this store.

    Example: rerec data stats --store runs/movies.duckdb --json
    """
    from data_engine.graphs.evidence import Evidence
    from data_engine.store.database import Store
    from data_engine.store.ratings import liked_share, rating_range, warning

    with Store.open(store, read_only=True) as opened:
        _ = opened.graph_digest  # raises where there is no catalogue yet
        scale, share = opened.scale, liked_share(opened.db, opened.scale)
        rated, *_ = rating_range(opened.db)
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
            "scale": f"{scale.low:g} to {scale.high:g}, liked from {scale.liked_from:g}"
            if rated
            else "none: no rating says what is liked",
            "liked_share": "no ratings" if share is None else round(share, 3),
            **({"warning": warning(share)} if warning(share) else {}),
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


@data.command()
def doctor(
    store: StoreOption = DEFAULT_STORE,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Mend what can be mended without guessing, and say what was done."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Duplicates, orphans, dangling edges, name collisions, suspicious links; coverage and degrees.

    Example: rerec data doctor --store runs/movies.duckdb
    """
    from data_engine.quality.doctor import degrees, examine, repair
    from data_engine.store.database import Store

    with Store.open(store, read_only=not fix) as opened:
        digest = opened.graph_digest
        mended = repair(opened) if fix else []
        found, spread, counts = examine(opened), degrees(opened), opened.counts()
        coverage = opened.rows(
            "SELECT relation, count(DISTINCT item_id) FROM edges GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        changed = {"new_graph_digest": opened.graph_digest} if opened.graph_digest != digest else {}
    facts = {
        "coverage": {r: round(n / counts["items"], 3) for r, n in coverage},
        "degrees": spread,
        **changed,
    }
    if as_json:
        show(
            facts
            | {
                "findings": [f.model_dump() for f in found],
                "mended": [f.model_dump() for f in mended],
            },
            True,
        )
        return
    show(
        {
            **{f"degree: {what}": figures for what, figures in spread.items()},
            "coverage": facts["coverage"],
            **changed,
        },
        False,
        str(store),
    )
    show({f"mended: {f.count} {f.kind}": f.fix for f in mended}, False, "mended" if mended else "")
    show(
        {
            f"{f.count} {f.kind}": "; ".join(f.shown) + (" …" if f.count > len(f.shown) else "")
            for f in found
        },
        False,
        "found",
    )
    if changed:
        print(
            "the graph changed: embeddings and Examples were removed, make them again with "
            "`rerec data embed` and `rerec synth`"
        )


@data.command()
def card(
    out: Annotated[
        Path,
        typer.Argument(
            help="Folder of the card; splits written there by `rerec synth --out` are named in it."
        ),
    ],
    store: StoreOption = DEFAULT_STORE,
    licence: Annotated[
        str, typer.Option(help="Hugging Face identifier of the data's licence: only you know it.")
    ] = "unknown",
    as_json: JsonOption = False,
) -> None:
    """Write a dataset card (README.md, Hugging Face format) with statistics, provenance and plots.

    Example: rerec data card runs/dataset --store runs/movies.duckdb --licence other
    """
    from data_engine.datasets.dataset_card import write_card

    splits = [path.stem for path in out.glob("*.parquet")]
    show(
        {
            "card": str(write_card(store, out, licence, splits)),
            "splits": ", ".join(sorted(splits)) or "none",
        },
        as_json,
    )


@data.command()
def fetch(
    name: Annotated[
        str,
        typer.Argument(help="ml-100k, ml-1m, ml-10m, ml-20m, ml-25m, ml-32m or ml-latest-small."),
    ],
    folder: Annotated[Path, typer.Option(help="Where data sets are kept.")] = Path("data"),
    as_json: JsonOption = False,
) -> None:
    """Download a known data set, check it and unpack it. Run it again to go on after an
    interruption.

    Example: rerec data fetch ml-1m --folder data
    """
    from data_engine.importers.fetch import KNOWN
    from data_engine.importers.fetch import fetch as download

    with progress(f"fetch {name}") as tell:
        path = download(name, folder, progress=lambda done, total: tell(done, total))
    show(
        {"folder": str(path), "terms": KNOWN[name].terms, "next": f"{KNOWN[name].command} {path}"},
        as_json,
    )


@data.command()
def subset(
    out: Annotated[Path, typer.Argument(help="The store to write.")],
    store: StoreOption = DEFAULT_STORE,
    core: Annotated[
        int,
        typer.Option(
            min=1, help="Keep users and items with at least this many interactions (k-core)."
        ),
    ] = 1,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First day of the interactions to keep."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day not to keep.")
    ] = None,
    relations: Annotated[
        str | None,
        typer.Option(help="Comma-separated: the relations of the attribute graph to keep."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a part of a catalogue into another store.

    Example: rerec data subset runs/core.duckdb --store runs/ml1m.duckdb --core 10 --relations
    director,starring,genre
    """
    from data_engine.datasets.subset import Subset

    if out.resolve() == store.resolve():
        raise DataError(f"{out} is the store to read from: give another to write to")
    kept = tuple(word.strip() for word in relations.split(",")) if relations else None
    window = {"since": since.date() if since else None, "until": until.date() if until else None}
    keep(Subset(path=store, core=core, relations=kept, **window), out, as_json)


@data.command("export-graph")
def export_graph(
    out: Annotated[
        Path,
        typer.Argument(
            help="File to write: .graphml, .gexf, .parquet (edges) or .pt (PyTorch Geometric, "
            "both graphs)."
        ),
    ],
    store: StoreOption = DEFAULT_STORE,
    item: Annotated[
        str | None, typer.Option(help="Only the neighbourhood of this item id (.graphml, .gexf).")
    ] = None,
    hops: Annotated[int, typer.Option(min=1, help="How far the neighbourhood reaches.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Write the graph for another tool: the item–attribute graph, whole or around one item, or both
    graphs as tensors.

    Example: rerec data export-graph heat.graphml --store runs/movies.duckdb --item 6 --hops 2
    """
    from data_engine.graphs.export import export_graph as write
    from data_engine.store.database import Store

    with Store.open(store, read_only=True) as opened:
        show(write(opened, out, item, hops), as_json)


verify = typer.Typer(pretty_exceptions_enable=False)


@verify.command()
def _verify(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Re-check every Example against the raw tables, with code of its own. Exits non-zero when one
    fails.

    Example: rerec verify --store runs/movies.duckdb
    """
    from data_engine.quality.audit import audit
    from data_engine.store.database import Store

    with Store.open(store, read_only=True) as opened, progress("verify") as tell:
        result = audit(opened, tell)
    if not result.checked:
        raise DataError(f"{store} holds no Examples: run `rerec synth --store {store}`")
    failed = len({example for example, _ in result.violations})
    show(
        {
            "checked": result.checked,
            "passed": result.checked - failed,
            "kinds": dict(result.kinds),
            "splits": dict(result.splits),
        },
        as_json,
    )
    if result.violations:
        example, problem = result.violations[0]
        raise DataError(
            f"{failed} of {result.checked} Examples fail the re-check (first: {example}: "
            f"{problem}): synthesise again"
        )
