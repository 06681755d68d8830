"""The functions of formulas: the table's by name, other names that people use for them, and their families."""

from __future__ import annotations

import difflib
import inspect
import math
import re
from collections.abc import Callable
from typing import Any

from .. import elementary, primitives, special
from ..engine.functions import maximum, minimum
from ..rows import TABLE, Primitive, Variadic, Vector

__all__ = ["ALIASES", "CALLABLE", "CONSTANTS", "ONE_ARGUMENT", "families", "function_named", "unknown_function"]

CONSTANTS = {"pi": math.pi, "e": math.e}
ROWS: dict[str, Any] = {
    name: TABLE[name]
    for names in (primitives.__all__, elementary.__all__, special.ROWS)
    for name in names
    if not isinstance(TABLE[name], Vector)
}
FUNCTIONS: dict[str, Any] = {**ROWS, "maximum": maximum, "minimum": minimum}
CALLABLE = {*FUNCTIONS, "where"}
ONE_ARGUMENT = {
    name for name, row in ROWS.items() if not row.variadic and len(row.parameters) - len(row.defaults) == 1
} - {"pos", "neg", "gamma"}
"""The functions that may stand before an argument without parentheses, as in sin x; gamma x is a product."""

ALIASES = {
    **{"ln": "log", "lg": "log10", "ld": "log2", "lb": "log2", "log_2": "log2", "log_10": "log10", "log_e": "log"},
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{"arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "tg": "tan", "arctg": "atan", "arctan2": "atan2"},
    **{"σ": "sigmoid", "sgn": "sign", "logistic": "sigmoid", "swish": "silu", "fabs": "abs", "power": "pow"},
    **{"leakyrelu": "leaky_relu", "avg": "mean", "heaviside": "step", "root": "sqrt"},
    **{"ctg": "cot", "cosec": "csc", "gammaln": "lgamma", "psi": "digamma", "Γ": "gamma", "ψ": "digamma"},
}
"""Other names of the functions."""

INSTEAD = {"factorial": "gamma(n + 1)"}

FAMILIES = {
    "powers": "pow sqrt cbrt exp exp2 exp10 expm1",
    "logarithms": "log log1p log2 log10 logit xlogy xlog1py log1mexp logexpm1",
    "angles": "sin cos tan asin acos atan atan2 hypot sinpi cospi sinc rem2pi sec csc cot asec acsc acot",
    "hyperbolic": "sinh cosh tanh asinh acosh atanh sech2 sech csch coth asech acsch acoth",
    "activations": "sigmoid relu leaky_relu elu gelu silu softplus step",
    "pieces": "abs sign floor ceil round trunc copysign fmod remainder clip where select maximum minimum stop_gradient",
    "several numbers": "sum fsum prod mean max min dot affine logsumexp logaddexp",
    "statistics": "erf erfc erfinv erfcinv erfcx gammainc gammaincc betainc",
    "gamma and Bessel functions": "gamma lgamma digamma zeta jv yv iv kv lambertw",
}


def families() -> dict[str, list[str]]:
    """Return the functions of formulas by family; one that is in no family is in the last.

    >>> families()["statistics"][:2]
    ['erf', 'erfc']
    """
    found = {family: names.split() for family, names in FAMILIES.items()}
    placed = {name for names in found.values() for name in names}
    found["operators by name, and others"] = sorted(CALLABLE - placed)
    return found


def unknown_function(name: str) -> str:
    """Return why a name is not a function of formulas, and what to write.

    >>> unknown_function("sine")
    'there is no function sine; did you mean sin(x)? scalargrad --help lists them'
    """
    if name in TABLE:
        return f"{name} gives several numbers, and a formula needs one"
    if name in INSTEAD:
        return f"there is no function {name}; write {INSTEAD[name]}"
    if base := re.fullmatch(r"log_?(\d+)", name):
        return f"there is no function {name}; write log(x)/log({base[1]})"
    for length in range(1, len(name)):
        function = ALIASES.get(name[length:], name[length:])
        if function in CALLABLE and len(function) > 1:
            return f"there is no function {name}; did you mean {name[:length]}*{name[length:]}(x)?"
    close = difflib.get_close_matches(name.lower(), [*CALLABLE, *ALIASES], 1, 0.7)
    if close:
        return f"there is no function {name}; did you mean {close[0]}(x)? scalargrad --help lists them"
    return f"{name} is not a function; for a product write {name}*(…); scalargrad --help lists the functions"


def function_named(name: str) -> Callable[..., Any]:
    """Return the function of that name, called as in a formula: max(x, y) stands for max([x, y])."""
    function = FUNCTIONS[name]

    def called(*args: Any, **named: Any) -> Any:
        if isinstance(function, Variadic) and not (len(args) == 1 and isinstance(args[0], list)):
            args = (args,)
        try:
            _signature(function).bind(*args, **named)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        return function(*args, **named)

    return called


def _signature(function: Any) -> inspect.Signature:
    if not isinstance(function, Primitive):
        return inspect.signature(function)
    if function.variadic:
        return inspect.signature(function.pack)
    without = (inspect.Parameter.empty,) * (len(function.parameters) - len(function.defaults))
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
            for name, default in zip(function.parameters, without + function.defaults, strict=True)
        ]
    )
