"""Checks of a store: the doctor for imported data, the audit for Examples."""
