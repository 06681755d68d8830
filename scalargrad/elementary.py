"""Rows of further elementary functions, under the same rules as those of `primitives`.

Powers of 2 and 10, forms of the logarithm that stay exact, functions of πx, the reciprocal trigonometric and
hyperbolic functions with their inverses, and the remainders and signs of the C library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .rows import NONZERO, POSITIVE, REAL, Binary, Functions, Interval, Joint, Unary, Variadic, enter_all

if TYPE_CHECKING:
    from .rows import Operand as X

__all__ = [
    "acot",
    "acoth",
    "acsc",
    "acsch",
    "asec",
    "asech",
    "copysign",
    "cospi",
    "cot",
    "coth",
    "csc",
    "csch",
    "exp2",
    "exp10",
    "fmod",
    "fsum",
    "log1mexp",
    "logexpm1",
    "logit",
    "rem2pi",
    "remainder",
    "sec",
    "sech",
    "sinc",
    "sinpi",
    "trunc",
    "xlog1py",
    "xlogy",
]

LN2 = math.log(2.0)
OUTSIDE_UNIT = Joint("|x| ≥ 1", lambda x: abs(x) >= 1)
UNIT_INTERVAL = Interval(0.0, 1.0)
# sinc′(x) = x · Σ cₖ x²ᵏ: the coefficients, highest first.
SINC_SLOPE = [(-1) ** k * 2 * k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(16, 0, -1)]

# fmt: off
# Powers and logarithms
exp2     = Unary("exp2", lambda m, x: m.pow(2.0, x), lambda m, out, x: out * m.log(2.0), doc="The power 2ˣ.")
exp10    = Unary("exp10", lambda m, x: m.pow(10.0, x), lambda m, out, x: out * m.log(10.0), doc="The power 10ˣ.")
# Near ½ the quotient x / (1 − x) would round away the digits of a logarithm that is nearly 0.
logit    = Unary("logit", lambda m, x: m.select(m.less(x, 0.25), m.log(m.div(x, 1.0 - x)),
                                                2.0 * m.atanh(2.0 * m.select(m.less(x, 0.25), 0.5, x) - 1.0)),
                 lambda m, out, x: m.div(1.0, x * (1.0 - x)), domain=UNIT_INTERVAL,
                 doc="log(x / (1 − x)), the inverse of sigmoid.")
xlogy    = Binary("xlogy", lambda m, x, y: x * m.log(m.select(m.equal(x, 0.0), 1.0, y)),
                  lambda m, out, x, y: m.log(y),
                  lambda m, out, x, y: m.div(x, m.select(m.equal(y, 0.0), 1.0, y)),
                  domain=Joint("y > 0, or x = 0 with y ≥ 0", lambda x, y: y > 0 or x == y == 0),
                  textbook=(lambda m, out, x, y: m.log(y), lambda m, out, x, y: m.div(x, y)),
                  doc="x · log y, and 0 at x = 0.")
xlog1py  = Binary("xlog1py", lambda m, x, y: x * m.log1p(m.select(m.equal(x, 0.0), 0.0, y)),
                  lambda m, out, x, y: m.log1p(y),
                  lambda m, out, x, y: m.div(x, m.select(m.equal(y, -1.0), 1.0, 1.0 + y)),
                  domain=Joint("y > −1, or x = 0 with y ≥ −1", lambda x, y: y > -1 or (x == 0 and y == -1)),
                  textbook=(lambda m, out, x, y: m.log1p(y), lambda m, out, x, y: m.div(x, 1.0 + y)),
                  doc="x · log(1 + y), exact near y = 0, and 0 at x = 0.")
log1mexp = Unary("log1mexp", lambda m, x: m.select(m.less(x, -LN2), m.log1p(-m.exp(m.select(m.less(x, -LN2), x, -1.0))),
                                                   m.log(-m.expm1(x))),
                 lambda m, out, x: -m.div(1.0, m.expm1(-x)), domain=Interval(-math.inf, 0.0),
                 doc="log(1 − eˣ) for a negative x: the logarithm of the complementary probability.")
logexpm1 = Unary("logexpm1", lambda m, x: x + m.log(-m.expm1(-x)),
                 lambda m, out, x: -m.div(1.0, m.expm1(-x)), domain=POSITIVE,
                 doc="log(eˣ − 1), the inverse of softplus.")

# Trigonometry
sinpi    = Unary("sinpi", lambda m, x: m.sin(math.pi * _folded(m, x - 2.0 * m.round(0.5 * x))),
                 lambda m, out, x: math.pi * m.cospi(x), doc="sin(πx), exact for large x.")
cospi    = Unary("cospi", lambda m, x: m.sin(math.pi * (0.5 - m.abs(x - 2.0 * m.round(0.5 * x)))),
                 lambda m, out, x: -math.pi * m.sinpi(x), doc="cos(πx), exact for large x.")
sinc     = Unary("sinc", lambda m, x: m.select(m.equal(x, 0.0), 1.0,
                                               m.div(m.sinpi(x), math.pi * m.select(m.equal(x, 0.0), 1.0, x))),
                 lambda m, out, x: _sinc_slope(m, out, x, m.less(x * x, 0.25)),
                 textbook=(lambda m, out, x: m.div(m.cospi(x) - out, x),),
                 doc="sin(πx) / (πx), and 1 at 0, like NumPy's.")
rem2pi   = Unary("rem2pi", lambda m, x: m.atan2(m.sin(x), m.cos(x)), lambda m, out, x: 1.0,
                 doc="The angle in [−π, π] that differs from x by a multiple of 2π, exact for large x.")
sec      = Unary("sec", lambda m, x: m.div(1.0, m.cos(x)), lambda m, out, x: out * m.tan(x),
                 ulps=(4.0, 5.0), doc="The secant 1 / cos x.")
csc      = Unary("csc", lambda m, x: m.div(1.0, m.sin(x)), lambda m, out, x: -m.div(out, m.tan(x)), domain=NONZERO,
                 ulps=(4.0, 5.0), doc="The cosecant 1 / sin x.")
cot      = Unary("cot", lambda m, x: m.div(1.0, m.tan(x)), lambda m, out, x: -(1.0 + out * out), domain=NONZERO,
                 doc="The cotangent 1 / tan x.")
# From x² − 1, not from 1 / x, whose rounding would spoil the angle near |x| = 1.
asec     = Unary("asec", lambda m, x: m.atan2(_root_below(m, m.abs(x)), m.sign(x)),
                 lambda m, out, x: m.div(m.sign(x), x * m.sqrt((x - 1.0) * (x + 1.0))), domain=OUTSIDE_UNIT,
                 doc="The angle in [0, π] whose secant is x.")
acsc     = Unary("acsc", lambda m, x: m.sign(x) * m.atan2(1.0, _root_below(m, m.abs(x))),
                 lambda m, out, x: -m.div(m.sign(x), x * m.sqrt((x - 1.0) * (x + 1.0))), domain=OUTSIDE_UNIT,
                 doc="The angle in [−π/2, π/2] whose cosecant is x.")
acot     = Unary("acot", lambda m, x: m.atan(m.div(1.0, x)), lambda m, out, x: -m.div(1.0, 1.0 + x * x),
                 domain=NONZERO, doc="The angle in (−π/2, π/2) whose cotangent is x.")

# Hyperbolic functions
sech     = Unary("sech", lambda m, x: _sech(m, m.exp(-m.abs(x))), lambda m, out, x: -out * m.tanh(x),
                 doc="1 / cosh x, without overflow on the way.")
csch     = Unary("csch", lambda m, x: -m.div(2.0 * m.sign(x) * m.exp(-m.abs(x)), m.expm1(-2.0 * m.abs(x))),
                 lambda m, out, x: -m.div(out, m.tanh(x)), domain=NONZERO, ulps=(4.0, 5.0),
                 doc="1 / sinh x, without overflow on the way.")
coth     = Unary("coth", lambda m, x: m.div(1.0, m.tanh(x)), lambda m, out, x: -m.csch(x) * m.csch(x),
                 domain=NONZERO, ulps=(4.0, 8.0), doc="1 / tanh x.")
asech    = Unary("asech", lambda m, x: m.select(m.less(x, 0.5), m.acosh(m.div(1.0, m.select(m.less(x, 0.5), x, 0.5))),
                                                m.atanh(_other_leg(m, m.select(m.less(x, 0.5), 0.5, x)))),
                 lambda m, out, x: -m.div(1.0, x * _other_leg(m, x)),
                 domain=Interval(0.0, 1.0, "(]"), kinks=(1.0,), doc="The number ≥ 0 whose hyperbolic secant is x.")
acsch    = Unary("acsch", lambda m, x: m.asinh(m.div(1.0, x)),
                 lambda m, out, x: -m.div(m.sign(x), x * m.hypot(1.0, x)), domain=NONZERO,
                 doc="The number whose hyperbolic cosecant is x.")
acoth    = Unary("acoth", lambda m, x: 0.5 * m.sign(x) * m.log1p(m.div(2.0, m.abs(x) - 1.0)),
                 lambda m, out, x: m.div(1.0, (1.0 - x) * (1.0 + x)),
                 domain=Joint("|x| > 1", lambda x: abs(x) > 1), doc="The number whose hyperbolic cotangent is x.")

# Remainders and signs
trunc    = Unary("trunc", lambda m, x: m.select(m.less(x, 0.0), m.ceil(x), m.floor(x)), None,
                 doc="The whole part of x, rounded towards 0, as a float or Value.")
fmod     = Binary("fmod", lambda m, x, y: m.copysign(m.mod(m.abs(x), m.abs(y)), x),
                  lambda m, out, x, y: 1.0,
                  lambda m, out, x, y: -m.sign(x) * m.sign(y) * m.floordiv(m.abs(x), m.abs(y)),
                  textbook=(lambda m, out, x, y: 1.0, lambda m, out, x, y: -m.trunc(m.div(x, y))),
                  domain=(REAL, NONZERO), doc="The remainder of x / y with the sign of x, like the C library's.")
remainder = Binary("remainder", lambda m, x, y: m.copysign(1.0, x) * _nearest(m, m.abs(x), m.abs(y)),
                   lambda m, out, x, y: 1.0,
                   lambda m, out, x, y: -m.round(m.div(x - out, y)),
                   textbook=(lambda m, out, x, y: 1.0, lambda m, out, x, y: -m.round(m.div(x, y))),
                   domain=(REAL, NONZERO), doc="x minus the multiple of y nearest to it: the remainder of IEEE 754.")
# The angle of (−1, y) has the sign of y, even if y is a zero.
copysign = Binary("copysign", lambda m, x, y: m.select(m.less(m.atan2(y, -1.0), 0.0), -m.abs(x), m.abs(x)),
                  lambda m, out, x, y: m.sign(x) * m.copysign(1.0, y), None, kinks=(0.0,),
                  doc="|x| with the sign of y.")

# Any number of arguments
fsum     = Variadic("fsum", lambda m, *xs: _compensated(m, xs), lambda m, out, *xs: [1.0] * len(xs),
                    doc="The sum of the numbers, with the rounding error of each addition added at the end.")
# fmt: on


def _folded(m: Functions, x: X) -> X:
    # Fold x into [−½, ½], where sin(πx) has the same value.
    return m.select(m.less(0.5, x), 1.0 - x, m.select(m.less(x, -0.5), -1.0 - x, x))


def _sinc_slope(m: Functions, out: X, x: X, small: X) -> X:
    # The numerator cos(πx) − sinc x cancels near 0.
    near, far = m.select(small, x, 0.0), m.select(small, 1.0, x)
    series = SINC_SLOPE[0]
    for c in SINC_SLOPE[1:]:
        series = c + near * near * series
    return m.select(small, near * series, m.div(m.cospi(far) - out, far))


def _root_below(m: Functions, x: X) -> X:
    return m.sqrt(x - 1.0) * m.sqrt(x + 1.0)


def _other_leg(m: Functions, x: X) -> X:
    return m.sqrt((1.0 - x) * (1.0 + x))


def _sech(m: Functions, e: X) -> X:
    return m.div(2.0 * e, 1.0 + e * e)


def _nearest(m: Functions, x: X, y: X) -> X:
    rest = m.mod(x, y)
    over = y - rest
    even = rest - 2.0 * m.mod(0.5 * (x - rest), y)  # of two nearest, the even multiple
    return m.select(m.less(rest, over), rest, m.select(m.less(over, rest), -over, even))


def _compensated(m: Functions, xs: Sequence[X]) -> X:
    total, lost = xs[0], 0.0
    for x in xs[1:]:
        whole = total + x
        small = m.less(m.abs(total), m.abs(x))
        lost = lost + m.select(small, (x - whole) + total, (total - whole) + x)
        total = whole
    return total + m.select(m.equal(lost, lost), lost, 0.0)  # inf − inf


enter_all(globals())
