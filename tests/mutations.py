"""Every partial of every row altered on purpose: the tests of the row must notice. Run `python -m tests.mutations`.

Each rule is negated, multiplied by 1.001, dropped, and swapped with another one of its row; a derivative that is
0 by structure becomes 1. A change that leaves all the numbers as they were is no mutation, and is not counted.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import Phase, given, settings

from scalargrad.rows import TABLE, Primitive

from . import checks
from .operands import operands

Rules = tuple[Any, ...]
EXAMPLES = 100

CHANGES: dict[str, Callable[[Any], Any]] = {
    "negated": lambda partial: -partial,
    "times 1.001": lambda partial: 1.001 * partial,
    "dropped": lambda partial: 0.0,
}


def mutants(row: Primitive) -> Iterator[tuple[str, Rules]]:
    """The altered rules of a row, named."""
    if row.variadic:
        yield from _of_lists(row)
        return
    rules = row.partials
    for i, rule in enumerate(rules):
        if rule is None:
            yield f"argument {i} invented", (*rules[:i], lambda m, out, *xs: 1.0, *rules[i + 1 :])
            continue
        for name, change in CHANGES.items():
            changed = lambda m, out, *xs, rule=rule, change=change: change(rule(m, out, *xs))
            yield f"argument {i} {name}", (*rules[:i], changed, *rules[i + 1 :])
        for j, other in enumerate(rules):
            if i < j and other is not None:
                swapped = [*rules]
                swapped[i], swapped[j] = other, rule
                yield f"arguments {i} and {j} swapped", tuple(swapped)


def _of_lists(row: Primitive) -> Iterator[tuple[str, Rules]]:
    (rule,) = row.partials

    def altered(alter: Callable[[list[Any]], list[Any]]) -> Rules:
        return (lambda *args: alter(list(rule(*args))),)

    for name, change in CHANGES.items():
        yield f"first {name}", altered(lambda ds, change=change: [change(ds[0]), *ds[1:]])
        yield f"last {name}", altered(lambda ds, change=change: [*ds[:-1], change(ds[-1])])
    yield "first and last swapped", altered(lambda ds: [ds[-1], *ds[1:-1], ds[0]] if len(ds) > 1 else ds)


@contextlib.contextmanager
def rules(row: Primitive, changed: Rules) -> Iterator[None]:
    """The row with other rules, for a while."""
    kept, row.partials = row.partials, changed
    try:
        yield
    finally:
        row.partials = kept


def noticed(row: Primitive, changed: Rules) -> bool | None:
    """Return True if the row's accuracy test fails with these rules; None if they give the same numbers."""
    differs = False

    @settings(max_examples=EXAMPLES, phases=[Phase.generate], derandomize=True, database=None, deadline=None)
    @given(operands(row))
    def test(args: tuple[float, ...]) -> None:
        nonlocal differs
        before = _partials(row, args)
        with rules(row, changed):
            differs = differs or repr(_partials(row, args)) != repr(before)
            checks.check_accuracy(row, args)

    try:
        test()
    except AssertionError:
        return True
    return False if differs else None


def _partials(row: Primitive, args: tuple[float, ...]) -> list[Any]:
    try:
        return [[partial or 0.0 for partial in partials] for _, partials, _ in checks.outputs(row, args)]
    except OverflowError:
        return []


def main(names: list[str]) -> int:
    """Print what was noticed, row by row, and return the number of mutations that were not."""
    caught, survived = 0, 0
    for row in [TABLE[name] for name in names] or TABLE.values():
        if row.opaque or row.name == "stop_gradient":  # its derivative is 0 by definition, against mpmath's
            continue
        for name, changed in mutants(row):
            found = noticed(row, changed)
            caught += found is True
            survived += found is False
            if found is False:
                print(f"{row.name}: {name} was not noticed")
    print(f"{caught + survived} mutations, {caught} noticed")
    return survived


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
