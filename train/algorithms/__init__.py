"""Advantages and process rewards, and the mapping of characters to tokens they need."""
