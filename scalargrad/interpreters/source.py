"""The interpreter for source: operands are the names of variables, and the result is lines of Python.

Equal lines are written once, and operations on numbers alone are folded.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from ..rows import LIBRARY
from .floats import FLOATS, IEEE
from .namespace import Namespace

INFIX = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "neg": "-{}",
    "div": "{} / {}",
    "mod": "{} % {}",
    "floordiv": "{} // {}",
    "less": "{} < {}",
    "equal": "{} == {}",
    "select": "{1} if {0} else {2}",
}

LIBRARY_FUNCTIONS: dict[str, Any] = {name: getattr(FLOATS, name) for name in LIBRARY if name not in INFIX}
"""The functions that the lines call by name; they also use `inf` and `nan`."""


class Name:
    """An operand: the name of a variable in the program that `writer` writes."""

    __slots__ = ("text", "writer")

    def __init__(self, writer: Writer, text: str) -> None:
        self.writer = writer
        self.text = text

    def __add__(self, other: Any) -> Any:
        return self.writer.write("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self.writer.write("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self.writer.write("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.writer.write("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self.writer.write("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.writer.write("mul", other, self)

    def __neg__(self) -> Any:
        return self.writer.write("neg", self)


class Writer(Namespace):
    """The namespace `m` that writes a program: one assignment for each operation; equal ones are written once."""

    templates = INFIX
    assignment = "{} = {}"

    def __init__(self) -> None:
        super().__init__({name: functools.partial(self.write, name) for name in LIBRARY})
        self.names: dict[str, Name] = {}
        self.operands: dict[str, tuple[str, ...]] = {}

    def write(self, operation: str, *args: Any) -> Any:
        """Return the name of the result, or a number if all operands are numbers."""
        if not any(isinstance(arg, Name) for arg in args):
            return _fold(operation, args)
        simpler = self._simpler(operation, args)
        if simpler is not None:
            return simpler
        texts = tuple(arg.text if isinstance(arg, Name) else self.number(float(arg)) for arg in args)
        template = self.templates.get(operation) or f"{operation}({', '.join(['{}'] * len(args))})"
        line = template.format(*texts)
        if line not in self.names:
            name = Name(self, f"_t{len(self.names)}")
            self.names[line] = name
            self.operands[name.text] = texts
        return self.names[line]

    def _simpler(self, operation: str, args: tuple[Any, ...]) -> Any:
        """Return an operand that equals the result, if no operation is needed, else None."""
        if operation in {"pow", "div"} and args[1] == 1.0:
            return args[0]
        if operation == "select" and not isinstance(args[0], Name):
            return args[1] if args[0] else args[2]
        if operation == "select" and text(args[1]) == text(args[2]):
            return args[1]
        return None

    def number(self, x: float) -> str:
        """Return a number as the language writes it."""
        return repr(x)

    def lines(self, results: Iterable[Any]) -> list[str]:
        """Return the assignments that the results need, in order."""
        needed, waiting = set(), [r.text for r in results if isinstance(r, Name)]
        while waiting:
            name = waiting.pop()
            if name in self.operands and name not in needed:
                needed.add(name)
                waiting.extend(self.operands[name])
        return [self.assignment.format(name.text, line) for line, name in self.names.items() if name.text in needed]


def text(operand: Any) -> str:
    """Return a result as it is written: its name or its digits."""
    return operand.text if isinstance(operand, Name) else repr(float(operand))


def _fold(operation: str, args: tuple[Any, ...]) -> Any:
    if operation == "add":
        return args[0] + args[1]
    if operation == "sub":
        return args[0] - args[1]
    if operation == "mul":
        return args[0] * args[1]
    if operation == "neg":
        return -args[0]
    return getattr(IEEE, operation)(*args)
