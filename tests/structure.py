"""Measures of the source code: sizes of files and functions, long lines, nested comprehensions."""

import ast
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("agents", "data_engine", "rerec", "reward_server", "train")
COLUMNS = 100
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Measures:
    """Of some files: lines per file, places of long lines and nested comprehensions, functions."""

    files: dict[str, int]
    long_lines: list[str]
    nested: list[str]
    functions: dict[str, int]

    @property
    def nested_per_1000(self) -> float:
        """Nested comprehensions per 1,000 lines."""
        return 1000 * len(self.nested) / max(1, sum(self.files.values()))

    @property
    def median_file(self) -> float:
        """Lines of the median file, those of a docstring alone left out."""
        return median(lines for lines in self.files.values() if lines > 3)


def measure(folders: tuple[str, ...] = ROOMS, root: Path = ROOT) -> Measures:
    """Read every Python file below the folders."""
    found = Measures({}, [], [], {})
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        name, lines = path.relative_to(root).as_posix(), path.read_text().splitlines()
        found.files[name] = len(lines)
        found.long_lines.extend(
            f"{name}:{number}" for number, line in enumerate(lines, 1) if len(line) > COLUMNS
        )
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, COMPREHENSIONS) and is_nested(node):
                found.nested.append(f"{name}:{node.lineno}")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.functions[f"{name}:{node.name}"] = length(node)
    return found


def is_nested(node: ast.AST) -> bool:
    """Whether a comprehension holds another one, or has more than one `for`."""
    inner = [part for part in ast.walk(node) if isinstance(part, COMPREHENSIONS)]
    return len(inner) > 1 or len(node.generators) > 1


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function; those of a command of the command line without its options."""
    start = node.lineno
    if "Option" in ast.unparse(node.args):
        start = node.body[0].lineno
    return (node.end_lineno or start) - start + 1
