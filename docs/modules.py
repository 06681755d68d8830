"""Draws modules.svg anew, the picture of the modules and their imports: `python docs/modules.py`.

A subpackage is one module here, but for the interpreters, each of which is another reader of the table. Imports within
functions and for type checkers are left out, and so is an import that goes without saying, because others lead there
too. A test compares the picture with what this finds.
"""

from __future__ import annotations

import ast
from pathlib import Path

import graphviz

import scalargrad
from scalargrad.diagrams import Diagram, style

PACKAGE = Path(scalargrad.__file__).parent
HERE = Path(__file__).parent
FACES = {"__init__", "__main__"}
OPENED = "interpreters"


def part(names: tuple[str, ...]) -> str:
    """The module or subpackage that a dotted path, relative to the package, belongs to."""
    return "/".join(names[:2] if names[0] == OPENED else names[:1])


def home(path: Path) -> str:
    """The module or subpackage that a file belongs to."""
    return part(path.relative_to(PACKAGE).with_suffix("").parts)


def imports() -> dict[str, set[str]]:
    """What each module imports when it is imported itself."""
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if not FACES & set(home(path).split("/"))]
    known = {home(path) for path in files}
    found: dict[str, set[str]] = {name: set() for name in sorted(known)}
    for path in files:
        parents = path.relative_to(PACKAGE.parent).parts[:-1]
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.level:
                base = parents[1 : len(parents) - node.level + 1]
                module = (*base, *(node.module.split(".") if node.module else ()))
                targets = {part((*module, alias.name)) for alias in node.names} | ({part(module)} if module else set())
                found[home(path)] |= (targets & known) - {home(path)}
    return found


def reduced(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """The edges of an acyclic graph that no longer path stands for. Raises `ValueError` for a circle."""

    def reachable(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            fresh = graph[waiting.pop()] - found
            found |= fresh
            waiting += fresh
        return found

    below = {name: reachable(name) for name in graph}
    circles = [name for name in graph if name in below[name]]
    if circles:
        raise ValueError(f"modules import each other in a circle: {', '.join(circles)}")
    return [
        (name, other)
        for name in graph
        for other in sorted(graph[name])
        if not any(other in below[between] for between in graph[name])
    ]


def picture() -> Diagram:
    """The picture: an arrow from a module to each one that it imports."""
    dot = graphviz.Digraph(graph_attr={**style.GRAPH, "rankdir": "TB"})
    dot.attr("node", shape="box", **{**style.NODE, "style": "rounded,filled", **style.INTERMEDIATE})
    dot.attr("edge", **style.LINE)
    graph = imports()
    for name in graph:
        package = (PACKAGE / name).is_dir()
        colors = style.INPUT if package else style.ACTIVATION if name.startswith(OPENED) else style.INTERMEDIATE
        dot.node(name, f"{name}/" if package else name, **colors)
    for name, other in reduced(graph):
        dot.edge(name, other)
    return Diagram(dot.source)


if __name__ == "__main__":
    picture().save(HERE / "modules.svg")
