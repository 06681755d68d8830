"""Draws modules.svg anew, the picture of the files and their imports: `python docs/modules.py`.

An arrow leads from a file to each file that it imports, within functions too; imports for type checkers alone are left
out. The picture leaves out an arrow if a longer path of arrows leads to the same file. A test compares the picture
with what this finds, and allows no circle but those that it names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import graphviz

import scalargrad
from scalargrad.diagrams import Diagram, style

PACKAGE = Path(scalargrad.__file__).parent
HERE = Path(__file__).parent


def name_of(path: Path) -> str:
    """Return the name of a file in the picture, such as `engine/value`; a package stands for its `__init__`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "/".join(parts[:-1] if parts[-1] == "__init__" else parts) or PACKAGE.name


def statements(tree: ast.AST) -> Iterator[ast.ImportFrom]:
    """Yield the relative imports of a file, without those for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node
        yield from statements(node)


def imports() -> dict[str, set[str]]:
    """Return the files that each file imports."""
    files = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    found: dict[str, set[str]] = {name: set() for name in sorted(files)}
    for name, path in files.items():
        folders = path.relative_to(PACKAGE).parts[:-1]
        for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
            base = [*folders[: len(folders) - node.level + 1], *(node.module.split(".") if node.module else ())]
            whole = "/".join(base) or PACKAGE.name
            named = {"/".join([*base, alias.name]) for alias in node.names}
            found[name] |= (named & files.keys()) or {whole}
            if named - files.keys():
                found[name].add(whole)
        found[name].discard(name)
    return found


def below(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the files that each file reaches over one or more arrows."""

    def reachable(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            fresh = graph[waiting.pop()] - found
            found |= fresh
            waiting += fresh
        return found

    return {name: reachable(name) for name in graph}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the circles: each a sorted list of files that all reach each other."""
    reached = below(graph)
    found = {tuple(sorted(other for other in reached[name] if name in reached[other])) for name in graph}
    return sorted(list(circle) for circle in found if circle)


def reduced(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the arrows for which no longer path stands; within a circle all of them."""
    reached = below(graph)
    return [
        (name, other)
        for name in graph
        for other in sorted(graph[name])
        if not any(other in reached[between] and name not in reached[between] for between in graph[name])
    ]


def picture() -> Diagram:
    """Return the picture: the files in boxes of their packages, an arrow from a file to each one that it imports."""
    look = style.look_of("modules", "screen", "light")
    dot = graphviz.Digraph(graph_attr=look.graph(rankdir="TB"))
    dot.attr("node", shape="box", **{**look.node(), "style": "rounded,filled", **look.palette.intermediate})
    dot.attr("edge", **look.edge())
    graph = imports()
    packages = sorted({name.rpartition("/")[0] for name in graph if "/" in name})
    for package in packages:
        with dot.subgraph(name=f"cluster_{package}") as box:
            box.attr(
                label=f"{package}/",
                color=look.palette.intermediate["color"],
                fontcolor=look.palette.ink,
                style="rounded",
            )
            for name in graph:
                if name == package or name.rpartition("/")[0] == package:
                    box.node(name, "__init__" if name == package else name.rpartition("/")[2])
    for name in graph:
        if name not in packages and "/" not in name:
            dot.node(name, name, **look.palette.activation)
    for name, other in reduced(graph):
        dot.edge(name, other)
    return Diagram(dot.source)


if __name__ == "__main__":
    picture().save(HERE / "modules.svg")
