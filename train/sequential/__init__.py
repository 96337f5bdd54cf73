"""Sequential recommendation: the next item, ranked over the whole catalogue.

The harness that reasoning recommenders are compared in.

config.py           methods, seeds and settings of a comparison
encoders.py         GRU4Rec, and SASRec, which is a RecHead without texts
loss.py             windows of histories, and cross entropy against sampled negatives
training.py         early stopping and an exact resume
ranking.py          H@K and NDCG@K of the true next item
baselines.py        popularity and the mean of LightGCN item vectors, which know no order
thoughts.py         chains of thought and short answers, and where they come from
template.py         thoughts from a template, offline
thought_vectors.py  sentence vectors of thoughts, looked up by moment
texts.py            all sentence vectors of a comparison, made once and kept
queries.py          questions about the next item, for verl and for supervised lessons
run.py, results.py  methods × seeds on disk, and their summary
rechead.py          one RecHead on disk
rporec.py, stages.py  policy and head in turns
"""
