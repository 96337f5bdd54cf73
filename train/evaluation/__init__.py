"""Held-out evaluation of models, endpoints and rules, and comparisons of methods."""
