"""The interpreter for notation: a primitive on named symbols gives its formula, as text and as LaTeX."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from ..rows import Functions
from .terms import (
    ATOM,
    CALL,
    CHOICE,
    PREFIX,
    PRODUCT,
    SUM,
    Term,
    divide,
    multiply,
    power,
    shortened,
    sum_of,
    symbol,
    term,
    total,
)

__all__ = ["CALL", "NOTATION", "PRODUCT", "WRITTEN", "Term", "sum_of", "symbol", "term", "total"]

# The name of a function in formulas, if it is not that of the primitive.
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


def _call(name: str, *args: Any) -> Term:
    text, latex = FUNCTION_NAMES.get(name) or (name, rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}")
    terms = shortened(args)
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
    # Iverson's bracket: 1 if the condition holds, else 0.
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


def _products(joins: bool) -> dict[str, Callable[..., Term]]:
    """Return the rows that multiply. If it `joins`, x·x is x²; otherwise each factor is written."""

    def product(*xs: Any) -> Term:
        return functools.reduce(lambda x, y: multiply(x, term(y), joins), xs, term(1.0))

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
    "div": divide,
    "pow": power,
    "mod": lambda x, y: _call("mod", x, y),
    "floordiv": lambda x, y: OWN["floor"](divide(x, y)),
    "less": _compare("<"),
    "equal": _compare("="),
    "less_equal": _compare("≤"),
    "greater": _compare(">"),
    "greater_equal": _compare("≥"),
    "not_equal": _compare("≠"),
    "round_to": _named("round"),
    "passed": lambda x, y: term(x) * term(y),
    "kinked": lambda x, y, smooth: term(x),
    "one_minus_square": lambda x: 1.0 - power(x, 2.0),
    "select": _select,
    "step": _step,
    "exp": _exponential,
    "expm1": lambda x: _exponential(x) - 1.0,
    "log1p": lambda x: _call("log", 1.0 + term(x)),
    "sech2": lambda x: divide(1.0, power(_call("cosh", x), 2.0)),
    "sigmoid": _between("σ(", ")", r"\sigma\left(", r"\right)"),
    "abs": _between("|", "|", r"\left|", r"\right|"),
    "floor": _between("⌊", "⌋", r"\left\lfloor ", r"\right\rfloor"),
    "ceil": _between("⌈", "⌉", r"\left\lceil ", r"\right\rceil"),
    "sqrt": _root("√", r"\sqrt"),
    "cbrt": _root("∛", r"\sqrt[3]"),
    "sum": lambda *xs: sum_of(xs),
    "fsum": lambda *xs: sum_of(xs),
    "mean": lambda *xs: divide(sum_of(xs), float(len(xs))),
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
