"""Sequential recommendation: what comes next, ranked over the whole catalogue. The harness that reasoning recommenders are held against.

encoders.py   SASRec and GRU4Rec: from a history to a vector that is near the next item's
training.py   sampled-negative cross entropy, early stopping, an exact resume
floors.py     popularity and LightGCN, which know no order
ranking.py    H@K and NDCG@K of the true next item
run.py        methods × seeds on disk
"""
