"""The forward and the backward pass as tables, filled in or with blanks."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ..interpreters.names import MINUS, PLAIN_SUPERSCRIPTS, latex
from ..interpreters.names import digits as written
from ..interpreters.notation import PRODUCT, Term

if TYPE_CHECKING:
    from .equations import Derivation

KINDS = ("markdown", "csv", "latex")
FORWARD = ("quantity", "formula", "value")
BACKWARD = ("derivative", "chain rule", "numbers", "contribution", "sum")
NUMBERS = ("value", "numbers", "contribution", "sum")
EMPTY = Term("", "")

Row = tuple[bool, str, list[Term]]
"""Is it a leaf or the goal's own derivative, so that it is given; the quantity's name; and its cells."""


def table(derived: Derivation, kind: str, blank: Collection[str]) -> str:
    """Return the two tables of a derivation; see `Derivation.table`."""
    if kind not in KINDS:
        raise ValueError(f"table: kind is {kind!r}; give one of {', '.join(map(repr, KINDS))}")
    forward, backward = _forward(derived), _backward(derived)
    names = {name for _, name, _ in forward}
    blank = {blank} if isinstance(blank, str) else set(blank)
    known = {*FORWARD[1:], *BACKWARD[1:], *names}
    if unknown := sorted(blank - known):
        raise ValueError(f"table: blank has {unknown[0]!r}; give columns or quantities of {', '.join(sorted(known))}")
    if "numbers" in blank:
        blank |= set(NUMBERS)
    tables = [(FORWARD, _blanked(FORWARD, forward, blank)), (BACKWARD, _blanked(BACKWARD, backward, blank))]
    return {"markdown": _markdown, "csv": _csv, "latex": _latex}[kind](tables)


def _forward(derived: Derivation) -> list[Row]:
    return [
        (step.formula is None, step.name.text, [step.name, step.formula or EMPTY, _number(step.number)])
        for step in derived.forward
    ]


def _backward(derived: Derivation) -> list[Row]:
    goal = derived.names[derived.goal]
    rows: list[Row] = [(True, goal.text, [_derivative(goal, goal), EMPTY, EMPTY, EMPTY, _number("1")])]
    for c in derived.backward:
        local, local_latex = c.formula.inside(PRODUCT)
        child = _derivative(goal, c.child_name)
        rule = Term(f"{child.text} · {local}", rf"{child.latex} \cdot {local_latex}")
        product = Term(" · ".join(c.factors), r" \cdot ".join(map(latex, c.factors)))
        amount, now = (_number(written(x, c.decimals)) for x in (c.amount, c.now))
        rows.append((False, c.parent_name.text, [_derivative(goal, c.parent_name), rule, product, amount, now]))
    return rows


def _number(text: str) -> Term:
    return Term(text, latex(text))


def _derivative(goal: Term, name: Term) -> Term:
    return Term(f"∂{goal.text}/∂{name.text}", rf"\frac{{\partial {goal.latex}}}{{\partial {name.latex}}}")


def _blanked(columns: Sequence[str], rows: Sequence[Row], blank: Collection[str]) -> list[list[Term]]:
    def is_blank(column: str, is_given: bool, name: str) -> bool:
        return not is_given and (column in blank or (name in blank and column in NUMBERS))

    return [
        [EMPTY if is_blank(column, is_given, name) else cell for column, cell in zip(columns, cells, strict=True)]
        for is_given, name, cells in rows
    ]


Tables = Sequence[tuple[Sequence[str], list[list[Term]]]]


def _markdown(tables: Tables) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    return "\n\n".join(
        "\n".join([line(columns), "|" + "---|" * len(columns), *(line([cell.text for cell in row]) for row in rows)])
        for columns, rows in tables
    )


def _csv(tables: Tables) -> str:
    texts = []
    for columns, rows in tables:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(
            [
                _plain(cell.text) if column in NUMBERS else _no_formula(cell.text)
                for column, cell in zip(columns, row, strict=True)
            ]
            for row in rows
        )
        texts.append(text.getvalue())
    return "\n".join(texts)


def _plain(number: str) -> str:
    """Return a number as spreadsheets read it."""
    mantissa, _, power = number.replace(MINUS, "-").partition("·10")
    return (
        f"{mantissa}e{power.translate(PLAIN_SUPERSCRIPTS)}"
        if power and " " not in number
        else number.replace(MINUS, "-")
    )


def _no_formula(text: str) -> str:
    # A spreadsheet would compute a cell that begins so.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def _latex(tables: Tables) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join(cells) + r" \\[6pt]"

    parts = []
    for columns, rows in tables:
        body = [line([f"${cell.latex}$" if cell.latex else "" for cell in row]) for row in rows]
        head = rf"\begin{{tabular}}{{{'l' * len(columns)}}}"
        parts.append("\n".join([head, line(columns), r"\hline", *body, r"\end{tabular}"]))
    return "\n\n".join(parts)
