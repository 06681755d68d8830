"""Lowering: a program's rows written out in the basis of `m`, which every back end speaks.

It is one more interpreter of the table: the operands are cells of a `Code`. Equal operations are shared,
operations on numbers alone folded, and a choice by a condition that was kept as a number uses the condition.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from ..interpreters.floats import IEEE
from ..rows import LIBRARY, SCIPY, Functions, Primitive, Vector, find
from .program import Guard, Instruction, Mapped, Operand, Program

__all__ = ["Check", "Code", "MappedCall", "Operation", "can_refuse", "lower"]

REFUSING = frozenset({"div", "pow", "mod", "floordiv", "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt"}) | {
    *("sin", "cos", "tan", "asin", "acos", "sinh", "cosh", "acosh", "atanh", "gamma", "lgamma", *SCIPY)
}
"""The operations that floats refuse somewhere: at a pole, outside a domain, at an overflow."""

MOST_SHARED = 20_000
"""How many operations are remembered to be shared, which bounds the memory for a large program."""

ARITHMETIC = ("add", "sub", "mul", "neg")
NAMES = frozenset((*LIBRARY, *ARITHMETIC))


class Operation(NamedTuple):
    """One operation of the basis; its result is the cell of that number."""

    name: str
    operands: tuple[Operand, ...]
    result: int


class Check(NamedTuple):
    """Go on only where the condition, the cell of a comparison, is as expected."""

    condition: int
    holds: bool


class MappedCall(NamedTuple):
    """A mapped step: the cells that it reads for all lanes, and the cells that it fills."""

    step: Mapped
    broadcast: tuple[Operand, ...]
    result: int


class Code:
    """A program in the basis. The cells 0, 1, … are its inputs and captured numbers; `refusing` are the
    cells at which eager code would raise if the result is not finite though the operands are."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.size = inputs
        self.steps: list[Operation | Check | MappedCall] = []
        self.refusing: set[int] = set()
        self.outputs: tuple[Operand, ...] = ()
        self._shared: dict[Any, int] = {}
        self._conditions: dict[int, int] = {}  # cells that hold a condition as 1 or 0
        self._negated: dict[int, int] = {}
        self.refuses = False

    def write(self, name: str, *args: Any) -> Any:
        """The cell of an operation's result, or the number where all operands are numbers."""
        operands = tuple([x.number if type(x) is Cell else float(x) for x in args])
        key: tuple[Any, ...] = (name, operands)
        kinds = set(map(type, operands))
        if float in kinds:
            if int not in kinds:
                return _fold(name, operands)
            simpler = self._simpler(name, operands)
            if simpler is not None:
                return simpler
            key = (name, *[x if type(x) is int else float.hex(x) for x in operands])
        number = self._shared.get(key)
        if number is None:
            if len(self._shared) > MOST_SHARED:
                self._shared.clear()
            number = self._shared[key] = self.size
            self.size += 1
            self.steps.append(Operation(name, operands, number))
            if name == "select" and operands[1:] == (1.0, 0.0) and type(operands[1]) is float:
                self._conditions[number] = cast(int, operands[0])
        if self.refuses and name in REFUSING:
            self.refusing.add(number)
        return Cell(self, number)

    def _simpler(self, name: str, operands: tuple[Operand, ...]) -> Any:
        if name == "equal" and operands[0] in self._conditions and _is(operands[1], 0.0):
            return Negated(self._conditions[cast(int, operands[0])])
        if name in {"pow", "div"} and _is(operands[1], 1.0):
            return self.operand(operands[0])
        if name == "mul":
            for x, other in (operands, operands[::-1]):
                if _is(x, 1.0):
                    return self.operand(other)
        return None

    def operand(self, operand: Operand) -> Any:
        """A cell for the number of one, a constant as it is."""
        return Cell(self, operand) if type(operand) is int else operand

    def tidy(self) -> None:
        """Drop what nothing needs; what refuses stays."""
        needed = bytearray(self.size)  # a set of the cells of a large program would be larger than the program
        for x in self.outputs:
            if type(x) is int:
                needed[x] = True
        kept = []
        for step in reversed(self.steps):
            if isinstance(step, Operation):
                if not needed[step.result] and step.result not in self.refusing:
                    continue
                used: Sequence[Operand] = step.operands
            else:
                used = (step.condition,) if isinstance(step, Check) else step.broadcast
            for x in used:
                if type(x) is int:
                    needed[x] = True
            kept.append(step)
        self.steps = kept[::-1]


class Negated(NamedTuple):
    """The opposite of a condition; only `select` takes it."""

    condition: int


class Cell:
    """An operand: a cell of the code."""

    __slots__ = ("code", "number")

    def __init__(self, code: Code, number: int) -> None:
        self.code = code
        self.number = number

    def __add__(self, other: Any) -> Any:
        return self.code.write("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self.code.write("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self.code.write("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.code.write("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self.code.write("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.code.write("mul", other, self)

    def __neg__(self) -> Any:
        return self.code.write("neg", self)


class Basis:
    """The namespace `m` that writes into a code."""

    def __init__(self, code: Code) -> None:
        self.code = code

    def select(self, condition: Any, x: Any, y: Any) -> Any:
        if isinstance(condition, bool):
            return x if condition else y
        if type(condition) is Negated:
            condition, x, y = Cell(self.code, condition.condition), y, x
        if _same(x, y):
            return x
        return self.code.write("select", condition, x, y)

    def stop_gradient(self, x: Any) -> Any:
        return x

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        function = functools.partial(self.code.write, name) if name in NAMES else self._row(find(name))
        setattr(self, name, function)
        return function

    def _row(self, row: Primitive) -> Callable[..., Any]:
        return lambda *args: row.forward(self, *args)


def _is(x: Operand, number: float) -> bool:
    return type(x) is float and float.hex(x) == float.hex(number)


def _same(x: Any, y: Any) -> bool:
    if type(x) is Cell or type(y) is Cell:
        return type(x) is type(y) and x.number == y.number
    return float.hex(float(x)) == float.hex(float(y))


def _fold(name: str, operands: Sequence[Any]) -> Any:
    if name == "less":
        return operands[0] < operands[1]
    if name == "equal":
        return operands[0] == operands[1]
    if name in ARITHMETIC:
        return find(name).forward(IEEE, *operands)
    return getattr(IEEE, name)(*operands)


def lower(program: Program) -> Code:
    """The program in the basis."""
    code = Code(program.inputs + program.captured)
    m = cast(Functions, Basis(code))
    cells: list[Any] = [Cell(code, i) for i in range(code.inputs)]

    def operand(x: Operand) -> Any:
        return cells[x] if type(x) is int else x

    for step in program.steps:
        if isinstance(step, Instruction):
            code.refuses = step.refuses
            out = step.row.forward(m, *[operand(x) for x in step.operands])
            cells.extend(out if isinstance(step.row, Vector) else (out,))
        elif isinstance(step, Guard):
            _check(code, cells[step.condition], step.holds)
        else:
            broadcast = tuple([_number(operand(x)) for x in step.broadcast])
            code.steps.append(MappedCall(step, broadcast, code.size))
            cells.extend([Cell(code, code.size + i) for i in range(step.width)])
            code.size += step.width
    code.outputs = tuple([_number(operand(x)) for x in program.outputs])
    code._shared.clear()
    code.tidy()
    return code


def _check(code: Code, cell: Any, holds: bool) -> None:
    if type(cell) is not Cell:
        return  # the same at every run: it holds, or the recording would not have come here
    if cell.number in code._conditions:
        code.steps.append(Check(code._conditions[cell.number], holds))
    else:
        zero = code.write("equal", cell, 0.0)
        if type(zero) is Cell:
            code.steps.append(Check(zero.number, not holds))


def _number(x: Any) -> Operand:
    return x.number if type(x) is Cell else float(x)


@functools.cache
def can_refuse(row: Primitive, count: int) -> bool:
    """Whether eager code may raise in this row for some operands."""
    code = Code(count)
    code.refuses = True
    row.forward(cast(Functions, Basis(code)), *[Cell(code, i) for i in range(count)])
    return bool(code.refusing)
