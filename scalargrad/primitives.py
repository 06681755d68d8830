"""The table of primitives: each row is stated here and nowhere else.

A row has its output and the partial derivative for each argument, written against a namespace `m` (see `rows`).
The only operators in rows are `+`, `-` and `*`. The partials are differentiated again, so they are written with
smooth rows; a `select` replaces a bad operand, so that both of its sides are finite. `None` in place of a rule is a
derivative that is 0 by structure. To add a primitive, add one row, and its name to `__all__`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .rows import (
    NONNEGATIVE,
    NONZERO,
    POSITIVE,
    REAL,
    Affine,
    Binary,
    Dot,
    Fixed,
    Functions,
    Interval,
    Joint,
    Unary,
    Variadic,
    Vector,
    enter_all,
)

if TYPE_CHECKING:
    from .rows import Operand as X

__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "affine",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "div",
    "dot",
    "elu",
    "equal",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "floor",
    "floordiv",
    "gelu",
    "greater",
    "greater_equal",
    "hypot",
    "leaky_relu",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "max",
    "mean",
    "min",
    "mod",
    "mul",
    "neg",
    "not_equal",
    "pos",
    "pow",
    "prod",
    "relu",
    "round",
    "round_to",
    "sech2",
    "select",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "step",
    "stop_gradient",
    "sub",
    "sum",
    "tan",
    "tanh",
]

LIKE_BUILTINS = ["abs", "max", "min", "pow", "round", "sum"]
"""The rows that share their names with built-in functions of Python."""

UNIT = Interval(-1.0, 1.0, "[]")
INSIDE_UNIT = Interval(-1.0, 1.0)
SQRT_PI = math.sqrt(math.pi)
SQRT_2PI = math.sqrt(2.0 * math.pi)

# fmt: off
# Arithmetic
add      = Binary("add", lambda m, x, y: x + y, lambda m, out, x, y: 1.0, lambda m, out, x, y: 1.0,
                  doc="The sum x + y.")
sub      = Binary("sub", lambda m, x, y: x - y, lambda m, out, x, y: 1.0, lambda m, out, x, y: -1.0,
                  doc="The difference x − y.")
mul      = Binary("mul", lambda m, x, y: x * y, lambda m, out, x, y: y, lambda m, out, x, y: x,
                  doc="The product x · y.")
div      = Binary("div", lambda m, x, y: m.div(x, y),
                  lambda m, out, x, y: m.div(1.0, y),
                  lambda m, out, x, y: -m.div(out, y),  # −x/y² would underflow in y² at y = 1e−200
                  domain=(REAL, NONZERO),
                  textbook=(lambda m, out, x, y: m.div(1.0, y), lambda m, out, x, y: -m.div(x, m.pow(y, 2.0))),
                  doc="The quotient x / y.")
floordiv = Binary("floordiv", lambda m, x, y: m.floordiv(x, y), None, None, domain=(REAL, NONZERO),
                  doc="The whole part ⌊x / y⌋ of a quotient, like Python's `//`.")
mod      = Binary("mod", lambda m, x, y: m.mod(x, y),
                  lambda m, out, x, y: 1.0,
                  lambda m, out, x, y: -m.floordiv(x, y),  # ⌊x / y⌋ of the rounded quotient is often one off
                  domain=(REAL, NONZERO), doc="The remainder x − y⌊x / y⌋, like Python's `%`: it has the sign of y.")
# With respect to x: y·xʸ⁻¹, and y·xʸ / x for a small y, whose digits y − 1 would round; an exponent 0 gives 0, also at
# x = 0. With respect to y: log 0 counts as 0, so that 0**y is flat for y ≥ 0.
pow      = Binary("pow", lambda m, x, y: m.pow(x, y),
                  lambda m, out, x, y: _power_slope(m, x, _exponent(m, x, y), m.less(y, 0.5)),
                  lambda m, out, x, y: _kinked_at_0(m, out * m.log(m.select(m.equal(x, 0.0), 1.0, x)), x, y),
                  domain=Joint("x > 0, or x = 0 with y ≥ 0, or x < 0 with a whole y",
                               lambda x, y: x > 0 or (x == 0 and y >= 0) or (x < 0 and float(y).is_integer())),
                  textbook=(lambda m, out, x, y: y * m.pow(x, y - 1.0), lambda m, out, x, y: out * m.log(x)),
                  doc="The power x**y.")
neg      = Unary("neg", lambda m, x: -x, lambda m, out, x: -1.0, doc="The negative −x.")
pos      = Unary("pos", lambda m, x: x, lambda m, out, x: 1.0, doc="The number itself, +x.")
abs      = Unary("abs", lambda m, x: m.abs(x), lambda m, out, x: m.sign(x), kinks=(0.0,), doc="The absolute value |x|.")

# Exponentials, logarithms, roots
exp      = Unary("exp", lambda m, x: m.exp(x), lambda m, out, x: out, doc="The exponential eˣ.")
expm1    = Unary("expm1", lambda m, x: m.expm1(x), lambda m, out, x: m.exp(x), doc="eˣ − 1, exact near 0.")
log      = Unary("log", lambda m, x: m.log(x), lambda m, out, x: m.div(1.0, x), domain=POSITIVE,
                 doc="The natural logarithm of x.")
log1p    = Unary("log1p", lambda m, x: m.log1p(x), lambda m, out, x: m.div(1.0, 1.0 + x),
                 domain=Interval(-1.0, math.inf), doc="log(1 + x), exact near 0.")
log2     = Unary("log2", lambda m, x: m.log2(x), lambda m, out, x: m.div(1.0, x * m.log(2.0)), domain=POSITIVE,
                 doc="The logarithm of x to base 2.")
log10    = Unary("log10", lambda m, x: m.log10(x), lambda m, out, x: m.div(1.0, x * m.log(10.0)), domain=POSITIVE,
                 doc="The logarithm of x to base 10.")
sqrt     = Unary("sqrt", lambda m, x: m.sqrt(x), lambda m, out, x: m.div(1.0, 2.0 * out), domain=NONNEGATIVE,
                 kinks=(0.0,), doc="The square root of x.")
cbrt     = Unary("cbrt", lambda m, x: m.cbrt(x), lambda m, out, x: m.div(1.0, 3.0 * (out * out)), kinks=(0.0,),
                 ulps=(4.0, 10.0), doc="The cube root of x, which may be negative.")

# Trigonometry
sin      = Unary("sin", lambda m, x: m.sin(x), lambda m, out, x: m.cos(x), doc="The sine of x, in radians.")
cos      = Unary("cos", lambda m, x: m.cos(x), lambda m, out, x: -m.sin(x), doc="The cosine of x, in radians.")
tan      = Unary("tan", lambda m, x: m.tan(x), lambda m, out, x: 1.0 + out * out, doc="The tangent of x, in radians.")
asin     = Unary("asin", lambda m, x: m.asin(x), lambda m, out, x: m.div(1.0, m.sqrt(m.one_minus_square(x))),
                 domain=UNIT, textbook=(lambda m, out, x: m.div(1.0, m.sqrt(1.0 - m.pow(x, 2.0))),),
                 doc="The angle in [−π/2, π/2] whose sine is x.")
acos     = Unary("acos", lambda m, x: m.acos(x), lambda m, out, x: -m.div(1.0, m.sqrt(m.one_minus_square(x))),
                 domain=UNIT, textbook=(lambda m, out, x: -m.div(1.0, m.sqrt(1.0 - m.pow(x, 2.0))),),
                 doc="The angle in [0, π] whose cosine is x.")
atan     = Unary("atan", lambda m, x: m.atan(x), lambda m, out, x: m.div(1.0, 1.0 + x * x),
                 doc="The angle in (−π/2, π/2) whose tangent is x.")
# Scaled by the radius twice: y² + x² would underflow at 1e−200. The origin counts as radius 1.
atan2    = Binary("atan2", lambda m, y, x: m.atan2(y, x),
                  lambda m, out, y, x: m.div(m.div(x, _radius(m, m.hypot(x, y))), _radius(m, m.hypot(x, y))),
                  lambda m, out, y, x: -m.div(m.div(y, _radius(m, m.hypot(x, y))), _radius(m, m.hypot(x, y))),
                  smooth=lambda m, out, y, x: m.hypot(x, y),
                  textbook=(lambda m, out, y, x: m.div(x, m.pow(x, 2.0) + m.pow(y, 2.0)),
                            lambda m, out, y, x: -m.div(y, m.pow(x, 2.0) + m.pow(y, 2.0))),
                  doc="The angle in [−π, π] of the point (x, y), called with y first.")

# Hyperbolic functions
sinh     = Unary("sinh", lambda m, x: m.sinh(x), lambda m, out, x: m.cosh(x), doc="The hyperbolic sine of x.")
cosh     = Unary("cosh", lambda m, x: m.cosh(x), lambda m, out, x: m.sinh(x), doc="The hyperbolic cosine of x.")
tanh     = Unary("tanh", lambda m, x: m.tanh(x), lambda m, out, x: m.sech2(x),
                 textbook=(lambda m, out, x: 1.0 - m.pow(out, 2.0),), doc="The hyperbolic tangent of x.")
sech2    = Unary("sech2", lambda m, x: _sech2(m, m.exp(-2.0 * m.abs(x))), lambda m, out, x: -2.0 * out * m.tanh(x),
                 doc="1 / cosh²x, the derivative of tanh: 1 − tanh²x would cancel beyond |x| = 19.")
asinh    = Unary("asinh", lambda m, x: m.asinh(x), lambda m, out, x: m.div(1.0, m.hypot(1.0, x)),
                 textbook=(lambda m, out, x: m.div(1.0, m.sqrt(1.0 + m.pow(x, 2.0))),),
                 doc="The number whose hyperbolic sine is x.")
acosh    = Unary("acosh", lambda m, x: m.acosh(x), lambda m, out, x: m.div(1.0, m.sqrt(x - 1.0) * m.sqrt(x + 1.0)),
                 domain=Interval(1.0, math.inf, "[)"), kinks=(1.0,),
                 textbook=(lambda m, out, x: m.div(1.0, m.sqrt(m.pow(x, 2.0) - 1.0)),),
                 doc="The number ≥ 0 whose hyperbolic cosine is x.")
atanh    = Unary("atanh", lambda m, x: m.atanh(x), lambda m, out, x: m.div(1.0, m.one_minus_square(x)),
                 domain=INSIDE_UNIT, textbook=(lambda m, out, x: m.div(1.0, 1.0 - m.pow(x, 2.0)),),
                 doc="The number whose hyperbolic tangent is x.")

# Activations
sigmoid  = Unary("sigmoid", lambda m, x: _sigmoid(m, x, m.exp(-m.abs(x))),
                 lambda m, out, x: 0.25 * m.sech2(0.5 * x),  # out · sigmoid(−x) would add the errors of both
                 textbook=(lambda m, out, x: out * (1.0 - out),), doc="The logistic function 1 / (1 + e⁻ˣ).")
softplus = Unary("softplus", lambda m, x: m.select(m.less(x, 0.0), 0.0, x) + m.log1p(m.exp(-m.abs(x))),
                 lambda m, out, x: m.sigmoid(x), doc="log(1 + eˣ), the soft relu.")
step     = Fixed("step", lambda m, x, at_zero=0.0: _by_sign(m, x, 0.0, at_zero, 1.0), None, None, kinks=(0.0,),
                 doc="1 for x > 0, 0 for x < 0 and `at_zero` at 0: the perceptron's activation.")
# The lectures: f'(z) = 1 for z ≥ 0, and any slope in [0, 1] is a subgradient at 0.
relu     = Fixed("relu", lambda m, x, at_zero=1.0: m.select(m.less(x, 0.0), 0.0, x),
                 lambda m, out, x, at_zero: m.step(x, at_zero), None, kinks=(0.0,),
                 doc="max(0, x), with the slope `at_zero` at 0.")
leaky_relu = Fixed("leaky_relu", lambda m, x, alpha=0.01, at_zero=1.0: m.select(m.less(x, 0.0), alpha * x, x),
                   lambda m, out, x, alpha, at_zero: _by_sign(m, x, alpha, at_zero, 1.0),
                   lambda m, out, x, alpha, at_zero: m.select(m.less(x, 0.0), x, 0.0),
                   None, kinks=(0.0,),
                   textbook=(lambda m, out, x, alpha, at_zero: m.select(m.less(x, 0.0), alpha, 1.0),
                             lambda m, out, x, alpha, at_zero: m.select(m.less(x, 0.0), x, 0.0), None),
                   doc="x for x ≥ 0 and αx for x < 0, with the slope `at_zero` at 0.")
elu      = Fixed("elu", lambda m, x, alpha=1.0: m.select(m.less(0.0, x), x, alpha * m.expm1(_below(m, x))),
                 lambda m, out, x, alpha: m.select(m.less(0.0, x), 1.0, alpha * m.exp(_below(m, x))),
                 lambda m, out, x, alpha: m.expm1(_below(m, x)),
                 kinks=(0.0,),
                 textbook=(lambda m, out, x, alpha: m.select(m.less(0.0, x), 1.0, out + alpha),
                           lambda m, out, x, alpha: m.select(m.less(0.0, x), 0.0, m.exp(x) - 1.0)),
                 doc="x for x > 0, else α(eˣ − 1).")
gelu     = Unary("gelu", lambda m, x: 0.5 * x * m.erfc(m.div(-x, m.sqrt(2.0))),
                 lambda m, out, x: 0.5 * m.erfc(m.div(-x, m.sqrt(2.0))) + m.div(x * m.exp(-0.5 * (x * x)), SQRT_2PI),
                 ulps=(2200.0, 2200.0),  # x / √2 is rounded, and erfc has that error times x²: 1400 when it underflows
                 doc="x · Φ(x), with the distribution function Φ of the normal distribution.")
silu     = Unary("silu", lambda m, x: x * m.sigmoid(x),
                 lambda m, out, x: m.sigmoid(x) + x * (0.25 * m.sech2(0.5 * x)),
                 textbook=(lambda m, out, x: m.sigmoid(x) * (1.0 + x * m.sigmoid(-x)),),
                 ulps=(400.0, 400.0),  # beyond −708 sigmoid is subnormal, with fewer digits than the result could have
                 doc="x · sigmoid(x).")

# Pieces
sign     = Unary("sign", lambda m, x: _by_sign(m, x, -1.0, x, 1.0), None, kinks=(0.0,),
                 doc="1 for x > 0, −1 for x < 0, and 0 at 0.")
floor    = Unary("floor", lambda m, x: m.floor(x), None, doc="The greatest whole number ≤ x, as a float or Value.")
ceil     = Unary("ceil", lambda m, x: m.ceil(x), None, doc="The least whole number ≥ x, as a float or Value.")
round    = Unary("round", lambda m, x: m.round(x), None, doc="The nearest whole number; of two, the even one.")
round_to = Binary("round_to", lambda m, x, digits: _round_to(m, x, m.round(digits)), None, None,
                  domain=(REAL, Interval(-22.0, 22.0, "[]")),  # powers of 10 are exact there
                  doc="x rounded to `digits` digits after the point, like Python's `round(x, digits)`.")
clip     = Fixed("clip", lambda m, x, low, high: _at_most(m, _at_least(m, x, low), high),
                 lambda m, out, x, low, high: m.select(m.less(x, low), 0.0, m.select(m.less(high, x), 0.0, 1.0)),
                 lambda m, out, x, low, high: m.select(m.less(x, low), m.select(m.less(high, low), 0.0, 1.0), 0.0),
                 lambda m, out, x, low, high: m.select(m.less(high, _at_least(m, x, low)), 1.0, 0.0),
                 textbook=(
                     lambda m, out, x, low, high: m.select(m.less(x, low), 0.0, m.select(m.less(high, x), 0.0, 1.0)),
                     lambda m, out, x, low, high: m.select(m.less(x, low), 1.0, 0.0),
                     lambda m, out, x, low, high: m.select(m.less(x, low), 0.0, m.select(m.less(high, x), 1.0, 0.0))),
                 doc="x limited to [low, high]; like NumPy's, it is high if low > high. The slope at the bounds is 1, "
                     "as inside.")
select   = Fixed("select", lambda m, condition, x, y: m.select(m.equal(condition, 0.0), y, x),
                 None,
                 lambda m, out, condition, x, y: m.select(m.equal(condition, 0.0), 0.0, 1.0),
                 lambda m, out, condition, x, y: m.select(m.equal(condition, 0.0), 1.0, 0.0),
                 doc="x if the condition is not 0, else y; both are computed. For a branch, see `where`.")
# Conditions for `select`: 1 or 0, in eager code and in a recording alike (there `<` would be a branch)
less     = Binary("less", lambda m, x, y: m.select(m.less(x, y), 1.0, 0.0), None, None, doc="1 if x < y, else 0.")
less_equal = Binary("less_equal", lambda m, x, y: m.select(m.less(x, y), 1.0, m.select(m.equal(x, y), 1.0, 0.0)),
                    None, None, doc="1 if x ≤ y, else 0.")
greater  = Binary("greater", lambda m, x, y: m.select(m.less(y, x), 1.0, 0.0), None, None, doc="1 if x > y, else 0.")
greater_equal = Binary("greater_equal", lambda m, x, y: m.select(m.less(y, x), 1.0, m.select(m.equal(x, y), 1.0, 0.0)),
                       None, None, doc="1 if x ≥ y, else 0.")
equal    = Binary("equal", lambda m, x, y: m.select(m.equal(x, y), 1.0, 0.0), None, None, doc="1 if x = y, else 0.")
not_equal = Binary("not_equal", lambda m, x, y: m.select(m.equal(x, y), 0.0, 1.0), None, None,
                   doc="1 if x ≠ y, else 0.")
# Rows for the partials of others
kinked   = Fixed("kinked", lambda m, x, y, smooth: x, lambda m, out, x, y, smooth: 1.0,
                 lambda m, out, x, y, smooth: m.select(m.equal(smooth, 0.0), math.nan, 0.0), None,
                 doc="x itself. If `smooth` is 0, its derivative with respect to y is nan: there is none.")
passed   = Binary("passed", lambda m, x, y: m.select(m.equal(x, 0.0), 0.0, x * y),
                  lambda m, out, x, y: y, lambda m, out, x, y: x,
                  doc="x · y, but 0 if x is 0, even if y is infinite: an adjoint x times a partial y.")
one_minus_square = Unary("one_minus_square", lambda m, x: (1.0 - x) * (1.0 + x), lambda m, out, x: -2.0 * x,
                         doc="1 − x², exact near ±1; its derivative is exact near 0.")
stop_gradient = Unary("stop_gradient", lambda m, x: x, None, doc="x as a constant: no derivative flows back.")

# Two arguments
hypot    = Binary("hypot", lambda m, x, y: m.hypot(x, y),
                  lambda m, out, x, y: m.div(x, _radius(m, out)),
                  lambda m, out, x, y: m.div(y, _radius(m, out)),
                  smooth=lambda m, out, x, y: out,
                  textbook=(lambda m, out, x, y: m.div(x, out), lambda m, out, x, y: m.div(y, out)),
                  doc="The length √(x² + y²), without overflow on the way; flat at the origin.")
logaddexp = Binary("logaddexp",
                   lambda m, x, y: m.select(m.less(x, y), y, x)
                   + m.log1p(m.exp(-m.abs(m.select(m.equal(x, y), 0.0, x - y)))),
                   lambda m, out, x, y: m.sigmoid(_difference(m, x, y)),
                   lambda m, out, x, y: m.sigmoid(_difference(m, y, x)),
                   textbook=(lambda m, out, x, y: m.exp(x - out), lambda m, out, x, y: m.exp(y - out)),
                   ulps=(4.0, 520.0),  # x − y is rounded, and e to its power has that error times |x − y|
                   doc="log(eˣ + eʸ), without overflow.")
erf      = Unary("erf", lambda m, x: m.erf(x), lambda m, out, x: m.div(2.0 * m.exp(-(x * x)), SQRT_PI),
                 ulps=(4.0, 720.0),  # x² is rounded, and e to its power has that error times x²
                 doc="The error function.")
erfc     = Unary("erfc", lambda m, x: m.erfc(x), lambda m, out, x: -m.div(2.0 * m.exp(-(x * x)), SQRT_PI),
                 ulps=(4.0, 720.0),  # as erf
                 doc="The complementary error function 1 − erf(x), exact for large x.")

# Any number of arguments: one rule gives the list of all the partials
sum      = Variadic("sum", lambda m, *xs: _sum(xs), lambda m, out, *xs: [1.0] * len(xs),
                    of_none=0.0, doc="The sum of the numbers, from left to right.")
prod     = Variadic("prod", lambda m, *xs: _products(xs)[-1], lambda m, out, *xs: _others(xs),
                    of_none=1.0, doc="The product, from left to right; it overflows if a partial product does.")
mean     = Variadic("mean", lambda m, *xs: m.div(_sum(xs), float(len(xs))),
                    lambda m, out, *xs: [m.div(1.0, float(len(xs)))] * len(xs),
                    doc="The arithmetic mean of the numbers.")
max      = Variadic("max", lambda m, *xs: _extreme(m, m.less, xs), lambda m, out, *xs: _first_hit(m, out, xs),
                    textbook=(lambda m, out, *xs: [m.select(m.equal(x, out), 1.0, 0.0) for x in xs],),
                    doc="The largest of the numbers; the first of several equal ones takes the whole derivative.")
min      = Variadic("min", lambda m, *xs: _extreme(m, lambda x, y: m.less(y, x), xs),
                    lambda m, out, *xs: _first_hit(m, out, xs),
                    textbook=(lambda m, out, *xs: [m.select(m.equal(x, out), 1.0, 0.0) for x in xs],),
                    doc="The smallest of the numbers; the first of several equal ones takes the whole derivative.")
logsumexp = Variadic("logsumexp", lambda m, *xs: _logsumexp(m, m.max(*xs), xs),
                     lambda m, out, *xs: _softmax(m, xs),
                     textbook=(lambda m, out, *xs: [m.exp(x - out) for x in xs],),
                     doc="log(eˣ¹ + eˣ² + …), without overflow.")
dot      = Dot("dot", lambda m, *xys: _sum(_terms(xys)), lambda m, out, *xys: _swapped(xys),
               doc="The scalar product Σ xᵢyᵢ of two vectors, summed from left to right.")
affine   = Affine("affine", lambda m, *wxb: _sum(_terms(wxb[:-1]), wxb[-1]),
                  lambda m, out, *wxb: [*_swapped(wxb[:-1]), 1.0],
                  doc="The affine combination b + Σ wᵢxᵢ, called as affine(weights, inputs, bias): a neuron's z.")

# Any number of arguments and as many outputs: the rule gives the partials of output j
softmax  = Vector("softmax", lambda m, *xs: _softmax(m, xs),
                  lambda m, outs, j, *xs: [outs[j] * ((1.0 if i == j else 0.0) - y) for i, y in enumerate(outs)],
                  doc="The numbers eˣⁱ / Σ eˣʲ, as a list: positive, with the sum 1.")
log_softmax = Vector("log_softmax", lambda m, *xs: _log_softmax(m, *_ordinary(m, xs)),
                     lambda m, outs, j, *xs: [(1.0 if i == j else 0.0) - m.exp(y) for i, y in enumerate(outs)],
                     doc="The logarithms of `softmax`, as a list, without overflow.")
# fmt: on


def _by_sign(m: Functions, x: X, below: X, at_zero: X, above: X) -> X:
    # The last `x` is nan: it is neither below, nor above, nor at 0.
    other = m.select(m.equal(x, 0.0), at_zero, x)
    return m.select(m.less(0.0, x), above, m.select(m.less(x, 0.0), below, other))


def _below(m: Functions, x: X) -> X:
    return m.select(m.less(0.0, x), 0.0, x)


def _at_least(m: Functions, x: X, low: X) -> X:
    return m.select(m.less(x, low), low, x)


def _at_most(m: Functions, x: X, high: X) -> X:
    return m.select(m.less(high, x), high, x)


def _round_to(m: Functions, x: X, digits: X) -> X:
    # x · times / per is rounded, and may seem to be half-way; its error then decides. One of the two is always 1.
    times, per = m.pow(10.0, _at_least(m, digits, 0.0)), m.pow(10.0, _at_least(m, -digits, 0.0))
    scaled = m.div(x * times, per)
    error = m.div(_error_of_product(m, x, times, scaled * per) - _error_of_product(m, scaled, per, scaled * per), per)
    low = m.floor(scaled)
    past_half = (scaled - low - 0.5) + error
    high = -(-low - 1.0)  # low + 1, with the sign of x also at 0
    even = m.select(m.equal(m.mod(low, 2.0), 0.0), low, high)
    whole = m.select(m.less(past_half, 0.0), low, m.select(m.less(0.0, past_half), high, even))
    return m.select(m.less(m.abs(scaled), 2.0**53), m.div(whole * per, times), x)


def _error_of_product(m: Functions, x: X, y: X, product: X) -> X:
    # x·y − product, exactly: the factors in two halves each (Veltkamp and Dekker).
    (a, b), (c, d) = _halves(x), _halves(y)
    return ((a * c - product) + a * d + b * c) + b * d


def _halves(x: X) -> tuple[X, X]:
    high = 134217729.0 * x - (134217729.0 * x - x)
    return high, x - high


def _power_slope(m: Functions, x: X, y: X, small: X) -> X:
    lower = m.select(m.equal(y, 0.0), 0.0, y - 1.0)
    # xʸ / x only for an x that is finite and not 0
    exponent = m.select(small, m.select(m.equal(x, 0.0), lower, m.select(m.equal(x - x, 0.0), y, lower)), lower)
    divisor = m.select(small, m.select(m.equal(x, 0.0), 1.0, m.select(m.equal(x - x, 0.0), x, 1.0)), 1.0)
    return m.div(y * m.pow(x, exponent), divisor)


def _exponent(m: Functions, x: X, y: X) -> X:
    # At x = 0, yxʸ⁻¹ has no derivative with respect to y for y ≤ 1.
    return m.kinked(y, y, _smooth_at_zero(m, x, y))


def _kinked_at_0(m: Functions, slope: X, x: X, y: X) -> X:
    # At x = 0, xʸ log x has no derivative with respect to x for y ≤ 1, and none with respect to y at y = 0.
    not_both_0 = m.select(m.equal(x, 0.0), m.select(m.equal(y, 0.0), 0.0, 1.0), 1.0)
    return m.kinked(m.kinked(slope, x, _smooth_at_zero(m, x, y)), y, not_both_0)


def _smooth_at_zero(m: Functions, x: X, y: X) -> X:
    # 0 if x = 0 and y ≤ 1
    return m.select(m.equal(x, 0.0), m.select(m.less(1.0, y), 1.0, 0.0), 1.0)


def _radius(m: Functions, length: X) -> X:
    return m.select(m.equal(length, 0.0), 1.0, length)


def _sech2(m: Functions, e: X) -> X:
    return m.div(4.0 * e, 1.0 + e * (2.0 + e))  # a square (1 + e)² would double the rounding of 1 + e


def _sigmoid(m: Functions, x: X, e: X) -> X:
    return m.div(m.select(m.less(x, 0.0), e, 1.0), 1.0 + e)


def _sum(xs: Sequence[X], *start: X) -> X:
    # From left to right: Python's own `sum` compensates since 3.12, and would differ from compiled code.
    terms = [*start, *xs]
    total = terms[0] if terms else 0.0
    for x in terms[1:]:
        total = total + x
    return total


def _terms(xys: Sequence[X]) -> list[X]:
    half = len(xys) // 2
    return [x * y for x, y in zip(xys[:half], xys[half:], strict=True)]


def _swapped(xys: Sequence[X]) -> list[X]:
    half = len(xys) // 2
    return [*xys[half:], *xys[:half]]


def _products(xs: Sequence[X]) -> list[X]:
    products = [xs[0] if xs else 1.0]
    for x in xs[1:]:
        products.append(products[-1] * x)
    return products


def _others(xs: Sequence[X]) -> list[X]:
    # The product of all numbers but one, from the products before it and after it: right even if an x is 0.
    if len(xs) == 1:
        return [1.0]
    before, after = _products(xs[:-1]), _products(xs[:0:-1])[::-1]
    return [after[0], *(x * y for x, y in zip(before[:-1], after[1:], strict=True)), before[-1]]


def _extreme(m: Functions, less: Any, xs: Sequence[X]) -> X:
    best = xs[0]
    for x in xs[1:]:
        # A nan is unequal to itself, and stays.
        best = m.select(less(best, x), x, m.select(m.equal(x, x), best, x))
    return best


def _first_hit(m: Functions, out: X, xs: Sequence[X]) -> list[X]:
    hits, left = [], 1.0
    for x in xs:
        hit = m.select(m.equal(x, out), left, m.select(m.equal(out, out), 0.0, out))
        left = m.select(m.equal(x, out), 0.0, left)
        hits.append(hit)
    return hits


def _difference(m: Functions, x: X, y: X) -> X:
    # x − y; it is 0 for two equal infinities, and −∞ for two −∞, so that neither counts.
    same = m.select(m.equal(x, y), m.select(m.less(x, 0.0), x, 0.0), x - y)
    return m.select(m.equal(x - y, x - y), x - y, same)


def _ordinary(m: Functions, xs: Sequence[X]) -> tuple[list[X], X]:
    # The numbers and the largest; if that is infinite, ∞ counts as 0 and all else as −∞. The largest is a constant:
    # it cancels, and so do its derivatives.
    highest = m.stop_gradient(m.max(*xs))
    infinite = m.equal(m.abs(highest), math.inf)
    numbers = [m.select(infinite, m.select(m.equal(x, math.inf), 0.0, -math.inf), x) for x in xs]
    return numbers, m.select(infinite, 0.0, highest)


def _weights(m: Functions, xs: Sequence[X], highest: X) -> tuple[list[X], X]:
    # Each e^(x − highest), and their sum. If all are −∞, the sum is 0; it counts as 1.
    weights = [m.exp(x - highest) for x in xs]
    total = _sum(weights)
    return weights, m.select(m.equal(total, 0.0), 1.0, total)


def _logsumexp(m: Functions, highest: X, xs: Sequence[X]) -> X:
    # If the highest is infinite, x − highest is nan; the sum then counts as 1.
    total = _sum([m.exp(x - highest) for x in xs])
    return highest + m.log(m.select(m.less(0.0, total), total, 1.0))


def _log_softmax(m: Functions, xs: Sequence[X], highest: X) -> list[X]:
    # Subtract the largest first: large numbers less the logarithm of the sum would leave only rounding.
    shifted = _minus(xs, highest)
    return _minus(shifted, m.log(_weights(m, xs, highest)[1]))


def _minus(xs: Sequence[X], shift: X) -> list[X]:
    return [x - shift for x in xs]


def _softmax(m: Functions, xs: Sequence[X]) -> list[X]:
    weights, total = _weights(m, *_ordinary(m, xs))
    return [m.div(weight, total) for weight in weights]


enter_all(globals())
