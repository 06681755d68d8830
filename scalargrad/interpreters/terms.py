"""Formulas: terms with their text and LaTeX, and the arithmetic that joins them.

It folds constants, puts numbers first, writes x·x as x², and sets only the parentheses that are needed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from .names import MINUS, PLAIN_SUPERSCRIPTS, SCRIPTS, SUPERSCRIPTS, name_latex, shown_name

__all__ = [
    "ATOM", "CALL", "CHOICE", "POWER", "PREFIX", "PRODUCT", "SUM", "Term", "add", "divide", "multiply", "power",
    "shortened", "sum_of", "symbol", "term", "total",
]  # fmt: skip

# How tightly a formula binds. A formula that binds less tightly than its place needs is put in parentheses.
CHOICE, SUM, NEGATIVE, PRODUCT, PREFIX, CALL, POWER, ATOM = range(8)

LAST_RAISED = tuple(map(chr, PLAIN_SUPERSCRIPTS))
CONSTANTS = {
    math.pi: ("π", r"\pi"),
    math.e: ("e", "e"),
    math.sqrt(2.0): ("√2", r"\sqrt{2}"),
    math.sqrt(math.pi): ("√π", r"\sqrt{\pi}"),
    math.sqrt(2.0 * math.pi): ("√(2π)", r"\sqrt{2\pi}"),
}
LONGEST_LIST = 6


@dataclass(frozen=True)
class Term:
    """A formula: its text, its LaTeX, and the facts that the next operation needs to know."""

    text: str
    latex: str
    level: int = ATOM
    number: float | None = None
    coefficient: float = 1.0
    factors: tuple[Term, ...] = ()  # of a product, without its coefficient
    power: tuple[Term, float] | None = None
    opposite: Term | None = None  # of a comparison

    def __add__(self, other: Any) -> Term:
        return add(self, term(other))

    def __radd__(self, other: Any) -> Term:
        return add(term(other), self)

    def __sub__(self, other: Any) -> Term:
        return add(self, -term(other))

    def __rsub__(self, other: Any) -> Term:
        return add(term(other), -self)

    def __mul__(self, other: Any) -> Term:
        return multiply(self, term(other))

    def __rmul__(self, other: Any) -> Term:
        return multiply(term(other), self)

    def __neg__(self) -> Term:
        return multiply(term(-1.0), self)

    def inside(self, level: int) -> tuple[str, str]:
        """Return text and LaTeX for a place that needs that level, in parentheses if the formula binds less tightly."""
        if self.level >= level:
            return self.text, self.latex
        return f"({self.text})", rf"\left({self.latex}\right)"


def symbol(name: str) -> Term:
    """Return the formula of a variable: its name as `shown_name` writes it, and its LaTeX."""
    text = shown_name(name)
    return Term(text, name_latex(text))


def term(x: Any) -> Term:
    """Return a Term unchanged, or a number as a formula."""
    if isinstance(x, Term):
        return x
    x = float(x) or 0.0  # no −0
    if x < 0:
        positive = term(-x)
        return Term(MINUS + positive.text, "-" + positive.latex, NEGATIVE, x)
    if x in CONSTANTS:
        return Term(*CONSTANTS[x], ATOM, x)
    text = f"{x:.6g}".replace("inf", "∞")
    mantissa, _, exponent = text.partition("e")
    if exponent:
        power = str(int(exponent))
        return Term(f"{mantissa}·10{power.translate(SUPERSCRIPTS)}", rf"{mantissa} \cdot 10^{{{power}}}", PRODUCT, x)
    return Term(text, text.replace("∞", r"\infty"), ATOM, x)


def folds(x: float) -> bool:
    return x == round(x, 6) and abs(x) < 1e6


def add(x: Term, y: Term) -> Term:
    if x.number == 0.0:
        return y
    if y.number == 0.0:
        return x
    if x.number is not None and y.number is not None and folds(x.number + y.number):
        return term(x.number + y.number)
    if y.level == NEGATIVE:
        (left, left_latex), (right, right_latex) = x.inside(SUM), (-y).inside(PRODUCT)
        return Term(f"{left} {MINUS} {right}", f"{left_latex} - {right_latex}", SUM)
    (left, left_latex), (right, right_latex) = x.inside(SUM), y.inside(SUM)
    return Term(f"{left} + {right}", f"{left_latex} + {right_latex}", SUM)


def parts_of(x: Term) -> tuple[float, tuple[Term, ...]]:
    if x.number is not None:
        return x.number, ()
    return x.coefficient, x.factors or ((x,) if x.coefficient == 1.0 else ())


def total(terms: Sequence[Term]) -> Term:
    """Return a sum with like terms combined: x + x is 2x.

    >>> total([symbol("x"), symbol("x"), term(1.0)]).text
    '2x + 1'
    """
    like: dict[str, tuple[float, tuple[Term, ...]]] = {}
    for coefficient, factors in map(parts_of, terms):
        key = "·".join(factor.text for factor in factors)
        like[key] = like.get(key, (0.0, ()))[0] + coefficient, factors
    return functools.reduce(add, [product(*parts) for parts in like.values()])


def multiply(x: Term, y: Term, joins: bool = True) -> Term:
    (left, xs), (right, ys) = parts_of(x), parts_of(y)
    coefficient = left * right
    factors = list(xs)
    for factor in ys:
        if joins and factors and base_of(factors[-1])[0].text == base_of(factor)[0].text:
            base, exponent = base_of(factors.pop())
            factors.append(power(base, term(exponent + base_of(factor)[1])))
        else:
            factors.append(factor)
    return product(coefficient, tuple(factors))


def base_of(x: Term) -> tuple[Term, float]:
    return x.power or (x, 1.0)


def product(coefficient: float, factors: tuple[Term, ...]) -> Term:
    if coefficient == 0.0 or not factors:
        return term(coefficient)
    if coefficient < 0.0:
        positive = product(-coefficient, factors)
        text, latex = positive.inside(PRODUCT)
        return Term(MINUS + text, "-" + latex, NEGATIVE, None, coefficient, factors)
    if coefficient == 1.0 and len(factors) == 1:
        return factors[0]
    listed = shortened(factors)
    shown = [*(factor.inside(CALL) for factor in listed[:-1]), listed[-1].inside(PREFIX)]
    text, latex = "·".join(s[0] for s in shown), r" \cdot ".join(s[1] for s in shown)
    if coefficient != 1.0:
        number = term(coefficient)
        joined = number.text.replace(".", "").isdecimal() and stands_close(shown[0][0])
        text = number.text + ("" if joined else "·") + text
        latex = number.latex + (" " if joined else r" \cdot ") + latex
    return Term(text, latex, PRODUCT, None, coefficient, factors)


def stands_close(text: str) -> bool:
    # 3u and 3(u + v), but 3·hand, 3·sin u and 3·2².
    letters = text.rstrip(SCRIPTS)
    return text.startswith("(") or (len(letters) == 1 and letters.isalpha())


def divide(x: Any, y: Any) -> Term:
    x, y = term(x), term(y)
    if y.number == 1.0:
        return cast(Term, x)
    if x.number is not None and y.number is not None and y.number and folds(x.number / y.number):
        return term(x.number / y.number)
    if x.level == NEGATIVE:
        return -divide(-x, y)
    if y.level == NEGATIVE:
        return -divide(x, -y)
    return Term(f"{x.inside(PRODUCT)[0]}/{y.inside(CALL)[0]}", rf"\frac{{{x.latex}}}{{{y.latex}}}", PRODUCT)


def power(x: Any, y: Any) -> Term:
    x, y = term(x), term(y)
    if y.number == 1.0:
        return cast(Term, x)
    if y.number == 0.0:
        return term(1.0)
    # A name such as z⁽²⁾ has a superscript already.
    base, base_latex = x.inside(ATOM + 1 if x.text.endswith(LAST_RAISED) else ATOM)
    latex = f"{base_latex}^{{{y.latex}}}"
    if y.number is not None and y.number.is_integer() and folds(y.number):
        return Term(f"{base}{str(int(y.number)).translate(SUPERSCRIPTS)}", latex, POWER, power=(x, y.number))
    return Term(f"{base}^{y.inside(ATOM)[0]}", latex, POWER)


def shortened(terms: Sequence[Any]) -> list[Term]:
    if len(terms) > LONGEST_LIST:
        return [term(terms[0]), term(terms[1]), Term("…", r"\cdots"), term(terms[-1])]
    return [term(t) for t in terms]


def sum_of(terms: Sequence[Any]) -> Term:
    """Return a sum; a long one shows its first terms and its last, with dots between them."""
    shown = shortened(terms)
    total = shown[0]
    for t in shown[1:]:
        total = add(total, t)
    return total
