"""Hypothesis strategies for the operands of a row, drawn from the domain that the row states."""

from __future__ import annotations

import math
from collections.abc import Callable

from hypothesis import strategies as st

from scalargrad.rows import Affine, Dot, Interval, Primitive, Vector

SPECIAL = [
    *(0.0, 0.5, 1.0, 2.0, 3.0, math.pi / 2, math.pi, 8.0, 19.0, 20.0, 26.5, 38.0, 300.0, 700.0, 745.0),
    *(1e-300, 1e-200, 1e-154, 1e-16, 1e-8, 1e-3, 1e8, 1e16, 1e22, 1e154, 1e200, 1e300, 1.7e308),
]


RANGES: dict[str, tuple[tuple[float, float], ...]] = {
    "gamma": ((-20.0, 170.0),),
    "lgamma": ((-20.0, 1e6),),
    "digamma": ((-20.0, 1e6),),
    "zeta": ((1.05, 30.0), (0.05, 50.0)),
    "erfinv": ((-0.99999, 0.99999),),
    "erfcinv": ((1e-9, 1.99999),),
    "erfcx": ((-5.0, 100.0),),
    **dict.fromkeys(("jv", "yv", "iv", "kv"), ((0.1, 0.9), (0.1, 20.0))),
    **dict.fromkeys(("gammainc", "gammaincc"), ((0.2, 20.0), (0.1, 30.0))),
    "betainc": ((0.3, 9.0), (0.3, 9.0), (0.02, 0.98)),
    "expi": ((0.05, 20.0),),
    "exp1": ((0.05, 20.0),),
    **dict.fromkeys(("ellipk", "ellipe"), ((-3.0, 0.95),)),
    "hyp2f1": ((0.3, 2.0), (0.3, 2.0), (1.0, 3.0), (-0.8, 0.8)),
    "lambertw": ((-0.3, 50.0), (0.0, 0.0)),
}
"""Where the special functions are tested: mpmath takes its time elsewhere, or the double has too few digits."""


def numbers(interval: Interval) -> st.SearchStrategy[float]:
    """Normal floats of an interval, with its ends, extremes and ordinary ones."""
    near = [end for end in (interval.low, interval.high) if math.isfinite(end)]
    special = [
        x
        for x in [
            *SPECIAL,
            *(-x for x in SPECIAL),
            *(end + sign * step for end in near for sign in (1, -1) for step in (1e-3, 1e-8, 1e-14)),
            *(math.nextafter(end, sign * math.inf) for end in near for sign in (1, -1)),
            *near,
        ]
        if x in interval and (x == 0 or abs(x) >= 2.0**-1022)
    ]
    ranges = [(max(interval.low, -size), min(interval.high, size)) for size in (4.0, 40.0, 800.0, math.inf)]
    floats = [
        st.floats(
            min_value=None if a == -math.inf else a,
            max_value=None if b == math.inf else b,
            allow_nan=False,
            allow_infinity=False,
            allow_subnormal=False,
        )
        for a, b in ranges
    ]
    return st.one_of(*floats, st.sampled_from(special)).filter(lambda x: x in interval)


def operands(row: Primitive) -> st.SearchStrategy[tuple[float, ...]]:
    """Flat arguments of a call of the row, anywhere in its domain; now and then all the same."""
    if row.name in RANGES:
        return _within(row)
    return _tuples(row, numbers, 2 if isinstance(row, Vector) else 4)


def ordinary_operands(row: Primitive) -> st.SearchStrategy[tuple[float, ...]]:
    """Flat arguments of ordinary size, at a distance from the ends of the domain and from 0."""
    if row.name in RANGES:
        return _within(row)

    def inside(args: tuple[float, ...]) -> bool:
        return all(row.contains([*args[:i], x + d, *args[i + 1 :]]) for i, x in enumerate(args) for d in (-0.1, 0.1))

    def ordinary(interval: Interval) -> st.SearchStrategy[float]:
        return st.one_of(st.floats(-6.0, -0.1), st.floats(0.1, 6.0)).filter(lambda x: x in interval)

    return _tuples(row, ordinary, 2).filter(lambda args: row.name == "pow" or inside(args))


def _within(row: Primitive) -> st.SearchStrategy[tuple[float, ...]]:
    floats = [st.floats(low, high) for low, high in RANGES[row.name]]
    return st.tuples(*floats).filter(lambda xs: xs[0] > 0.05 or abs(xs[0] - round(xs[0])) > 0.05 or len(xs) > 1)


def _tuples(
    row: Primitive, of: Callable[[Interval], st.SearchStrategy[float]], most: int
) -> st.SearchStrategy[tuple[float, ...]]:
    counts = [_flat(row, count) for count in range(1, most + 1)] if row.variadic else [len(row.parameters)]
    tuples = [st.tuples(*(of(row.domain_of(i)) for i in range(count))) for count in counts]
    repeated = [of(row.domain_of(0)).map(lambda x, n=count: (x,) * n) for count in counts if count > 1]
    return st.one_of(*tuples, *tuples, *repeated).filter(row.contains)


def _flat(row: Primitive, count: int) -> int:
    return 2 * count + isinstance(row, Affine) if isinstance(row, (Dot, Affine)) else count
