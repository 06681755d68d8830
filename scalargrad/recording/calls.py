"""Results of a program that depend on Values: nodes whose local derivatives are those of the program."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from ..engine.value import Value, data_of, next_serial
from ..rows import Many
from .backends import build
from .builder import Builder
from .derivatives import vjp
from .program import Const, Guard, Operand, Program, operands_of

__all__ = ["Differentiable", "dependent"]

READY = 4
"""The largest number of results whose derivatives are computed at each call. For more, they are computed on demand."""
ONE = Const(1.0)


class Differentiable:
    """A program with its derivatives with respect to some of its inputs; it makes nodes."""

    def __init__(self, program: Program, by: Sequence[int], backend: str) -> None:
        self.program = program
        self.by = tuple(by)
        self.backend = backend
        self.dependent = dependent(program, self.by)
        self.primitives = [_Result(self, place) for place in range(len(self.dependent))]

    def __reduce__(self) -> tuple[Any, ...]:
        return Differentiable, (self.program, self.by, self.backend)

    @functools.cached_property
    def runner(self) -> Any:
        """The program ready to run; the derivatives of a few results come with them."""
        ready = 0 < len(self.dependent) <= READY
        return build(self._jacobian(keep=True) if ready else self.program, self.backend)

    @functools.cached_property
    def derivative(self) -> Differentiable:
        """The Jacobian of the dependent outputs, row after row."""
        return Differentiable(self._jacobian(keep=False), self.by, self.backend)

    def _jacobian(self, keep: bool) -> Program:
        program = self.program
        b = Builder(program.inputs, program.wide, share=False)
        inputs = list(range(program.inputs))
        outputs: list[Operand] = []
        for place, k in enumerate(self.dependent):
            one = vjp(program, [k], self.by, [ONE], keep=keep and not place)
            outputs += b.inline(one, inputs)
        return b.program(outputs, program.captured)

    def run(self, numbers: Sequence[float], columns: Sequence[Any]) -> list[Any] | None:
        """Return the outputs and the further results of the runner; None if a guard fails."""
        found: list[Any] | None = self.runner(numbers, columns) if columns else self.runner(numbers)
        return found

    def nodes(self, args: tuple[Any, ...], columns: Sequence[Any], found: list[Any]) -> list[Any]:
        """Return the outputs of a run for these arguments, Values and floats: nodes for those that depend on Values."""
        count = len(self.program.outputs)
        results = found[:count]
        if self.dependent:
            evaluation = _Evaluation(self, args, columns, found[count:])
            for place, k in enumerate(self.dependent):
                results[k] = _ResultNode(evaluation, place, results[k])
        return results

    def __call__(self, args: tuple[Any, ...], columns: Sequence[Any]) -> list[Any]:
        """Return the outputs for Values and floats; the guards hold."""
        found = self.run([*map(data_of, args)], columns)
        if found is None:
            raise ArithmeticError("a recorded program was differentiated at a point at which its guards fail")
        return self.nodes(args, columns, found)


class _Evaluation:
    """One run of a program on Values. All its results share its derivatives."""

    def __init__(
        self, differentiable: Differentiable, args: tuple[Any, ...], columns: Sequence[Any], found: list[Any]
    ) -> None:
        self.differentiable = differentiable
        self.args = args
        self.columns = columns
        self.parents = tuple([arg for arg in args if isinstance(arg, Value)])
        self._found = found

    def partials(self, place: int) -> tuple[float, ...]:
        """Return the local derivatives of one of the dependent results."""
        if not self._found:
            derivative = self.differentiable.derivative
            count = len(derivative.program.outputs)
            self._found = (derivative.run([*map(data_of, self.args)], self.columns) or [])[:count]
        width = len(self.differentiable.by)
        return tuple(self._found[place * width : (place + 1) * width])


class _ResultNode(Value):
    """A result of a program. Its local derivatives are computed when a sweep first asks for them."""

    __slots__ = ("_evaluation", "_partials", "_place")

    def __init__(self, evaluation: _Evaluation, place: int, data: float) -> None:
        self._data = data
        self.grad = 0.0
        self.label = ""
        self.mark = None
        self.serial = next_serial()
        self.first, self.second, self.partial_second = evaluation.args, evaluation.parents, None
        self.primitive = evaluation.differentiable.primitives[place].at(evaluation)
        self._evaluation = evaluation
        self._place = place
        self._partials: tuple[float, ...] | None = None

    @property
    def partial_first(self) -> Any:
        """The local derivatives with respect to the parents, in the form of nodes of more than two operands."""
        if self._partials is None:
            self._partials = self._evaluation.partials(self._place)
        return self._partials

    @partial_first.setter
    def partial_first(self, found: tuple[float, ...] | None) -> None:
        self._partials = found


class _Result(Many):
    """The `primitive` of a program's result."""

    opaque = True

    def __init__(self, differentiable: Differentiable, place: int, columns: Sequence[Any] = ()) -> None:
        super().__init__("jit", lambda m, *xs: differentiable(xs, columns)[place], doc="A recorded program.")
        self.differentiable = differentiable
        self.place = place
        self.columns = columns

    def __reduce__(self) -> tuple[Any, ...]:
        return _Result, (self.differentiable, self.place, self.columns)

    def at(self, evaluation: _Evaluation) -> _Result:
        """Return this primitive for one evaluation, without making a new row."""
        result: _Result = object.__new__(type(self))
        result.__dict__.update(self.__dict__, columns=evaluation.columns)
        return result

    def derivatives(self, m: Any, out: Any, args: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        """Return the derivatives as nodes: results of the derivative program."""
        by = self.differentiable.by
        results = self.differentiable.derivative(tuple(args), self.columns)
        row = dict(zip(by, results[self.place * len(by) : (self.place + 1) * len(by)], strict=True))
        return [row[i] if w else None for i, w in enumerate(wanted)]


def dependent(program: Program, sources: Sequence[int]) -> list[int]:
    """Return the places of the outputs that are computed from these values."""
    reached = bytearray(program.size)
    for x in sources:
        reached[x] = True
    if sources:
        for start, step in program.numbered():
            if not isinstance(step, Guard) and any(type(x) is int and reached[x] for x in operands_of(step)):
                reached[start : start + step.width] = b"\1" * step.width
    return [k for k, x in enumerate(program.outputs) if type(x) is int and reached[x]]
