"""Understanding without a language model: words near names, and the graph that settles them."""
