"""The interpreter for mpmath's numbers: a row is computed to as many digits as mpmath is set to."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, cast

from mpmath import mp  # type: ignore[import-untyped]

from ..rows import Functions, Primitive
from .namespace import Namespace

OWN: dict[str, Callable[..., Any]] = {
    "div": operator.truediv,
    "pow": operator.pow,
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "floordiv": lambda x, y: mp.floor(x / y),
    "less": operator.lt,
    "equal": operator.eq,
    "select": lambda condition, x, y: x if condition else y,
    "abs": abs,
    "round": mp.nint,
    "log2": lambda x: mp.log(x, 2),
    "cbrt": lambda x: mp.sign(x) * mp.root(abs(x), 3),
    "gamma": mp.gamma,
    "lgamma": lambda x: mp.re(mp.loggamma(x)),
    "erfcinv": lambda x: mp.erfinv(1 - x),
    "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x),
    "jv": mp.besselj,
    "yv": mp.bessely,
    "iv": mp.besseli,
    "kv": mp.besselk,
    "gammainc": lambda a, x: mp.gammainc(a, 0, x, regularized=True),
    "gammaincc": lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True),
    "betainc": lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True),
    "expi": mp.ei,
    "exp1": mp.e1,
    "lambertw": lambda x, branch: mp.re(mp.lambertw(x, int(branch))),
}

ROWS: dict[str, Callable[..., Any]] = {
    "sinpi": mp.sinpi,
    "cospi": mp.cospi,
    "sinc": mp.sincpi,
    "digamma": mp.digamma,
    "zeta": mp.zeta,
}
"""Rows whose `forward` has rounded constants or series for doubles."""

ROUNDED = {"sinpi", "cospi", "sinc", "digamma", "gelu", "erf", "erfc", "erfinv", "erfcinv", "erfcx", "ellipk", "ellipe"}
"""Rows whose partials have constants such as π, or series, as doubles: mpmath differentiates their function instead."""

MULTIPRECISION = cast(Functions, Namespace(OWN, mp))
vars(MULTIPRECISION).update(ROWS)


def function(row: Primitive) -> Callable[..., Any]:
    """Return the function of flat mpmath numbers that a row is."""
    own = ROWS.get(row.name) if row.home is None else None
    return own or functools.partial(row.forward, MULTIPRECISION)


def partials(row: Primitive, out: Any, args: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
    """Return the partial derivative for each argument: None if it is 0 by structure or not wanted."""
    found = row.derivatives(MULTIPRECISION, out, args, wanted)
    if row.name in ROUNDED and row.home is None:
        f = function(row)
        return [p if p is None else mp.diff(f, tuple(args), _unit(i, len(args))) for i, p in enumerate(found)]
    return found


def _unit(i: int, count: int) -> tuple[int, ...]:
    return tuple([int(k == i) for k in range(count)])


def number(x: Any) -> Any:
    """Return a number as an mpmath number, which holds each float exactly."""
    return mp.mpf(x)
