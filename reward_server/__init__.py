"""SCORES: what a response to an Example is worth, by the two graphs, over HTTP.

What comes in: an example id and a response text, never gold. What goes out: a score with its parts
and a verdict for each segment. `scoring.py` and `segments.py` are pure; `server/` is a
thin ASGI layer over them; `client/` is for trainers and evaluators.
"""
