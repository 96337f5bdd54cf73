"""A report page: one HTML file that needs no other."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from data_engine.runtime.atomic import write

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **facts: Any) -> str:
    """One HTML page; what comes from data or models is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(**facts)


def write_page(path: Path, template: str, **facts: Any) -> Path:
    """Render a page about the run directory that `path` lies in and write it; returns `path`."""
    write(path, render(template, run=path.parent.name, **facts))
    return path
