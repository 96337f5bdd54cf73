"""Self-contained HTML reports of journeys, runs and rounds."""
