"""Writes the examples of the README and the docs as modules, one a page, for type checkers to read."""

from __future__ import annotations

import ast
import doctest
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pages() -> list[Path]:
    """Return the pages that have examples."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if "_build" not in page.parts and ">>>" in page.read_text(encoding="utf-8")]


def source(page: Path) -> str:
    """Return the examples of a page as one module, without those that raise; expressions are printed."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = []
    for example in doctest.DocTestParser().get_examples("\n".join(blocks)):
        if example.exc_msg is None:
            statement = example.source.rstrip()
            lines.append(f"print(\n{statement}\n)" if example.want and is_expression(statement) else statement)
    return "\n".join(lines) + "\n"


def is_expression(statement: str) -> bool:
    """Tell an expression, whose value the page shows, from a statement such as a loop that prints."""
    match ast.parse(statement).body:
        case [ast.Expr()]:
            return True
        case _:
            return False


def write(folder: Path) -> list[Path]:
    """Write the modules into a folder and return their paths."""
    written = []
    for page in pages():
        name = re.sub(r"\W", "_", page.relative_to(ROOT).with_suffix("").as_posix())
        written.append(folder / f"examples_{name}.py")
        written[-1].write_text(source(page), encoding="utf-8")
    return written


if __name__ == "__main__":
    print(*write(Path(sys.argv[1])))
