"""Names and numbers as formulas write them: in text, in LaTeX, and in ASCII for consoles that have nothing else."""

from __future__ import annotations

import math
import re
import unicodedata

__all__ = ["MINUS", "SCRIPTS", "SUBSCRIPTS", "SUPERSCRIPTS", "digits", "latex", "name_latex", "printable", "shown_name"]

MINUS = "\N{MINUS SIGN}"
SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
SUPERSCRIPTS = str.maketrans(f"0123456789-{MINUS}()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁽⁾")
PLAIN_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", "0123456789+-=()")
PLAIN_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾", "0123456789-()")
SCRIPTS = "".join(map(chr, {**PLAIN_SUBSCRIPTS, **PLAIN_SUPERSCRIPTS}))

# Without xi: in code, `xi` is x with the index i.
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω",
}  # fmt: skip
GREEK_LATEX = {letter: f"\\{name}" for name, letter in GREEK.items()}
LATEX_SIGNS = {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim ", "<": r"\lt ", ">": r"\gt ", " ": r"\ "}
LATEX_SIGNS |= {letter: f"{command}{{}}" for letter, command in GREEK_LATEX.items()}

LONGEST_NAME = 48
INDEXED = re.compile(r"([^\W\d_]+)(?:_?(\d+)|_\{(\d+(?:,\d+)*)\})?(?:\^\((\d+)\)|\^\{\((\d+)\)\})?")
"""A name with its subscripts and its layer as a superscript, such as `w12`, `w_{1,2}`, `x_1^(2)`."""
RIGHT_TO_LEFT = ("R", "AL", "AN")
ISOLATE, END_OF_ISOLATE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"

# Replacements for a console that can't print these; Unicode's compatibility forms cover the subscripts.
ASCII = {"∂": "d", "·": "*", MINUS: "-", "√": "sqrt ", "∛": "cbrt ", "≥": ">=", "≤": "<=", "≠": "!=", "∞": "inf"}
ASCII |= {"…": "...", "′": "'", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "→": "->", "×": "x", "÷": "/"}
ASCII |= {ISOLATE: "", END_OF_ISOLATE: ""} | {letter: name for name, letter in GREEK.items()}
RAISED = re.compile(f"[{''.join(map(chr, PLAIN_SUPERSCRIPTS))}]+")


def digits(x: float, decimals: int = 4) -> str:
    """Return a computed number as people write it: with `decimals` decimals, or fewer if the rest are zeros.

    Very large and very small numbers get a power of ten, so that at least two digits are shown.

    >>> digits(-0.76492), digits(180.0), digits(0.1 + 0.2), digits(1.2e9), digits(0.0123, 2)
    ('−0.7649', '180', '0.3', '1.2·10⁹', '1.23·10⁻²')
    """
    if math.isnan(x) or math.isinf(x):
        return f"{x}".replace("inf", "∞").replace("-", MINUS)
    if x == 0 or min(10.0 ** (1 - decimals), 1.0) <= abs(x) < 1e6:
        return _shortest(f"{x or 0.0:.{decimals}f}", "", x).replace("-", MINUS)
    mantissa, _, exponent = f"{x:.{decimals}e}".partition("e")
    power = str(int(exponent))
    return f"{_shortest(mantissa, f'e{power}', x)}·10{power.translate(SUPERSCRIPTS)}".replace("-", MINUS)


def _shortest(text: str, exponent: str, x: float) -> str:
    is_exact = "." in text and math.isclose(float(text + exponent), x, rel_tol=1e-12)
    return text.rstrip("0").rstrip(".") if is_exact else text


def latex(number: str) -> str:
    """Return the LaTeX of a number that `digits` wrote.

    >>> latex(digits(-1.2e9))
    '-1.2 \\\\cdot 10^{9}'
    """
    mantissa, _, power = number.replace(MINUS, "-").replace("∞", r"\infty").partition("·10")
    return rf"{mantissa} \cdot 10^{{{power.translate(PLAIN_SUPERSCRIPTS)}}}" if power else mantissa


def shown_name(name: str) -> str:
    """Return a name as text: `v1`, `v_1` as v₁, `w_{12}` as w₁₂, `x_1^(2)` as x₁⁽²⁾, `theta` as θ, others as they are.

    A character that does not print, such as a newline or a direction mark, becomes `\N{REPLACEMENT CHARACTER}`. A
    name too long for a picture is shortened with dots. A name in a script that runs from right to left is isolated, so
    that it does not reorder the line around it.
    """
    name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    name = "".join(c if _prints(c) else "\N{REPLACEMENT CHARACTER}" for c in name)
    if match := INDEXED.fullmatch(name):
        base, lower, upper = match[1], match[2] or match[3] or "", match[4] or match[5]
        above = f"({upper})".translate(SUPERSCRIPTS) if upper else ""
        name = f"{GREEK.get(base, base)}{lower.translate(SUBSCRIPTS)}{above}"
    if any(unicodedata.bidirectional(c) in RIGHT_TO_LEFT for c in name):
        return f"{ISOLATE}{name}{END_OF_ISOLATE}"
    return name


def _prints(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] != "C" and category not in ("Zl", "Zp")


def name_latex(text: str) -> str:
    """Return the LaTeX of a name with Unicode sub- and superscripts: `z₁⁽²⁾` is `z_{1}^{(2)}`, `δ` is `\\delta`."""
    text = text.strip(ISOLATE + END_OF_ISOLATE)
    parts = re.fullmatch(rf"(.*?)((?:[{SCRIPTS}]|(?<=[₀-₉]),(?=[₀-₉]))*)", text, re.DOTALL)
    base, rest = (parts[1], parts[2]) if parts else (text, "")
    lower = "".join(c for c in rest if ord(c) in PLAIN_SUBSCRIPTS or c == ",").translate(PLAIN_SUBSCRIPTS)
    upper = "".join(c for c in rest if ord(c) in PLAIN_SUPERSCRIPTS).translate(PLAIN_SUPERSCRIPTS)
    escaped = GREEK_LATEX.get(base) or re.sub(
        f"[{{}}%#&$_^~<> \\\\{''.join(GREEK_LATEX)}]", lambda m: LATEX_SIGNS.get(m[0], "\\" + m[0]), base
    )
    shown = escaped if len(base) == 1 else rf"\mathrm{{{escaped}}}"
    return shown + (f"_{{{lower}}}" if lower else "") + (f"^{{{upper}}}" if upper else "")


def printable(text: str, encoding: str | None) -> str:
    """Return the text as a console of that encoding can print it: unchanged, or in ASCII.

    >>> printable("∂J/∂u₁ = 2θ² − 1", "cp1252")
    'dJ/du1 = 2theta^2 - 1'
    """
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        text = RAISED.sub(lambda raised: "^" + raised[0].translate(PLAIN_SUPERSCRIPTS), text)
        return "".join(map(_ascii, text))
    return text


def _ascii(character: str) -> str:
    plain = ASCII.get(character)
    plain = unicodedata.normalize("NFKD", character) if plain is None else plain
    return plain.encode("ascii", "replace").decode()
