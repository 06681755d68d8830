"""NumPy's ufuncs on single numbers, floats and Values. They follow IEEE, like NumPy, if Python's floats would raise."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import scalargrad as sg
from scalargrad import math as sm
from scalargrad.engine.nodes import NODES

__all__ = ["PREDICATES", "SCALAR", "divide"]

REFUSALS = (ValueError, ZeroDivisionError, OverflowError)


def _quiet(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return the function that gives nan and infinities in place of the errors of `function`."""

    def quiet(*args: Any) -> Any:
        try:
            return function(*args)
        except REFUSALS:
            return getattr(NODES, name)(*args)

    return quiet


def _ignoring_nan(choose: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: x if y != y else y if x != x else choose(x, y)


LN2 = math.log(2.0)
ROWS = {
    **{
        name: name
        for name in ("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan")
    },
    **{
        name: name
        for name in ("sinh", "cosh", "tanh", "hypot", "logaddexp", "fmod", "copysign", "sign", "floor", "ceil")
    },
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    **{"rint": "round", "trunc": "trunc", "fabs": "abs", "absolute": "abs", "remainder": "mod", "heaviside": "step"},
}
"""The rows that are ufuncs, by NumPy's names."""

divide = _quiet(operator.truediv, "div")
power = _quiet(operator.pow, "pow")
floordiv = _quiet(operator.floordiv, "floordiv")
modulo = _quiet(operator.mod, "mod")

SCALAR: dict[str, Callable[..., Any]] = {
    **{name: _quiet(getattr(sg, row), row) for name, row in ROWS.items()},
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": divide,
    "power": power,
    "float_power": power,
    "floor_divide": floordiv,
    "remainder": modulo,
    "divmod": lambda x, y: (floordiv(x, y), modulo(x, y)),
    "negative": operator.neg,
    "positive": operator.pos,
    "conjugate": operator.pos,
    "square": lambda x: x * x,
    "reciprocal": lambda x: divide(1.0, x),
    "degrees": sm.degrees,
    "rad2deg": sm.degrees,
    "radians": sm.radians,
    "deg2rad": sm.radians,
    "logaddexp2": lambda x, y: sg.logaddexp(x * LN2, y * LN2) / LN2,
    "maximum": sg.maximum,
    "minimum": sg.minimum,
    "fmax": _ignoring_nan(sg.maximum),
    "fmin": _ignoring_nan(sg.minimum),
    "modf": sm.modf,
    "frexp": sm.frexp,
    "ldexp": lambda x, i: sm.ldexp(x, int(i)),
    "nextafter": sm.nextafter,
    "spacing": sm.ulp,
}
"""The ufuncs that give numbers, by name."""
PREDICATES: dict[str, Callable[..., Any]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "isnan": sm.isnan,
    "isinf": sm.isinf,
    "isfinite": sm.isfinite,
    "signbit": lambda x: sm.copysign(1.0, x) < 0.0,
    "logical_not": operator.not_,
    "logical_and": lambda x, y: bool(x) and bool(y),
    "logical_or": lambda x, y: bool(x) or bool(y),
    "logical_xor": lambda x, y: bool(x) != bool(y),
}
"""The ufuncs that give bools."""
