"""The notation: the look of equations and edge labels, and that the textbook forms are true."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalargrad.interpreters.floats import IEEE
from scalargrad.interpreters.names import LONGEST_NAME, MINUS, digits
from scalargrad.interpreters.notation import NOTATION, sum_of, symbol, term
from scalargrad.rows import SCIPY, TABLE, Joint, Vector

X, Y, Z, OUT = symbol("x"), symbol("y"), symbol("z"), symbol("v")
ROWS = [name for name, row in TABLE.items() if not isinstance(row, Vector)]

# Row by row: the formula, then the local derivatives, with v for the output.
TEXTBOOK = {
    "add": ("x + y", "1", "1"),
    "sub": ("x − y", "1", "−1"),
    "mul": ("x·y", "y", "x"),
    "div": ("x/y", "1/y", "−x/y²"),
    "floordiv": ("⌊x/y⌋", None, None),
    "mod": ("mod(x, y)", "1", "−⌊x/y⌋"),
    "pow": ("x^y", "y·x^(y − 1)", "v·ln x"),
    "neg": ("−x", "−1"),
    "pos": ("x", "1"),
    "abs": ("|x|", "sign x"),
    "exp": ("exp x", "v"),
    "expm1": ("exp x − 1", "exp x"),
    "log": ("ln x", "1/x"),
    "log1p": ("ln(1 + x)", "1/(1 + x)"),
    "log2": ("log₂ x", "1/(x·ln 2)"),
    "log10": ("log₁₀ x", "1/(x·ln 10)"),
    "sqrt": ("√x", "1/(2v)"),
    "cbrt": ("∛x", "1/(3v²)"),
    "sin": ("sin x", "cos x"),
    "cos": ("cos x", "−sin x"),
    "tan": ("tan x", "1 + v²"),
    "asin": ("arcsin x", "1/√(1 − x²)"),
    "acos": ("arccos x", "−1/√(1 − x²)"),
    "atan": ("arctan x", "1/(1 + x²)"),
    "atan2": ("atan2(y, x)", "x/(x² + y²)", "−y/(x² + y²)"),
    "sinh": ("sinh x", "cosh x"),
    "cosh": ("cosh x", "sinh x"),
    "tanh": ("tanh x", "1 − v²"),
    "sech2": ("1/(cosh x)²", "−2v·tanh x"),
    "asinh": ("asinh x", "1/√(1 + x²)"),
    "acosh": ("acosh x", "1/√(x² − 1)"),
    "atanh": ("atanh x", "1/(1 − x²)"),
    "sigmoid": ("σ(x)", "v·(1 − v)"),
    "softplus": ("softplus x", "σ(x)"),
    "silu": ("silu x", "σ(x)·(1 + x·σ(−x))"),
    "gelu": ("gelu x", "0.5·erfc(−x/√2) + x·exp(−0.5x²)/√(2π)"),
    "sign": ("sign x", None),
    "floor": ("⌊x⌋", None),
    "ceil": ("⌈x⌉", None),
    "round": ("round x", None),
    "passed": ("x·y", "y", "x"),
    "kinked": ("x", "1", "nan if smooth = 0 else 0", None),
    "one_minus_square": ("1 − x²", "−2x"),
    "round_to": ("round(x, digits)", None, None),
    "less": ("x < y", None, None),
    "less_equal": ("x ≤ y", None, None),
    "greater": ("x > y", None, None),
    "greater_equal": ("x ≥ y", None, None),
    "equal": ("x = y", None, None),
    "not_equal": ("x ≠ y", None, None),
    "clip": ("clip(x, low, high)", "[x ≥ low]·[high ≥ x]", "[x < low]", "[x ≥ low]·[high < x]"),
    "select": ("x if condition else y", None, "[condition ≠ 0]", "[condition = 0]"),
    "stop_gradient": ("stop x", None),
    "hypot": ("hypot(x, y)", "x/v", "y/v"),
    "logaddexp": ("logaddexp(x, y)", "exp(x − v)", "exp(y − v)"),
    "erf": ("erf x", "2·exp(−x²)/√π"),
    "erfc": ("erfc x", "−2·exp(−x²)/√π"),
    "acot": ("acot x", "−1/(1 + x²)"),
    "acoth": ("acoth x", "1/((1 − x)·(1 + x))"),
    "acsc": ("acsc x", "−sign x/(x·√((x − 1)·(x + 1)))"),
    "acsch": ("acsch x", "−sign x/(x·hypot(1, x))"),
    "asec": ("asec x", "sign x/(x·√((x − 1)·(x + 1)))"),
    "asech": ("asech x", "−1/(x·√((1 − x)·(1 + x)))"),
    "copysign": ("copysign(x, y)", "(sign x)·copysign(1, y)", None),
    "cospi": ("cospi x", "−π·sinpi x"),
    "cot": ("cot x", "−(1 + v²)"),
    "coth": ("coth x", "−(csch x)²"),
    "csc": ("csc x", "−v/(tan x)"),
    "csch": ("csch x", "−v/(tanh x)"),
    "exp2": ("exp2 x", "v·ln 2"),
    "exp10": ("exp10 x", "v·ln 10"),
    "fmod": ("fmod(x, y)", "1", "−trunc(x/y)"),
    "log1mexp": ("log1mexp x", "−1/(exp(−x) − 1)"),
    "logexpm1": ("logexpm1 x", "−1/(exp(−x) − 1)"),
    "logit": ("logit x", "1/(x·(1 − x))"),
    "rem2pi": ("rem2pi x", "1"),
    "remainder": ("remainder(x, y)", "1", "−round(x/y)"),
    "sec": ("sec x", "v·tan x"),
    "sech": ("sech x", "−v·tanh x"),
    "sinc": ("sinc x", "(cospi x − v)/x"),
    "sinpi": ("sinpi x", "π·cospi x"),
    "trunc": ("trunc x", None),
    "xlog1py": ("xlog1py(x, y)", "ln(1 + y)", "x/(1 + y)"),
    "xlogy": ("xlogy(x, y)", "ln y", "x/y"),
    "betainc": (
        "betainc(a, b, x)",
        "nan",
        "nan",
        "exp((a − 1)·ln x + (b − 1)·ln(1 − x) − (lgamma a + lgamma b − lgamma(a + b)))",
    ),
    "digamma": (
        "digamma x",
        "(π/sinpi(x if x < 0 else 0.5))² − zeta(2, 1 − (x if x < 0 else 0.5)) if x < 0 else zeta(2, 1 if x < 0 else x)",
    ),
    "erfcinv": ("erfcinv x", "−0.886227·exp(v²)"),
    "erfcx": ("erfcx x", "2x·v − 1.12838"),
    "erfinv": ("erfinv x", "0.886227·exp(v²)"),
    "gamma": ("gamma x", "v·digamma x"),
    "gammainc": ("gammainc(a, x)", "nan", "exp((a − 1)·ln x − x − lgamma a)"),
    "gammaincc": ("gammaincc(a, x)", "nan", "−exp((a − 1)·ln x − x − lgamma a)"),
    "iv": ("iv(order, x)", "nan", "0.5(iv(order − 1, x) + iv(order + 1, x))"),
    "jv": ("jv(order, x)", "nan", "0.5(jv(order − 1, x) − jv(order + 1, x))"),
    "kv": ("kv(order, x)", "nan", "−0.5(kv(order − 1, x) + kv(order + 1, x))"),
    "lambertw": ("lambertw(x, k)", "exp(−v)/(1 + v)", None),
    "lgamma": ("lgamma x", "digamma x"),
    "yv": ("yv(order, x)", "nan", "0.5(yv(order − 1, x) − yv(order + 1, x))"),
    "expi": ("expi x", "exp x/x"),
    "exp1": ("exp1 x", "−exp(−x)/x"),
    "ellipk": ("ellipk x", "0.392699·hyp2f1(1.5, 1.5, 2, x)"),
    "ellipe": ("ellipe x", "−0.392699·hyp2f1(0.5, 1.5, 2, x)"),
    "hyp2f1": ("hyp2f1(a, b, c, x)", "nan", "nan", "nan", "(a·b/c)·hyp2f1(a + 1, b + 1, c + 1, x)"),
    "zeta": ("zeta(s, x)", "nan", "−s·zeta(s + 1, x)"),
}
# With their defaults filled in, as equations show them.
AT_NUMBERS = {
    ("step", 0.0): ("[x > 0]", None),
    ("step", 1.0): ("[x ≥ 0]", None),
    ("step", 0.5): ("step(x, 0.5)", None),
    ("relu", 1.0): ("relu(x, 1)", "[x ≥ 0]"),
    ("relu", 0.0): ("relu(x, 0)", "[x > 0]"),
    ("leaky_relu", 0.01, 1.0): ("leaky_relu(x, 0.01, 1)", "0.01 if x < 0 else 1"),
    ("elu", 1.0): ("elu(x, 1)", "1 if x > 0 else v + 1"),
    ("clip", -2.0, 3.0): ("clip(x, −2, 3)", "[x ≥ −2]·[x ≤ 3]"),
}
MANY = {
    "sum": ("x + y + z", "1"),
    "prod": ("x·y·z", "z·y"),
    "mean": ("(x + y + z)/3", "1/3"),
    "max": ("max(x, y, z)", "[x = v]"),
    "min": ("min(x, y, z)", "[x = v]"),
    "logsumexp": ("logsumexp(x, y, z)", "exp(x − v)"),
    "fsum": ("x + y + z", "1"),
}
LATEX = {
    "mul": (r"x \cdot y", "y"),
    "div": (r"\frac{x}{y}", r"\frac{1}{y}"),
    "pow": ("x^{y}", "y \\cdot x^{y - 1}"),
    "exp": ("e^{x}", "v"),
    "log": (r"\ln x", r"\frac{1}{x}"),
    "sqrt": (r"\sqrt{x}", r"\frac{1}{2 v}"),
    "cbrt": (r"\sqrt[3]{x}", r"\frac{1}{3 v^{2}}"),
    "asin": (r"\arcsin x", r"\frac{1}{\sqrt{1 - x^{2}}}"),
    "sigmoid": (r"\sigma\left(x\right)", r"v \cdot \left(1 - v\right)"),
    "abs": (r"\left|x\right|", r"\operatorname{sign} x"),
    "floor": (r"\left\lfloor x\right\rfloor", None),
    "erf": (r"\operatorname{erf} x", r"\frac{2 \cdot e^{-x^{2}}}{\sqrt{\pi}}"),
    "log10": (r"\log_{10} x", r"\frac{1}{x \cdot \ln 10}"),
}


def written(name, operands, attribute="text"):
    row = TABLE[name]
    formula = term(getattr(NOTATION, name)(*operands))
    rules = row.textbook_derivatives(NOTATION, OUT, operands)
    return [getattr(formula, attribute), *(None if rule is None else getattr(term(rule), attribute) for rule in rules)]


def test_every_row_has_its_notation_written_here():
    written_out = {*TEXTBOOK, *MANY, *(name for name, *_ in AT_NUMBERS), "dot", "affine"}
    assert written_out == set(ROWS)


@pytest.mark.parametrize("name", TEXTBOOK)
def test_text_of_a_row_and_its_local_derivatives(name):
    assert written(name, [symbol(p) for p in TABLE[name].parameters]) == list(TEXTBOOK[name])


@pytest.mark.parametrize("call", AT_NUMBERS, ids=str)
def test_text_with_options(call):
    name, *options = call
    assert tuple(written(name, [X, *options])[:2]) == AT_NUMBERS[call]


@pytest.mark.parametrize("name", MANY)
def test_text_of_rows_of_any_number_of_arguments(name):
    assert tuple(written(name, [X, Y, Z])[:2]) == MANY[name]


def test_text_of_dot_and_affine():
    w, u, b = symbol("w1"), symbol("w2"), symbol("b")
    assert written("dot", [w, u, X, Y]) == ["w₁·x + w₂·y", "x", "y", "w₁", "w₂"]
    assert written("affine", [w, u, X, Y, b]) == ["w₁·x + w₂·y + b", "x", "y", "w₁", "w₂", "1"]


@pytest.mark.parametrize("name", LATEX)
def test_latex_of_rows(name):
    formula, first, *_ = written(name, [symbol(p) for p in TABLE[name].parameters], "latex")
    assert (formula, first) == LATEX[name]


def balanced(latex):
    depth = 0
    for character in latex.replace(r"\{", "").replace(r"\}", ""):
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0, latex
    return depth == 0 and latex.count(r"\left") == latex.count(r"\right") + latex.count(r"\leftarrow")


@pytest.mark.parametrize("name", ROWS)
def test_latex_is_balanced_and_ascii_hyphens_stay_out_of_text(name):
    count = {"dot": 4, "affine": 5}.get(name, 3)
    operands = [symbol(f"x{i}") for i in range(count if TABLE[name].variadic else len(TABLE[name].parameters))]
    for latex in written(name, operands, "latex"):
        assert latex is None or balanced(latex)
    for text in written(name, operands):
        assert text is None or "-" not in text


def points(name):
    # Interior points: within every domain, and off kinks and ties.
    random_ = random.Random(f"textbook {name}")
    row = TABLE[name]
    count = {"dot": 4, "affine": 5}.get(name, 3) if row.variadic else len(row.parameters)
    found = []
    while len(found) < 20:
        lowest = 1.0 if name in ("acosh", "acsc", "asec", "acoth") else 0.0
        point = [lowest + random_.uniform(0.05, 0.95) for _ in range(count)]
        if name == "clip":  # the textbook's low ≤ high
            point = [point[0] * 3 - 1, point[1] - 1, point[2] + 0.5]
        elif not isinstance(row.domain, Joint) and -0.5 in row.domain_of(0) and random_.random() < 0.5:
            point[0] = -point[0]
        found.append(point)
    return found


@pytest.mark.parametrize("name", ROWS)
def test_a_textbook_form_equals_the_exact_partial(name):
    row = TABLE[name]
    if name in SCIPY:
        pytest.importorskip("scipy", reason="no SciPy: pip install scipy")
    for point in points(name):
        out = row.forward(IEEE, *point)
        exact = row.derivatives(IEEE, out, point, [True] * len(point))
        textbook = row.textbook_derivatives(IEEE, out, point)
        assert len(textbook) == len(exact) == len(point)
        for shown, partial in zip(textbook, exact, strict=True):
            assert (shown is None) == (partial is None)
            assert partial is None or shown == pytest.approx(partial, rel=1e-9, abs=1e-12, nan_ok=True), (
                name,
                point,
            )


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (X * 3.0, "3x"),
        (3.0 * (X * 2.0), "6x"),
        (X * X, "x²"),
        (X * X * X, "x³"),
        (X * Y * 3.0, "3x·y"),
        (3.0 * symbol("hand"), "3·hand"),
        (3.0 * NOTATION.sin(X), "3·sin x"),
        (3.0 * (X + Y), "3(x + y)"),
        (3.0 * symbol("+"), "3·+"),
        (X * 1.23456789, "1.23457x"),
        (X * math.pi, "π·x"),
        (X * -math.pi, "−π·x"),
        (X * math.sqrt(2.0), "√2·x"),
        (X * 1.5e-7, "1.5·10⁻⁷·x"),
        (X * math.inf, "∞·x"),
        (X * math.nan, "nan·x"),
        (X * 1.0, "x"),
        (X * -1.0, "−x"),
        (X * 0.0, "0"),
        (-1.0 * -X, "x"),
        (-(X + Y), "−(x + y)"),
        (X - (-Y), "x + y"),
        (X - (Y - Z), "x − (y − z)"),
        (X - Y * Z, "x − y·z"),
        (X + -3.0, "x − 3"),
        (X + -0.0, "x"),
        (-X + Y, "−x + y"),
        (X * -Y, "−x·y"),
        ((X + Y) * (X + Y), "(x + y)²"),
        ((X + Y) * Z, "(x + y)·z"),
        (NOTATION.div(X + Y, Z), "(x + y)/z"),
        (NOTATION.div(X, Y + Z), "x/(y + z)"),
        (NOTATION.div(X, Y * Z), "x/(y·z)"),
        (NOTATION.div(X, -2.0), "−x/2"),
        (NOTATION.div(X, 1.0), "x"),
        (NOTATION.pow(X, 2.0), "x²"),
        (NOTATION.pow(X, -1.0), "x⁻¹"),
        (NOTATION.pow(X, 1.0), "x"),
        (NOTATION.pow(X, 0.5), "x^0.5"),
        (NOTATION.pow(X, -0.5), "x^(−0.5)"),
        (NOTATION.pow(X, 1e20), "x^(1·10²⁰)"),
        (NOTATION.pow(X, math.inf), "x^∞"),
        (NOTATION.pow(-X, 2.0), "(−x)²"),
        (NOTATION.pow(X + Y, 2.0), "(x + y)²"),
        (NOTATION.pow(NOTATION.pow(X, 2.0), 2.0), "(x²)²"),
        (NOTATION.pow(NOTATION.sin(X), 2.0), "(sin x)²"),
        (NOTATION.pow(-2.0, X), "(−2)^x"),
        (NOTATION.pow(symbol("z⁽²⁾"), 2.0), "(z⁽²⁾)²"),
        (NOTATION.sin(X + Y), "sin(x + y)"),
        (NOTATION.sin(3.0 * X), "sin(3x)"),
        (NOTATION.sin(-1.0), "sin(−1)"),
        (NOTATION.tanh(NOTATION.sigmoid(X)), "tanh(σ(x))"),
        (NOTATION.sqrt(X + Y), "√(x + y)"),
        (NOTATION.select(NOTATION.less(0.0, X), X, 0.0), "x if x > 0 else 0"),
        (NOTATION.select(NOTATION.less(1.0, 2.0), X, Y), "x"),
        (NOTATION.select(NOTATION.equal(1.0, 2.0), X, Y), "y"),
        (2.0 * NOTATION.select(NOTATION.less(X, Y), X, Z), "2(x if x < y else z)"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_parentheses_numbers_and_powers(formula, text):
    assert term(formula).text == text


def test_long_sums_products_and_calls_are_shortened():
    many = [symbol(f"x{i}") for i in range(1, 101)]
    assert sum_of(many[:6]).text == "x₁ + x₂ + x₃ + x₄ + x₅ + x₆"
    assert sum_of(many).text == "x₁ + x₂ + … + x₁₀₀"
    assert NOTATION.max(*many).text == "max(x₁, x₂, …, x₁₀₀)"
    assert term(getattr(NOTATION, "prod")(*many)).text == "x₁·x₂·…·x₁₀₀"  # noqa: B009 (no name of the basis)
    assert NOTATION.logsumexp(*many).latex == r"\operatorname{logsumexp}\left(x_{1}, x_{2}, \cdots, x_{100}\right)"


@pytest.mark.parametrize(
    ("number", "text", "latex"),
    [
        (3.0, "3", "3"),
        (-3.0, "−3", "-3"),
        (0.5, "0.5", "0.5"),
        (-0.0, "0", "0"),
        (1e21, "1·10²¹", r"1 \cdot 10^{21}"),
        (1.5e-7, "1.5·10⁻⁷", r"1.5 \cdot 10^{-7}"),
        (math.pi, "π", r"\pi"),
        (math.sqrt(2.0 * math.pi), "√(2π)", r"\sqrt{2\pi}"),
        (math.inf, "∞", r"\infty"),
        (-math.inf, "−∞", r"-\infty"),
        (math.nan, "nan", "nan"),
    ],
)
def test_numbers_in_formulas(number, text, latex):
    assert (term(number).text, term(number).latex) == (text, latex)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.5, "1.5"),
        (-0.76492, "−0.7649"),
        (0.5 + 1e-6, "0.5000"),
        (0.1 + 0.2, "0.3"),
        (0.0, "0"),
        (-0.0, "0"),
        (180.0, "180"),
        (3.0, "3"),
        (1.5e-7, "1.5·10⁻⁷"),
        (2e6, "2·10⁶"),
        (1.2e9, "1.2·10⁹"),
        (123456789.0, "1.2346·10⁸"),
        (math.nan, "nan"),
        (-math.inf, "−∞"),
    ],
)
def test_computed_numbers(number, text):
    assert digits(number) == text


@pytest.mark.parametrize(
    ("name", "text", "latex"),
    [
        ("x", "x", "x"),
        ("v1", "v₁", "v_{1}"),
        ("v_12", "v₁₂", "v_{12}"),
        ("v₁", "v₁", "v_{1}"),
        ("loss", "loss", r"\mathrm{loss}"),
        ("w_ij", "w_ij", r"\mathrm{w\_ij}"),
        ("w_{12}", "w₁₂", "w_{12}"),
        ("w_{10,2}", "w₁₀,₂", "w_{10,2}"),
        ("x_1^(2)", "x₁⁽²⁾", "x_{1}^{(2)}"),
        ("x_{1}^{(2)}", "x₁⁽²⁾", "x_{1}^{(2)}"),
        ("theta_1", "θ₁", r"\theta_{1}"),
        ("alpha", "α", r"\alpha"),
        ("δ", "δ", r"\delta"),
        ("Δx", "Δx", r"\mathrm{\Delta{}x}"),
        ("xi", "xi", r"\mathrm{xi}"),  # the x of an index i
        ("alphabet", "alphabet", r"\mathrm{alphabet}"),
        ("מחיר", "\u2068מחיר\u2069", r"\mathrm{מחיר}"),
        ("z₁⁽²⁾", "z₁⁽²⁾", "z_{1}^{(2)}"),
        ("1x", "1x", r"\mathrm{1x}"),
        ("my weight", "my weight", r"\mathrm{my\ weight}"),
        ("a$b", "a$b", r"\mathrm{a\$b}"),
        ("<b>", "<b>", r"\mathrm{\lt b\gt }"),
        ("a\\b^~", "a\\b^~", r"\mathrm{a\backslash b\wedge \sim }"),
        ("{%#&}", "{%#&}", r"\mathrm{\{\%\#\&\}}"),
    ],
)
def test_names(name, text, latex):
    assert (symbol(name).text, symbol(name).latex) == (text, latex)


def test_a_power_of_a_name_with_a_superscript_is_no_double_superscript():
    assert NOTATION.pow(symbol("z₁⁽²⁾"), 2.0).latex == r"\left(z_{1}^{(2)}\right)^{2}"


@pytest.mark.parametrize("bad", ["\n", "\0", "\u202e", "\u2028", "\u2029", "\x1b", "\ud800", "\ufffe", "\u200f"])
def test_what_does_not_print_is_replaced(bad):
    assert symbol(f"a{bad}b").text == "a\N{REPLACEMENT CHARACTER}b"


def test_long_names_are_shortened():
    assert symbol("a" * LONGEST_NAME).text == "a" * LONGEST_NAME
    assert symbol("a" * (LONGEST_NAME + 1)).text == "a" * (LONGEST_NAME - 1) + "…"
    assert len(symbol("a" * 100_000).text) == LONGEST_NAME


@given(st.text(max_size=80))
def test_any_name_prints_on_one_line_with_balanced_latex(name):
    shown = symbol(name)
    assert len(shown.text.splitlines()) <= 1
    assert balanced(shown.latex)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_prints_with_the_minus_sign(number):
    assert "-" not in term(number).text + digits(number)
    assert (MINUS in term(number).text[:1]) == (number < 0)
