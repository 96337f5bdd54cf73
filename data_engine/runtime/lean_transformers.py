"""transformers without scikit-learn and SciPy."""

import sys
from importlib import import_module
from typing import Any

UNUSED = ("sklearn", "scipy")


def import_transformers() -> None:
    """Import what transformers' causal models need, before anything else does.

    Where scikit-learn and SciPy are installed, transformers imports them with every model, for a
    way of decoding and for losses that nobody asks for here: a third of the import's seconds.
    Others may still import them afterwards.
    """
    modules: dict[str, Any] = sys.modules
    if "transformers.modeling_utils" in modules:
        return
    hidden = [name for name in UNUSED if name not in modules]
    modules.update(dict.fromkeys(hidden))  # None: what the import system takes for "not installed"
    try:
        import_module("transformers.modeling_utils")
        import_module("transformers.generation.candidate_generator")
    finally:
        for name in hidden:
            del modules[name]
