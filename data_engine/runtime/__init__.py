"""What the commands of every room share: files written whole, child processes, the terminal,
provenance.
"""
