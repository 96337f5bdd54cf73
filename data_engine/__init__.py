"""FACTS: catalogues in, two graphs out (item–attribute and user–item), held in one DuckDB file.

What comes in: ratings, items and triples (`importers/`). What goes out: `Evidence` for the agents,
arrays for scoring, item embeddings, and `Example`s as verl parquet. This room knows no LLM, no HTTP
server and no verl.
"""
