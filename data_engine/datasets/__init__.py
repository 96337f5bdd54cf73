"""Data sets made from a store: splits, sequences, parquet files, subsets, dataset cards."""
