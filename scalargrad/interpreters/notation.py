"""The interpreter for notation: a row on named symbols gives its formula, as text and as LaTeX.

It folds constants, puts numbers first, writes x·x as x², and sets only the parentheses that are needed.
"""

from __future__ import annotations

import math
import operator
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ..rows import Functions

# How tightly a formula holds together; what is looser than its place asks for is put in parentheses.
CHOICE, SUM, NEGATIVE, PRODUCT, PREFIX, CALL, POWER, ATOM = range(8)

MINUS = "\N{MINUS SIGN}"
SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
SUPERSCRIPTS = str.maketrans(f"0123456789-{MINUS}()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁽⁾")
PLAIN_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", "0123456789+-=()")
PLAIN_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾", "0123456789-()")
RAISED = tuple(map(chr, PLAIN_SUPERSCRIPTS))
SCRIPTS = "".join(map(chr, {**PLAIN_SUBSCRIPTS, **PLAIN_SUPERSCRIPTS}))
LATEX_SIGNS = {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim ", "<": r"\lt ", ">": r"\gt ", " ": r"\ "}
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
LONGEST_NAME = 48


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


def digits(x: float, decimals: int = 4) -> str:
    """A computed number as equations show it: four decimals, a power of ten for the very large and small.

    >>> digits(-0.76492), digits(1.5e-7)
    ('−0.7649', '1.5000e−07')
    """
    if math.isnan(x) or math.isinf(x):
        return f"{x}".replace("inf", "∞").replace("-", MINUS)
    plain = x == 0 or 1e-3 <= abs(x) < 1e6
    return f"{x or 0.0:.{decimals}{'f' if plain else 'e'}}".replace("-", MINUS)


def symbol(name: str) -> Term:
    """A variable: `v1`, `v_1` and `v₁` are all shown as v₁, other names as they are.

    Characters that do not print, such as newlines and direction marks, are shown as `\N{REPLACEMENT CHARACTER}`,
    and a name that is too long for a picture is shortened with dots.
    """
    name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    name = "".join(c if _prints(c) else "\N{REPLACEMENT CHARACTER}" for c in name)
    match = re.fullmatch(r"([^\W\d_]+)_?(\d+)", name)
    text = f"{match[1]}{match[2].translate(SUBSCRIPTS)}" if match else name
    return Term(text, name_latex(text))


def _prints(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] != "C" and category not in ("Zl", "Zp")


def name_latex(text: str) -> str:
    """The LaTeX of a name with Unicode sub- and superscripts: `z₁⁽²⁾` is `z_{1}^{(2)}`."""
    base = text.rstrip(SCRIPTS)
    rest = text[len(base) :]
    lower = "".join(c for c in rest if ord(c) in PLAIN_SUBSCRIPTS).translate(PLAIN_SUBSCRIPTS)
    upper = "".join(c for c in rest if ord(c) in PLAIN_SUPERSCRIPTS).translate(PLAIN_SUPERSCRIPTS)
    escaped = re.sub(r"[{}%#&$_^~<> \\]", lambda m: LATEX_SIGNS.get(m[0], "\\" + m[0]), base)
    shown = escaped if len(base) == 1 else rf"\mathrm{{{escaped}}}"
    return shown + (f"_{{{lower}}}" if lower else "") + (f"^{{{upper}}}" if upper else "")


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


def _multiply(x: Term, y: Term) -> Term:
    (left, xs), (right, ys) = _parts(x), _parts(y)
    coefficient = left * right
    factors = list(xs)
    for factor in ys:
        if factors and _base(factors[-1])[0].text == _base(factor)[0].text:
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
    base, base_latex = x.inside(ATOM + 1 if x.text.endswith(RAISED) else ATOM)
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
    "=": operator.eq,
}
OPPOSITES = {"<": "≥", "=": "≠", "≥": "<", ">": "≤"}
MIRRORED = {"<": ">", "≥": "≤", "=": "=", "≠": "≠"}
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


def _product_of(*xs: Any) -> Term:
    product = term(1.0)
    for x in xs:
        product = _multiply(product, term(x))
    return product


def _dot(*xys: Any) -> Term:
    half = len(xys) // 2
    return sum_of([_multiply(term(x), term(y)) for x, y in zip(xys[:half], xys[half:], strict=True)])


def _affine(*wxb: Any) -> Term:
    half = len(wxb) // 2
    products = [_multiply(term(w), term(x)) for w, x in zip(wxb[:half], wxb[half:-1], strict=True)]
    return sum_of([*products, wxb[-1]])


def _exponential(x: Any) -> Term:
    return Term(_call("exp", x).text, f"e^{{{term(x).latex}}}", _call("exp", x).level)


def _named(name: str) -> Callable[..., Term]:
    return lambda *args: _call(name, *args)


OWN: dict[str, Callable[..., Term]] = {
    "add": lambda x, y: term(x) + term(y),
    "sub": lambda x, y: term(x) - term(y),
    "mul": lambda x, y: term(x) * term(y),
    "neg": lambda x: -term(x),
    "pos": term,
    "div": _divide,
    "pow": _power,
    "mod": lambda x, y: _call("mod", x, y),
    "floordiv": lambda x, y: OWN["floor"](_divide(x, y)),
    "less": _compare("<"),
    "equal": _compare("="),
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
    "prod": _product_of,
    "mean": lambda *xs: _divide(sum_of(xs), float(len(xs))),
    "dot": _dot,
    "affine": _affine,
}


class Notation:
    """The namespace `m` whose functions give formulas; what has no notation of its own is called by name."""

    def __getattr__(self, name: str) -> Callable[..., Term]:
        if name.startswith("__"):
            raise AttributeError(name)
        return OWN.get(name) or _named(name)


NOTATION = cast(Functions, Notation())
