"""Formulas as text: parsed with `ast` and an allow-list, computed with the library's functions, never run as Python."""

from __future__ import annotations

import ast
import inspect
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from .. import elementary, primitives, special
from ..engine.evaluation import REFUSALS
from ..engine.functions import maximum, minimum
from ..engine.value import Value
from ..rows import TABLE, Primitive, Variadic, Vector

__all__ = ["Expression", "ExpressionError"]

LONGEST = 10_000
DEEPEST = 250
CONSTANTS = {"pi": math.pi, "e": math.e}
BINARY: dict[type, str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
}
UNARY: dict[type, str] = {ast.USub: "neg", ast.UAdd: "pos"}
COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: lambda x, y: x < y,
    ast.LtE: lambda x, y: x <= y,
    ast.Gt: lambda x, y: x > y,
    ast.GtE: lambda x, y: x >= y,
    ast.Eq: lambda x, y: x == y,
    ast.NotEq: lambda x, y: x != y,
}
ROWS: dict[str, Any] = {
    name: TABLE[name]
    for module in (primitives, elementary, special)
    for name in module.__all__
    if name in TABLE and not isinstance(TABLE[name], Vector)
}
FUNCTIONS: dict[str, Any] = {
    **ROWS,
    "maximum": maximum,
    "minimum": minimum,
}


CALLABLE = {*FUNCTIONS, "where"}
ALLOWED = (
    *(ast.Assign, ast.Expr, ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.Call, ast.keyword),
    *(ast.Compare, ast.List, ast.Tuple, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop),
)


class ExpressionError(ValueError):
    """What is wrong with a formula or its inputs, in one line."""


class Expression:
    """A formula such as `"t = x**2; cos(sin(t) + 3*t)"`, ready to be computed.

    Assignments name sub-expressions, the last part is the result. It may use names, numbers, `+ - * / // ** %`,
    the library's functions, `pi`, `e`, and comparisons inside `where`. Raises `ExpressionError` for all else.

    >>> Expression("t = x**2; t + y").names
    ('x', 'y')
    >>> Expression("x**2 + 1")({"x": 3.0})
    10.0
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ExpressionError(f"the expression has {len(text)} characters; at most {LONGEST} are read")
        self.text = text.strip()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Python's, on how a literal is written
                body = ast.parse(self.text, mode="exec").body
        except (SyntaxError, ValueError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else error
            raise ExpressionError(f"the expression is no formula: {reason}{_position(error)}") from None
        except (RecursionError, MemoryError):
            raise ExpressionError("the expression is nested too deeply") from None
        if not body or not isinstance(body[-1], ast.Expr):
            raise ExpressionError('the expression has no result; end with a formula, as in "t = x**2; sin(t)"')
        self.assignments = [_assignment(statement) for statement in body[:-1]]
        self.result = body[-1].value
        for statement in body:
            self._check(statement)
        self.names = self._free_names()

    def _check(self, statement: ast.stmt) -> None:
        for node in ast.walk(statement):
            if (
                not isinstance(node, ALLOWED)
                or (isinstance(node, ast.Constant) and type(node.value) not in (int, float))
                or (isinstance(node, ast.keyword) and node.arg is None)
            ):
                raise ExpressionError(f"{self._source(node)!r} has no place in a formula; use {WHAT_IS_ALLOWED}")
            if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in CALLABLE):
                raise ExpressionError(_unknown_function(self._source(node.func)))

    def _free_names(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        assigned: set[str] = set()
        for name, formula in [*self.assignments, ("", self.result)]:
            called = {id(node.func) for node in ast.walk(formula) if isinstance(node, ast.Call)}
            used = [n for n in ast.walk(formula) if isinstance(n, ast.Name) and id(n) not in called]
            for node in sorted(used, key=lambda n: (n.lineno, n.col_offset)):
                if node.id not in assigned:
                    found[node.id] = None
            if name in assigned or name in found:
                raise ExpressionError(f"{name} is assigned, but it has a value already; choose another name")
            assigned.add(name)
        return tuple(found)

    def missing(self, inputs: Mapping[str, Any]) -> list[str]:
        """The names that need an input: those that are neither given nor constants."""
        return [name for name in self.names if name not in inputs and name not in CONSTANTS]

    def __call__(self, inputs: Mapping[str, Any]) -> Any:
        """The result for inputs by name: a float for floats, a Value for Values, labelled by assignment.

        Raises `ExpressionError` for a missing name, and for an operation outside its domain or too large,
        naming the sub-expression.
        """
        missing = self.missing(inputs)
        if missing:
            raise ExpressionError(f"no value for {', '.join(missing)}; give it as {missing[0]}=1.5")
        values = {**CONSTANTS, **inputs}
        for name, formula in self.assignments:
            value = values[name] = self._compute(formula, values, 0)
            if isinstance(value, Value) and not value.label:
                value.label = name
        return self._compute(self.result, values, 0)

    def _compute(self, node: ast.expr, values: Mapping[str, Any], depth: int) -> Any:
        if depth > DEEPEST:
            raise ExpressionError(f"the expression is nested deeper than {DEEPEST} levels; name its parts")

        def compute(part: ast.expr) -> Any:
            return self._compute(part, values, depth + 1)

        match node:
            case ast.Constant(value=number) if type(number) in (int, float):
                return self._guard(node, float, number)
            case ast.Name(id=name):
                return values[name]
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in BINARY:
                return self._guard(node, ROWS[BINARY[type(operator)]], compute(left), compute(right))
            case ast.UnaryOp(op=operator, operand=operand) if type(operator) in UNARY:
                return self._guard(node, ROWS[UNARY[type(operator)]], compute(operand))
            case ast.Call(func=ast.Name(id="where"), args=[condition, x, y], keywords=[]):
                return compute(x if self._holds(condition, compute) else y)
            case ast.Call(func=ast.Name(id="where")):
                raise ExpressionError("where takes three arguments: a comparison, what to use if it holds, and if not")
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                operands = [_items(arg, compute) for arg in args]
                named = {str(k.arg): compute(k.value) for k in keywords}
                return self._guard(node, _called(name), *operands, **named)
        raise ExpressionError(f"{self._source(node)!r} has no place here; use {WHAT_IS_ALLOWED}")

    def _holds(self, node: ast.expr, compute: Callable[[ast.expr], Any]) -> bool:
        if not isinstance(node, ast.Compare) or any(type(op) not in COMPARISONS for op in node.ops):
            raise ExpressionError(f"where needs a comparison such as x > 0, not {self._source(node)!r}")
        sides = [compute(side) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides[:-1], sides[1:], strict=True)
        return all(COMPARISONS[type(op)](x, y) for op, x, y in pairs)

    def _guard(self, node: ast.expr, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except (*REFUSALS, TypeError) as error:
            raise ExpressionError(f"{error}, in {self._source(node)!r}") from None

    def _source(self, node: ast.AST) -> str:
        source = ast.get_source_segment(self.text, node) or ""
        return source if len(source) <= 60 else source[:57] + "…"


WHAT_IS_ALLOWED = "names, numbers, + - * / // ** %, comparisons inside where, and the library's functions"


def _assignment(statement: ast.stmt) -> tuple[str, ast.expr]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=formula):
            return name, formula
    raise ExpressionError(f"only assignments such as t = x**2 may come before the result; use {WHAT_IS_ALLOWED}")


def _items(arg: ast.expr, compute: Callable[[ast.expr], Any]) -> Any:
    return [compute(item) for item in arg.elts] if isinstance(arg, (ast.List, ast.Tuple)) else compute(arg)


def _called(name: str) -> Callable[..., Any]:
    function = FUNCTIONS[name]

    def called(*args: Any, **named: Any) -> Any:
        # max(x, y) is what one writes in a formula, for max([x, y]).
        if isinstance(function, Variadic) and not (len(args) == 1 and isinstance(args[0], list)):
            args = (args,)
        try:
            _signature(function).bind(*args, **named)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        return function(*args, **named)

    return called


def _signature(function: Any) -> inspect.Signature:
    if not isinstance(function, Primitive):
        return inspect.signature(function)
    if function.variadic:
        return inspect.signature(function.pack)
    without = (inspect.Parameter.empty,) * (len(function.parameters) - len(function.defaults))
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
            for name, default in zip(function.parameters, without + function.defaults, strict=True)
        ]
    )


def _unknown_function(name: str) -> str:
    if name in TABLE:
        return f"{name} gives several numbers, and a formula needs one"
    return f"there is no function {name}; the functions are {', '.join(sorted(CALLABLE))}"


def _position(error: Exception) -> str:
    column = error.offset if isinstance(error, SyntaxError) else None
    return f", at character {column}" if column else ""
