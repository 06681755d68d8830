"""Prose and equations that are written once and read as plain text, Markdown and LaTeX."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from ..interpreters import names
from ..interpreters.notation import Term

__all__ = ["Equations", "Prose", "Text", "escaped", "factor", "fraction", "number"]

LATEX_CHARACTERS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


@dataclass(frozen=True)
class Prose:
    """A paragraph of words and formulas."""

    parts: tuple[str | Term, ...]

    def text(self) -> str:
        """Return the paragraph as plain text."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def markdown(self) -> str:
        """Return the paragraph with its formulas between dollar signs."""
        return "".join(part if isinstance(part, str) else f"${part.latex}$" for part in self.parts)

    def latex(self) -> str:
        """Return the paragraph as LaTeX."""
        return "".join(escaped(part) if isinstance(part, str) else f"${part.latex}$" for part in self.parts)


@dataclass(frozen=True)
class Equations:
    """Equations below each other; their LaTeX has an `&` where they are aligned."""

    rows: tuple[Term, ...]

    def text(self) -> str:
        """Return the equations as indented lines."""
        return "\n".join(f"  {row.text}" for row in self.rows)

    def markdown(self) -> str:
        """Return the equations as one display between dollar signs."""
        return f"$${self._aligned()}$$"

    def latex(self) -> str:
        """Return the equations as one display."""
        return rf"\[{self._aligned()}\]"

    def _aligned(self) -> str:
        rows = " \\\\[6pt]\n".join(row.latex for row in self.rows)
        return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"


@dataclass(frozen=True)
class Text:
    """Paragraphs and equations, as plain text, Markdown and LaTeX. A console that knows no ∂ gets ASCII."""

    blocks: tuple[Prose | Equations, ...]

    def __str__(self) -> str:
        return for_console(self.text())

    def text(self) -> str:
        """Return plain text, with mathematical signs."""
        return "\n\n".join(block.text() for block in self.blocks)

    def markdown(self) -> str:
        """Return the text as Markdown, with its equations in LaTeX between dollar signs."""
        return "\n\n".join(block.markdown() for block in self.blocks)

    def latex(self) -> str:
        """Return the text as the body of a LaTeX document that loads `amsmath`."""
        return "\n\n".join(block.latex() for block in self.blocks)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def for_console(text: str) -> str:
    """Return text that the console can print."""
    return names.printable(text, getattr(sys.stdout, "encoding", None) or "utf-8")


def number(x: float) -> Term:
    """Return a computed number as equations show it."""
    text = names.digits(x)
    return Term(text, names.latex(text))


def factor(x: float) -> Term:
    """Return a computed number as the second factor of a product: a negative one in parentheses."""
    shown = number(x)
    return Term(f"({shown.text})", f"({shown.latex})") if x < 0 else shown


def fraction(above: Term, below: Term) -> Term:
    """Return the derivative ∂above/∂below."""
    return Term(f"∂{above.text}/∂{below.text}", rf"\frac{{\partial {above.latex}}}{{\partial {below.latex}}}")


def row(*parts: str | Term) -> Term:
    """Return an equation of terms and signs; `=`, `+=` and `←` are aligned below each other, and `·` is a product."""
    latex = "".join(SIGNS.get(part, part) if isinstance(part, str) else part.latex for part in parts)
    return Term("".join(part if isinstance(part, str) else part.text for part in parts), latex)


SIGNS = {" = ": " &= ", " ← ": r" &\leftarrow ", " += ": r" &\mathrel{+}= ", " · ": r" \cdot ", " − ": " - "}


def escaped(text: str) -> str:
    """Return words as LaTeX, with its special characters escaped."""
    return re.sub(r"[\\{}%#&$_^~]", lambda found: LATEX_CHARACTERS.get(found[0], "\\" + found[0]), text)
