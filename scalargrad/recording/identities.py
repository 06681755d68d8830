"""The identities of the builder: for each primitive, the results that need no operation.

They are equal to the last bit, including the sign of zero; only the kind of nan may differ. So x·0, x − x and 0 + x
are not simplified.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from .basis import ADD, CHOOSE, DIV, EQUAL, LESS, MUL, NEG, SUB
from .program import Const, Operand

if TYPE_CHECKING:
    from .builder import Builder

__all__ = ["DIVISIONS", "IDENTITIES", "ONE", "ZEROS"]

ONE, MINUS_ONE = Const(1.0), Const(-1.0)
ZEROS = (Const(0.0), Const(-0.0))


def _add(b: Builder, operands: tuple[Operand, ...], refuses: bool) -> Operand | None:
    x, y = operands
    if y == ZEROS[1]:
        return x
    if x == ZEROS[1]:
        return y
    if (minus := b.negated(y)) is not None:
        return b.write(SUB, (x, minus))
    if (minus := b.negated(x)) is not None:
        return b.write(SUB, (y, minus))
    return None


def _sub(b: Builder, operands: tuple[Operand, ...], refuses: bool) -> Operand | None:
    x, y = operands
    if y == ZEROS[0]:
        return x
    return b.write(ADD, (x, minus)) if (minus := b.negated(y)) is not None else None


def _mul(b: Builder, operands: tuple[Operand, ...], refuses: bool) -> Operand | None:
    for x, y in (operands, operands[::-1]):
        if x == ONE:
            return y
        if x == MINUS_ONE:
            return b.write(NEG, (y,))
        if (minus := b.negated(x)) is not None:
            return b.write(NEG, (b.write(MUL, (minus, y)),))
    return None


def _neg(b: Builder, operands: tuple[Operand, ...], refuses: bool) -> Operand | None:
    return b.negated(operands[0])


def _div(b: Builder, operands: tuple[Operand, ...], refuses: bool) -> Operand | None:
    x, y = operands
    if y == ONE:
        return x
    if y == MINUS_ONE:
        return b.write(NEG, (x,))
    if type(y) is Const and abs(math.frexp(y)[0]) == 0.5 and 1e-300 < abs(y) < 1e300:
        return b.write(MUL, (x, Const(1.0 / y)))  # the inverse of a power of two is exact
    return b.write(NEG, (b.write(DIV, (minus, y), refuses),)) if (minus := b.negated(x)) is not None else None


def _pow(b: Builder, operands: tuple[Operand, ...], refuses: bool) -> Operand | None:
    x, y = operands
    return x if y == ONE else ONE if y in ZEROS else None


def _choose(b: Builder, operands: tuple[Operand, ...], refuses: bool) -> Operand | None:
    condition, x, y = operands
    if x == y:
        return x
    if type(condition) is Const:
        return x if float(condition) != 0.0 else y
    step = b.instruction(condition)
    if step is None:
        return None
    if step.primitive is EQUAL and step.operands[1] in ZEROS:
        return b.write(CHOOSE, (step.operands[0], y, x))  # nan is not 0 on both sides
    return condition if step.primitive in (LESS, EQUAL) and (x, y) == (ONE, ZEROS[0]) else None


IDENTITIES: dict[str, Callable[[Builder, tuple[Operand, ...], bool], Operand | None]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "neg": _neg,
    "div": _div,
    "pow": _pow,
    "choose": _choose,
    "pos": lambda b, operands, refuses: operands[0],
}

DIVISIONS = {"div", "mod", "floordiv"}
"""The operations that floats refuse only if the second operand is 0."""
