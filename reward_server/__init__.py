"""SCORES: what a response to an Example is worth, by the two graphs, over HTTP.

What comes in: an example id and a response text (never gold). What goes out: a score with its parts and a verdict a segment.
`scoring.py`, `segments.py` and `claims.py` are pure; `app.py` is a thin FastAPI coat; `client.py` is for trainers.
"""
