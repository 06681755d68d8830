"""The basis: the primitives that every printer can write.

These are the rows that are functions of `m`, and three that only programs have: two conditions, which are numbers, and
the choice between two operands.
"""

from __future__ import annotations

import functools
from typing import Any, cast

from .. import primitives
from ..rows import LIBRARY, SCIPY, Binary, Fixed, Functions, Primitive, find

__all__ = ["ADD", "BASIS", "CHOOSE", "DIV", "EQUAL", "LESS", "MUL", "NEG", "REFUSING", "SUB", "can_refuse", "lookup"]


class _Condition(Binary):
    def __reduce__(self) -> tuple[Any, ...]:
        return lookup, (self.name,)


class _Choose(Fixed):
    def __reduce__(self) -> tuple[Any, ...]:
        return lookup, (self.name,)


LESS = _Condition("less", lambda m, x, y: m.select(m.less(x, y), 1.0, 0.0), None, None, doc="1 if x < y, else 0.")
EQUAL = _Condition("equal", lambda m, x, y: m.select(m.equal(x, y), 1.0, 0.0), None, None, doc="1 if x = y, else 0.")
CHOOSE = _Choose(
    "choose",
    lambda m, condition, x, y: m.select(m.equal(condition, 0.0), y, x),
    None,
    lambda m, out, condition, x, y: m.select(m.equal(condition, 0.0), 0.0, 1.0),
    lambda m, out, condition, x, y: m.select(m.equal(condition, 0.0), 1.0, 0.0),
    doc="x if the condition is not 0, else y: a choice inside a row. Both sides are computed.",
)


def lookup(name: str) -> Primitive:
    """Return the primitive of that name, from the table or from this module."""
    return {"less": LESS, "equal": EQUAL, "choose": CHOOSE}.get(name) or find(name)


ADD, SUB, MUL, DIV, NEG = primitives.add, primitives.sub, primitives.mul, primitives.div, primitives.neg

REFUSING = frozenset({"div", "pow", "mod", "floordiv", "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt"}) | {
    *("sin", "cos", "tan", "asin", "acos", "sinh", "cosh", "acosh", "atanh", "gamma", "lgamma", *SCIPY)
}
"""The operations that raise an error for some floats: at a pole, outside a domain, at an overflow."""

BASIS: dict[str, Primitive] = {name: find(name) for name in LIBRARY if name not in ("less", "equal", "select")}
BASIS |= {"add": ADD, "sub": SUB, "mul": MUL, "neg": NEG, "less": LESS, "equal": EQUAL, "choose": CHOOSE}
"""The primitives that every printer can write; `lowered` writes a program in these alone."""


def can_refuse(primitive: Primitive, count: int) -> bool:
    """Return True if eager code may raise in this row for some operands."""
    return _can_refuse(primitive, (3 if count % 2 else 4) if primitive.variadic and count > 4 else count)


@functools.cache
def _can_refuse(primitive: Primitive, count: int) -> bool:
    if primitive.opaque or primitive.name in REFUSING:
        return True
    if primitive.name in BASIS:
        return False
    probe = _Probe()
    primitive.forward(cast(Functions, probe), *[probe] * count)
    return probe.refuses


class _Probe:
    """A namespace `m` and an operand in one. It notes if an operation is called that can refuse."""

    refuses = False

    def _seen(self, *args: Any) -> _Probe:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _seen

    def __getattr__(self, name: str) -> Any:
        if name in REFUSING:
            self.refuses = True
        return self._seen if name in BASIS or name == "select" else functools.partial(find(name).forward, self)
