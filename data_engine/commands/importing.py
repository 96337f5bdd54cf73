"""`rerec data import …`: one command per format."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from data_engine.commands.imports import (
    import_into,
    import_options,
    pairs,
    summary,
    told_of_feedback,
)
from data_engine.runtime.console import show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption

DomainOption = Annotated[
    str, typer.Option(help="What the items are, in the plural: movies, books …")
]
SkipOption = Annotated[
    bool,
    typer.Option(
        "--skip-unknown", help="Leave out ratings and triples of items that the items file lacks."
    ),
]
RejectsOption = Annotated[int, typer.Option(min=0, help="How many unreadable rows to let pass.")]
ScaleOption = Annotated[
    str | None, typer.Option(help="Rating scale as LOW-HIGH (1-10); found when left out.")
]
LikedOption = Annotated[
    float | None,
    typer.Option(help="The least rating that is a like; 70 % of the highest mark when left out."),
]
RelationOption = Annotated[
    list[str] | None,
    typer.Option(help="raw=noun: what a relation is called in queries (literaryGenre=genre)."),
]

importing = typer.Typer(
    no_args_is_help=True, help="Import a catalogue, or another attribute graph for one."
)


@importing.command("world")
def import_world(
    store: StoreOption = DEFAULT_STORE,
    items: int = 1400,
    users: int = 900,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Invent a film catalogue with planted tastes and two-hop structure, and import it.

    Example: rerec data import world --store runs/world.duckdb --seed 1
    """
    from data_engine.importers.world import WorldConfig, make_world

    import_into(make_world(WorldConfig(items=items, users=users, seed=seed)), store, as_json)


@importing.command("tables")
def import_tables(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder with ratings, items, triples (and users) as .csv, .tsv or .parquet, "
            "gz or not."
        ),
    ],
    store: StoreOption = DEFAULT_STORE,
    domain: DomainOption = "movies",
    file: Annotated[
        list[str] | None,
        typer.Option(
            help="part=PATH, where a file has another name (ratings, items, triples, users)."
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="word=NAME, where a column has another name (user, item, rating, time, title …)."
        ),
    ] = None,
    encoding: Annotated[
        str, typer.Option(help="Of text files that are not UTF-8: latin-1, cp1252, shift-jis …")
    ] = "",
    skip_unknown: SkipOption = False,
    max_rejects: RejectsOption = 0,
    scale: ScaleOption = None,
    liked_from: LikedOption = None,
    relation: RelationOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import ratings, items and triples.

    Example: rerec data import tables ../shared/data/movies --store runs/movies.duckdb
    """
    from data_engine.importers.tables import Tables

    files = {part: Path(path) for part, path in pairs(file).items()}
    options = import_options(max_rejects, skip_unknown, scale, liked_from, relation)
    import_into(
        Tables(folder=folder, domain=domain, files=files, columns=pairs(column), encoding=encoding),
        store,
        as_json,
        options,
    )


@importing.command("movielens")
def import_movielens(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder as GroupLens ships it: 100K, 1M, 10M, latest, 20M, 25M or 32M."
        ),
    ],
    store: StoreOption = DEFAULT_STORE,
    triples: Annotated[
        Path | None,
        typer.Option(help="More attributes: a table of item, relation, value (and uri)."),
    ] = None,
    ratings: Annotated[
        Path | None, typer.Option(help="Ratings from another table than the data set's own.")
    ] = None,
    skip_unknown: SkipOption = False,
    max_rejects: RejectsOption = 0,
    scale: ScaleOption = None,
    liked_from: LikedOption = None,
    relation: RelationOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import MovieLens, with its users' age, gender and occupation where they are given.

    Example: rerec data import movielens ml-1m --store runs/ml1m.duckdb
    """
    from data_engine.importers.movielens import MovieLens

    options = import_options(max_rejects, skip_unknown, scale, liked_from, relation)
    import_into(MovieLens(folder=folder, triples=triples, ratings=ratings), store, as_json, options)


@importing.command("recbole")
def import_recbole(
    folder: Annotated[
        Path, typer.Argument(help="Folder with NAME.inter and NAME.item (and .user, .kg, .link).")
    ],
    store: StoreOption = DEFAULT_STORE,
    domain: DomainOption = "items",
    skip_unknown: SkipOption = False,
    max_rejects: RejectsOption = 0,
    scale: ScaleOption = None,
    liked_from: LikedOption = None,
    relation: RelationOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import RecBole atomic files.

    Example: rerec data import recbole dataset/ml-100k --store runs/ml100k.duckdb --domain movies
    """
    from data_engine.importers.recbole import RecBole

    options = import_options(max_rejects, skip_unknown, scale, liked_from, relation)
    import_into(RecBole(folder=folder, domain=domain), store, as_json, options)


@importing.command("amazon")
def import_amazon(
    reviews: Annotated[Path, typer.Argument(help="CATEGORY.jsonl or .jsonl.gz")],
    meta: Annotated[Path, typer.Argument(help="meta_CATEGORY.jsonl or .jsonl.gz")],
    store: StoreOption = DEFAULT_STORE,
    domain: DomainOption = "products",
    skip_unknown: SkipOption = False,
    max_rejects: RejectsOption = 0,
    scale: ScaleOption = None,
    liked_from: LikedOption = None,
    relation: RelationOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a category of Amazon Reviews 2023.

    Example: rerec data import amazon Books.jsonl.gz meta_Books.jsonl.gz --store runs/books.duckdb
    --domain books
    """
    from data_engine.importers.amazon import Amazon

    options = import_options(max_rejects, skip_unknown, scale, liked_from, relation)
    import_into(Amazon(reviews=reviews, meta=meta, domain=domain), store, as_json, options)


@importing.command("graph")
def import_graph(
    file: Annotated[Path, typer.Argument(help="Attribute graph: .nt, .nt.gz, .gexf or .graphml.")],
    store: StoreOption = DEFAULT_STORE,
    links: Annotated[
        Path | None,
        typer.Option(help="For .nt: a table of item and uri, where item ids are no URIs."),
    ] = None,
    language: Annotated[
        str, typer.Option(help="For .nt: of labels in several languages, the one to take.")
    ] = "en",
    relation: RelationOption = None,
    max_rejects: RejectsOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Replace the attribute graph of a store, for the same items and interactions.

    Example: rerec data import graph kg.nt.gz --links links.csv --store runs/movies.duckdb
    """
    from data_engine.importers.graph_files import GraphFile
    from data_engine.store.database import Store

    source = GraphFile(path=file, links=links, language=language)
    with Store.open(store) as opened:
        report = opened.replace_attributes(source, import_options(max_rejects, relation=relation))
        show(
            {
                "store": str(store),
                **opened.counts(),
                **summary(report, as_json),
                "graph_digest": opened.graph_digest,
            },
            as_json,
        )


@importing.command("recbench")
def import_recbench(
    files: Annotated[
        list[Path], typer.Argument(help="RecBench+ JSON files, of any of its five kinds.")
    ],
    store: StoreOption = DEFAULT_STORE,
    candidates: Annotated[
        int,
        typer.Option(min=2, max=1000, help="Items to choose from in each query, gold included."),
    ] = 20,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Add RecBench+ queries to a store, for `rerec eval --split benchmark`.

    Those that its catalogue cannot carry are counted by reason.

    Example: rerec data import recbench implicit.json misinformed.json --store runs/ml1m.duckdb
    """
    from data_engine.graphs.attributes import AttributeGraph
    from data_engine.importers.recbench import RecBench, read_recbench
    from data_engine.store.database import Store

    config = RecBench(files=tuple(files), candidates=candidates, seed=seed)
    with Store.open(store) as opened:
        examples, left_out = read_recbench(
            config,
            AttributeGraph.from_store(opened),
            str(opened.meta("domain")),
            opened.graph_digest,
        )
        opened.replace_examples(examples, benchmark=True)
    show(
        {
            "store": str(store),
            "examples": len(examples),
            "kinds": dict(Counter(e.kind for e in examples)),
            "left_out": dict(left_out),
        },
        as_json,
    )


@importing.command("feedback")
def import_feedback(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Make what people liked and disliked in the assistant interactions of its store.

    A second import adds nothing; what was forgotten since is removed.

    Example: rerec data import feedback --store runs/movies.duckdb
    """
    from data_engine.importers.feedback import import_feedback as bring
    from data_engine.store.database import Store

    with Store.open(store) as opened:
        report = bring(opened)
        facts = {"store": str(store), "graph_digest": opened.graph_digest}
    show({**facts, **(report.model_dump() if as_json else told_of_feedback(report))}, as_json)
