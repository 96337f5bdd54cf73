"""Supervised fine-tuning of any chat model by verl's SFT trainer.

config.py    what decides a run
rows.py      lessons as messages, and which of them are learned
encoding.py  a chat as token ids with its loss mask
prepared.py  everything that is looked at before a run starts
compose.py   verl's configuration, from recipes/sft_chat.yaml
run.py       a run directory: checkpoints, an exact resume, a plain model folder
validate.py  NDCG on held-out queries on the way

The trainer and the data set are in `train.verl_plugin`, which alone imports verl.
"""
