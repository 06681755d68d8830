"""The parts of a parsed formula, each with its place in the text."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Call", "Compare", "List", "Name", "Node", "Number", "Statement", "excerpt"]


@dataclass(frozen=True)
class Node:
    """A part of a formula, and where it stands in the text."""

    start: int
    end: int


@dataclass(frozen=True)
class Number(Node):
    """A number that stands in the formula."""

    value: float


@dataclass(frozen=True)
class Name(Node):
    """A variable, a constant, or a part that an assignment names."""

    name: str


@dataclass(frozen=True)
class Call(Node):
    """A function of the table with its arguments; operators are calls too."""

    function: str
    args: tuple[Node, ...]
    named: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class List(Node):
    """Several numbers: an argument of max, dot and the like."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Compare(Node):
    """A chain of comparisons: the condition of `where`."""

    operators: tuple[str, ...]
    sides: tuple[Node, ...]


@dataclass(frozen=True)
class Statement(Node):
    """A formula, and the name that an assignment gives it; without one the name is empty."""

    name: str
    formula: Node


def excerpt(text: str, node: Node) -> str:
    """Return the text of a node, shortened to what a message has room for."""
    source = text[node.start : node.end].strip()
    return source if len(source) <= 60 else source[:57] + "…"
