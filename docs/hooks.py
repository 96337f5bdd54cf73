"""mkdocs hook: adds the command-line and HTTP reference and the experiments to the site.

The command line is read from the program itself, HTTP from the committed OpenAPI document
(`docs/reference/openapi.json`, which a test holds against the server's own).
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
OPENAPI = ROOT / "docs/reference/openapi.json"
HIDDEN = {"--help", "--install-completion", "--show-completion"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages and the experiments, which lie beside docs/, to the site."""
    files.append(File.generated(config, "reference/cli.md", content=cli_page()))
    files.append(File.generated(config, "reference/http.md", content=http_page()))
    for page in (ROOT / "experiments").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        files.append(File.generated(config, f"experiments/{page.name}", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to experiments, written as they stand in the repository, as they stand in the site."""
    return re.sub(
        r"\]\((\.\./)+experiments/",
        rf"]({'../' * page.file.src_uri.count('/')}experiments/",
        markdown,
    )


def cli_page() -> str:
    """The command-line reference in Markdown: each command with its arguments and options."""
    from typer.main import get_command

    from rerec.cli import app

    intro = "# Command line\n\nWritten from `rerec --help` and the help of each command.\n\n"
    with patch.object(sys, "argv", ["rerec", "command"]):  # all commands with their options
        return intro + "\n".join(command_sections(get_command(app), ["rerec"]))


def command_sections(command: Any, path: list[str]) -> Iterator[str]:
    """One section per command of a Typer application, a group's own options before its commands."""
    parameters = [p for p in command.params if not HIDDEN & set(p.opts)]
    group = hasattr(command, "list_commands")
    if not group or (parameters and len(path) > 1):
        yield f"## `{' '.join(path)}`\n\n{prose(command.help or '')}\n"
        yield parameter_table(parameters)
    if group:
        for name in command.list_commands(None):
            yield from command_sections(command.get_command(None, name), [*path, name])


def prose(text: str) -> str:
    """A help text in Markdown: an example is shown as code."""
    return re.sub(r"Example: (.+)", r"```\n\1\n```", text.strip())


def parameter_table(parameters: list[Any]) -> str:
    """Options and arguments as a Markdown table; empty where there are none."""
    if not parameters:
        return ""
    rows = ["| option | type | default | meaning |", "|---|---|---|---|"]
    for parameter in parameters:
        names = ", ".join(f"`{name}`" for name in parameter.opts)
        if parameter.param_type_name == "argument":
            names = f"`{parameter.name.upper()}`"
        cells = [names, kind(parameter), default(parameter), getattr(parameter, "help", "") or ""]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def kind(parameter: Any) -> str:
    """The type of an option's value, with its bounds."""
    if getattr(parameter, "is_flag", False):
        return "flag"
    annotation = parameter.type_descriptor.annotation
    name = {"Path": "path", "str": "text", "list": "text"}.get(
        annotation.__name__, annotation.__name__
    )
    if parameter.min is not None or parameter.max is not None:
        low, high = (
            bound if bound is not None else "…" for bound in (parameter.min, parameter.max)
        )
        name += f", {low} to {high}"
    return name + (", may be repeated" if getattr(parameter, "multiple", False) else "")


def default(parameter: Any) -> str:
    """The default as it would be typed; "required" for an argument that must be given."""
    value = parameter.default
    if parameter.required:
        return "required"
    absent = value is None or value is False or value in ("", (), []) or callable(value)
    return "" if absent else f"`{value}`"


def http_page() -> str:
    """The HTTP reference in Markdown: endpoints, then the fields of each record."""
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    lines = [
        "# HTTP",
        "",
        "Written from the server's OpenAPI document. A running server shows it at `/docs`, and as "
        "JSON at `/openapi.json`. How to run a server: "
        "[Serve rewards](../how-to/serve-rewards.md). `/metrics` (Prometheus) and `/` (the page to "
        "try responses on) are not part of the document.",
        "",
    ]
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            lines += endpoint(f"{method.upper()} {path}", operation)
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += record(name, schema)
    return "\n".join(lines) + "\n"


def endpoint(title: str, operation: dict[str, Any]) -> Iterator[str]:
    """The section of one endpoint: what it does, body, answers."""
    yield from (f"## `{title}`", "", operation.get("description") or operation["summary"], "")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        yield from (f"Body: {type_of(body['schema'])}.", "")
    for parameter in operation.get("parameters", []):
        shown = type_of(parameter.get("schema", {}))
        yield f"- `{parameter['name']}` ({parameter['in']}): {shown}"
    yield from ("", "| status | meaning | body |", "|---|---|---|")
    for status, answer in sorted(operation["responses"].items()):
        content = answer.get("content", {}).get("application/json", {}).get("schema", {})
        yield f"| {status} | {answer.get('description', '')} | {type_of(content)} |"
    yield ""


def record(name: str, schema: dict[str, Any]) -> Iterator[str]:
    """The section of one record: its description and its fields."""
    yield from (f"## {name}", "", " ".join(schema.get("description", "").split()), "")
    required = set(schema.get("required", ()))
    if schema.get("properties"):
        yield from ("| field | type | default |", "|---|---|---|")
    for field, value in schema.get("properties", {}).items():
        initial = f"`{json.dumps(value['default'])}`" if "default" in value else ""
        yield f"| `{field}` | {type_of(value)} | {'required' if field in required else initial} |"
    yield ""


def type_of(schema: dict[str, Any]) -> str:
    """A JSON schema's type in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return " \\| ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(type_of(one) for one in schema["anyOf"])
    if schema.get("type") == "array" and "items" in schema:
        return f"array of {type_of(schema['items'])}{limits(schema, 'minItems', 'maxItems')}"
    if "prefixItems" in schema:
        return "array"
    bounds = limits(schema, "minimum", "maximum") + limits(schema, "minLength", "maxLength")
    return str(schema.get("type", "any")) + bounds


def limits(schema: dict[str, Any], low: str, high: str) -> str:
    """The bounds of a value, "" for none."""
    if low not in schema and high not in schema:
        return ""
    return f" ({schema.get(low, '…')} to {schema.get(high, '…')})"
