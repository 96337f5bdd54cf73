"""`rerec data embed` and `rerec data enrich`: what is added to an imported catalogue."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption

enriching = typer.Typer(no_args_is_help=True, help="Add attributes from elsewhere.")


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
    ray: Annotated[
        int,
        typer.Option(
            min=0,
            help="LightGCN: learn in N processes of a Ray cluster (RAY_ADDRESS, else this "
            "machine), each with its part of every batch; 0 in this process.",
        ),
    ] = 0,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Learn item embeddings from the liked interactions, for preference alignment.

    Run it again to go on after an interruption.

    Example: rerec data embed --store runs/movies.duckdb --dims 64
    """
    from data_engine.graphs.interactions import InteractionGraph
    from data_engine.preference import embed as learn
    from data_engine.preference import make_model
    from data_engine.preference.likes import Likes
    from data_engine.runtime.provenance import provenance
    from data_engine.store.database import Store

    checkpoint = store.with_name(store.name + ".embed.pt")
    sizes = {"dims": dims, "layers": layers, "epochs": epochs, "patience": patience, "seed": seed}
    config = {"method": method, **sizes, **({"processes": ray} if ray else {})}
    with Store.open(store) as opened, progress(method, epochs) as report:
        digest = opened.graph_digest
        model = make_model(method, **sizes, checkpoint=checkpoint, processes=ray)
        likes = Likes.of(InteractionGraph.from_store(opened))

        def report_round(done: int, ndcg: float) -> None:
            report(done, note=f"validation NDCG@10 {ndcg:.4f}")

        found = learn(likes, model, report_round)
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
    with Store.open(store) as opened, progress("wikidata") as report:
        facts = enrich(opened, config, report)
        show({**facts, "graph_digest": opened.graph_digest}, as_json)
