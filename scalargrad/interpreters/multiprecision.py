"""The interpreter for mpmath's numbers: a row is computed to as many digits as mpmath is set to."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, cast

from mpmath import mp  # type: ignore[import-untyped]

from ..rows import Functions
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

MULTIPRECISION = cast(Functions, Namespace(OWN, mp))


def number(x: Any) -> Any:
    """Return a number as an mpmath number, which holds each float exactly."""
    return mp.mpf(x)
