"""transformers without scikit-learn."""

import sys
from importlib import import_module
from typing import Any


def import_transformers() -> None:
    """Import what transformers' causal models need, before anything else does.

    Where scikit-learn is installed, transformers imports it (and scipy.stats) with every model, for
    a way of decoding that nobody asks for here: about a quarter of the import's seconds. Others may
    still import it afterwards.
    """
    modules: dict[str, Any] = sys.modules
    if "sklearn" in modules or "transformers.generation.candidate_generator" in modules:
        return
    modules["sklearn"] = None  # what the import system takes for "not installed"
    try:
        import_module("transformers.generation.candidate_generator")
    finally:
        del modules["sklearn"]
