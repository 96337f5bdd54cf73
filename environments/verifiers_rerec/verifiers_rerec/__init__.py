"""Recommendation queries as a verifiers taskset, scored by a rerec reward server."""

from verifiers_rerec.taskset import RerecTaskset

__all__ = ["RerecTaskset"]
