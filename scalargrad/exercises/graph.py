"""A formula as an exercise sees it: its graph at given inputs, with every edge numbered."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..command.expression import Expression
from ..diagrams.equations import derivation
from ..engine.value import Value
from ..interpreters.notation import Term

__all__ = ["Edge", "Formula", "Graph", "Problem"]

Formula: TypeAlias = "str | Callable[..., Value]"

LARGEST = 60
"""Nodes of the largest graph that is worked by hand."""


@dataclass(frozen=True)
class Edge:
    """One operand of one node: the edge from `parent` to `child`, with the local derivative that it carries."""

    number: int
    child: Value
    parent: Value
    position: int  # among the child's args
    local: float
    formula: Term

    @property
    def operation(self) -> str:
        """Return the name of the child's primitive."""
        return self.child.primitive.name if self.child.primitive else ""

    @property
    def operands(self) -> list[float]:
        """Return the numbers of all the child's args, constants included."""
        return numbers(self.child)


def numbers(node: Value) -> list[float]:
    """Return the numbers of all of a node's args."""
    return [arg.data if isinstance(arg, Value) else float(arg) for arg in node.args]


class Graph:
    """The nodes and the edges under a goal, with their equations."""

    def __init__(self, goal: Value) -> None:
        self.equations = derivation(goal)
        self.goal = self.equations.goal
        self.nodes = [step.node for step in self.equations.forward]
        if len(self.nodes) > LARGEST:
            raise ValueError(f"an exercise by hand has at most {LARGEST} nodes, this formula has {len(self.nodes)}")
        self.edges: list[Edge] = []  # in the order of the backward pass
        for number, line in enumerate(self.equations.backward):
            positions = [i for i, arg in enumerate(line.child.args) if isinstance(arg, Value)]
            edge = Edge(number, line.child, line.parent, positions[line.place], line.local, line.formula)
            self.edges.append(edge)

    def name(self, node: Value) -> Term:
        """Return the symbol of a node, as the equations write it."""
        return self.equations.names[node]

    def find(self, name: str) -> Value:
        """Return the node of that name. Raises `ValueError` for an unknown one, naming those that there are."""
        for node in self.nodes:
            if name in (node.label, self.name(node).text):
                return node
        known = ", ".join(node.label or self.name(node).text for node in self.nodes)
        raise ValueError(f"the formula has no node {name!r}; its nodes are {known}")

    def edges_from(self, node: Value) -> list[Edge]:
        """Return the edges that leave a node, towards what it influences."""
        return [edge for edge in self.edges if edge.parent is node]

    def edges_into(self, node: Value) -> list[Edge]:
        """Return the edges that enter a node, from its parents."""
        return [edge for edge in self.edges if edge.child is node]

    def depends(self, node: Value, on: Value) -> bool:
        """Return whether a node is computed from another one, or is that one."""
        reached = {id(on)}
        for later in self.nodes:
            if any(id(parent) in reached for parent in later.parents):
                reached.add(id(later))
        return id(node) in reached


class Problem:
    """A formula with numbers for its inputs.

    The formula is text, as the command takes it, or a Python function of Values. Text is parsed and never run as
    Python. Raises `ValueError` for a formula that can't be read, and for inputs that are missing or unknown.

    >>> Problem("t = x**2; sin(t) + t", {"x": 2.0}).graph().goal.data
    3.2431975046920716
    """

    def __init__(self, formula: Formula, inputs: Mapping[str, float]) -> None:
        self.formula = formula
        self.names = names_of(formula)
        self._compute: Any = Expression(formula) if isinstance(formula, str) else lambda leaves: formula(**leaves)
        self._graphs: dict[tuple[float, ...], Graph] = {}
        missing = [name for name in self.names if name not in inputs]
        unknown = [name for name in inputs if name not in self.names]
        if missing or unknown:
            what = f"no number for {', '.join(missing)}" if missing else f"no variable is named {', '.join(unknown)}"
            raise ValueError(f"{what}; the formula's variables are {', '.join(self.names)}")
        self.inputs = {name: Value(inputs[name]).data for name in self.names}

    def graph(self, inputs: Mapping[str, float] | None = None) -> Graph:
        """Return the graph at the problem's inputs, or at others."""
        given = inputs or self.inputs
        key = tuple(given.values())
        if key not in self._graphs:
            goal = self._compute({name: Value(number, label=name) for name, number in given.items()})
            if not isinstance(goal, Value):
                raise ValueError(f"the formula gives {goal!r}, which depends on no variable; use one")
            self._graphs[key] = Graph(goal)
        return self._graphs[key]


def names_of(formula: Formula) -> tuple[str, ...]:
    """Return the names of a formula's variables."""
    if isinstance(formula, str):
        expression = Expression(formula)
        return tuple(expression.missing({}))
    return tuple(inspect.signature(formula).parameters)
