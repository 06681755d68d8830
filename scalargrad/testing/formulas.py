"""Formulas as data: `Expression` and `Branching` compute on every kind of number, and print as source."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..engine.evaluation import call
from ..rows import Affine, Dot, Primitive
from .margins import Margins

__all__ = ["Branching", "Expression"]

Operand: TypeAlias = "int | float | str"
"""An operand of a step: the number of an earlier step, a constant, or the name of an input."""


@dataclass(frozen=True)
class Step:
    """One call of a primitive, on flat operands."""

    row: Primitive
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Expression:
    """A formula of named inputs, as a list of steps. A step may read all earlier ones; the last is the result.

    Call it with the inputs by name, or with one dict of them: floats, Values, NumPy arrays or mpmath numbers.
    `str` gives the Python function, which runs with `import scalargrad as sg`.
    """

    names: tuple[str, ...]
    steps: tuple[Step, ...]

    def __call__(self, point: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """Return the value at a point. Raises `TypeError` for inputs that are not those of the formula."""
        inputs = {**(point or {}), **named}
        if set(inputs) != set(self.names):
            raise TypeError(
                f"the expression takes {', '.join(self.names)}, and was given {', '.join(inputs) or 'none'}"
            )
        multiprecision = any(_is_multiprecision(x) for x in inputs.values())
        return self._values(inputs, _exactly if multiprecision else _eagerly)[-1]

    def margin(self, point: Mapping[str, float]) -> float:
        """Return the distance of the point from the next change of rule in any step: 0.0 at a kink, a jump or a tie."""
        margins = Margins()

        def compute(row: Primitive, operands: Sequence[Any]) -> Any:
            row.forward(margins, *operands)
            for kink in row.kinks:
                margins.note(abs(operands[0] - kink))
            return _eagerly(row, operands)

        self._values({name: x * 1.0 for name, x in point.items()}, compute)  # copies, as in `margin` of a row
        return margins.smallest

    def _values(self, inputs: Mapping[str, Any], compute: Any) -> list[Any]:
        values: list[Any] = []
        for step in self.steps:
            found = [values[o] if isinstance(o, int) else inputs[o] if isinstance(o, str) else o for o in step.operands]
            values.append(compute(step.row, found))
        return values

    def __str__(self) -> str:
        return "\n".join([f"def f({', '.join(self.names)}):", *(f"    {line}" for line in self.lines())])

    def lines(self, prefix: str = "t", result: str = "return ") -> Iterator[str]:
        """Generate the statements: one for each step that is read more than once, and one for the result."""
        reads = [operand for step in self.steps for operand in step.operands if isinstance(operand, int)]
        texts: list[str] = []
        for i, step in enumerate(self.steps):
            text = _text(step.row, [texts[o] if isinstance(o, int) else _written(o) for o in step.operands])
            if i < len(self.steps) - 1 and reads.count(i) > 1:
                yield f"{prefix}{i} = {text}"
                text = f"{prefix}{i}"
            texts.append(text)
        yield f"{result}{texts[-1]}"


@dataclass(frozen=True)
class Branching:
    """A function whose path depends on the data: `if low < high: then, else: otherwise`, nested, and a loop.

    If `repeat` is not 0, the loop halves the result while it is beyond that bound. The parts are expressions or
    branchings of the same names. It is called and printed like an `Expression`.
    """

    low: Expression
    high: Expression
    then: Expression | Branching
    otherwise: Expression | Branching
    repeat: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the inputs."""
        return self.low.names

    def __call__(self, point: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """Return the value at a point, on floats, Values or mpmath numbers."""
        inputs = {**(point or {}), **named}
        result = self.then(inputs) if self.low(inputs) < self.high(inputs) else self.otherwise(inputs)
        while self.repeat and result * result > self.repeat * self.repeat:
            result = result * 0.5
        return result

    def margin(self, point: Mapping[str, float]) -> float:
        """Return the distance of the point from the next change of the path or of a step's rule."""
        low, high = float(self.low(point)), float(self.high(point))
        taken = self.then if low < high else self.otherwise
        margins: list[float] = [abs(low - high), self.low.margin(point), self.high.margin(point), taken.margin(point)]
        result = abs(float(taken(point)))
        while self.repeat and result > self.repeat:
            margins.append(result - self.repeat)
            result *= 0.5
        return min(margins + ([abs(result - self.repeat)] if self.repeat else []))

    def __str__(self) -> str:
        return "\n".join([f"def f({', '.join(self.names)}):", *(f"    {line}" for line in self.lines())])

    def lines(self, prefix: str = "t", result: str = "return ") -> Iterator[str]:
        """Generate the statements, of which the last one begins with `result`."""
        yield from self.low.lines(f"{prefix}l", f"{prefix}_low = ")
        yield from self.high.lines(f"{prefix}h", f"{prefix}_high = ")
        kept = f"{prefix}_result = " if self.repeat else result
        yield f"if {prefix}_low < {prefix}_high:"
        yield from (f"    {line}" for line in self.then.lines(f"{prefix}y", kept))
        yield "else:"
        yield from (f"    {line}" for line in self.otherwise.lines(f"{prefix}n", kept))
        if self.repeat:
            yield f"while {prefix}_result * {prefix}_result > {self.repeat!r} * {self.repeat!r}:"
            yield f"    {prefix}_result = {prefix}_result * 0.5"
            yield f"{result}{prefix}_result"


def _is_multiprecision(x: Any) -> bool:
    mpmath = sys.modules.get("mpmath")
    return mpmath is not None and isinstance(x, mpmath.mpf)


def _eagerly(row: Primitive, operands: Sequence[Any]) -> Any:
    return call(row, tuple(operands))


def _exactly(row: Primitive, operands: Sequence[Any]) -> Any:
    from ..interpreters.multiprecision import MULTIPRECISION, number

    return row.forward(MULTIPRECISION, *map(number, operands))


def _written(operand: Operand) -> str:
    return operand if isinstance(operand, str) else repr(operand)


def _text(row: Primitive, texts: Sequence[str]) -> str:
    half = len(texts) // 2
    if isinstance(row, (Dot, Affine)):
        bias = [texts[-1]] if isinstance(row, Affine) else []
        parts = [f"[{', '.join(texts[:half])}]", f"[{', '.join(texts[half : 2 * half])}]", *bias]
        return f"sg.{row.name}({', '.join(parts)})"
    return f"sg.{row.name}([{', '.join(texts)}])" if row.variadic else f"sg.{row.name}({', '.join(texts)})"
