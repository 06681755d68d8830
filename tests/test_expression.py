"""Formulas as text: their meaning, and that everything else is refused."""

import builtins
import math
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad.command.expression import LONGEST, Expression, ExpressionError
from scalargrad.command.functions import ALIASES, CALLABLE, FAMILIES, FUNCTIONS, families


def value(text, **inputs):
    return Expression(text)(inputs)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("x + y", 5.0),
        ("x - y", -1.0),
        ("x * y", 6.0),
        ("x / y", 2.0 / 3.0),
        ("y // x", 1.0),
        ("-y % x", 1.0),
        ("x ** y", 8.0),
        ("-x**2", -4.0),
        ("2**-x", 0.25),
        ("x**y**2", 512.0),
        ("+x", 2.0),
        ("--x", 2.0),
        ("(x)", 2.0),
        ("1e3", 1000.0),
        ("1_000", 1000.0),
        (".5*x", 1.0),
        ("pi", math.pi),
        ("e", math.e),
        ("sin(x)", math.sin(2.0)),
        ("max(x, y)", 3.0),
        ("max([x, y])", 3.0),
        ("max((x, y))", 3.0),
        ("maximum(x, y, 4)", 4.0),
        ("mean(x, y)", 2.5),
        ("sum(x, y, 1)", 6.0),
        ("dot([x, y], [1, 2])", 8.0),
        ("affine([x, y], [1, 2], 1)", 9.0),
        ("clip(x, 0, 1)", 1.0),
        ("relu(x, 0.5)", 2.0),
        ("leaky_relu(-x, alpha=0.5)", -1.0),
        ("select(0, x, y)", 3.0),
        ("where(x > 0, x, y)", 2.0),
        ("where(0 < x < 1, x, y)", 3.0),
        ("where(x == 2, 1, 0)", 1.0),
        ("where(x != 2, 1, 0)", 0.0),
        ("where(x >= 2, 1, 0) + where(x <= 2, 1, 0)", 2.0),
        ("where(x > 0, x, log(-x))", 2.0),
        ("t = x**2; u = t + y; u*u", 49.0),
        ("t = x**2\nt + 1", 5.0),
        ("  x  ", 2.0),
        ("x # a comment", 2.0),
        ("pi = 3; pi*x", 6.0),
    ],
)
def test_what_formulas_mean(text, result):
    expression = Expression(text)
    inputs = {name: number for name, number in (("x", 2.0), ("y", 3.0)) if name in expression.names}
    assert expression(inputs) == pytest.approx(result, rel=1e-15)
    taken = expression({name: sg.Value(number) for name, number in inputs.items()})
    assert (taken.data if isinstance(taken, sg.Value) else taken) == expression(inputs)


WRITTEN = {
    "x^2": "x**2",
    "x² + 3x": "x**2 + 3*x",
    "x⁻²": "x**(-2)",
    "x²³": "x**23",
    "eˣ + e^-x": "exp(x) + exp(-x)",
    "e^(-x²/2)": "exp(-(x**2)/2)",
    "e": "exp(1)",
    "2x": "2*x",
    "2.5x y": "2.5*x*y",
    "3(x+1)": "3*(x + 1)",
    "(x+1)(x-1)": "(x + 1)*(x - 1)",
    "(x+1) y": "(x + 1)*y",
    "π(x+1)": "pi*(x + 1)",
    "2πx": "2*pi*x",
    "x^2y": "x**2*y",
    "-x²": "-(x**2)",
    "2x² y³": "2*x**2*y**3",
    "x·y×2÷y − 1 – x": "x*y*2/y - 1 - x",
    "x⋅y∙2∗x": "x*y*2*x",
    "½x": "0.5*x",
    "sin(x)cos(x)": "sin(x)*cos(x)",
    "x sin x cos y": "x*sin(x)*cos(y)",
    "sin x + 1": "sin(x) + 1",
    "sin x * cos x": "sin(x)*cos(x)",
    "1/sin x": "1/sin(x)",
    "sin 2πx": "sin(2*pi*x)",
    "sin x²": "sin(x**2)",
    "sin cos x": "sin(cos(x))",
    "sin²(x) + cos² x": "sin(x)**2 + cos(x)**2",
    "sin^2(x)": "sin(x)**2",
    "sin^2 x": "sin(x)**2",
    "sin(x)²": "sin(x)**2",
    "ln x + ln(y) + lg y + ln|x|": "log(x) + log(y) + log10(y) + log(abs(x))",
    "log₂(x) + log_2 x": "log2(x) + log2(x)",
    "arctan(x) + arcsin(y/9)": "atan(x) + asin(y/9)",
    "|x - y|": "abs(x - y)",
    "|x||y|": "abs(x)*abs(y)",
    "||x| - 5|": "abs(abs(x) - 5)",
    "2|x| - |(|y|)|": "2*abs(x) - abs(y)",
    "√x + √(x + 2) + ∛y": "sqrt(x) + sqrt(x + 2) + cbrt(y)",
    "2√x": "2*sqrt(x)",
    "σ(x) + ReLU(y)": "sigmoid(x) + relu(y)",
    "cot x": "1/tan(x)",
    "Γ(x + 1) + 0gamma(y)": "2.0",
    "Exp(x)": "exp(x)",
    "y₁ = x²": "x**2",
    "f(x, y) = x + y": "x + y",
    "t = x²; u = sin t; t u": "x**2*sin(x**2)",
    "u = √x\n\nu + 1": "sqrt(x) + 1",
    "max(x,\n y)": "max(x, y)",
    "where(x ≥ 2, x, 0) + where(x ≠ 2, 1, 3)": "x + 3",
    "\\cos(\\sin(x^{2}) + 3x^2)": "cos(sin(x**2) + 3*x**2)",
    "\\frac{x}{y} \\cdot \\sqrt{x}": "x/y*sqrt(x)",
    "$\\left(x + 1\\right)^{2}$": "(x + 1)**2",
    "（x＋１）": "x + 1",
    "x\u200b+\xa01": "x + 1",
}


@pytest.mark.parametrize("text", WRITTEN, ids=ascii)
def test_formulas_as_people_write_them(text):
    plain = WRITTEN[text]
    scope = {
        name: getattr(sg, name) for name in ("sin", "cos", "tan", "exp", "log", "log10", "log2", "sqrt", "cbrt", "relu")
    }
    scope |= {"atan": sg.atan, "asin": sg.asin, "sigmoid": sg.sigmoid, "abs": abs, "max": max, "pi": math.pi}
    expected = eval(plain, {"__builtins__": {}}, {**scope, "x": 2.0, "y": 3.0})  # noqa: S307 (its own text)
    assert value(text, x=2.0, y=3.0) == pytest.approx(expected, rel=1e-15)


def test_the_page_on_formulas_is_true():
    page = (Path(__file__).parent.parent / "docs/howto/command.md").read_text(encoding="utf-8")
    rows = [re.findall("`([^`]+)`", row) for row in page.split("\n") if row.startswith("| `")]
    assert len(rows) > 10
    for row in rows:
        half = len(row) // 2
        for written, plain in zip(row[:half], row[half:], strict=True):
            expressions = Expression(written), Expression(plain)
            inputs = {name: 0.7 + 0.1 * i for i, name in enumerate(expressions[0].names) if name not in ("pi", "e")}
            assert expressions[0](inputs) == pytest.approx(expressions[1](inputs), rel=1e-15)


def test_other_spellings_of_names():
    assert Expression("x₁² + w_{12} x_1 + θ₁").names == ("x1", "w_12", "x_1", "θ1")
    assert Expression("(x-μ)²/(2σ²)").names == ("x", "μ", "σ")
    assert Expression("γ x + gamma x + y1").names == ("γ", "x", "gamma", "y1")
    assert value("σ² + x₁", σ=2.0, x1=1.0) == 5.0


def test_e_to_a_power_is_exp_unless_e_is_an_input():
    x = sg.Value(2.0)
    assert Expression("e^x")({"x": x}).primitive.name == "exp"
    e = sg.Value(math.e)
    J = Expression("e^x")({"x": x, "e": e})
    J.backward()
    assert e.grad == pytest.approx(2.0 * math.e)


def test_a_missing_name_may_be_a_product_or_a_function():
    with pytest.raises(ExpressionError, match=r"no value for xy; give it as xy=1.5, or write x\*y for a product"):
        value("xy", x=1.0, y=2.0)
    with pytest.raises(ExpressionError, match=r"no value for sin; .*, or write sin\(…\) for the function"):
        value("sin - x", x=1.0)


def test_the_caret_stands_below_the_place():
    with pytest.raises(ExpressionError) as caught:
        Expression("t = x²\n2t + 本·1/2x")
    assert caught.value.shown().split("\n")[1:] == ["  2t + 本·1/2x", "             ^"]
    with pytest.raises(ExpressionError) as caught:
        Expression("x + " * 40 + "$!$" + " + x" * 40)
    _, line, caret = caught.value.shown().split("\n")
    assert line[len(caret) - 1] == "!"
    assert len(line) < 80


def test_an_error_moves_no_cursor():
    for text in ("x\x1b[31m", "\x1b]0;title\x07", "x\u202ey", "foo\x9b(x)"):
        with pytest.raises(ExpressionError) as caught:
            Expression(text)
        assert all(c.isprintable() or c == "\n" for c in caught.value.shown())


def test_names_in_order_of_appearance():
    assert Expression("t = b*a; t + sin(c) + pi + a").names == ("b", "a", "c", "pi")
    assert Expression("sin(step)").names == ("step",)


def test_constants_give_way_to_inputs():
    assert Expression("pi*e").missing({}) == []
    assert value("pi*e", pi=2.0, e=3.0) == 6.0


def test_assignments_label_their_values():
    x = sg.Value(2.0, label="x")
    J = Expression("t = x**2; u = x; sin(t) + u")({"x": x})
    assert J.parents[0].parents[0].label == "t"
    assert x.label == "x"


def test_a_branch_is_computed_only_where_it_is_chosen():
    x = sg.Value(-1.0)
    J = Expression("where(x > 0, sqrt(x), 0*x)")({"x": x})
    J.backward()
    assert (J.data, x.grad) == (0.0, 0.0)


def test_every_function_of_the_table_can_be_called_but_those_of_several_outputs():
    public = {*sg.primitives.__all__, *sg.elementary.__all__, *sg.special.ROWS, "maximum", "minimum", "where"}
    assert public - CALLABLE == {"softmax", "log_softmax"}


def test_families_and_other_names_are_those_of_the_table():
    assert sorted(name for names in families().values() for name in names) == sorted(CALLABLE)
    assert set(" ".join(FAMILIES.values()).split()) <= CALLABLE
    assert set(ALIASES.values()) <= set(FUNCTIONS)
    assert not set(ALIASES) & CALLABLE


REFUSED = {
    "__import__('os').system('true')": r"\"'\" cannot stand in a formula: a formula has no text in quotes",
    "__import__(x)": "__import__ is not a function; for a product",
    "open('x')": "has no text in quotes",
    "open(x)": "open is not a function",
    "eval(x)": "eval is not a function",
    "x.real": "'.' cannot stand in a formula: a name has no dot",
    "sin.__globals__": "a name has no dot",
    "x[0]": "square brackets hold the numbers of a list",
    "[x for x in y]": "'for' is a word of Python's",
    "{1: x}": "':' cannot stand in a formula: write / to divide",
    "lambda x": "'lambda' is a word of Python's",
    "(x := 2)": "':' cannot stand",
    "x if y else 1": r"'if' is a word of Python's and has no meaning here; write where\(x > 0, x, 0\)",
    "x and y": "'and' is a word of Python's",
    "not x": "'not' is a word",
    "~x": "'~' cannot stand in a formula",
    "x @ y": r"'@' cannot stand in a formula: write dot\(",
    "x & y": "'&' cannot stand",
    "x << 2": "'<' compares, and only where does so",
    "'text'": "has no text in quotes",
    "True": "'True' is a word of Python's",
    "None": "'None' is a word of Python's",
    "...": "'.' cannot stand",
    "x < y": r"'<' compares, and only where does so: where\(x > 0, x, 0\)",
    "x = 2 = y": "'=' names a part",
    "[x, y]": "several numbers in place of one",
    "x, y": "a comma separates the arguments of a function; write 1.5 for",
    "1,5x": "write 1.5 for a decimal number",
    "max(*x)": r"'\*' cannot stand here; a number, a name or a function must come first",
    "import os": "'import' is a word",
    "x += 1; x": "'=' names a part",
    "x: int = 1; x": "':' cannot stand",
    "t, u = x; t": "a comma separates",
    "x; y": "only the last formula has no name",
    "": "the formula is empty",
    " ; # nothing": "the formula is empty",
    "x = x + 1; x": "x is assigned, but it has a value already",
    "t = 1; t = 2; t": "t is assigned, but it has a value already",
    "x +": "the formula ends where a number, a name or a function must follow",
    "(x": r"'\(' is opened here and not closed; write '\)' where it ends",
    "|x": r"'\|' is opened here and not closed; write \|x\| or abs\(x\)",
    "x)": r"'\)' cannot stand here",
    "()": "nothing between the parentheses",
    "x\0": "cannot stand in a formula",
    "\ud800": "cannot stand in a formula",
    "softmax(x)": "softmax gives several numbers, and a formula needs one",
    "coss(x)": r"there is no function coss; did you mean cos\(x\)\? scalargrad --help lists them",
    "xsin(x)": r"there is no function xsin; did you mean x\*sin\(x\)\?",
    "factorial(x)": r"there is no function factorial; write gamma\(n \+ 1\)",
    "log_3(x)": r"there is no function log_3; write log\(x\)/log\(3\)",
    "x(y+1)": r"x is not a function; for a product write x\*\(…\)",
    "sin(x)(y)": None,
    "x 2": r"a number after 'x': did you mean x\*2 or x\^2\?",
    "2 3": r"did you mean 2\*3 or 2\^3\?",
    "(x)2": r"did you mean \(…\)\*2",
    "1/2x": r"a product without a sign after '/': did you mean \(1 / 2\)\*x or 1 / \(2\*x\)\?",
    "x//2y": r"did you mean \(x // 2\)\*y",
    "x/2(x+1)": r"did you mean \(x / 2\)\*\(x\+1\) or x / \(2\*\(x\+1\)\)\?",
    "e^2x": r"the exponent may be 2 or 2x: did you mean e\^\(2\*x\) or e\^2\*x\?",
    "2^3(x+1)": "the exponent may be 3 or 3",
    "√2x": r"the root may end here or go on: did you mean √\(2\)x… or √\(2x…\)\?",
    "√x²": "the root may end here or go on",
    "sin x/2": r"the argument of sin may end here or go on: did you mean sin\(x\)/2 or sin\(x/2\)\?",
    "sin x y": r"did you mean sin\(x\)\*y or sin\(x\*y\)\?",
    "sin 2(x+1)": r"did you mean sin\(2\)\*\(…\) or sin\(2\*\(…\)\)\?",
    "sin⁻¹(x)": r"did you mean asin\(x\) or 1/sin\(x\)\?",
    "exp^-1(x)": r"did you mean its inverse or 1/exp\(x\)\?",
    "0x10": "may be a product or a number in another base",
    "x!": "there is no factorial",
    "90°": "angles are in radians",
    "\\frac x y": r"\\frac needs two parts in braces",
    "x^": "the formula ends where",
    "sin()": r"sin: missing a required argument: 'x', in 'sin\(\)'",
    "sin(x, y)": "sin: too many positional arguments",
    "relu(x, slope=1)": "relu: got an unexpected keyword argument 'slope'",
    "relu(x, at_zero=0, at_zero=1)": "at_zero is given twice",
    "max()": "max: needs at least one argument",
    "max([])": "max: needs at least one argument",
    "max([x], y)": r"max: xs\[0\] is .* a list",
    "dot(x, y)": "dot: needs an iterable",
    "dot([x])": "dot: missing a required argument",
    "dot([x], [y, 1])": "dot: needs two vectors of one length",
    "sin([x])": "sin: x is .* a list",
    "where(x, 1, 2)": "where needs a comparison such as x > 0, not 'x'",
    "where(x = 2, 1, 2)": "to compare, write ==",
    "where(x > 0, 1)": "where takes three arguments",
    "where(x > 0, 1, y=2)": "to compare, write ==",
    "where(x in y, 1, 2)": "'in' is a word",
    "log(x - 2)": r"log: x = 0.0 is outside \(0, inf\), in 'log\(x - 2\)'",
    "t = x - 3; sqrt(t)": r"sqrt: x = -1.0 is outside \[0, inf\), at \"t\", in 'sqrt\(t\)'",
    "x / 0": "div: y = 0.0 is outside .*, in 'x / 0'",
    "x % 0": "mod: .*, in 'x % 0'",
    "(-x)**0.5": r"pow: .*, in '\(-x\)\*\*0.5'",
    "exp(1000*x)": "exp: .*the result is too large for a float, in",
    "9**9**9**9": "pow: .*the result is too large for a float, in '9",
    "1" + "0" * 400: "this number is too large for a float",
    "1e999": "this number is too large for a float",
    "9" * 5000: "this number is too large for a float",
}
del REFUSED["sin(x)(y)"]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:30]))
def test_what_is_refused_is_refused_with_a_reason_and_a_place(text):
    with pytest.raises(ExpressionError, match=REFUSED[text]) as caught:
        Expression(text)({"x": sg.Value(2.0), "y": sg.Value(3.0)})
    assert 0 < len(str(caught.value)) < 1000
    first, *place = caught.value.shown().split("\n")
    assert first == str(caught.value)
    if place:
        line, carets = place
        assert set(carets.strip()) == {"^"}
        assert len(carets) <= len(line) + 1


def test_nothing_is_evaluated(monkeypatch):
    def forbidden(*args, **options):
        raise AssertionError("evaluated as Python")

    for name in ("eval", "exec", "compile"):
        monkeypatch.setattr(builtins, name, forbidden)
    assert value("t = x**2; sin(t) + where(t > 1, t, 0)", x=2.0) == math.sin(4.0) + 4.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 90 + "x" + ")" * 90, None),
        ("(" * 1000 + "x" + ")" * 1000, "nested deeper"),
        ("sin(" * 90 + "x" + ")" * 90, None),
        ("|" * 91 + "x" + "|" * 91, None),
        ("-" * (LONGEST - 1) + "x", None),
        ("+".join("x" * (LONGEST // 2)), None),
        ("x" + "²" * 5000, "too large"),
        ("x " * (LONGEST // 2), None),
        ("**".join("x" * 90), None),
        ("**".join("x" * 3000), "nested deeper"),
        ("sin " * 90 + "x", None),
        ("sin " * 1000 + "x", "nested deeper|too deeply"),
        ("√" * 90 + "x", None),
        ("√" * 5000 + "x", "nested deeper|too deeply"),
        ("x" * LONGEST, None),
        ("x" * (LONGEST + 1), f"has {LONGEST + 1} characters; at most {LONGEST} are read"),
        ("max(" + ",".join("x" * 4000) + ")", None),
        (";".join(f"t{i}=x" for i in range(1000)) + ";x", None),
    ],
    ids=range(18),
)
def test_depth_and_length_are_bounded(text, message):
    def compute():
        expression = Expression(text)
        return expression(dict.fromkeys(expression.names, 1.0))

    if message is None:
        assert math.isfinite(compute())
    else:
        with pytest.raises(ExpressionError, match=message):
            compute()


def test_a_function_without_its_package_says_what_to_install(monkeypatch):
    from scalargrad.interpreters import scipy

    scipy._special.cache_clear()
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(ExpressionError, match=r"needs SciPy: pip install scipy, in 'lambertw\(x\)'"):
        value("lambertw(x)", x=0.123)


def test_a_missing_name():
    with pytest.raises(ExpressionError, match=r"no value for y, z; give it as y=1\.5"):
        value("x + y + z", x=1.0)


@given(st.text(max_size=40))
def test_any_text_is_computed_or_refused(text):
    try:
        expression = Expression(text)
        result = expression(dict.fromkeys(expression.names, 1.5))
    except ExpressionError:
        return
    assert isinstance(result, float)


TOKENS = [
    "x",
    "1",
    "2.5",
    "+",
    "-",
    "*",
    "/",
    "**",
    "%",
    "//",
    "(",
    ")",
    ",",
    "sin",
    "max",
    "where",
    "|",
    "²",
    "√",
    "e",
    "^",
    "<",
    "[",
    "]",
    ";",
    "=",
    "log",
]


@given(st.lists(st.sampled_from(TOKENS), max_size=14))
def test_any_tokens_are_computed_or_refused(tokens):
    try:
        expression = Expression(" ".join(tokens))
        result = expression(dict.fromkeys(expression.names, 1.5))
    except ExpressionError:
        return
    assert isinstance(result, float)
