"""The DuckDB file that holds a catalogue, its interactions and its Examples."""
