"""The names of a graph's nodes, and the equations and local derivatives written with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.linearization import topological_order
from ..engine.value import Value, rebuild
from ..interpreters.names import SUBSCRIPTS
from ..interpreters.notation import CALL, NOTATION, WRITTEN, Term, symbol, term, total
from ..primitives import add
from ..rows import Output, Primitive

__all__ = ["Names", "as_written", "call_of", "given", "label", "legend"]


def label(variables: Mapping[str, Any]) -> None:
    """Name each Value after the key that holds it, as in `sg.label(locals())`.

    Keys that begin with `_` and objects other than Values are left out. If several keys hold one Value, the first
    names it. Raises `TypeError` for anything but a mapping.

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


def as_written(goal: Value) -> Value:
    """Return the graph without the additions of 0 that `sum()` begins with; the goal itself if it has none.

    The nodes above such an addition are copied; all others, and all named nodes, are the same Values.
    """
    order = topological_order(goal)
    if not any(_adds_nothing(node) for node in order[:-1]):
        return goal
    copies: dict[int, Value] = {}
    for node in order:
        args = tuple([copies[id(arg)] if isinstance(arg, Value) else arg for arg in node.args])
        if node is not goal and _adds_nothing(node):
            copies[id(node)] = next(arg for arg in args if isinstance(arg, Value))
        elif all(new is old for new, old in zip(args, node.args, strict=True)):
            copies[id(node)] = node
        else:
            copies[id(node)] = rebuild(node.primitive, args, node.state())
    return copies[id(goal)]


def _adds_nothing(node: Value) -> bool:
    return node.primitive is add and not node.label and node.args[0] == 0.0 and not isinstance(node.args[0], Value)


class Names:
    """The symbols of a graph's nodes: their labels, v₁, v₂, … in order for the others, and J for the goal."""

    def __init__(self, order: Sequence[Value], goal: Value) -> None:
        self.symbols: dict[int, Term] = {}
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}
        for node in order:
            if node.label:
                self._enter(node, symbol(node.label))
        if id(goal) not in self.symbols:
            self._enter(goal, symbol("J"))
        count = 0
        for node in order:
            while id(node) not in self.symbols:
                count += 1
                if symbol(f"v{count}").text not in self._taken:
                    self._enter(node, symbol(f"v{count}"))
        self._outputs: dict[Any, dict[int, Term]] = {}  # by call
        for node in order:
            if isinstance(node.primitive, Output):
                self._outputs.setdefault(call_of(node), {}).setdefault(node.primitive.index, self[node])

    def _enter(self, node: Value, name: Term) -> None:
        shown, count = name, self._counts.get(name.text, 1)
        while shown.text in self._taken:  # two nodes of one label are told apart
            count += 1
            marker = f"({count})".translate(SUBSCRIPTS)
            shown = Term(name.text + marker, f"{{{name.latex}}}_{{({count})}}")
        self._counts[name.text] = count
        self._taken.add(shown.text)
        self.symbols[id(node)] = shown

    def __getitem__(self, node: Value) -> Term:
        return self.symbols[id(node)]

    def operands(self, node: Value) -> list[Any]:
        """Return all the arguments of a node: symbols for Values, and the constants as they are."""
        return [self[arg] if isinstance(arg, Value) else arg for arg in node.args]

    def equation(self, node: Value) -> Term | None:
        """Return the right-hand side of a node's equation, such as sin u, or None for a leaf."""
        primitive, operands = node.primitive, self.operands(node)
        if primitive is None:
            return None
        if isinstance(primitive, Output):
            return _output(primitive, primitive.index, operands)
        return term(getattr(WRITTEN, primitive.name)(*given(primitive, operands)))

    def local_derivatives(self, node: Value) -> list[Term]:
        """Return the local derivative of a node with respect to each of its parents, as a textbook writes it."""
        primitive, operands = node.primitive, self.operands(node)
        if isinstance(primitive, Output):
            outs = [self._output_name(node, primitive, index) for index in range(len(operands))]
            rules = primitive.derivatives(NOTATION, outs, operands)
        elif primitive is None:
            return []
        elif primitive.opaque:
            rules = self._of_opaque(node, primitive)
        else:
            rules = primitive.textbook_derivatives(NOTATION, self[node], operands)
        return [
            term(0.0 if rule is None else rule)
            for rule, arg in zip(rules, node.args, strict=True)
            if isinstance(arg, Value)
        ]

    def edges(self, node: Value) -> list[tuple[Value, list[int], Term, float]]:
        """Return each parent once: the places among the parents, the derivative with respect to it, and its number.

        The derivative with respect to a parent that is used several times is the sum over its uses.
        """
        places: dict[int, list[int]] = {}
        for place, parent in enumerate(node.parents):
            places.setdefault(id(parent), []).append(place)
        formulas, numbers = self.local_derivatives(node), node.partials
        found = []
        for uses in places.values():
            formula = formulas[uses[0]] if len(uses) == 1 else total([formulas[place] for place in uses])
            found.append((node.parents[uses[0]], uses, formula, sum(numbers[place] for place in uses)))
        return found

    def _output_name(self, node: Value, primitive: Output, index: int) -> Term:
        """Return the name of another output of the same call. One that nothing uses is named after its siblings."""
        known = self._outputs[call_of(node)]
        if index in known:
            return known[index]
        mine = str(primitive.index + 1).translate(SUBSCRIPTS)
        name = self[node].text
        if len(re.findall(f"{mine}(?![₀-₉])", name)) == 1 and not re.search(f"[₀-₉]{mine}", name):
            alike = name.replace(mine, str(index + 1).translate(SUBSCRIPTS))
            if alike not in self._taken:
                return symbol(alike)
        return _output(primitive, index, self.operands(node))

    def _of_opaque(self, node: Value, primitive: Primitive) -> list[Any]:
        try:  # the partials may be written against m although the forward is not
            return primitive.textbook_derivatives(NOTATION, self[node], self.operands(node))
        except TypeError:
            return [self._unnamed(node, index) for index in range(len(node.args))]

    def _unnamed(self, node: Value, index: int) -> Term:
        primitive = node.primitive
        name = primitive.name if primitive else ""
        prime = f"{name}′" if len(node.args) == 1 else f"∂{str(index + 1).translate(SUBSCRIPTS)}{name}"
        called: Term = getattr(NOTATION, prime)(*self.operands(node))
        return called


def _output(primitive: Output, index: int, operands: Sequence[Any]) -> Term:
    """Return the formula of one output of a vector primitive: softmax(x, y)₁."""
    text, latex = getattr(NOTATION, primitive.name)(*operands).inside(CALL)
    number = str(index + 1)
    return Term(text + number.translate(SUBSCRIPTS), f"{latex}_{{{number}}}", CALL)


def call_of(node: Value) -> Any:
    """Return a key that the outputs of one call of a vector primitive have in common, in copies of a graph too."""
    vector = node.primitive.vector if isinstance(node.primitive, Output) else None
    return vector, tuple([id(arg) if isinstance(arg, Value) else arg for arg in node.args])


def given(primitive: Primitive, operands: Sequence[Any]) -> list[Any]:
    """Return the arguments without the last ones that equal their defaults: relu z, not relu(z, 1)."""
    operands = list(operands)
    defaults = list(primitive.defaults)
    while defaults and isinstance(operands[-1], float) and operands[-1] == defaults[-1]:
        operands, defaults = operands[:-1], defaults[:-1]
    return operands


BRACKET = re.compile(r"\[([^\[\]]+ [<>≥≤=≠] [^\[\]]+)\]")


def legend(formulas: Sequence[str]) -> str:
    """Return a sentence on the first Iverson bracket in some formulas: "[x > 0] is 1 if x > 0, else 0"; or ""."""
    found = next((match for formula in formulas for match in BRACKET.finditer(formula)), None)
    return f"{found[0]} is 1 if {found[1]}, else 0" if found else ""
