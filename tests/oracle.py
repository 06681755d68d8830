"""The correct results of the rows, from mpmath alone: its functions and its numerical derivatives.

A function is looked up in mpmath by the name of the row. The few that are called otherwise there, or are
defined by a formula, stand in `DEFINITIONS` as a textbook states them. Only a row that a user added has
nothing but its own forward to go by.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
from mpmath import mp

from scalargrad.interpreters.multiprecision import MULTIPRECISION
from scalargrad.rows import TABLE, Primitive, Vector

BUILT_IN = set(TABLE)


def _exp(x: Any) -> Any:
    # Beyond all doubles; of large whole numbers mpmath's own is slow.
    return mp.exp(x) if abs(x) < 1e6 else mp.ldexp(1, 10**6) if x > 0 else mp.zero


def _expm1(x: Any) -> Any:
    return mp.expm1(x) if abs(x) < 1e6 else _exp(x) - 1


def _softplus(x: Any) -> Any:
    return max(x, mp.zero) + mp.log1p(_exp(-abs(x)))


def _logaddexp(x: Any, y: Any) -> Any:
    return y + _softplus(x - y)


def _logsumexp(*xs: Any) -> Any:
    return max(xs) + mp.log(mp.fsum(_weights(xs)))


def _softmax(*xs: Any) -> list[Any]:
    weights = _weights(xs)
    return [weight / mp.fsum(weights) for weight in weights]


def _log_softmax(*xs: Any) -> list[Any]:
    whole = _logsumexp(*xs)
    return [x - whole for x in xs]


def _weights(xs: Sequence[Any]) -> list[Any]:
    return [_exp(x - max(xs)) for x in xs]


def _dot(*xys: Any) -> Any:
    half = len(xys) // 2
    return mp.fdot(xys[:half], xys[half:])


def _power(x: Any, y: Any) -> Any:
    # mpmath takes a negative base with a huge whole exponent for a complex one.
    if x < 0 and y == mp.floor(y):
        return (-1 if y % 2 else 1) * (-x) ** y
    return x**y


def _erfc(x: Any) -> Any:
    # Within e to the −10⁶, far below all doubles; mpmath's own raises OverflowError from about 1e154 on.
    return mp.erfc(x) if abs(x) < 1000 else mp.zero if x > 0 else mp.mpf(2)


def _logit(x: Any) -> Any:
    return mp.log(x / (1 - x))


def _nearest(x: Any, y: Any) -> Any:
    return x - y * mp.nint(x / y)


def _truncated(x: Any) -> Any:
    return mp.sign(x) * mp.floor(abs(x))


def _gamma(x: Any) -> Any:
    # Beyond all doubles.
    return mp.gamma(x) if abs(x) < 1e4 else mp.ldexp(1, 10**6) if x > 0 else mp.zero


def _hyperbolic(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: f(x) if abs(x) < 1e6 else mp.zero


def _angle(x: Any) -> Any:
    return _nearest(x, 2 * mp.pi)


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": lambda x, y: mp.floor(x / y),
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "pow": _power,
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "log2": lambda x: mp.log(x, 2),
    "log10": lambda x: mp.log(x, 10),
    "exp": _exp,
    "expm1": _expm1,
    "cbrt": lambda x: mp.sign(x) * mp.root(abs(x), 3),
    "sech2": lambda x: mp.sech(x) ** 2 if abs(x) < 1e6 else mp.zero,
    "sigmoid": lambda x: 1 / (1 + _exp(-x)),
    "softplus": _softplus,
    "step": lambda x, at_zero: mp.one if x > 0 else mp.zero if x < 0 else at_zero,
    "relu": lambda x, at_zero: max(x, mp.zero),
    "leaky_relu": lambda x, alpha, at_zero: x if x >= 0 else alpha * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * _expm1(x),
    "gelu": lambda x: x * _erfc(-x / mp.sqrt(2)) / 2,
    "erfc": _erfc,
    "silu": lambda x: x / (1 + _exp(-x)),
    "round": mp.nint,
    "one_minus_square": lambda x: 1 - x * x,
    "passed": operator.mul,
    "kinked": lambda x, y, smooth: x,
    "round_to": lambda x, digits: mp.nint(x * mp.mpf(10) ** mp.nint(digits)) / mp.mpf(10) ** mp.nint(digits),
    "less": lambda x, y: mp.mpf(x < y),
    "less_equal": lambda x, y: mp.mpf(x <= y),
    "greater": lambda x, y: mp.mpf(x > y),
    "greater_equal": lambda x, y: mp.mpf(x >= y),
    "equal": lambda x, y: mp.mpf(x == y),
    "not_equal": lambda x, y: mp.mpf(x != y),
    "clip": lambda x, low, high: min(max(x, low), high),
    "select": lambda condition, x, y: x if condition else y,
    "stop_gradient": operator.pos,
    "logaddexp": _logaddexp,
    "sum": lambda *xs: mp.fsum(xs),
    "prod": lambda *xs: mp.fprod(xs),
    "mean": lambda *xs: mp.fsum(xs) / len(xs),
    "max": lambda *xs: max(xs),
    "min": lambda *xs: min(xs),
    "logsumexp": _logsumexp,
    "dot": _dot,
    "affine": lambda *wxb: _dot(*wxb[:-1]) + wxb[-1],
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "exp2": lambda x: 2**x if abs(x) < 1e6 else _exp(x),
    "exp10": lambda x: 10**x if abs(x) < 1e6 else _exp(x),
    "logit": _logit,
    "xlogy": lambda x, y: x * mp.log(y) if x else mp.zero,
    "xlog1py": lambda x, y: x * mp.log1p(y) if x else mp.zero,
    "log1mexp": lambda x: mp.log(-_expm1(x)),
    "logexpm1": lambda x: x + mp.log(-_expm1(-x)),
    "sinc": lambda x: mp.sinpi(x) / (mp.pi * x) if x else mp.one,
    "rem2pi": _angle,
    "sech": _hyperbolic(mp.sech),
    "csch": _hyperbolic(mp.csch),
    "coth": lambda x: mp.coth(x) if abs(x) < 1e6 else mp.sign(x),
    "asech": lambda x: mp.acosh(1 / x),
    "acsch": lambda x: mp.asinh(1 / x),
    "acoth": lambda x: mp.atanh(1 / x),
    "trunc": _truncated,
    "fmod": lambda x, y: x - y * _truncated(x / y),
    "remainder": _nearest,
    "copysign": lambda x, y: -abs(x) if y < 0 else abs(x),
    "fsum": lambda *xs: mp.fsum(xs),
    "gamma": _gamma,
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

LESS_A_CONSTANT: dict[Callable[..., Any], Callable[..., Callable[..., Any]]] = {
    # acos less π/2, the error function less ±1, the complementary one less 2, eˣ − 1 less −1, log(eˣ + eʸ) less the
    # argument that is held fast: their derivatives are the same, and do not lose their digits beside the constant.
    mp.acos: lambda i, at: lambda x: -mp.asin(x),
    mp.erf: lambda i, at: mp.erf if abs(at) < 1 else (lambda x: _erfc(-x)) if at < 0 else (lambda x: -_erfc(x)),
    _erfc: lambda i, at: _erfc if at > -1 else lambda x: -_erfc(-x),
    _expm1: lambda i, at: _expm1 if at > -1 else _exp,
    _logaddexp: lambda i, *at: lambda x, y: _softplus(y - x if i else x - y),
}
"""By function, what to differentiate once instead, by which argument and where."""

SCALES: dict[str, tuple[Callable[..., Any] | None, Callable[..., Any] | None]] = {
    # Sums may cancel, so they are bounded relative to the sum of the sizes of their terms.
    "sum": (lambda *xs: mp.fsum(map(abs, xs)), None),
    "mean": (lambda *xs: mp.fsum(map(abs, xs)) / len(xs), None),
    "dot": (lambda *xys: _dot(*map(abs, xys)), None),
    "affine": (lambda *wxb: DEFINITIONS["affine"](*map(abs, wxb)), None),
    "logaddexp": (lambda x, y: max(abs(x), abs(y)) + 1, None),
    "logsumexp": (lambda *xs: max(map(abs, xs)) + 1, lambda *xs: mp.one),
    "softmax": (lambda *xs: mp.one, lambda *xs: mp.one),
    "log_softmax": (lambda *xs: max(xs) - min(xs) + 1, lambda *xs: mp.one),
    "fsum": (lambda *xs: mp.fsum(map(abs, xs)), None),
    # Values near a zero of their own, which no double meets.
    "logexpm1": (lambda x: x + abs(mp.log(-_expm1(-x))), None),
    "lgamma": (lambda x: abs(mp.loggamma(x)) + 1, lambda x: abs(mp.digamma(x)) + 1),
    "digamma": (lambda x: abs(mp.digamma(x)) + 1, None),
    "gamma": (None, lambda x: abs(_gamma(x)) * (1 + abs(mp.digamma(x)))),
    "jv": (lambda order, x: mp.one, lambda order, x: mp.one),
    "yv": (lambda order, x: 1 + abs(mp.bessely(order, x)), lambda order, x: 1 + abs(mp.bessely(order + 1, x))),
    "expi": (lambda x: 1 + abs(mp.ei(x)), None),
    "erfcx": (None, lambda x: 1 + 2 * abs(x) * mp.exp(x * x) * mp.erfc(x)),
    # Partials that have a zero of their own are bounded relative to their terms, Φ(x) and xφ(x), σ and xσσ′.
    "gelu": (None, lambda x: _erfc(-x / mp.sqrt(2)) / 2 + abs(x) * _exp(-x * x / 2) / mp.sqrt(2 * mp.pi)),
    "sinc": (None, lambda x: (abs(mp.cospi(x)) + abs(mp.sincpi(x))) / abs(x) if x else mp.one),
    "silu": (None, lambda x: (1 + abs(x) / (1 + _exp(x))) / (1 + _exp(-x))),
}
"""By name, what the error of the value and of the partials is relative to, where it is not the true value."""


def function(row: Primitive) -> Callable[..., Any]:
    """The row's function on mpmath numbers, which takes flat arguments; a list for a vector row."""
    if row.name in DEFINITIONS and row.name in BUILT_IN:
        return DEFINITIONS[row.name]
    if row.name in BUILT_IN:
        found: Callable[..., Any] = getattr(mp, row.name)
        return found
    return lambda *xs: row.forward(MULTIPRECISION, *xs)


def output(row: Primitive, index: int) -> Callable[..., Any]:
    """One output of the row's function."""
    whole = function(row)
    return (lambda *xs: whole(*xs)[index]) if isinstance(row, Vector) else whole


def settled(compute: Callable[[int], Any], args: Sequence[float], size: Any = None) -> Any:
    """The limit of a computation on some numbers at rising precision; None if it does not settle.

    A result counts once two precisions agree to 64 bits, relative to `size` where it is larger. A 0, or
    what is below all doubles, counts without a size only from 1440 bits on: at a lower precision a difference
    of nearly equal numbers may vanish. Numbers far apart, or far above 1, need so many more digits.
    """
    exponents = [math.frexp(arg)[1] for arg in args if arg]
    more = 2 * (max(exponents, default=0) - min([0, *exponents]))
    previous = None
    for precision in (160, 480, 1440, 4320, 8640):
        with mp.workprec(precision + more):
            result = mp.convert(compute(precision + more))
        if not isinstance(result, mpmath.mpf) or not mp.isfinite(result):
            return None
        if previous is not None:
            close = abs(result - previous) <= max(abs(result), size or 0) * mp.mpf(2) ** -64
            vanishing = precision > 1440 and max(abs(result), abs(previous)) < mp.mpf(2) ** -1080
            if (close and (result or size)) or vanishing:
                return result
        previous = result
    return None


def value(f: Callable[..., Any], args: Sequence[float], size: Any = None) -> Any:
    """f at a point, exact to far more digits than a double has."""
    return settled(lambda precision: +f(*map(mp.mpf, args)), args, size)


def partial(
    f: Callable[..., Any], args: Sequence[float], orders: Sequence[int], direction: int = 0, size: Any = None
) -> Any:
    """A derivative of f at a point by mpmath's differences, of an order for each argument; None if there is none."""
    smallest = min([abs(arg) for arg in args if arg], default=1.0) if size is None else 1.0
    if f in LESS_A_CONSTANT and sum(orders) == 1:
        f = LESS_A_CONSTANT[f](orders.index(1), *args)

    def compute(precision: int) -> Any:
        step = mp.ldexp(min(smallest, 1.0), -precision // 2)
        # For the derivative of order n mpmath computes with n + 1 times the digits.
        with mp.workprec(precision // 2):
            if len(args) == 1:
                return mp.diff(f, args[0], orders[0], h=step, direction=direction)
            return mp.diff(f, tuple(args), tuple(orders), h=step, direction=direction)

    return settled(compute, args, size)


def scales(row: Primitive) -> tuple[Callable[..., Any] | None, Callable[..., Any] | None]:
    """The numbers that the errors of the row's value and partials are relative to; None for the true value."""
    return SCALES.get(row.name, (None, None)) if row.name in BUILT_IN else (None, None)
