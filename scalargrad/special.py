"""Special functions under the names of `scipy.special`: change the import line, and your code has derivatives.

The gamma function and its relatives need only Python; SciPy computes the others. All are rows, or formulas of rows, so
they have derivatives of any order, equations and programs. No derivative is known with respect to the order of a
Bessel function or to the parameters of an incomplete gamma or beta function: there it is nan.

>>> from scalargrad import grad
>>> from scalargrad.special import gammaln
>>> round(grad(gammaln)(1.0), 12)
-0.577215664902
"""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any

from .elementary import exp2, exp10, log1mexp, logexpm1, logit, sinc, xlog1py, xlogy
from .primitives import cbrt, erf, erfc, exp, expm1, log1p, log_softmax, logsumexp, softmax, softplus
from .primitives import sigmoid as expit
from .rows import NONNEGATIVE, NONZERO, POSITIVE, REAL, Binary, Fixed, Functions, Interval, Joint, Unary, enter_all

if TYPE_CHECKING:
    from .rows import Operand as X

__all__ = [
    "beta",
    "betainc",
    "betaln",
    "cbrt",
    "digamma",
    "ellipe",
    "ellipk",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "exp1",
    "exp2",
    "exp10",
    "expi",
    "expit",
    "expm1",
    "factorial",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "hyp2f1",
    "i0",
    "i1",
    "iv",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k1",
    "kn",
    "kv",
    "lambertw",
    "lgamma",
    "log1mexp",
    "log1p",
    "log_expit",
    "log_softmax",
    "logexpm1",
    "logit",
    "logsumexp",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "rel_entr",
    "sinc",
    "softmax",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "yv",
    "zeta",
]

SQRT_PI = math.sqrt(math.pi)
NOT_A_POLE = Joint("x ≠ 0, −1, −2, …", lambda x: x > 0 or x != math.floor(x))
INSIDE_UNIT = Interval(-1.0, 1.0)
BELOW_ONE = Interval(-math.inf, 1.0)
# Bernoulli's numbers B₂, B₄, …
BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798]
SHIFT = 10
"""The number added to an argument before an asymptotic series is used."""

# fmt: off
# The gamma function and its logarithm's derivatives
gamma    = Unary("gamma", lambda m, x: m.gamma(x), lambda m, out, x: out * m.digamma(x), domain=NOT_A_POLE,
                 ulps=(10.0, 10.0), doc="The gamma function Γ(x): (n − 1)! at a positive whole number n.")
lgamma   = Unary("lgamma", lambda m, x: m.lgamma(x), lambda m, out, x: m.digamma(x), domain=NOT_A_POLE,
                 ulps=(10.0, 10.0), doc="log |Γ(x)|, without overflow; SciPy's gammaln.")
digamma  = Unary("digamma", lambda m, x: _digamma(m, x, m.less(x, 0.0)),
                 lambda m, out, x: _trigamma(m, x, m.less(x, 0.0)), domain=NOT_A_POLE, ulps=(10.0, 10.0),
                 doc="The derivative Γ′(x) / Γ(x) of log Γ; SciPy's psi.")
zeta     = Fixed("zeta", lambda m, s, x=1.0: _zeta(m, s, x), lambda m, out, s, x: math.nan,
                 lambda m, out, s, x: -s * m.zeta(s + 1.0, x), domain=(Interval(1.0, math.inf), POSITIVE),
                 ulps=(50.0, 50.0),  # x + k is rounded, and its power −s has that error times s
                 doc="Hurwitz's zeta function Σ (x + k)⁻ˢ over k = 0, 1, …, Riemann's at x = 1; nan with respect to s.")

# Functions of the normal distribution
erfinv   = Unary("erfinv", lambda m, x: m.erfinv(x), lambda m, out, x: 0.5 * SQRT_PI * m.exp(out * out),
                 domain=INSIDE_UNIT, ulps=(8.0, 12.0), doc="The number whose error function is x, by SciPy.")
erfcinv  = Unary("erfcinv", lambda m, x: m.erfcinv(x), lambda m, out, x: -0.5 * SQRT_PI * m.exp(out * out),
                 domain=Interval(0.0, 2.0), ulps=(8.0, 12.0),
                 doc="The number whose complementary error function is x, by SciPy.")
erfcx    = Unary("erfcx", lambda m, x: m.erfcx(x), lambda m, out, x: 2.0 * x * out - 2.0 / SQRT_PI,
                 ulps=(8.0, 8.0), doc="eˣ² · erfc(x), without underflow, by SciPy.")

# Bessel functions: as precise as AMOS, the library that SciPy uses
jv       = Binary("jv", lambda m, order, x: m.jv(order, x), lambda m, out, order, x: math.nan,
                  lambda m, out, order, x: 0.5 * (m.jv(order - 1.0, x) - m.jv(order + 1.0, x)),
                  ulps=(2000.0, 2000.0), doc="Bessel's function of the first kind, by SciPy.")
yv       = Binary("yv", lambda m, order, x: m.yv(order, x), lambda m, out, order, x: math.nan,
                  lambda m, out, order, x: 0.5 * (m.yv(order - 1.0, x) - m.yv(order + 1.0, x)),
                  domain=(REAL, POSITIVE), ulps=(2000.0, 2000.0), doc="Bessel's function of the second kind, by SciPy.")
iv       = Binary("iv", lambda m, order, x: m.iv(order, x), lambda m, out, order, x: math.nan,
                  lambda m, out, order, x: 0.5 * (m.iv(order - 1.0, x) + m.iv(order + 1.0, x)),
                  ulps=(2000.0, 2000.0), doc="The modified Bessel function of the first kind, by SciPy.")
kv       = Binary("kv", lambda m, order, x: m.kv(order, x), lambda m, out, order, x: math.nan,
                  lambda m, out, order, x: -0.5 * (m.kv(order - 1.0, x) + m.kv(order + 1.0, x)),
                  domain=(REAL, POSITIVE), ulps=(2000.0, 2000.0),
                  doc="The modified Bessel function of the second kind, by SciPy.")

# Incomplete gamma and beta functions
gammainc = Binary("gammainc", lambda m, a, x: m.gammainc(a, x), lambda m, out, a, x: math.nan,
                  lambda m, out, a, x: _gamma_density(m, a, x), domain=(POSITIVE, NONNEGATIVE), ulps=(2000.0, 2000.0),
                  doc="The regularised lower incomplete gamma function P(a, x), by SciPy.")
gammaincc = Binary("gammaincc", lambda m, a, x: m.gammaincc(a, x), lambda m, out, a, x: math.nan,
                   lambda m, out, a, x: -_gamma_density(m, a, x), domain=(POSITIVE, NONNEGATIVE), ulps=(2000.0, 2000.0),
                   doc="The regularised upper incomplete gamma function Q(a, x) = 1 − P(a, x), by SciPy.")
betainc  = Fixed("betainc", lambda m, a, b, x: m.betainc(a, b, x), lambda m, out, a, b, x: math.nan,
                 lambda m, out, a, b, x: math.nan, lambda m, out, a, b, x: _beta_density(m, a, b, x),
                 domain=(POSITIVE, POSITIVE, Interval(0.0, 1.0, "[]")), ulps=(2000.0, 2000.0),
                 doc="The regularised incomplete beta function I(a, b; x), by SciPy.")
lambertw = Fixed("lambertw", lambda m, x, k=0.0: m.lambertw(x, k),
                 lambda m, out, x, k: m.div(m.exp(-out), 1.0 + out), None,
                 domain=(Interval(-math.exp(-1.0), math.inf), REAL), ulps=(8.0, 20.0),
                 doc="Lambert's function, the number w with w·eʷ = x, by SciPy; the branch k is 0 or −1.")
# Integrals
expi     = Unary("expi", lambda m, x: m.expi(x), lambda m, out, x: m.div(m.exp(x), x), domain=NONZERO,
                 ulps=(20.0, 4.0), doc="The exponential integral Ei(x), by SciPy.")
exp1     = Unary("exp1", lambda m, x: m.exp1(x), lambda m, out, x: -m.div(m.exp(-x), x), domain=POSITIVE,
                 ulps=(20.0, 4.0), doc="The exponential integral E₁(x), by SciPy.")
ellipk   = Unary("ellipk", lambda m, x: m.ellipk(x), lambda m, out, x: 0.125 * math.pi * m.hyp2f1(1.5, 1.5, 2.0, x),
                 domain=BELOW_ONE, ulps=(20.0, 400.0), doc="The complete elliptic integral K(x), by SciPy.")
ellipe   = Unary("ellipe", lambda m, x: m.ellipe(x), lambda m, out, x: -0.125 * math.pi * m.hyp2f1(0.5, 1.5, 2.0, x),
                 domain=BELOW_ONE, ulps=(20.0, 400.0), doc="The complete elliptic integral E(x), by SciPy.")
hyp2f1   = Fixed("hyp2f1", lambda m, a, b, c, x: m.hyp2f1(a, b, c, x), lambda m, out, a, b, c, x: math.nan,
                 lambda m, out, a, b, c, x: math.nan, lambda m, out, a, b, c, x: math.nan,
                 lambda m, out, a, b, c, x: m.div(a * b, c) * m.hyp2f1(a + 1.0, b + 1.0, c + 1.0, x),
                 domain=(REAL, REAL, POSITIVE, BELOW_ONE), ulps=(400.0, 400.0),
                 doc="The hypergeometric function ₂F₁(a, b; c; x), by SciPy.")
# fmt: on


def _digamma(m: Functions, x: X, negative: X) -> X:
    # ψ(x) = ψ(1 − x) − π cot(πx) for a negative x; otherwise the asymptotic series at x + 10.
    y = m.select(negative, 1.0 - x, x)
    high = y + float(SHIFT)
    u = m.div(1.0, high * high)
    series = 0.0
    for k in range(len(BERNOULLI), 0, -1):
        series = u * (BERNOULLI[k - 1] / (2 * k) + series)
    before = 0.0
    for k in range(SHIFT):
        before = before + m.div(1.0, y + float(k))
    raised = m.log(high) - m.div(0.5, high) - series - before
    safe = m.select(negative, x, 0.5)
    return m.select(negative, raised - math.pi * m.div(m.cospi(safe), m.sinpi(safe)), raised)


def _trigamma(m: Functions, x: X, negative: X) -> X:
    positive, safe = m.select(negative, 1.0, x), m.select(negative, x, 0.5)
    reflected = m.div(math.pi, m.sinpi(safe))
    return m.select(negative, reflected * reflected - m.zeta(2.0, 1.0 - safe), m.zeta(2.0, positive))


def _zeta(m: Functions, s: X, x: X) -> X:
    # The Euler–Maclaurin formula: ten terms, the integral of the others, and corrections with Bernoulli numbers.
    high = x + float(SHIFT)
    last = m.pow(high, -s)
    total, term, square = m.div(last * high, s - 1.0) + 0.5 * last, m.div(s * last, high), high * high
    for k, bernoulli in enumerate(BERNOULLI, 1):
        total = total + bernoulli / math.factorial(2 * k) * term
        term = m.div(term * ((s + (2.0 * k - 1.0)) * (s + 2.0 * k)), square)
    for k in range(SHIFT - 1, -1, -1):
        total = total + m.pow(x + float(k), -s)
    return total


def _gamma_density(m: Functions, a: X, x: X) -> X:
    return m.exp((a - 1.0) * m.log(x) - x - m.lgamma(a))


def _beta_density(m: Functions, a: X, b: X, x: X) -> X:
    return m.exp((a - 1.0) * m.log(x) + (b - 1.0) * m.log1p(-x) - (m.lgamma(a) + m.lgamma(b) - m.lgamma(a + b)))


ROWS = enter_all(globals())
"""The names of the rows that are defined here."""

gammaln, psi, jn, kn = lgamma, digamma, jv, kv


def polygamma(n: int, x: Any) -> Any:
    """Return the derivative of order n of the digamma function, at x > 0 for n ≥ 1.

    Raises `ValueError` if n is not a whole number ≥ 0.

    >>> round(polygamma(1, 1.0), 12)
    1.644934066848
    """
    if n != int(n) or n < 0:
        raise ValueError(f"polygamma: n = {n!r} is not a whole number ≥ 0")
    if n == 0:
        return digamma(x)
    return (-1.0) ** (n + 1) * math.factorial(int(n)) * zeta(n + 1.0, x)


def betaln(x: Any, y: Any) -> Any:
    """Return log |B(x, y)|, the logarithm of the beta function.

    >>> round(betaln(2.0, 3.0), 12)
    -2.484906649788
    """
    return lgamma(x) + lgamma(y) - lgamma(x + y)


def beta(x: Any, y: Any) -> Any:
    """Return the beta function B(x, y) = Γ(x) Γ(y) / Γ(x + y).

    >>> round(beta(2.0, 3.0), 12)
    0.083333333333
    """
    return gamma(x) * gamma(y) / gamma(x + y) if x + y < 170 else exp(betaln(x, y))


def factorial(n: Any) -> Any:
    """Return n! = Γ(n + 1), for any n that is not a negative whole number.

    >>> factorial(4.0)
    24.0
    """
    return gamma(n + 1.0)


def entr(x: Any) -> Any:
    """Return −x log x, a term of an entropy; it is 0 at 0.

    >>> round(entr(0.5), 12)
    0.34657359028
    """
    return -xlogy(x, x)


def rel_entr(x: Any, y: Any) -> Any:
    """Return x log(x / y), a term of a relative entropy; it is 0 at x = 0.

    >>> round(rel_entr(0.5, 0.25), 12)
    0.34657359028
    """
    return xlogy(x, x / y)


def log_expit(x: Any) -> Any:
    """Return the logarithm of the logistic function, without underflow.

    >>> log_expit(-800.0)
    -800.0
    """
    return -softplus(-x)


def ndtr(x: Any) -> Any:
    """Return Φ(x), the distribution function of the standard normal distribution.

    >>> ndtr(0.0)
    0.5
    """
    return 0.5 * erfc(x * -math.sqrt(0.5))


def ndtri(p: Any) -> Any:
    """Return the x with Φ(x) = p, for 0 < p < 1.

    >>> round(ndtri(0.975), 12)
    1.95996398454
    """
    return -math.sqrt(2.0) * erfcinv(2.0 * p)


def j0(x: Any) -> Any:
    """Return Bessel's function of the first kind of order 0."""
    return jv(0.0, x)


def j1(x: Any) -> Any:
    """Return Bessel's function of the first kind of order 1."""
    return jv(1.0, x)


def y0(x: Any) -> Any:
    """Return Bessel's function of the second kind of order 0."""
    return yv(0.0, x)


def y1(x: Any) -> Any:
    """Return Bessel's function of the second kind of order 1."""
    return yv(1.0, x)


def i0(x: Any) -> Any:
    """Return the modified Bessel function of the first kind of order 0."""
    return iv(0.0, x)


def i1(x: Any) -> Any:
    """Return the modified Bessel function of the first kind of order 1."""
    return iv(1.0, x)


def k0(x: Any) -> Any:
    """Return the modified Bessel function of the second kind of order 0."""
    return kv(0.0, x)


def k1(x: Any) -> Any:
    """Return the modified Bessel function of the second kind of order 1."""
    return kv(1.0, x)


def __getattr__(name: str) -> Any:
    """Return SciPy's function of that name. It refuses Values, as this module has no derivatives of it."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = getattr(importlib.import_module("scipy.special"), name)

    def plain(*args: Any, **options: Any) -> Any:
        if any(hasattr(arg, "backward") for arg in args):
            raise TypeError(f"scipy.special.{name} has no derivative here; add it with sg.primitive for Values")
        return function(*args, **options)

    return plain
