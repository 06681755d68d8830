"""The equations of a graph: the forward pass, and the backward pass in reverse topological order.

`derivation(J)` lists them as the lecture's table does; `label` names nodes by the variables that hold them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.linearization import topological_order
from ..engine.value import Value
from ..interpreters.notation import CALL, NOTATION, PRODUCT, SUBSCRIPTS, Term, digits, symbol, term
from ..rows import Output, Primitive

__all__ = ["Contribution", "Derivation", "Step", "derivation", "label"]


def label(variables: Mapping[str, Any]) -> None:
    """Name each Value after the key that holds it, as in `sg.label(locals())`.

    Keys that begin with `_` and what is no Value are left out; of several keys for one Value, the first
    names it. Raises `TypeError` for what is no mapping.

    >>> x = Value(2.0)
    >>> y = x * x
    >>> label({"x": x, "y": y})
    >>> x.label, y.label
    ('x', 'y')
    """
    if not isinstance(variables, Mapping):
        raise TypeError(f"label: needs a mapping of names to Values, such as locals(), got {variables!r}")
    named = set()
    for name, value in variables.items():
        if isinstance(value, Value) and isinstance(name, str) and not name.startswith("_") and id(value) not in named:
            value.label = name
            named.add(id(value))


class Names:
    """The symbols of a graph's nodes: their labels, v₁, v₂, … in order for the others, and J for the goal."""

    def __init__(self, order: Sequence[Value], goal: Value) -> None:
        self.symbols: dict[int, Term] = {}
        taken: set[str] = set()
        for node in order:
            if node.label:
                self._enter(node, symbol(node.label), taken)
        if id(goal) not in self.symbols:
            self._enter(goal, symbol("J"), taken)
        count = 0
        for node in order:
            while id(node) not in self.symbols:
                count += 1
                if symbol(f"v{count}").text not in taken:
                    self._enter(node, symbol(f"v{count}"), taken)
        self.outputs: dict[Any, dict[int, Term]] = {}  # by call
        for node in order:
            if isinstance(node.primitive, Output):
                self.outputs.setdefault(call_of(node), {}).setdefault(node.primitive.index, self[node])

    def _enter(self, node: Value, name: Term, taken: set[str]) -> None:
        shown, count = name, 1
        while shown.text in taken:  # two nodes of one label are told apart
            count += 1
            marker = f"({count})".translate(SUBSCRIPTS)
            shown = Term(name.text + marker, f"{{{name.latex}}}_{{({count})}}")
        taken.add(shown.text)
        self.symbols[id(node)] = shown

    def __getitem__(self, node: Value) -> Term:
        return self.symbols[id(node)]

    def operands(self, node: Value) -> list[Any]:
        """All the arguments of a node: symbols for Values, and the constants as they are."""
        return [self[arg] if isinstance(arg, Value) else arg for arg in node.args]

    def equation(self, node: Value) -> Term | None:
        """The right-hand side of a node's equation, such as sin u; None for a leaf."""
        primitive, operands = node.primitive, self.operands(node)
        if primitive is None:
            return None
        if isinstance(primitive, Output):
            text, latex = getattr(NOTATION, primitive.name)(*operands).inside(CALL)
            index = str(primitive.index + 1)
            return Term(text + index.translate(SUBSCRIPTS), f"{latex}_{{{index}}}", CALL)
        return term(getattr(NOTATION, primitive.name)(*given(primitive, operands)))

    def local_derivatives(self, node: Value) -> list[Term]:
        """The local derivative of a node by each of its parents, as a textbook writes it."""
        primitive, operands = node.primitive, self.operands(node)
        if isinstance(primitive, Output):
            # An output that nothing uses is no node; it has the name of the row.
            known = self.outputs[call_of(node)]
            outs = [
                known.get(i) or symbol(primitive.name + str(i + 1).translate(SUBSCRIPTS)) for i in range(len(operands))
            ]
            rules = primitive.derivatives(NOTATION, outs, operands)
        elif primitive is None:
            return []
        elif primitive.opaque:
            rules = [self._unnamed(node, index) for index in range(len(operands))]
        else:
            rules = primitive.textbook_derivatives(NOTATION, self[node], operands)
        return [
            term(0.0 if rule is None else rule)
            for rule, arg in zip(rules, node.args, strict=True)
            if isinstance(arg, Value)
        ]

    def _unnamed(self, node: Value, index: int) -> Term:
        primitive = node.primitive
        name = primitive.name if primitive else ""
        prime = f"{name}′" if len(node.args) == 1 else f"∂{str(index + 1).translate(SUBSCRIPTS)}{name}"
        called: Term = getattr(NOTATION, prime)(*self.operands(node))
        return called


def call_of(node: Value) -> Any:
    """What the outputs of one call of a vector row have in common, in copies of a graph too."""
    row = node.primitive.vector if isinstance(node.primitive, Output) else None
    return row, tuple([id(arg) if isinstance(arg, Value) else arg for arg in node.args])


def given(primitive: Primitive, operands: Sequence[Any]) -> list[Any]:
    """The arguments without the last ones that equal their defaults: relu z, not relu(z, 1)."""
    operands = list(operands)
    defaults = list(primitive.defaults)
    while defaults and isinstance(operands[-1], float) and operands[-1] == defaults[-1]:
        operands, defaults = operands[:-1], defaults[:-1]
    return operands


@dataclass(frozen=True)
class Step:
    """One equation of the forward pass: `name = formula = value`; a leaf has no formula."""

    node: Value
    name: Term
    formula: Term | None
    value: float

    def __str__(self) -> str:
        middle = f" = {self.formula.text}" if self.formula else ""
        return f"{self.name.text}{middle} = {digits(self.value)}"


@dataclass(frozen=True)
class Contribution:
    """One line of the backward pass: what `child` adds to the derivative of the goal by `parent`."""

    goal: Term
    parent: Value
    child: Value
    parent_name: Term
    child_name: Term
    formula: Term
    adjoint: float
    local: float
    amount: float  # their product; 0 where the local derivative is 0 by structure
    was: float
    is_first: bool  # whether nothing had been added to the parent before

    @property
    def now(self) -> float:
        """The sum so far, this contribution included."""
        return self.was + self.amount

    def __str__(self) -> str:
        goal, parent, child = self.goal.text, self.parent_name.text, self.child_name.text
        local = self.formula.inside(PRODUCT)[0]
        total = "" if self.is_first else f"   (was {digits(self.was)}, now {digits(self.now)})"
        return (
            f"∂{goal}/∂{parent} += ∂{goal}/∂{child} · {local}"
            f" = {digits(self.adjoint)} · {_factor(self.local)} = {digits(self.amount)}{total}"
        )


def _factor(x: float) -> str:
    return f"({digits(x)})" if x < 0 else digits(x)


@dataclass(frozen=True, repr=False)
class Derivation:
    """The two passes: `forward` and `backward` as data, `str()` as text, `markdown()` for a notebook.

    `gradient` has the derivative of the goal by each leaf, by name, and `adjoints` by every node.
    """

    goal: Value
    names: Names
    forward: tuple[Step, ...]
    backward: tuple[Contribution, ...]
    adjoints: Mapping[str, float]
    gradient: Mapping[str, float]

    def __str__(self) -> str:
        goal = self.names[self.goal].text
        return "\n".join(
            [
                "Forward",
                *(f"  {line}" for line in _aligned(self.forward)),
                "Backward",
                f"  ∂{goal}/∂{goal} = 1",
                *(f"  {line}" for line in self.backward),
            ]
        )

    def markdown(self) -> str:
        """The two passes as Markdown with LaTeX equations."""
        goal = self.names[self.goal].latex
        forward = [
            f"{step.name.latex} &= " + (f"{step.formula.latex} = " if step.formula else "") + _latex(step.value)
            for step in self.forward
        ]
        backward = [rf"\frac{{\partial {goal}}}{{\partial {goal}}} &= 1", *(self._line(c) for c in self.backward)]
        return "\n\n".join(["**Forward**", _block(forward), "**Backward**", _block(backward)]) + "\n"

    def _line(self, c: Contribution) -> str:
        def by(name: Term) -> str:
            return rf"\frac{{\partial {c.goal.latex}}}{{\partial {name.latex}}}"

        product = rf"{by(c.child_name)} \cdot {c.formula.inside(PRODUCT)[1]} = {_latex(c.amount)}"
        return rf"{by(c.parent_name)} &\mathrel{{+}}= {product}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _aligned(steps: Sequence[Step]) -> list[str]:
    left = [f"{s.name.text} = {s.formula.text}" if s.formula else s.name.text for s in steps]
    width = min(max(map(len, left)), 60)
    return [f"{text.ljust(width)} = {digits(step.value)}" for text, step in zip(left, steps, strict=True)]


def _latex(x: float) -> str:
    text = digits(x).replace("\N{MINUS SIGN}", "-").replace("∞", r"\infty")
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent.lstrip("+-").isdigit() else text


def _block(lines: Sequence[str]) -> str:
    return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


def derivation(goal: Value) -> Derivation:
    """The forward and the backward equations of a value, with their numbers.

    The backward pass goes in reverse topological order and has a line for each contribution. It works out
    the derivatives itself and leaves `grad` alone. Raises `TypeError` for what is no Value. Source: 10-601
    Backpropagation, "Simple example".

    >>> x = Value(1.0, label="x")
    >>> print(derivation(x**2 * 3))
    Forward
      x       = 1.0000
      v₁ = x² = 1.0000
      J = 3v₁ = 3.0000
    Backward
      ∂J/∂J = 1
      ∂J/∂v₁ += ∂J/∂J · 3 = 1.0000 · 3.0000 = 3.0000
      ∂J/∂x += ∂J/∂v₁ · 2x = 3.0000 · 2.0000 = 6.0000
    """
    if not isinstance(goal, Value):
        raise TypeError(f"derivation: needs a Value, got {goal!r}; compute it from Values")
    order = topological_order(goal)
    names = Names(order, goal)
    forward = tuple(Step(node, names[node], names.equation(node), node.data) for node in order)
    adjoints = {id(node): 0.0 for node in order}
    adjoints[id(goal)] = 1.0
    reached = set()
    lines = []
    for child in reversed(order):
        adjoint = adjoints[id(child)]
        formulas = names.local_derivatives(child)
        for parent, by, formula in zip(child.parents, child.partials_or_none, formulas, strict=True):
            line = Contribution(
                names[goal],
                parent,
                child,
                names[parent],
                names[child],
                formula,
                adjoint,
                local=0.0 if by is None else by,
                amount=0.0 if by is None else adjoint * by,
                was=adjoints[id(parent)],
                is_first=id(parent) not in reached,
            )
            reached.add(id(parent))
            adjoints[id(parent)] = line.now
            lines.append(line)
    by_name = {names[node].text: adjoints[id(node)] for node in order}
    gradient = {names[node].text: adjoints[id(node)] for node in order if node.primitive is None}
    return Derivation(goal, names, forward, tuple(lines), by_name, gradient)
