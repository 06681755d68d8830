"""Measures the error of every row in ulp, next to `math` and, if installed, PyTorch and JAX.

`python -m tests.accuracy --points 100000 --write` draws that many points a row from its whole domain and puts each
row into docs/accuracy.md as soon as it is measured; `--rows sin cos` takes some rows only. The truth is mpmath's, as in
the tests; with gmpy2 installed mpmath is several times faster.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import itertools
import math
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scalargrad.rows import SCIPY, TABLE, Affine, Dot, Interval, Primitive

from . import checks
from .operands import RANGES

PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"
PEERS: dict[str, dict[str, str]] = {
    # What a library calls otherwise.
    "math": {},
    "torch": {"mod": "remainder", "pos": "positive"},
    "jax": {
        "sub": "subtract",
        "mul": "multiply",
        "div": "divide",
        "pow": "power",
        "mod": "remainder",
        "neg": "negative",
        "pos": "positive",
    },
}
MODULES = {
    "math": ["math"],
    "torch": ["torch", "torch.special", "torch.nn.functional"],
    "jax": ["jax.numpy", "jax.scipy.special", "jax.nn"],
}

COLUMNS = ["row", "points", "value", "bound", "partials", "bound", "`math` value"]
COLUMNS += [f"{cell} {what}" for cell in ("PyTorch", "JAX") for what in ("value", "gradient")]


@dataclass
class Worst:
    """The largest errors found, in ulp, and their points."""

    value: float = 0.0
    partial: float = 0.0
    points: dict[str, Any] = field(default_factory=dict)

    def note(self, what: str, error: float, args: Sequence[float]) -> None:
        """Keep an error if it is the largest so far."""
        if error > getattr(self, what):
            setattr(self, what, error)
            self.points[what] = args


def number(interval: Interval, rng: random.Random) -> float:
    """A random number of an interval: of ordinary size, of any size, or near an end."""
    while True:
        kind = rng.random()
        if kind < 0.4:
            x = rng.uniform(-8.0, 8.0)
        elif kind < 0.6:
            x = rng.uniform(-750.0, 750.0)
        elif kind < 0.9 or not math.isfinite(interval.low):
            x = rng.choice([-1, 1]) * rng.uniform(1, 2) * 2.0 ** rng.randint(-1022, 1023)
        else:
            end = interval.high if math.isfinite(interval.high) and rng.random() < 0.5 else interval.low
            x = end + rng.choice([-1, 1]) * 2.0 ** -rng.uniform(1, 52)
        if x in interval and (x == 0 or abs(x) >= checks.SMALLEST):
            return x


def point(row: Primitive, rng: random.Random) -> tuple[float, ...]:
    """Random operands within the row's domain; of the special functions, within the ranges of the tests."""
    if row.name in RANGES:
        args = tuple([rng.uniform(low, high) for low, high in RANGES[row.name]])
        return args if row.contains(args) else point(row, rng)
    pairs = rng.randint(1, 3)
    count = len(row.parameters) if not row.variadic else pairs
    if isinstance(row, (Dot, Affine)):
        count = 2 * pairs + isinstance(row, Affine)
    while True:
        args = tuple([number(row.domain_of(i), rng) for i in range(count)])
        if row.name == "pow" and args[0] < 0:
            args = (args[0], float(rng.randint(-20, 20)))
        if row.contains(args):
            return args


@dataclass(frozen=True)
class Truth:
    """The correct results of a row at a point: mpmath's value and partials; None if there is no partial to compare."""

    args: tuple[float, ...]
    value: Any
    partials: Sequence[Any]
    scales: Sequence[Any]


Results = Iterator[tuple[float, Sequence[float]] | None]
"""A value and partials for each point; None where a function refuses it."""


def truth(row: Primitive, args: tuple[float, ...]) -> Truth | None:
    """The truth at a point; None if the result, or a part of it, overflows."""
    if checks.beyond_doubles(row, args):
        return None
    try:
        out, partials, f = checks.outputs(row, args)[0]
    except OverflowError:
        return None
    scales = checks.true_scales(row, args)
    skipped = not math.isfinite(out) or checks.lost_on_the_way(row, args) or row.name == "stop_gradient"
    by = [None if skipped else checks.true_partial(row, f, args, i, scales[1]) for i in range(len(partials))]
    return Truth(args, checks.oracle.value(f, args, scales[0]), by, scales)


def worst(truths: Sequence[Truth], results: Results) -> Worst:
    """The largest errors of some results."""
    found = Worst()
    for true, result in zip(truths, results, strict=True):
        if result is not None:
            value, partials = result
            found.note("value", checks.error_in_ulps(value, true.value, true.scales[0]), true.args)
            for got, exact in zip(partials, true.partials, strict=False):
                if exact is not None:
                    found.note("partial", checks.error_in_ulps(got or 0.0, exact, true.scales[1]), true.args)
    return found


def peers(row: Primitive, truths: Sequence[Truth]) -> dict[str, Worst]:
    """The errors of the functions of other libraries."""
    found = {}
    for library, evaluate in (("math", by_math), ("torch", by_torch), ("jax", by_jax)):
        function = None if row.variadic or row.defaults or row.name in ("select", *SCIPY) else _function(library, row)
        if function is not None:
            found[library] = worst(truths, evaluate(function, [true.args for true in truths]))
    return found


def _function(library: str, row: Primitive) -> Callable[..., Any] | None:
    name = PEERS[library].get(row.name, row.name)
    for module in MODULES[library]:
        try:
            found = getattr(importlib.import_module(module), name, None)
        except ImportError:
            return None
        if callable(found):
            return found  # type: ignore[no-any-return]
    return None


def by_rows(row: Primitive, points: Sequence[tuple[float, ...]]) -> Results:
    """Ours: the first output of the row."""
    for args in points:
        value, partials, _ = checks.outputs(row, args)[0]
        yield value, partials


def by_math(function: Callable[..., Any], points: Sequence[tuple[float, ...]]) -> Results:
    """The values of Python's own function."""
    for args in points:
        try:
            yield function(*args), ()
        except (ValueError, OverflowError, ZeroDivisionError):
            yield None


def by_torch(function: Callable[..., Any], points: Sequence[tuple[float, ...]]) -> Results:
    """The values and gradients of a function of PyTorch, in double precision."""
    import torch

    columns = [torch.tensor(column, dtype=torch.float64, requires_grad=True) for column in zip(*points, strict=True)]
    out = function(*columns)
    out.sum().backward()
    gradients = [column.grad.tolist() for column in columns]
    return zip(out.tolist(), zip(*gradients, strict=True), strict=True)


def by_jax(function: Callable[..., Any], points: Sequence[tuple[float, ...]]) -> Results:
    """The values and gradients of a function of JAX, in double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    columns = [jax.numpy.array(column) for column in zip(*points, strict=True)]
    positions = tuple(range(len(columns)))
    values, gradients = jax.vmap(jax.value_and_grad(function, positions))(*columns)
    return zip(values.tolist(), zip(*[g.tolist() for g in gradients], strict=True), strict=True)


def figure(error: float | None) -> str:
    """An error as it is printed."""
    return "" if error is None else "∞" if error == math.inf else f"{error:.2g}" if error < 1e6 else f"{error:.0e}"


def main() -> None:
    """Measure, print a line for each row, and put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--rows", nargs="*", default=[])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    for row in [TABLE[name] for name in options.rows] or TABLE.values():
        if row.opaque:
            continue
        rng = random.Random(row.name)
        points = [point(row, rng) for _ in range(options.points)]
        truths = [true for args in points if (true := truth(row, args)) is not None]
        ours, others = worst(truths, by_rows(row, [true.args for true in truths])), peers(row, truths)
        cells = [f"{options.points:,}", figure(ours.value), figure(row.ulps[0])]
        cells += [figure(ours.partial), figure(row.ulps[1])]
        for library, what in itertools.product(PEERS, ("value", "partial")):
            if (library, what) != ("math", "partial"):
                cells.append(figure(getattr(others[library], what) if library in others else None))
        line = f"| {row.name} | {' | '.join(cells)} |"
        print(line, ours.points, flush=True)
        if options.write:
            PAGE.write_text(page(row.name, line), encoding="utf-8")


def page(name: str, line: str) -> str:
    """The page of the docs with a new line for one row."""
    before = re.finditer(r"^\| (\w+) \| [\d,]+ \|.*", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    lines = {match[1]: match[0] for match in before} | {name: line}
    installed = [f"Python {sys.version.split()[0]}"]
    for library in ("torch", "jax"):
        if importlib.util.find_spec(library):
            installed.append(f"{library} {importlib.metadata.version(library)}")
    return f"""# Accuracy

Written by `python -m tests.accuracy --points 100000 --write`: the largest error in units of the last place over the
points of each row, of ordinary size, of any size and near the ends of its domain. The truth is mpmath's own function
and its numerical derivative. With {", ".join(installed)}.

The bound is what the row states and the tests check. Sums are measured relative to the sum of the sizes of
their terms. What is not counted: subnormal operands and results, and what is within a factor 2 of overflow, on the
way as at the end.
An ∞ is an infinite or missing number where there is an ordinary one. JAX's gelu is by default an approximation.

| {" | ".join(COLUMNS)} |
|{"---|" * len(COLUMNS)}
{chr(10).join(lines[row] for row in TABLE if row in lines)}
"""


if __name__ == "__main__":
    main()
