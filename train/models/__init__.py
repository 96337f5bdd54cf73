"""Chat models in folders: what they are, what they lack for a recipe, what they need of memory."""
