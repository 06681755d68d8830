"""Steps of gradient descent, as an exercise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..interpreters.notation import Term, term
from .exercise import Exercise, joined, prose
from .graph import Formula, Graph
from .text import Equations, Text, factor, number, row
from .work import Work

__all__ = ["TrainingStep"]


class TrainingStep(Exercise):
    """An exercise that asks for a weight after steps of gradient descent on the goal.

    All `weights` move, each by −rate times its gradient, and `of` is the one asked for. Without `weights`, all
    variables whose names begin with w, b, θ or theta move, and `of`. Raises `ValueError` if the weight moves by less
    than a hundredth of itself, which four digits would not show.

    >>> round(TrainingStep("e = w*x - d; e**2", {"w": 1.0, "x": 2.0, "d": 1.0}, of="w", rate=0.1).answer, 4)
    0.6
    """

    kind = "training step"

    def __init__(
        self,
        formula: Formula,
        inputs: Mapping[str, float],
        *,
        of: str,
        rate: float = 0.1,
        steps: int = 1,
        weights: Sequence[str] = (),
    ) -> None:
        given = {"weights": tuple(weights)} if weights else {}
        super().__init__(formula, inputs, of=of, rate=rate, steps=steps, **given)
        names = self.problem.names
        unknown = [name for name in (of, *weights) if name not in names]
        if unknown:
            raise ValueError(f"{unknown[0]} is not a variable of the formula: they are {', '.join(names)}")
        if not 1 <= steps <= 5:
            raise ValueError(f"{steps} steps are too many to work by hand: ask for 1 to 5")
        chosen = tuple(weights) or tuple(name for name in names if name.startswith(("w", "b", "θ", "theta")))
        self.weights = chosen if of in chosen else (*chosen, of)
        self.of, self.rate, self.steps = of, rate, steps
        self.node = self.graph.find(of)
        if abs(self.answer - self.start) < 0.01 * abs(self.start):
            raise ValueError(f"{of} moves from {self.start:.6g} to {self.answer:.6g} only: take a larger rate")

    @classmethod
    def choices(cls, graph: Graph) -> list[dict[str, Any]]:
        names = [node.label for node in graph.nodes if node.primitive is None]
        weights = [name for name in names if name.startswith(("w", "θ", "theta"))]
        return [{"of": name, "steps": steps} for name in weights or names for steps in (1, 2)]

    @property
    def start(self) -> float:
        """Return the weight before the first step."""
        return self.problem.inputs[self.of]

    def work(self, work: Work) -> float:
        return self.trained(work, **work.wrong.train)[-1]

    def trained(
        self,
        work: Work,
        update: Callable[[float, float, float], float] = lambda w, gradient, rate: w - rate * gradient,
        keep: bool = False,
        stale: bool = False,
        together: bool = True,
    ) -> list[float]:
        """Return the weight after each step: with gradients kept, taken once only, or weights moved one by one."""
        inputs, course = dict(self.problem.inputs), []
        gradients = dict.fromkeys(self.weights, 0.0)
        for step in range(self.steps):
            if step == 0 or not stale:
                found = self._gradients(work, inputs)
                gradients = {name: found[name] + (gradients[name] if keep else 0.0) for name in self.weights}
            for name in reversed(self.weights):
                gradient = gradients[name] if together else self._gradients(work, inputs)[name]
                inputs[name] = update(inputs[name], gradient, self.rate)
            course.append(inputs[self.of])
        return course

    def _gradients(self, work: Work, inputs: Mapping[str, float]) -> dict[str, float]:
        graph = self.problem.graph(inputs)
        adjoints = work.adjoints(graph)
        return {node.label: adjoints[id(node)] for node in graph.nodes if node.primitive is None}

    @property
    def question(self) -> Text:
        name = self.graph.name
        steps = "one step" if self.steps == 1 else f"{self.steps} steps"
        moving = [part for weight in self.weights for part in (", ", name(self.graph.find(weight)))][1:]
        together = "." if len(self.weights) == 1 else ", all at once."
        rate = Term(f"η = {term(self.rate).text}", rf"\eta = {term(self.rate).latex}")
        goal = name(self.graph.goal)
        first = prose(
            f"Take {steps} of gradient descent on ", goal, " with ", rate, ". What moves: ", *moving, together
        )
        return Text((first, self._forward(), prose("What is ", name(self.node), " after that?")))

    @property
    def solution(self) -> Text:
        rows: list[Term] = []
        before, name = self.start, self.graph.name(self.node)
        for after in self.trained(Work()):
            gradient = (before - after) / self.rate
            change = row(number(before), " − ", term(self.rate), " · ", factor(gradient))
            rows += [row(self._derivative(self.node), " = ", number(gradient))]
            rows += [row(name, " ← ", *joined([change, number(after)]))]
            before = after
        return Text((Equations(tuple(rows)),))
