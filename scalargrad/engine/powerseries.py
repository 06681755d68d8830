"""Power series as operands of the rows: `SeriesFunctions`, the interpreter for Taylor series.

For out = f(x, y) of series in t, out′ = ∂f/∂x · x′ + ∂f/∂y · y′. A row's partials run on series as operands.
Coefficient k of the output needs coefficient k − 1 of the partials, and these need at most coefficient k − 1 of the
output. So coefficients are computed when they are first read, and rules may refer to each other in circles, as sine
and cosine do.
Source: Griewank and Walther, "Evaluating Derivatives", chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from ..interpreters.floats import IEEE
from ..interpreters.namespace import Namespace
from ..primitives import div
from ..rows import Functions, Output, Primitive, Vector
from .evaluation import evaluate
from .value import Value, data_of

__all__ = ["ARITHMETIC", "PowerSeries", "SeriesFunctions", "constant_term"]

ARITHMETIC = ("add", "sub", "mul", "div", "neg", "pos")
"""The rows that are operations of power series themselves."""


class PowerSeries:
    """A power series in t, with coefficients that are computed when they are first read."""

    __slots__ = ("_coefficient", "_known")

    def __init__(self, known: list[Any], coefficient: Callable[[int], Any]) -> None:
        self._known = known
        self._coefficient = coefficient

    def __getitem__(self, k: int) -> Any:
        known = self._known
        while len(known) <= k:
            known.append(self._coefficient(len(known)))
        return known[k]

    def __neg__(self) -> PowerSeries:
        return PowerSeries([], lambda k: -self[k])

    def __add__(self, other: Any) -> PowerSeries:
        if isinstance(other, PowerSeries):
            return PowerSeries([], lambda k: self[k] + other[k])
        return PowerSeries([self[0] + other], self.__getitem__)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> PowerSeries:
        if isinstance(other, PowerSeries):
            return PowerSeries([], lambda k: _sum([_product(self[j], other[k - j]) for j in range(k + 1)]))
        return PowerSeries([], lambda k: self[k] * other)

    __rmul__ = __mul__


class SeriesFunctions(Namespace):
    """The namespace `m` whose operands are power series. Comparisons and choices look at the constant terms.

    Coefficients are floats or, `as_nodes`, Values that can be differentiated again.
    """

    def __init__(self, as_nodes: bool) -> None:
        self.as_nodes = as_nodes
        self.made: dict[Any, tuple[Any, Any]] = {}
        own: dict[str, Callable[..., Any]] = {
            "less": lambda x, y: data_of(constant_term(x)) < data_of(constant_term(y)),
            "equal": lambda x, y: data_of(constant_term(x)) == data_of(constant_term(y)),
            "select": lambda condition, x, y: x if condition else y,
            "div": self.quotient,
        }
        super().__init__(own)

    def interpret(self, primitive: Primitive) -> Callable[..., Any]:
        return lambda *args: self.row(primitive, primitive.filled(args))

    def number(self, primitive: Primitive, args: Sequence[Any]) -> Any:
        return evaluate(primitive, tuple(args), IEEE) if self.as_nodes else primitive.forward(IEEE, *args)

    def quotient(self, x: Any, y: Any) -> Any:
        """Return x / y, from x = out · y."""
        if not isinstance(y, PowerSeries):
            return (
                PowerSeries([], lambda k: self.number(div, (x[k], y)))
                if isinstance(x, PowerSeries)
                else (self.number(div, (x, y)))
            )

        def coefficient(k: int) -> Any:
            top = x[k] if isinstance(x, PowerSeries) else 0.0 if k else x
            return self.number(div, (top - _sum([_product(out[j], y[k - j]) for j in range(k)]), y[0]))

        out = PowerSeries([], coefficient)
        return out

    def row(self, primitive: Primitive, args: Sequence[Any], constant: Any = None) -> Any:
        """Return a row's output for arguments of which some are series; a list for a vector row."""
        if not any(isinstance(arg, PowerSeries) for arg in args):
            return self.number(primitive, args)
        if primitive.name in ARITHMETIC and primitive.home is None:
            return primitive.forward(self, *args)
        key = (primitive, *[id(arg) if isinstance(arg, (PowerSeries, Value)) else arg for arg in args])
        if key not in self.made:  # kept with its arguments, so that no id is used again
            start = self.number(primitive, [constant_term(arg) for arg in args]) if constant is None else constant
            self.made[key] = self._solutions(primitive, args, start), args
        return self.made[key][0]

    def _solutions(self, primitive: Primitive, args: Sequence[Any], start: Any) -> Any:
        m = cast(Functions, self)
        if isinstance(primitive, Vector):
            outs: list[Any] = []
            for j, first in enumerate(start):
                rules = Output(primitive, j).derivatives
                outs.append(_solution(first, args, lambda rules=rules: rules(m, outs, args)))  # type: ignore[misc]
            return outs
        wanted = [isinstance(arg, PowerSeries) for arg in args]
        out = _solution(start, args, lambda: primitive.derivatives(m, out, args, wanted))
        return out


def _solution(start: Any, args: Sequence[Any], partials: Callable[[], list[Any]]) -> PowerSeries:
    """Return the series that begins with `start` and has the derivative Σ partial · arg′."""
    slopes: list[tuple[PowerSeries, Any]] = []

    def coefficient(k: int) -> Any:
        if not slopes:
            pairs = zip(args, partials(), strict=True)
            slopes.extend((arg, p) for arg, p in pairs if isinstance(arg, PowerSeries) and p is not None)
        terms = []
        for arg, partial in slopes:
            for j in range(1, k + 1):
                if not _is_zero(arg[j]):
                    if isinstance(partial, PowerSeries):
                        terms.append(_product(j * arg[j], partial[k - j]))
                    elif j == k:
                        terms.append(_product(j * arg[j], partial))
        return _sum(terms) / k

    return PowerSeries([start], coefficient)


def constant_term(x: Any) -> Any:
    return x[0] if isinstance(x, PowerSeries) else x


def _is_zero(x: Any) -> bool:
    return type(x) is float and x == 0.0


def _product(x: Any, y: Any) -> Any:
    return 0.0 if _is_zero(x) or _is_zero(y) else x * y


def _sum(terms: Sequence[Any]) -> Any:
    return sum(terms[1:], terms[0]) if terms else 0.0
