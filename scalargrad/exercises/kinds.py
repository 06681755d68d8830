"""Kinds of exercises: five, from the easiest on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..diagrams.equations import Contribution
from ..interpreters.notation import Term
from .exercise import Exercise, joined, prose
from .graph import Formula, Graph
from .steps import TrainingStep
from .text import Equations, Text, number, row
from .work import Work

__all__ = ["KINDS", "Adjoint", "ForwardValue", "LocalDerivative", "MissingLine", "TrainingStep"]


class ForwardValue(Exercise):
    """An exercise that asks for the value of a node.

    >>> ForwardValue("t = x**2; sin(t) + 3*t", {"x": 1.0}, of="t").answer
    1.0
    """

    kind = "forward value"

    def __init__(self, formula: Formula, inputs: Mapping[str, float], *, of: str) -> None:
        super().__init__(formula, inputs, of=of)
        self.node = self.graph.find(of)

    @classmethod
    def choices(cls, graph: Graph) -> list[dict[str, Any]]:
        return [{"of": graph.name(node).text} for node in graph.nodes if node.primitive]

    def work(self, work: Work) -> float:
        return work.values(self.graph)[id(self.node)]

    @property
    def question(self) -> Text:
        asked = prose("What is the value of ", self.graph.name(self.node), "?")
        return Text((prose("Work the forward pass."), self._forward(values=False), asked))

    @property
    def solution(self) -> Text:
        return Text((self._forward(until=self.node),))


class LocalDerivative(Exercise):
    """An exercise that asks for the local derivative of a node, with respect to one of its parents.

    >>> LocalDerivative("t = x**2; sin(t)", {"x": 3.0}, of="t", by="x").answer
    6.0
    """

    kind = "local derivative"

    def __init__(self, formula: Formula, inputs: Mapping[str, float], *, of: str, by: str) -> None:
        super().__init__(formula, inputs, of=of, by=by)
        self.node, self.parent = self.graph.find(of), self.graph.find(by)
        self.edges = [edge for edge in self.graph.edges_into(self.node) if edge.parent is self.parent]
        if not self.edges:
            raise ValueError(f"{of} is not computed from {by} directly: ask for one of its parents, or for an Adjoint")

    @classmethod
    def choices(cls, graph: Graph) -> list[dict[str, Any]]:
        edges = [edge for edge in graph.edges if edge.formula.number is None]
        return [{"of": graph.name(edge.child).text, "by": graph.name(edge.parent).text} for edge in edges]

    @property
    def line(self) -> Contribution:
        """Return the line of the backward pass that belongs to the edge."""
        return self.graph.equations.backward[self.edges[0].number]

    def work(self, work: Work) -> float:
        return math.fsum(work.local(edge, self.graph) for edge in self.edges)

    @property
    def question(self) -> Text:
        asked = self._derivative(self.parent, self.node)
        return Text((prose("The forward pass is done."), self._forward(), prose("What is ", asked, " on this edge?")))

    @property
    def solution(self) -> Text:
        formula = row(*joined([edge.formula for edge in self.edges], "+"))
        shown = joined([formula, number(self.answer)])
        return Text((Equations((row(self._derivative(self.parent, self.node), " = ", *shown),)),))


class Adjoint(Exercise):
    """An exercise that asks for the derivative of the goal with respect to a node.

    >>> round(Adjoint("t = x**2; u = sin(t) + 3*t; cos(u)", {"x": 1.0}, of="x").answer, 4)
    4.5608
    """

    kind = "adjoint"

    def __init__(self, formula: Formula, inputs: Mapping[str, float], *, of: str) -> None:
        super().__init__(formula, inputs, of=of)
        self.node = self.graph.find(of)

    @classmethod
    def choices(cls, graph: Graph) -> list[dict[str, Any]]:
        direct = [edge.parent for edge in graph.edges_into(graph.goal)]
        nodes = [node for node in graph.nodes[:-1] if not any(node is parent for parent in direct)]
        return [{"of": graph.name(node).text} for node in nodes or graph.nodes[:-1]]

    def work(self, work: Work) -> float:
        return work.adjoints(self.graph)[id(self.node)]

    @property
    def question(self) -> Text:
        asked = prose("What is ", self._derivative(self.node), "?")
        return Text((prose("The forward pass is done. Work the backward pass."), self._forward(), asked))

    @property
    def solution(self) -> Text:
        lines = [line for line in self.graph.equations.backward if self.graph.depends(line.parent, self.node)]
        return Text((self._backward(lines),))


class MissingLine(Exercise):
    """An exercise that shows the backward pass up to a line, and asks what this line contributes.

    The lines are counted from 1, without the first ∂J/∂J = 1.

    >>> round(MissingLine("t = x**2; u = sin(t) + 3*t; cos(u)", {"x": 1.0}, number=4).answer, 4)
    1.9324
    """

    kind = "missing line"

    def __init__(self, formula: Formula, inputs: Mapping[str, float], *, number: int) -> None:
        super().__init__(formula, inputs, number=number)
        count = len(self.graph.edges)
        if not 1 <= number <= count:
            raise ValueError(f"line {number} is asked for: the backward pass has the lines 1 to {count}")
        self.edge = self.graph.edges[number - 1]
        self.line = self.graph.equations.backward[number - 1]
        self.node = self.edge.parent

    @classmethod
    def choices(cls, graph: Graph) -> list[dict[str, Any]]:
        later = [edge.number + 1 for edge in graph.edges if edge.child is not graph.goal]
        return [{"number": number} for number in later or [1]]

    def work(self, work: Work) -> float:
        return work.contribution(self.edge, self.graph, work.adjoints(self.graph)[id(self.edge.child)])

    @property
    def question(self) -> Text:
        lines = self.graph.equations.backward[: self.edge.number + 1]
        asked = prose("What does ", self._derivative(self.edge.child), " add in the last line?")
        backward = self._backward(lines, hidden=self.line)
        return Text((prose("The backward pass stops at a missing number."), self._forward(), backward, asked))

    @property
    def solution(self) -> Text:
        return Text((Equations((Term(str(self.line), self.line.latex),)),))


KINDS: tuple[type[Exercise], ...] = (ForwardValue, LocalDerivative, MissingLine, Adjoint, TrainingStep)
"""The kinds, from the easiest on."""
