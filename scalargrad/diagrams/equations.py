"""The equations of a graph: the forward pass, and the backward pass in reverse topological order.

`derivation(J)` lists them as the lecture's table does, as data, text, LaTeX and tables to fill in.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ..engine.graph import passed, reverse_flow, topological_order
from ..engine.value import Value
from ..interpreters.names import digits as written
from ..interpreters.names import latex, printable
from ..interpreters.notation import PRODUCT, Term
from . import tables
from .current import CHANGED, changes
from .naming import Names, as_written, legend

__all__ = ["Contribution", "Derivation", "Step", "check_digits", "derivation", "factor"]

LINES_OF_A_BLOCK = 8


@dataclass(frozen=True)
class Step:
    """One equation of the forward pass: `name = formula = value`. A leaf has no formula.

    `note` tells what the reader must know besides, such as that a leaf's data was assigned after the forward pass.

    >>> x = Value(2.0, label="x")
    >>> print(derivation(x**2).forward[1])
    J = x² = 4
    """

    node: Value
    name: Term
    formula: Term | None
    value: float
    note: str = ""
    decimals: int = 4

    @property
    def number(self) -> str:
        """The value as text."""
        return written(self.value, self.decimals)

    def __str__(self) -> str:
        middle = f" = {self.formula.text}" if self.formula else ""
        return f"{self.name.text}{middle} = {self.number}{self.remark}"

    @property
    def remark(self) -> str:
        """The note in brackets, or nothing."""
        return f"   ({self.note})" if self.note else ""


@dataclass(frozen=True)
class Contribution:
    """One line of the backward pass: what `child` adds to the derivative of the goal with respect to `parent`.

    `amount` = `adjoint` · `local`, by the chain rule; `was` and `now` are the sums without and with it. `place` tells
    which of the child's parents it is.

    >>> x = Value(2.0, label="x")
    >>> print(derivation(3 * x**2).backward[1])
    ∂J/∂x += ∂J/∂v₁ · 2x = 3 · 4 = 12
    """

    goal: Term
    parent: Value
    child: Value
    parent_name: Term
    child_name: Term
    formula: Term
    adjoint: float
    local: float
    amount: float  # their product; 0 if the local derivative is 0 by structure
    was: float
    is_first: bool  # nothing has been added to the parent before
    place: int = 0
    decimals: int = 4

    @property
    def now(self) -> float:
        """The sum so far, this contribution included."""
        return self.was + self.amount

    @property
    def factors(self) -> tuple[str, str]:
        """The two numbers that are multiplied, as text; in brackets if they are signed or have a power of ten."""
        return written(self.adjoint, self.decimals), factor(written(self.local, self.decimals))

    def __str__(self) -> str:
        goal, parent, child = self.goal.text, self.parent_name.text, self.child_name.text
        local = self.formula.inside(PRODUCT)[0]
        was, amount, now = (written(x, self.decimals) for x in (self.was, self.amount, self.now))
        total = "" if self.is_first else f"   (was {was}, now {now})"
        return f"∂{goal}/∂{parent} += ∂{goal}/∂{child} · {local} = {' · '.join(self.factors)} = {amount}{total}"

    @property
    def latex(self) -> str:
        """The line in LaTeX, with the product of the numbers and the running sum."""

        def of(name: Term) -> str:
            return rf"\frac{{\partial {self.goal.latex}}}{{\partial {name.latex}}}"

        was, amount, now = (latex(written(x, self.decimals)) for x in (self.was, self.amount, self.now))
        amount_in_sum = factor(amount) if amount.startswith("-") else amount
        total = "" if self.is_first else rf" \quad \left({was} + {amount_in_sum} = {now}\right)"
        left, right = map(latex, self.factors)
        product = rf"{of(self.child_name)} \cdot {self.formula.inside(PRODUCT)[1]} = {left} \cdot {right} = {amount}"
        return rf"{of(self.parent_name)} &\mathrel{{+}}= {product}{total}"


def factor(number: str) -> str:
    """Return a number as the second factor of a product: in brackets if it has a sign or a power of ten."""
    return f"({number})" if number[:1] in ("−", "-") or "·" in number else number


@dataclass(frozen=True, repr=False)
class Derivation:
    """The two passes as data, `forward` and `backward`, as text, and by `markdown()` and `table()` for slides.

    `gradient` has the derivative of the goal with respect to each leaf, by name, and `adjoints` to every node.

    >>> x = Value(3.0, label="x")
    >>> derivation(x**2).gradient["x"]
    6.0
    """

    goal: Value
    names: Names
    forward: tuple[Step, ...]
    backward: tuple[Contribution, ...]
    adjoints: Mapping[str, float]
    gradient: Mapping[str, float]

    def __str__(self) -> str:
        # Printed on a console that knows no ∂, the text is in ASCII.
        return printable(self.text(), getattr(sys.stdout, "encoding", None) or "utf-8")

    def text(self) -> str:
        """Return the two passes as text, with mathematical signs whatever the console is."""
        goal, brackets = self.names[self.goal].text, self._brackets()
        return "\n".join(
            [
                "Forward",
                *(f"  {line}" for line in _aligned(self.forward)),
                "Backward",
                f"  ∂{goal}/∂{goal} = 1",
                *(f"  {line}" for line in self.backward),
                *([f"  where {brackets}"] if brackets else []),
            ]
        )

    def _brackets(self) -> str:
        """Return the explanation of the first Iverson bracket, if there is one."""
        formulas = [*(step.formula for step in self.forward), *(c.formula for c in self.backward)]
        return legend([formula.text for formula in formulas if formula])

    def markdown(self) -> str:
        """Return the two passes as Markdown with LaTeX equations, in blocks that fit on a slide."""
        goal = self.names[self.goal].latex
        forward = [
            f"{step.name.latex} &= "
            + (f"{step.formula.latex} = " if step.formula else "")
            + latex(step.number)
            + _remark(step)
            for step in self.forward
        ]
        backward = [rf"\frac{{\partial {goal}}}{{\partial {goal}}} &= 1", *(c.latex for c in self.backward)]
        note = ["A bracket is 1 if the condition in it holds, else 0."] if self._brackets() else []
        return "\n\n".join(["**Forward**", *_blocks(forward), "**Backward**", *_blocks(backward), *note]) + "\n"

    def table(self, kind: str = "markdown", *, blank: Collection[str] = ()) -> str:
        """Return the forward and the backward table as `"markdown"`, `"csv"` or `"latex"`; with blanks, as a sheet.

        `blank` names what to leave out for a student to fill in: columns (`"formula"`, `"value"`, `"chain rule"`,
        `"numbers"`, `"contribution"`, `"sum"`), or quantities such as `"u"`, whose numbers are left out in both
        tables; `"numbers"` leaves out all numbers. The same call without `blank` gives the solution. Raises
        `ValueError` for another kind or a name that the tables don't have.

        >>> x = Value(2.0, label="x")
        >>> print(derivation(3 * x**2).table(blank=["value", "sum"]))
        | quantity | formula | value |
        |---|---|---|
        | x |  | 2 |
        | v₁ | x² |  |
        | J | 3v₁ |  |
        <BLANKLINE>
        | derivative | chain rule | numbers | contribution | sum |
        |---|---|---|---|---|
        | ∂J/∂J |  |  |  | 1 |
        | ∂J/∂v₁ | ∂J/∂J · 3 | 1 · 3 | 3 |  |
        | ∂J/∂x | ∂J/∂v₁ · 2x | 3 · 4 | 12 |  |
        """
        return tables.table(self, kind, blank)

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _aligned(steps: Sequence[Step]) -> list[str]:
    left = [f"{s.name.text} = {s.formula.text}" if s.formula else s.name.text for s in steps]
    width = min(max(map(len, left)), 60)
    return [f"{text.ljust(width)} = {step.number}{step.remark}" for text, step in zip(left, steps, strict=True)]


def _remark(step: Step) -> str:
    return rf" \quad \text{{({CHANGED})}}" if step.note else ""


def _blocks(lines: Sequence[str]) -> list[str]:
    # Rows are set apart, since a renderer of notebooks lets fractions touch.
    parts = [lines[i : i + LINES_OF_A_BLOCK] for i in range(0, len(lines), LINES_OF_A_BLOCK)]
    return ["$$\\begin{aligned}\n" + " \\\\[6pt]\n".join(part) + "\n\\end{aligned}$$" for part in parts]


def derivation(goal: Value, *, digits: int = 4) -> Derivation:
    """Return the forward and the backward equations of a value, with their numbers to that many decimals.

    The backward pass goes in reverse topological order and has a line for each contribution. It works out
    the derivatives itself and leaves `grad` alone. A leaf whose data was assigned after the forward pass is marked,
    since the values and derivatives below it are those of the data before. Raises `TypeError` for anything but a
    Value, and `ValueError` for `digits` below 0 or above 17. Source: 10-601 Backpropagation, "Simple example".

    >>> x = Value(1.0, label="x")
    >>> print(derivation(x**2 * 3))
    Forward
      x       = 1
      v₁ = x² = 1
      J = 3v₁ = 3
    Backward
      ∂J/∂J = 1
      ∂J/∂v₁ += ∂J/∂J · 3 = 1 · 3 = 3
      ∂J/∂x += ∂J/∂v₁ · 2x = 3 · 2 = 6
    """
    if not isinstance(goal, Value):
        raise TypeError(f"derivation: needs a Value, got {goal!r}; compute it from Values")
    check_digits("derivation", digits)
    goal = as_written(goal)
    order = topological_order(goal)
    names = Names(order, goal)
    notes = changes(order, names)
    forward = [Step(n, names[n], names.equation(n), n.data, notes.get(id(n), ""), digits) for n in order]
    adjoints = {id(goal): 1.0}
    edges = [(node, list(zip(node.parents, node.partials_or_none, strict=True))) for node in order]
    formulas: dict[int, list[Term]] = {}
    lines = []
    for flow in reverse_flow(edges, adjoints, _product):
        node, parent = flow.node, flow.parent
        if id(node) not in formulas:
            formulas = {id(node): names.local_derivatives(node)}
        lines.append(
            Contribution(
                names[goal],
                parent,
                node,
                names[parent],
                names[node],
                formulas[id(node)][flow.place],
                flow.derivative,
                local=flow.partial or 0.0,
                amount=flow.amount,
                was=flow.before or 0.0,
                is_first=flow.before is None,
                place=flow.place,
                decimals=digits,
            )
        )
    by_name = {names[node].text: adjoints[id(node)] for node in order}
    gradient = {names[node].text: adjoints[id(node)] for node in order if node.primitive is None}
    return Derivation(goal, names, tuple(forward), tuple(lines), by_name, gradient)


def _product(adjoint: float, partial: float | None) -> float:
    return 0.0 if partial is None else passed(adjoint, partial)  # nothing flows along a structural zero


def check_digits(who: str, digits: int) -> None:
    """Raise `ValueError` unless `digits` is a number of decimals that a float can have."""
    if not isinstance(digits, int) or not 0 <= digits <= 17:
        raise ValueError(f"{who}: digits is {digits!r}; give a number of decimals from 0 to 17")
