"""The interpreter for notation: a row on named symbols gives its formula, as text and as LaTeX.

It folds constants, puts numbers first, writes x·x as x², and sets only the parentheses that are needed.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ..rows import Functions
from .names import MINUS, PLAIN_SUPERSCRIPTS, SCRIPTS, SUPERSCRIPTS, name_latex, shown_name

# How tightly a formula holds together; what is looser than its place asks for is put in parentheses.
CHOICE, SUM, NEGATIVE, PRODUCT, PREFIX, CALL, POWER, ATOM = range(8)

LAST_RAISED = tuple(map(chr, PLAIN_SUPERSCRIPTS))
CONSTANTS = {
    math.pi: ("π", r"\pi"),
    math.e: ("e", "e"),
    math.sqrt(2.0): ("√2", r"\sqrt{2}"),
    math.sqrt(math.pi): ("√π", r"\sqrt{\pi}"),
    math.sqrt(2.0 * math.pi): ("√(2π)", r"\sqrt{2\pi}"),
}
# What a function is called in formulas, where it is not called by its name.
FUNCTION_NAMES = {
    "log": ("ln", r"\ln"),
    "log2": ("log₂", r"\log_2"),
    "log10": ("log₁₀", r"\log_{10}"),
    "asin": ("arcsin", r"\arcsin"),
    "acos": ("arccos", r"\arccos"),
    "atan": ("arctan", r"\arctan"),
    "stop_gradient": ("stop", r"\operatorname{stop}"),
    **{name: (name, "\\" + name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "max", "min")},
}
LONGEST_LIST = 6


@dataclass(frozen=True)
class Term:
    """A formula: its text, its LaTeX, and what the next operation needs to know of it."""

    text: str
    latex: str
    level: int = ATOM
    number: float | None = None
    coefficient: float = 1.0
    factors: tuple[Term, ...] = ()  # of a product, without its coefficient
    power: tuple[Term, float] | None = None
    opposite: Term | None = None  # of a comparison

    def __add__(self, other: Any) -> Term:
        return _add(self, term(other))

    def __radd__(self, other: Any) -> Term:
        return _add(term(other), self)

    def __sub__(self, other: Any) -> Term:
        return _add(self, -term(other))

    def __rsub__(self, other: Any) -> Term:
        return _add(term(other), -self)

    def __mul__(self, other: Any) -> Term:
        return _multiply(self, term(other))

    def __rmul__(self, other: Any) -> Term:
        return _multiply(term(other), self)

    def __neg__(self) -> Term:
        return _multiply(term(-1.0), self)

    def inside(self, level: int) -> tuple[str, str]:
        """Text and LaTeX for a place that asks for that level: in parentheses where this is looser."""
        if self.level >= level:
            return self.text, self.latex
        return f"({self.text})", rf"\left({self.latex}\right)"


def symbol(name: str) -> Term:
    """Return the formula of a variable: its name as `shown_name` writes it, and its LaTeX."""
    text = shown_name(name)
    return Term(text, name_latex(text))


def term(x: Any) -> Term:
    """A Term as it is, or a number as a formula writes it."""
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


def _folds(x: float) -> bool:
    return x == round(x, 6) and abs(x) < 1e6


def _add(x: Term, y: Term) -> Term:
    if x.number == 0.0:
        return y
    if y.number == 0.0:
        return x
    if x.number is not None and y.number is not None and _folds(x.number + y.number):
        return term(x.number + y.number)
    if y.level == NEGATIVE:
        (left, left_latex), (right, right_latex) = x.inside(SUM), (-y).inside(PRODUCT)
        return Term(f"{left} {MINUS} {right}", f"{left_latex} - {right_latex}", SUM)
    (left, left_latex), (right, right_latex) = x.inside(SUM), y.inside(SUM)
    return Term(f"{left} + {right}", f"{left_latex} + {right_latex}", SUM)


def _parts(x: Term) -> tuple[float, tuple[Term, ...]]:
    if x.number is not None:
        return x.number, ()
    return x.coefficient, x.factors or ((x,) if x.coefficient == 1.0 else ())


def total(terms: Sequence[Term]) -> Term:
    """Return a sum in which like terms are one: x + x is 2x.

    >>> total([symbol("x"), symbol("x"), term(1.0)]).text
    '2x + 1'
    """
    like: dict[str, tuple[float, tuple[Term, ...]]] = {}
    for coefficient, factors in map(_parts, terms):
        key = "·".join(factor.text for factor in factors)
        like[key] = like.get(key, (0.0, ()))[0] + coefficient, factors
    return functools.reduce(_add, [_product(*parts) for parts in like.values()])


def _multiply(x: Term, y: Term, joins: bool = True) -> Term:
    (left, xs), (right, ys) = _parts(x), _parts(y)
    coefficient = left * right
    factors = list(xs)
    for factor in ys:
        if joins and factors and _base(factors[-1])[0].text == _base(factor)[0].text:
            base, exponent = _base(factors.pop())
            factors.append(_power(base, term(exponent + _base(factor)[1])))
        else:
            factors.append(factor)
    return _product(coefficient, tuple(factors))


def _base(x: Term) -> tuple[Term, float]:
    return x.power or (x, 1.0)


def _product(coefficient: float, factors: tuple[Term, ...]) -> Term:
    if coefficient == 0.0 or not factors:
        return term(coefficient)
    if coefficient < 0.0:
        positive = _product(-coefficient, factors)
        text, latex = positive.inside(PRODUCT)
        return Term(MINUS + text, "-" + latex, NEGATIVE, None, coefficient, factors)
    if coefficient == 1.0 and len(factors) == 1:
        return factors[0]
    listed = _shortened(factors)
    shown = [*(factor.inside(CALL) for factor in listed[:-1]), listed[-1].inside(PREFIX)]
    text, latex = "·".join(s[0] for s in shown), r" \cdot ".join(s[1] for s in shown)
    if coefficient != 1.0:
        number = term(coefficient)
        joined = number.text.replace(".", "").isdecimal() and _stands_close(shown[0][0])
        text = number.text + ("" if joined else "·") + text
        latex = number.latex + (" " if joined else r" \cdot ") + latex
    return Term(text, latex, PRODUCT, None, coefficient, factors)


def _stands_close(text: str) -> bool:
    # 3u and 3(u + v), but 3·hand, 3·sin u and 3·2².
    letters = text.rstrip(SCRIPTS)
    return text.startswith("(") or (len(letters) == 1 and letters.isalpha())


def _divide(x: Any, y: Any) -> Term:
    x, y = term(x), term(y)
    if y.number == 1.0:
        return cast(Term, x)
    if x.number is not None and y.number is not None and y.number and _folds(x.number / y.number):
        return term(x.number / y.number)
    if x.level == NEGATIVE:
        return -_divide(-x, y)
    if y.level == NEGATIVE:
        return -_divide(x, -y)
    return Term(f"{x.inside(PRODUCT)[0]}/{y.inside(CALL)[0]}", rf"\frac{{{x.latex}}}{{{y.latex}}}", PRODUCT)


def _power(x: Any, y: Any) -> Term:
    x, y = term(x), term(y)
    if y.number == 1.0:
        return cast(Term, x)
    if y.number == 0.0:
        return term(1.0)
    # A name such as z⁽²⁾ has a superscript already.
    base, base_latex = x.inside(ATOM + 1 if x.text.endswith(LAST_RAISED) else ATOM)
    latex = f"{base_latex}^{{{y.latex}}}"
    if y.number is not None and y.number.is_integer() and _folds(y.number):
        return Term(f"{base}{str(int(y.number)).translate(SUPERSCRIPTS)}", latex, POWER, power=(x, y.number))
    return Term(f"{base}^{y.inside(ATOM)[0]}", latex, POWER)


def _call(name: str, *args: Any) -> Term:
    text, latex = FUNCTION_NAMES.get(name) or (name, rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}")
    terms = _shortened(args)
    if len(terms) == 1 and terms[0].level == ATOM and "(" not in terms[0].text:
        return Term(f"{text} {terms[0].text}", f"{latex} {terms[0].latex}", PREFIX)
    inner, inner_latex = ", ".join(t.text for t in terms), ", ".join(t.latex for t in terms)
    return Term(f"{text}({inner})", rf"{latex}\left({inner_latex}\right)", CALL)


def _root(sign: str, command: str) -> Callable[[Any], Term]:
    def root(x: Any) -> Term:
        x = term(x)
        return Term(sign + x.inside(ATOM)[0], f"{command}{{{x.latex}}}", CALL)

    return root


def _between(left: str, right: str, left_latex: str, right_latex: str) -> Callable[[Any], Term]:
    def between(x: Any) -> Term:
        x = term(x)
        return Term(f"{left}{x.text}{right}", f"{left_latex}{x.latex}{right_latex}", ATOM)

    return between


COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "≥": operator.ge,
    "≤": operator.le,
    "=": operator.eq,
    "≠": operator.ne,
}
OPPOSITES = {"<": "≥", "=": "≠", "≥": "<", ">": "≤", "≤": ">", "≠": "="}
MIRRORED = {"<": ">", "≥": "≤", ">": "<", "≤": "≥", "=": "=", "≠": "≠"}
COMPARISONS_LATEX = {"<": r"\lt", ">": r"\gt", "≥": r"\ge", "≤": r"\le", "=": "=", "≠": r"\ne"}


def _compare(sign: str) -> Callable[[Any, Any], Term]:
    def compare(x: Any, y: Any) -> Term:
        x, y = term(x), term(y)
        if x.number is not None and y.number is not None:
            return term(float(COMPARISONS[sign](x.number, y.number)))
        return replace(_comparison(x, sign, y), opposite=_comparison(x, OPPOSITES[sign], y))

    return compare


def _comparison(x: Term, sign: str, y: Term) -> Term:
    if x.number is not None:  # x > 0, not 0 < x
        x, sign, y = y, MIRRORED[sign], x
    (left, left_latex), (right, right_latex) = x.inside(SUM), y.inside(SUM)
    return Term(f"{left} {sign} {right}", f"{left_latex} {COMPARISONS_LATEX[sign]} {right_latex}", CHOICE)


def _bracket(condition: Term) -> Term:
    # Iverson's bracket: 1 where the condition holds, else 0.
    return Term(f"[{condition.text}]", rf"\left[{condition.latex}\right]", ATOM)


def _select(*args: Any) -> Term:
    condition, x, y = map(term, args)
    if condition.number is not None:
        return x if condition.number else y
    if x.number == 1.0 and y.number == 0.0:
        return _bracket(condition)
    if x.number == 0.0 and condition.opposite:
        return _bracket(condition.opposite) * y
    text = f"{x.inside(SUM)[0]} if {condition.text} else {y.text}"
    return Term(text, rf"{x.inside(SUM)[1]} \text{{ if }} {condition.latex} \text{{ else }} {y.latex}", CHOICE)


def _step(x: Any, at_zero: Any = 0.0) -> Term:
    number = term(at_zero).number
    if number not in (0.0, 1.0):
        return _call("step", x, at_zero)
    return _select(_compare("≥" if number else ">")(x, 0.0), 1.0, 0.0)


def _shortened(terms: Sequence[Any]) -> list[Term]:
    if len(terms) > LONGEST_LIST:
        return [term(terms[0]), term(terms[1]), Term("…", r"\cdots"), term(terms[-1])]
    return [term(t) for t in terms]


def sum_of(terms: Sequence[Any]) -> Term:
    """A sum; a long one shows its first terms and its last, with dots between."""
    shown = _shortened(terms)
    total = shown[0]
    for t in shown[1:]:
        total = _add(total, t)
    return total


def _products(joins: bool) -> dict[str, Callable[..., Term]]:
    """Return the rows that multiply. If it `joins`, x·x is x²; otherwise each factor is written."""

    def product(*xs: Any) -> Term:
        return functools.reduce(lambda x, y: _multiply(x, term(y), joins), xs, term(1.0))

    def dot(*xys: Any) -> Term:
        half = len(xys) // 2
        return sum_of([product(x, y) for x, y in zip(xys[:half], xys[half:], strict=True)])

    def affine(*wxb: Any) -> Term:
        half = len(wxb) // 2
        return sum_of([*(product(w, x) for w, x in zip(wxb[:half], wxb[half:-1], strict=True)), wxb[-1]])

    return {"mul": product, "prod": product, "dot": dot, "affine": affine}


def _exponential(x: Any) -> Term:
    return Term(_call("exp", x).text, f"e^{{{term(x).latex}}}", _call("exp", x).level)


def _named(name: str) -> Callable[..., Term]:
    return lambda *args: _call(name, *args)


OWN: dict[str, Callable[..., Term]] = {
    "add": lambda x, y: term(x) + term(y),
    "sub": lambda x, y: term(x) - term(y),
    "neg": lambda x: -term(x),
    "pos": term,
    "div": _divide,
    "pow": _power,
    "mod": lambda x, y: _call("mod", x, y),
    "floordiv": lambda x, y: OWN["floor"](_divide(x, y)),
    "less": _compare("<"),
    "equal": _compare("="),
    "less_equal": _compare("≤"),
    "greater": _compare(">"),
    "greater_equal": _compare("≥"),
    "not_equal": _compare("≠"),
    "round_to": _named("round"),
    "kinked": lambda x, y, smooth: term(x),
    "one_minus_square": lambda x: 1.0 - _power(x, 2.0),
    "select": _select,
    "step": _step,
    "exp": _exponential,
    "expm1": lambda x: _exponential(x) - 1.0,
    "log1p": lambda x: _call("log", 1.0 + term(x)),
    "sech2": lambda x: _divide(1.0, _power(_call("cosh", x), 2.0)),
    "sigmoid": _between("σ(", ")", r"\sigma\left(", r"\right)"),
    "abs": _between("|", "|", r"\left|", r"\right|"),
    "floor": _between("⌊", "⌋", r"\left\lfloor ", r"\right\rfloor"),
    "ceil": _between("⌈", "⌉", r"\left\lceil ", r"\right\rceil"),
    "sqrt": _root("√", r"\sqrt"),
    "cbrt": _root("∛", r"\sqrt[3]"),
    "sum": lambda *xs: sum_of(xs),
    "fsum": lambda *xs: sum_of(xs),
    "mean": lambda *xs: _divide(sum_of(xs), float(len(xs))),
    **_products(joins=True),
}


class Notation:
    """The namespace `m` whose functions give formulas. A function without a notation of its own is called by name."""

    def __init__(self, own: Mapping[str, Callable[..., Term]]) -> None:
        self._own = own

    def __getattr__(self, name: str) -> Callable[..., Term]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._own.get(name) or _named(name)


NOTATION = cast(Functions, Notation(OWN))
WRITTEN = cast(Functions, Notation({**OWN, **_products(joins=False)}))
"""The notation of a node's own equation, which keeps each operand: x·x has two factors, and is not x²."""
