"""The assistant: what a person asks, and how every word of the answer is held against the graph."""
