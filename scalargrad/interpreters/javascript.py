"""The interpreter for JavaScript: operands are names in a program for a web page, what comes out is its lines.

`HELPERS` has the functions that JavaScript lacks, or computes otherwise than Python.
"""

from __future__ import annotations

import math
from importlib.resources import files
from typing import Any

from .source import Name, Writer

__all__ = ["HELPERS", "JavaScriptWriter", "text"]

HELPERS = files(__package__).joinpath("helpers.js").read_text(encoding="utf-8")

INFIX = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "neg": "-{}",
    "div": "{} / {}",
    "less": "{} < {}",
    "equal": "{} === {}",
    "select": "{} ? {} : {}",
}
OF_TWO = ("pow", "mod", "floordiv", "atan2", "hypot")
HELPED = ("pow", "mod", "floordiv", "round", "erf", "erfc", "erfcx", "erfinv", "erfcinv", "gamma", "lgamma")
MATH: tuple[str, ...] = (
    "abs",
    "floor",
    "ceil",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "cbrt",
    "sin",
    "cos",
    "tan",
)
MATH += ("asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot")


def _called(name: str) -> str:
    arguments = "{}, {}" if name in OF_TWO else "{}"
    return f"{'helpers' if name in HELPED else 'Math'}.{name}({arguments})"


def number(x: float) -> str:
    """Return a float as JavaScript writes it, in parentheses if it is signed."""
    if not math.isfinite(x):
        return "NaN" if x != x else "Infinity" if x > 0 else "(-Infinity)"
    return f"({x!r})" if math.copysign(1.0, x) < 0 else repr(x)


class JavaScriptWriter(Writer):
    """The namespace `m` that writes lines of JavaScript.

    Raises `NotImplementedError` for a function that a browser lacks, such as a Bessel function.
    """

    templates = {name: _called(name) for name in (*MATH, *HELPED)} | INFIX
    assignment = "const {} = {};"

    def number(self, x: float) -> str:
        """Return a number as JavaScript writes it."""
        return number(x)

    def write(self, operation: str, *args: Any) -> Any:
        """Return the name of the result, or its number if all the operands are numbers."""
        if operation not in self.templates:
            raise NotImplementedError(f"{operation} is not computed in a browser")
        return super().write(operation, *args)

    def name(self, text: str) -> Name:
        """Return the operand for a variable that the program has already, such as `x[0]`."""
        return Name(self, text)


def text(operand: Any) -> str:
    """Return a result as it is written: its name, its digits, or null for a derivative that is 0 by structure."""
    if operand is None:
        return "null"
    return operand.text if isinstance(operand, Name) else number(float(operand))
