"""Understanding without a language model: words near names, and the graph that says what is meant."""
