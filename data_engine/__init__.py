"""FACTS: catalogues in, two graphs out (item–attribute and user–item), held in one DuckDB file.

What comes in: ratings, items and triples. What goes out: `Evidence` for the agents, arrays for
scoring, item embeddings, and `Example`s as verl parquet. This room knows no LLM, no HTTP server and
no verl. A module imports only from lines below its own:

commands                         `rerec data …` and `rerec verify`
quality                          the doctor of a catalogue, the audit of Examples
preference                       what users like as vectors: LightGCN, ALS, popularity
importers                        one format per module
datasets                         splits, sequences, parquet, subsets, the dataset card
responses                        what a policy's response says, and whether it is true
graphs                           both graphs: in dicts, as arrays, memory-mapped
store                            the DuckDB file, and how an import fills it
names                            titles and names: cleaned, found in texts, resolved to ids
facts                            `Facts`: whether an item meets a condition
ndcg                             the one NDCG
schema                           `Example`, the central record
runtime                          files, processes, run directories, the console
errors                           the error tree

From a rating in a CSV file to the preference alignment (PAS) of a response: importers/tables →
store/filling → store/database → graphs/interactions → preference/likes → preference/lightgcn →
store/database (`embeddings`) → reward_server/snapshot → reward_server/scoring.
"""
