"""Recommendation queries as an OpenEnv environment, scored by a rerec reward server."""

from .client import RerecEnv
from .models import RerecAction, RerecObservation

__all__ = ["RerecAction", "RerecEnv", "RerecObservation"]
