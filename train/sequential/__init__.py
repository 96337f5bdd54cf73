"""Sequential recommendation: what comes next, ranked over the whole catalogue. The harness that reasoning recommenders are held against.

encoders.py   GRU4Rec, and SASRec, which is a RecHead without texts: from a history to a vector that is near the next item's
thoughts.py   chains of thought and short answers before a moment, and their sentence vectors
words.py      those of a whole comparison, gathered once
queries.py    questions about what comes next, for verl and for supervised lessons
heads.py      one RecHead on disk; rporec.py: policy and head in turns
training.py   sampled-negative cross entropy, early stopping, an exact resume
floors.py     popularity and the mean of LightGCN item vectors, which know no order
ranking.py    H@K and NDCG@K of the true next item
run.py        methods × seeds on disk
"""
