"""Prose and equations that are written once and read as plain text, Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..interpreters.notation import MINUS, Term, digits

__all__ = ["Equations", "Prose", "Text", "escaped", "fraction", "joined", "number"]

Row: TypeAlias = tuple[Term, str, Term]
LATEX_RELATIONS = {"=": "=", "+=": r"\mathrel{+}=", "←": r"\leftarrow"}
LATEX_CHARACTERS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


@dataclass(frozen=True)
class Prose:
    """A paragraph of words and formulas."""

    parts: tuple[str | Term, ...]

    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def markdown(self) -> str:
        return "".join(part if isinstance(part, str) else f"${part.latex}$" for part in self.parts)

    def latex(self) -> str:
        return "".join(escaped(part) if isinstance(part, str) else f"${part.latex}$" for part in self.parts)


@dataclass(frozen=True)
class Equations:
    """Equations below each other, as rows of a left side, a relation and a right side."""

    rows: tuple[Row, ...]

    def text(self) -> str:
        width = max(len(left.text) for left, _, _ in self.rows)
        return "\n".join(f"  {left.text.ljust(width)} {sign:2} {right.text}" for left, sign, right in self.rows)

    def latex(self) -> str:
        rows = [f"{left.latex} &{LATEX_RELATIONS[sign]} {right.latex}" for left, sign, right in self.rows]
        return "\\[\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}\\]"

    def markdown(self) -> str:
        return f"$${self.latex()[2:-2]}$$"


@dataclass(frozen=True)
class Text:
    """Paragraphs and equations. `str()` gives plain text, `markdown()` and `latex()` the same for a sheet."""

    blocks: tuple[Prose | Equations, ...]

    def __str__(self) -> str:
        return "\n\n".join(block.text() for block in self.blocks)

    def markdown(self) -> str:
        """The text as Markdown, with its equations in LaTeX between dollar signs."""
        return "\n\n".join(block.markdown() for block in self.blocks)

    def latex(self) -> str:
        """The text as the body of a LaTeX document that loads `amsmath`."""
        return "\n\n".join(block.latex() for block in self.blocks)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def number(x: float) -> Term:
    """Return a computed number with four decimals; in a product, a negative one stands in parentheses."""
    text = digits(x)
    mantissa, _, exponent = text.replace(MINUS, "-").partition("e")
    latex = rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa.replace("∞", r"\infty")
    return Term(text, latex)


def factor(x: float) -> Term:
    """Return a computed number as a factor: a negative one in parentheses."""
    shown = number(x)
    return Term(f"({shown.text})", f"({shown.latex})") if x < 0 else shown


def fraction(above: Term, below: Term) -> Term:
    """Return the derivative ∂above/∂below."""
    return Term(f"∂{above.text}/∂{below.text}", rf"\frac{{\partial {above.latex}}}{{\partial {below.latex}}}")


def joined(sign: str, latex: str, terms: Sequence[Term]) -> Term:
    """Return terms with a sign between them."""
    return Term(f" {sign} ".join(t.text for t in terms), f" {latex} ".join(t.latex for t in terms))


def product(*terms: Term) -> Term:
    """Return terms with a dot between them."""
    return joined("·", r"\cdot", terms)


def equal(*terms: Term) -> Term:
    """Return terms with an equals sign between them."""
    return joined("=", "=", terms)


def escaped(text: str) -> str:
    """Return words as LaTeX, with its special characters escaped."""
    return re.sub(r"[\\{}%#&$_^~]", lambda found: LATEX_CHARACTERS.get(found[0], "\\" + found[0]), text)
