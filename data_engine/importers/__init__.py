"""Importers: each turns something a user has into a `Catalogue` (rows of the two graphs). One format a module.

`world`: the embedded invented catalogue, for machines without data.
`tables`: ratings, items and triples as CSV or TSV, plain or gzip.
To add one: write a module with a function that returns a `Catalogue`, and a command in `data_engine/commands.py`.
"""
