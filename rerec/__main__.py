"""`python -m rerec`."""

from rerec.cli import main

main()
