"""Hypothesis strategies: `expressions`, `branching` and `points`, drawn from the table of primitives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from hypothesis import strategies as st

import scalargrad

from ..interpreters.floats import IEEE
from ..rows import REAL, TABLE, Affine, Dot, Functions, Interval, Joint, Primitive, Vector
from .formulas import Branching, Expression, Operand, Step

__all__ = ["branching", "expressions", "points"]

WIDTH = 3.0
"""Inputs are drawn from [−3, 3]: there compositions of most functions stay of ordinary size."""
BOUND = 1e3
"""The largest intermediate value at the probes. Beyond it differences and digits say little."""
PROBES = (-2.5, -1.1, -0.3, 0.4, 0.9, 2.2)
UNUSUAL = ("stop_gradient", "round_to", *scalargrad.special.ROWS)
"""Rows whose steps may be finer than differences can tell or not followed at all, and those that few formulas need."""
CHOICES = {"less", "equal", "select", "floor", "ceil", "round", "sign", "step", "floordiv"}


def expressions(
    names: Sequence[str] = ("x", "y"),
    primitives: Sequence[str] | None = None,
    max_nodes: int = 8,
    smooth: bool = True,
    domain_safe: bool = True,
) -> st.SearchStrategy[Expression]:
    """Return a strategy of random formulas of the named inputs: up to `max_nodes` primitives, with shared steps.

    The formulas use the rows that `primitives` names. By default these are all public rows with one output that have
    the derivative of what they compute, so not `stop_gradient`. `smooth` leaves out rows with a kink or a jump inside
    their domain. `domain_safe` moves operands into the domains that the table states, which adds steps: then each
    formula has a value at all inputs in [−3, 3]. A failing formula shrinks to few steps and to rows that come early in
    the table. Raises `ValueError` for an unknown primitive, no names, or `max_nodes` below 1.

    >>> from hypothesis import given
    >>> @given(expressions(["x"], ["sin", "mul"]))
    ... def holds(f):
    ...     assert abs(f(x=1.0)) <= 1.0
    >>> holds()
    """
    if not names or max_nodes < 1:
        raise ValueError(f"expressions: needs names and max_nodes of at least 1, got {list(names)} and {max_nodes}")
    unknown = [name for name in primitives or () if name not in TABLE]
    if unknown:
        raise ValueError(f"expressions: no primitive is named {', '.join(unknown)}")
    usual = [row for row in TABLE.values() if row.name in vars(scalargrad) and row.name not in UNUSUAL]
    rows = [TABLE[name] for name in primitives] if primitives else usual
    rows = [row for row in rows if not (row.opaque or isinstance(row, Vector)) and (not smooth or is_smooth(row))]
    if not rows:
        raise ValueError("expressions: none of the primitives is smooth and of one output")
    return _expressions(tuple(names), tuple(rows), max_nodes, domain_safe)


def is_smooth(row: Primitive) -> bool:
    """Tell from the textbook rules whether the row has derivatives of any order inside its domain."""
    if row.opaque or any(row.domain_of(0).low < kink < row.domain_of(0).high for kink in row.kinks):
        return False
    traced = _Traced()
    count = len(row.parameters) if not row.variadic else 5 if isinstance(row, Affine) else 4
    partials = row.textbook_derivatives(cast(Functions, traced), traced, [traced] * count)
    return not traced.chose and all(partial is not None for partial in partials)


class _Traced:
    """A namespace and its only operand. It notes whether a rule chooses between two sides."""

    chose = False

    def __getattr__(self, name: str) -> Any:
        self.chose = self.chose or name in CHOICES
        return self._same

    def _same(self, *operands: Any) -> Any:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _same


class _Builder:
    """An expression in the making, with its values at some probes."""

    def __init__(self, names: tuple[str, ...], domain_safe: bool) -> None:
        self.names = names
        self.domain_safe = domain_safe
        self.steps: list[Step] = []
        self.values: dict[Operand, list[float]] = {
            name: [PROBES[(3 * i + k) % len(PROBES)] for k in range(len(PROBES))] for i, name in enumerate(names)
        }

    def at_probes(self, operand: Operand) -> list[float]:
        found = self.values.get(operand) if not isinstance(operand, float) else None
        return [float(operand)] * len(PROBES) if found is None else found

    def add(self, name: str, *operands: Operand) -> Operand:
        """Add a step and return its number."""
        row = TABLE[name]
        columns = [self.at_probes(operand) for operand in operands]
        self.steps.append(Step(row, operands))
        number = len(self.steps) - 1
        self.values[number] = [float(row.forward(IEEE, *xs)) for xs in zip(*columns, strict=True)]
        return number

    def grows(self, row: Primitive, operands: Sequence[Operand]) -> bool:
        columns = [self.at_probes(operand) for operand in operands]
        values = [float(row.forward(IEEE, *xs)) for xs in zip(*columns, strict=True)]
        return any(not abs(value) <= BOUND for value in values)

    def within(self, interval: Interval, operand: Operand) -> Operand:
        """Return the operand, or a function of it whose values all lie inside the interval."""
        if interval == REAL:
            return operand
        if interval.without_zero:
            return self.add("hypot", operand, 1.0)
        if math.isfinite(interval.low) and math.isfinite(interval.high):
            middle, half = (interval.low + interval.high) / 2, 0.9 * (interval.high - interval.low) / 2
            return self.add("affine", half, self.add("tanh", operand), middle)
        if math.isfinite(interval.low):
            return self.add("add", self.add("softplus", operand), interval.low + 0.1)
        return self.add("sub", interval.high - 0.1, self.add("softplus", operand))

    def expression(self) -> Expression:
        """Return the finished expression, without the steps that its result does not need."""
        needed = {len(self.steps) - 1}
        for i in reversed(range(len(self.steps))):
            if i in needed:
                needed.update(o for o in self.steps[i].operands if isinstance(o, int))
        number = {old: new for new, old in enumerate(sorted(needed))}
        renumbered = [
            Step(self.steps[i].row, tuple([number[o] if isinstance(o, int) else o for o in self.steps[i].operands]))
            for i in sorted(needed)
        ]
        return Expression(self.names, tuple(renumbered))


@st.composite
def _expressions(
    draw: Any, names: tuple[str, ...], rows: tuple[Primitive, ...], max_nodes: int, domain_safe: bool
) -> Expression:
    builder = _Builder(names, domain_safe)
    results: list[Operand] = list(names)
    for _ in range(draw(st.integers(1, max_nodes))):
        row = draw(st.sampled_from(rows))
        count = _count(draw, row)
        chosen = [draw(st.sampled_from(results[::-1])) for _ in range(count)]
        operands = _operands(draw, builder, row, chosen)
        if domain_safe and builder.grows(row, operands):
            bounded = [o if isinstance(o, float) else builder.add("tanh", o) for o in chosen]
            operands = _operands(draw, builder, row, bounded)
            if builder.grows(row, operands):
                continue
        results.append(builder.add(row.name, *operands))
    if not builder.steps:
        builder.add("pos", names[0])
    return builder.expression()


def _count(draw: Any, row: Primitive) -> int:
    if not row.variadic:
        return len(row.parameters)
    pairs: int = draw(st.integers(1, 2))
    return 2 * pairs + isinstance(row, Affine) if isinstance(row, (Dot, Affine)) else pairs + 1


def _operands(draw: Any, builder: _Builder, row: Primitive, chosen: Sequence[Operand]) -> list[Operand]:
    if not builder.domain_safe:
        return list(chosen)
    if not isinstance(row.domain, Joint):
        return [builder.within(row.domain_of(i), operand) for i, operand in enumerate(chosen)]
    # A domain that ties the arguments together: constants that fit any positive first operand.
    first = builder.within(Interval(0.0, math.inf), chosen[0])
    constants = draw(
        st.lists(st.floats(-2.0, 2.0), min_size=len(chosen) - 1, max_size=len(chosen) - 1).filter(
            lambda cs: all(row.contains((x, *cs)) for x in (0.1, 1.0, 3.1))
        )
    )
    return [first, *constants]


@st.composite
def branching(
    draw: Any, names: Sequence[str] = ("x", "y"), max_nodes: int = 4, depth: int = 2, smooth: bool = True
) -> Branching:
    """Return a strategy of functions with `if` and `while` on their data, nested to `depth`; the parts are expressions.

    They are called, printed and given points like expressions. `smooth` applies to the parts.
    """
    part = expressions(names, None, max_nodes, smooth)
    inner = st.one_of(part, branching(names, max_nodes, depth - 1, smooth)) if depth > 1 else part
    return Branching(draw(part), draw(part), draw(inner), draw(inner), draw(st.sampled_from([0.0, 1.0])))


def points(expression: Expression | Branching, margin: float = 1e-3) -> st.SearchStrategy[dict[str, float]]:
    """Return a strategy of inputs by name, inside the expression's domain and off its kinks, jumps and ties.

    Each operand is at least `margin` away from the place at which its primitive changes its rule.

    >>> from hypothesis import given, strategies as st
    >>> @given(st.data())
    ... def holds(data):
    ...     f = data.draw(expressions(["x"], ["abs", "sub"], smooth=False))
    ...     assert f.margin(data.draw(points(f))) >= 1e-3
    """

    def fits(point: dict[str, float]) -> bool:
        try:
            return math.isfinite(expression(point)) and expression.margin(point) >= margin
        except (ValueError, ZeroDivisionError, OverflowError):
            return False

    number = st.floats(-WIDTH, WIDTH, allow_subnormal=False)
    return st.fixed_dictionaries(dict.fromkeys(expression.names, number)).filter(fits)
