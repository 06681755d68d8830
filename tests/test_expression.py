"""Formulas as text: what they mean, and that nothing else gets through."""

import builtins
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad.command.expression import CALLABLE, DEEPEST, LONGEST, Expression, ExpressionError
from scalargrad.rows import TABLE


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
        ("0x10", 16.0),
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


def test_names_in_order_of_appearance():
    assert Expression("t = b*a; t + sin(c) + pi + a").names == ("b", "a", "c", "pi")
    assert Expression("sin(sin)").names == ("sin",)


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
    assert {*TABLE, "maximum", "minimum", "where"} - CALLABLE == {"softmax", "log_softmax"}


REFUSED = {
    "__import__('os').system('true')": r"there is no function __import__\('os'\)\.system",
    "open('x')": "there is no function open",
    "eval('1')": "there is no function eval",
    "x.real": "'x.real' has no place in a formula",
    "x.__class__": "has no place in a formula",
    "sin.__globals__": "has no place in a formula",
    "x[0]": r"'x\[0\]' has no place in a formula",
    "[x for x in y]": "has no place in a formula",
    "{x}": "has no place in a formula",
    "{1: x}": "has no place in a formula",
    "lambda: 1": "'lambda: 1' has no place in a formula",
    "(lambda: 1)()": "has no place|no function",
    "(x := 2)": "has no place in a formula",
    "x if y else 1": "has no place in a formula",
    "x and y": "has no place in a formula",
    "not x": "has no place",
    "~x": "'~x' has no place here",
    "x @ y": "'x @ y' has no place here",
    "x & y": "has no place here",
    "x << 2": "has no place here",
    "f'{x}'": "has no place in a formula",
    "'text'": "has no place in a formula",
    "b'text'": "has no place in a formula",
    "1j": "'1j' has no place in a formula",
    "True": "'True' has no place in a formula",
    "None": "'None' has no place in a formula",
    "...": "has no place in a formula",
    "x < y": "'x < y' has no place here",
    "[x, y]": r"'\[x, y\]' has no place here",
    "x, y": "has no place here",
    "max(*x)": "has no place in a formula",
    "sin(x, **y)": "has no place in a formula",
    "sin(**{'x': 1})": "has no place in a formula",
    "import os": "only assignments|has no place|no result",
    "import os; x": "only assignments such as t = x",
    "def f(): pass": "no result",
    "del x": "no result",
    "x += 1; x": "only assignments",
    "x: int = 1; x": "only assignments",
    "t = u = x; t": "only assignments",
    "t, u = x; t": "only assignments",
    "x.a = 1; x": "only assignments",
    "x; y": "only assignments",
    "await x": "has no place|no formula",
    "yield x": "has no place|no formula",
    "return x": "no formula|no result",
    "": "no result",
    "t = x": "no result",
    "x = x + 1; x": "x is assigned, but it has a value already",
    "t = 1; t = 2; t": "t is assigned, but it has a value already",
    "x +": "no formula: invalid syntax",
    "x y": "no formula: invalid syntax, at character",
    "(x": "no formula",
    "x\0": "no formula",
    "  x = 1\n y": "no formula",
    "\ud800": "no formula",
    "softmax(x)": "softmax gives several numbers, and a formula needs one",
    "foo(x)": "there is no function foo; the functions are abs, acos",
    "sin(x)(y)": "there is no function",
    "sin()": r"sin: missing a required argument: 'x', in 'sin\(\)'",
    "sin(x, y)": "sin: too many positional arguments",
    "relu(x, slope=1)": "relu: got an unexpected keyword argument 'slope'",
    "max()": "max: needs at least one argument",
    "max([])": "max: needs at least one argument",
    "max([x], y)": r"max: xs\[0\] is .* a list",
    "dot(x, y)": "dot: needs an iterable",
    "dot([x])": "dot: missing a required argument",
    "dot([x], [y, 1])": "dot: needs two vectors of one length",
    "sin([x])": "sin: x is .* a list",
    "sum([x, [y]])": "has no place here",
    "where(x, 1, 2)": "where needs a comparison such as x > 0, not 'x'",
    "where(x > 0, 1)": "where takes three arguments",
    "where(x > 0, 1, y=2)": "where takes three arguments",
    "where(x is y, 1, 2)": "where needs a comparison",
    "where(x in y, 1, 2)": "where needs a comparison",
    "log(x - 2)": r"log: x = 0.0 is outside \(0, inf\), in 'log\(x - 2\)'",
    "t = x - 3; sqrt(t)": r"sqrt: x = -1.0 is outside \[0, inf\), at \"t\", in 'sqrt\(t\)'",
    "x / 0": "div: y = 0.0 is outside .*, in 'x / 0'",
    "x % 0": "mod: .*, in 'x % 0'",
    "(-x)**0.5": r"pow: .*, in '\(-x\)\*\*0.5'",
    "exp(1000*x)": "exp: .*the result is too large for a float, in",
    "9**9**9**9": "pow: .*the result is too large for a float, in '9",
    "1" + "0" * 400: "int too large to convert to float, in",
    "9" * 5000: "no formula: Exceeds the limit",
    r"'\d'": "has no place in a formula",
    "1if x else 2": "has no place in a formula",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:30]))
def test_what_is_refused_is_refused_in_one_line(text):
    with pytest.raises(ExpressionError, match=REFUSED[text]) as caught:
        Expression(text)({"x": sg.Value(2.0), "y": sg.Value(3.0)})
    assert 0 < len(str(caught.value)) < 1000


def test_nothing_is_evaluated(monkeypatch):
    def forbidden(*args, **options):
        raise AssertionError("evaluated as Python")

    monkeypatch.setattr(builtins, "eval", forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    assert value("t = x**2; sin(t) + where(t > 1, t, 0)", x=2.0) == math.sin(4.0) + 4.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 190 + "x" + ")" * 190, None),
        ("(" * 1000 + "x" + ")" * 1000, "no formula|too deeply"),
        ("sin(" * 150 + "x" + ")" * 150, None),
        ("sin(" * 190 + "x" + ")" * 190, None),
        ("-" * (DEEPEST - 10) + "x", None),
        ("-" * (LONGEST - 1) + "x", "no formula|too deeply|nested deeper"),
        ("+".join("x" * DEEPEST), None),
        ("+".join("x" * (LONGEST // 2)), "nested deeper than|too deeply"),
        ("**".join("x" * 3000), "nested deeper than|too deeply"),
        ("x" * LONGEST, None),
        ("x" * (LONGEST + 1), f"has {LONGEST + 1} characters; at most {LONGEST} are read"),
        ("max(" + ",".join("x" * 4000) + ")", None),
        (";".join(f"t{i}=x" for i in range(1000)) + ";x", None),
    ],
    ids=range(13),
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
