"""Importers: each fills the empty tables of a store from something a user has, inside one
transaction. One format a module.

world         the embedded invented catalogue, for machines without data
tables        ratings, items, triples and users as CSV, TSV or Parquet, plain or gzip
movielens     100K, 1M, 10M, latest, 20M, 25M and 32M as GroupLens ships them
recbole       atomic files: .inter .item .user .kg .link
amazon        Amazon Reviews 2023: reviews and metadata as JSON lines
feedback      likes and dislikes that the assistant of a store has kept
graph_files   an attribute graph for a store that has items: N-Triples, GEXF, GraphML
delimited     how text tables become SQL

To add one: a frozen pydantic model with `name`, `domain` and `fill(db)` made of the `put_…`
functions of `data_engine.store.filling` (SELECTs, so that DuckDB streams the rows), and a command
in `data_engine/commands/importing.py`.
"""
