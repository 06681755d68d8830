"""The namespaces `m` that write programs: they interpret rows with a program's values as operands."""

from __future__ import annotations

import functools
from typing import Any

from ..rows import Primitive, Vector, find
from .basis import ADD, BASIS, CHOOSE, EQUAL, LESS, MUL, NEG, REFUSING, SUB
from .builder import Builder
from .program import Const, Operand, Ref

__all__ = ["Basis", "Rows", "Term", "unwrapped", "wrapped"]


class Term:
    """An operand for the rules of rows: a value of the program that `builder` writes."""

    __slots__ = ("builder", "ref")

    def __init__(self, builder: Builder, ref: Ref) -> None:
        self.builder = builder
        self.ref = ref

    def _write(self, primitive: Primitive, *args: Any) -> Any:
        return wrapped(self.builder, self.builder.write(primitive, [*map(unwrapped, args)]))

    def __add__(self, other: Any) -> Any:
        return self._write(ADD, self, other)

    def __radd__(self, other: Any) -> Any:
        return self._write(ADD, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._write(SUB, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._write(SUB, other, self)

    def __mul__(self, other: Any) -> Any:
        return self._write(MUL, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._write(MUL, other, self)

    def __neg__(self) -> Any:
        return self._write(NEG, self)


def wrapped(builder: Builder, operand: Operand) -> Any:
    """Return an operand in the form that rules of rows take."""
    return Term(builder, operand) if type(operand) is int else operand


def unwrapped(x: Any) -> Operand:
    """Return a rule's result as an operand."""
    return x.ref if type(x) is Term else x if type(x) is Const else Const(x)


class Rows:
    """The namespace `m` that writes a row's partials as instructions of rows, to be differentiated again."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.less = functools.partial(self._write, LESS)
        self.equal = functools.partial(self._write, EQUAL)
        self.select = functools.partial(self._write, CHOOSE)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        function = functools.partial(self._write, find(name))
        setattr(self, name, function)
        return function

    def _write(self, row: Primitive, *args: Any) -> Any:
        operands = [*map(unwrapped, row.filled(args))]
        if isinstance(row, Vector):
            return [wrapped(self.builder, x) for x in self.builder.write_vector(row, operands)]
        return wrapped(self.builder, self.builder.write(row, operands))


class Basis:
    """The namespace `m` that writes rows in the basis. If `refuses` is set, operations that can refuse do so."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.refuses = False
        self.select = functools.partial(self._write, CHOOSE)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        row = BASIS.get(name)
        function = functools.partial(find(name).forward, self) if row is None else functools.partial(self._write, row)
        setattr(self, name, function)
        return function

    def stop_gradient(self, x: Any) -> Any:
        return x

    def _write(self, row: Primitive, *args: Any) -> Any:
        refuses = self.refuses and row.name in REFUSING
        return wrapped(self.builder, self.builder.write(row, [*map(unwrapped, args)], refuses))
