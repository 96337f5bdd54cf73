"""The item-attribute graph and the user-item graph, in memory and memory-mapped."""
