"""WORDS: LangGraph agents that turn the graphs into complex queries with labelled reasoning.

What comes in: `data_engine.Evidence`. What goes out: `Example`s whose every claim has been judged by the attribute graph.
The pipeline of one Example is sample → write → label → verify → (revise) → keep, see `graph.py`.
"""
