"""SCORES: what a response to an Example is worth, by the two graphs, over HTTP.

What comes in: an example id and a response text (never gold). What goes out: a score with its parts and a verdict
per segment.
`scoring.py` is pure; `snapshot.py` holds all that a score depends on; `server/` is a thin FastAPI coat;
`client.py` is for trainers.
"""
