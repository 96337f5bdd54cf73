"""LEARNING: a policy from Examples by supervised then reinforcement fine-tuning through verl, judged on held-out queries.

What comes in: Examples and Evidence (data_engine) and scores over HTTP (reward_server's client). What goes out: a model
folder, metrics, evaluations and a report. verl lives in `verl_plugin/` only.
"""
