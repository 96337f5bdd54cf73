"""The commands `rerec serve`, `rerec token` and `rerec score`, each a Typer application."""
