"""Formulas as text: parsed, computed with the library's functions, and never run as Python."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from ..engine.evaluation import REFUSALS
from ..engine.value import Value
from .functions import CALLABLE, CONSTANTS, function_named
from .parser import Parser
from .syntax import Call, Compare, List, Name, Node, Number, excerpt
from .tokens import ExpressionError, canonical

__all__ = ["Expression", "ExpressionError"]

LONGEST = 10_000
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Expression:
    """A formula such as `"t = x^2; cos(sin t + 3t)"`, ready to be computed.

    Assignments name parts of it, the last part is the result. It may use names, numbers, `+ - * / // ** ^ %`,
    products without a sign, `|x|`, `√x`, the library's functions, `pi`, `e`, and comparisons inside `where`.
    Raises `ExpressionError` for anything else, with the place in the text.

    >>> Expression("t = x²; 2t + y").names
    ('x', 'y')
    >>> Expression("x^2 + 1")({"x": 3.0})
    10.0
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ExpressionError(f"the formula has {len(text)} characters; at most {LONGEST} are read")
        self.text = text
        try:
            self.statements = Parser(text).statements()
        except RecursionError:
            raise ExpressionError("the formula is nested too deeply; name its parts, as in t = x^2; sin(t)") from None
        if not self.statements:
            raise ExpressionError('the formula is empty; write one, as in "t = x^2; sin(t)"')
        for statement in self.statements[:-1]:
            if not statement.name:
                raise ExpressionError(
                    "only the last formula has no name; name this one, as in t = x^2", text, statement.start
                )
        self.places: dict[str, Name] = {}
        self._find_names()
        self.names = tuple(self.places)

    def _find_names(self) -> None:
        assigned: set[str] = set()
        for statement in self.statements:
            waiting: list[Node] = [statement.formula]
            used: list[Name] = []
            while waiting:
                node = waiting.pop()
                used += [node] if isinstance(node, Name) else []
                waiting += _parts(node)
            for place in sorted(used, key=lambda place: place.start):
                if place.name not in assigned:
                    self.places.setdefault(place.name, place)
            name = statement.name
            if name in assigned or name in self.places:
                message = f"{name} is assigned, but it has a value already; choose another name"
                raise ExpressionError(message, self.text, statement.start, len(name))
            assigned |= {name} if name else set()

    def missing(self, inputs: Mapping[str, Any]) -> list[str]:
        """Return the names that need an input: those that are neither given nor constants."""
        return [name for name in self.names if name not in inputs and name not in CONSTANTS]

    def missing_error(self, inputs: Mapping[str, Any]) -> ExpressionError | None:
        """Return the error that names the inputs that are missing, if any are, and what to write."""
        missing = self.missing(inputs)
        if not missing:
            return None
        name = missing[0]
        message = f"no value for {', '.join(missing)}; give it as {name}=1.5"
        if name in CALLABLE:
            message += f", or write {name}(…) for the function"
        elif len(name) > 1 and all(letter in inputs or letter in CONSTANTS for letter in name):
            message += f", or write {'*'.join(name)} for a product"
        return ExpressionError(message, self.text, self.places[name].start, len(name))

    def __call__(self, inputs: Mapping[str, Any]) -> Any:
        """Return the result for inputs by name: a float for floats, a Value for Values, labelled by assignment.

        Raises `ExpressionError` for a missing name, and for an operation outside its domain or too large,
        with the place of the operation.
        """
        error = self.missing_error(inputs)
        if error:
            raise error
        values = {**CONSTANTS, **{canonical(name): value for name, value in inputs.items()}}
        value: Any = None
        for statement in self.statements:
            value = self._compute(statement.formula, values)
            if statement.name:
                values[statement.name] = value
                if isinstance(value, Value) and not value.label:
                    value.label = statement.name
        return value

    def _compute(self, node: Node, values: Mapping[str, Any]) -> Any:
        # The first operands are followed without recursion, so that a sum may have thousands of terms.
        calls: list[Call] = []
        while isinstance(node, Call) and node.args:
            if node.function == "where":
                node = self._chosen(node, values)
            else:
                calls.append(node)
                node = node.args[0]
        value = self._leaf(node, values)
        for call in reversed(calls):
            rest = [self._compute(arg, values) for arg in call.args[1:]]
            named = {name: self._compute(arg, values) for name, arg in call.named.items()}
            value = self._apply(call, [value, *rest], named)
        return value

    def _leaf(self, node: Node, values: Mapping[str, Any]) -> Any:
        match node:
            case Number(value=number):
                return number
            case Name(name=name):
                return values[name]
            case List(items=items):
                return [self._compute(item, values) for item in items]
            case Call():
                return self._apply(node, [], {name: self._compute(arg, values) for name, arg in node.named.items()})
        raise TypeError(f"{node!r} has no value")

    def _apply(self, call: Call, args: list[Any], named: dict[str, Any]) -> Any:
        base = call.args[0] if call.args else None
        is_exp = call.function == "pow" and isinstance(base, Name) and base.name == "e" and args[0] is CONSTANTS["e"]
        function = function_named("exp" if is_exp else call.function)
        try:
            return function(*(args[1:] if is_exp else args), **named)
        except (*REFUSALS, TypeError, ImportError) as error:  # a special function may need SciPy
            source = excerpt(self.text, call)
            raise ExpressionError(f"{error}, in {source!r}", self.text, call.start, call.end - call.start) from None

    def _chosen(self, where: Call, values: Mapping[str, Any]) -> Node:
        condition, x, y = where.args
        if not isinstance(condition, Compare):
            raise TypeError(f"{condition!r} is not a comparison")
        sides = [self._compute(side, values) for side in condition.sides]
        pairs = zip(condition.operators, sides[:-1], sides[1:], strict=True)
        return x if all(COMPARISONS[sign](a, b) for sign, a, b in pairs) else y


def _parts(node: Node) -> list[Node]:
    match node:
        case Call(args=args, named=named):
            return [*args, *named.values()]
        case List(items=parts) | Compare(sides=parts):
            return list(parts)
    return []
