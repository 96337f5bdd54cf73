"""Titles and names in texts: cleaned, found, resolved to items and attributes."""
