"""WORDS: LangGraph agents that turn the graphs into complex queries with labelled reasoning.

What comes in: `data_engine.Evidence`. What goes out: `Example`s whose every claim has been judged
by the attribute graph. One Example is sampled, written, labelled, verified, revised where that is
needed, and kept: see `synthesis/graph.py`. `llm` is the client of endpoints.
"""
