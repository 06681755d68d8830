"""Exercises: a question on a formula, a number as its answer, and a checker that knows the mistakes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import EllipsisType
from typing import Any, ClassVar

from ..command.expression import Expression, ExpressionError
from ..diagrams.equations import Contribution
from ..engine.value import Value
from ..interpreters.names import digits, latex
from ..interpreters.notation import Term
from .graph import Formula, Graph, Problem
from .misconceptions import MISCONCEPTIONS
from .text import Equations, Prose, Text, for_console, fraction, row
from .work import Misconception, Work

__all__ = ["Exercise", "Feedback", "read_number"]

TOLERANCE = 1e-3
"""The relative error that an answer may have: it is worked from numbers of four digits."""
NEAR = 2e-2
"""The relative error up to which an answer is called rounded too far."""


@dataclass(frozen=True)
class Feedback:
    """Feedback on an answer: `right`, a `text` for the student, and the `misconceptions` that explain the number."""

    right: bool
    text: str
    misconceptions: tuple[Misconception, ...] = ()

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        return for_console(self.text)


class Exercise:
    """A question on a formula whose answer is one number.

    `question` and `solution` are a `Text` each, `answer` is the number, and `check` reads what a student gives. The
    subclasses are the kinds of exercises.
    """

    kind: ClassVar[str]
    node: Value

    def __init__(self, formula: Formula, inputs: Mapping[str, float], **options: Any) -> None:
        self.problem = Problem(formula, inputs)
        self.graph = self.problem.graph()
        self.options = options

    @classmethod
    def choices(cls, graph: Graph) -> list[dict[str, Any]]:
        """Return what this kind can ask of a graph: the options of its exercises."""
        raise NotImplementedError

    @property
    def question(self) -> Text:
        """Return the question."""
        raise NotImplementedError

    @property
    def solution(self) -> Text:
        """Return the worked solution, which ends with the answer."""
        raise NotImplementedError

    def work(self, work: Work) -> float:
        """Return the number that a way of working the two passes leads to."""
        raise NotImplementedError

    @cached_property
    def answer(self) -> float:
        """Return the right answer."""
        return self.work(Work())

    @cached_property
    def wrong(self) -> tuple[tuple[Misconception, float], ...]:
        """Return each misconception with each wrong number that it gives, but for numbers that would pass as right."""
        found: dict[tuple[str, float], tuple[Misconception, float]] = {}
        for misconception in MISCONCEPTIONS:
            for x in misconception.answers(self):
                if math.isfinite(x) and not agrees(x, self.answer):
                    found[misconception.name, x] = misconception, x
        return tuple(found.values())

    def check(self, given: float | str | EllipsisType | None) -> Feedback:
        """Return the feedback on an answer: a number, or text such as `"-0.5"`, `"2/3"` or `"cos(1)"`.

        An answer is right up to a relative error of 0.001. Several misconceptions can lead to one number: then all of
        them are named. None, or `...`, is no answer yet. Raises `ValueError` for text that is not a number.

        >>> from scalargrad.exercises import Adjoint
        >>> exercise = Adjoint("t = x**2; u = sin(t) + 3*t; cos(u)", {"x": 1.0}, of="t")
        >>> exercise.check("2.28").right
        True
        >>> [m.name for m in exercise.check(0.3480).misconceptions]
        ['path forgotten', '= for +=']
        """
        if given is None or isinstance(given, EllipsisType):
            return Feedback(False, f"No answer yet: put your number in place of {given}.")
        x = read_number(given)
        if agrees(x, self.answer):
            return Feedback(True, f"Right: {digits(self.answer)}.")
        found = {m.name: m for m, wrong in self.wrong if agrees(x, wrong)}
        explaining = tuple([m for m in found.values() if not m.general] or found.values())
        shown = digits(x)
        if explaining:
            hints = " Or: ".join(m.hint for m in explaining)
            return Feedback(False, f"{shown} is not right yet. This leads to it: {hints}", explaining)
        if abs(x - self.answer) <= NEAR * abs(self.answer):
            return Feedback(False, f"{shown} is close. Keep four significant digits on the way, and give four.")
        return Feedback(False, f"{shown} is not right yet. Go through your lines one by one, from the top.")

    def __repr__(self) -> str:
        formula, inputs = self.problem.formula, self.problem.inputs
        name = repr(formula) if isinstance(formula, str) else getattr(formula, "__name__", "formula")
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"{type(self).__name__}({name}, {inputs}{options})"

    def _repr_markdown_(self) -> str:
        return self.question.markdown()

    # The parts of questions and solutions
    def _forward(self, values: bool = True, until: Value | None = None) -> Equations:
        rows = []
        for step in self.graph.equations.forward:
            shown = [step.formula] if step.formula else []
            if values or step.formula is None:
                shown.append(Term(step.number, latex(step.number)))
            rows.append(row(step.name, " = ", *joined(shown)))
            if step.node is until:
                break
        return Equations(tuple(rows))

    def _derivative(self, below: Value, above: Value | None = None) -> Term:
        return fraction(self.graph.name(above or self.graph.goal), self.graph.name(below))

    def _backward(self, lines: Sequence[Contribution], hidden: Contribution | None = None) -> Equations:
        rows = [row(self._derivative(self.graph.goal), " = ", "1")]
        for line in lines:
            missing = row(self._derivative(line.parent), " += ", Term("?", r"\boxed{\ ?\ }"))
            rows.append(missing if line is hidden else Term(str(line), line.latex))
        return Equations(tuple(rows))


def joined(terms: Sequence[Term], sign: str = "=") -> list[str | Term]:
    """Return terms with a sign between them, which is not aligned."""
    between: list[str | Term] = [Term(f" {sign} ", f" {sign} ")]
    return [part for shown in terms for part in (*between, shown)][1:]


def prose(*parts: str | Term) -> Prose:
    """Return a paragraph of words and formulas."""
    return Prose(parts)


def agrees(given: float, x: float) -> bool:
    """Return whether a number that was worked by hand is x."""
    # Where x is 0, only the digits that were typed are left.
    return abs(given - x) <= (TOLERANCE * abs(x) if x else 5e-5)


def read_number(given: float | str) -> float:
    """Return the number that a student gave, as a number or as text. Raises `ValueError` for text that is none.

    >>> read_number("−1/4"), read_number("2*cos(0)")
    (-0.25, 2.0)
    """
    if not isinstance(given, str):
        return given.data if isinstance(given, Value) else Value(given).data
    try:
        return Value(Expression(given)({})).data
    except (ExpressionError, TypeError):
        advice = "write a decimal point, as in 0.25" if "," in given else "give one, such as -0.7649, 2/3 or cos(1)"
        raise ValueError(f"{given!r} is not a number: {advice}") from None
