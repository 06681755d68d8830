"""`check_gradients`: derivatives of any code against differences, and the two sweeps against each other."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.transforms import jvp, vjp
from .blame import first_wrong, kinks_that_meet, steepest
from .claims import Claim, Point, of_gradient, of_hvp, of_jacobian, of_ours
from .differences import TINY
from .judging import Judge, Wrong

__all__ = ["Report", "check_gradients"]

__tracebackhide__ = True

Function = Callable[..., Any]
SWEEPS = 1e-9
"""The two sweeps compute the same sums in different orders: they differ by rounding alone."""
ROUNDING = 1e-13
"""Derivatives may cancel: then what is left has the rounding of the largest local one."""
SHOWN = 20
"""That many wrong derivatives are shown with their numbers; the others are named."""


@dataclass
class Report:
    """The result of a check: the number of derivatives it compared, and those it could not simply confirm.

    `kinks` names those at a kink that lie between the slopes of its two sides. `undecided` names those that
    differences can't judge: at a composition of kinks, at a jump, or below the last digit of f.
    """

    compared: int = 0
    kinks: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)


def check_gradients(
    f: Function,
    *args: Any,
    gradient: Function | None = None,
    jacobian: Function | None = None,
    hvp: Function | None = None,
    order: int = 2,
    modes: Sequence[str] = ("reverse", "forward"),
    directions: int | None = None,
    undecided: str = "raise",
    rtol: float = 1e-6,
    atol: float = 0.0,
) -> Report:
    """Compare derivatives of f at `args` with differences of its values; return a `Report`.

    Without further functions the derivatives are this library's, by each sweep in `modes`, up to the given order.
    Otherwise f works on plain floats and arrays, and they come from one or two of these, called with `args`:
    `gradient` for an f of one number, nested like the argument, or a tuple for several arguments; `jacobian` for
    any f, nested as `sg.jacobian` nests; and `hvp`, called as `hvp(primals, tangents)`, two tuples like `args`,
    for second derivatives, which are compared with differences of `gradient`.

    Each number is compared, with about two calls of f. `directions` is a number of random directions instead: each
    takes some 35 calls, however many numbers there are, and may miss an error that is too small beside all the others.

    The steps find their own scale, between the rounding of f and the size of its features. At a kink any value between
    the slopes of the two sides passes, and the report names it. If differences can't judge a derivative, the check
    fails with the reason; `undecided="report"` lists it in the report instead.

    Raises `AssertionError` for derivatives that are off by more than `rtol` of their size, `atol` and the estimated
    error of the differences. It names each by its path, the worst first. Raises `ValueError` for bad options, for
    an f that is not finite at `args`, and for one that gives different values at one point.

    >>> check_gradients(lambda x: x**3, 2.0).compared
    2
    >>> check_gradients(lambda x: max(x, 0.0), 0.0, gradient=lambda x: 0.3).kinks
    ['args[0]']
    >>> check_gradients(lambda x: x * x, 2.0, gradient=lambda x: 2.5 * x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: the derivative with respect to args[0] is 5.0, but differences give 4; relative error 0.2, ...
    """
    _check_options(gradient, jacobian, hvp, order, modes, directions, undecided)
    point = Point(args)
    if not point.numbers:
        raise ValueError("check_gradients: there is no number among the arguments; give the point after the function")
    report = Report()
    if gradient is not None or jacobian is not None:
        claims = [of_gradient(f, gradient, point)] if gradient is not None else []
        claims += [of_jacobian(f, jacobian, point)] if jacobian is not None else []
        claims += [of_hvp(gradient, hvp, point)] if hvp is not None and gradient is not None else []
    else:
        claims = [of_ours(f, point, modes, n) for n in range(1, order + 1)]
    for claim in claims:
        _check(claim, point, directions, undecided, rtol, atol, report)
        if len(modes) > 1:
            _compare_sweeps(claim, point)
        if report.kinks or report.undecided:
            break  # a first derivative that jumps has no derivative
    return report


def _check_options(
    gradient: object,
    jacobian: object,
    hvp: object,
    order: int,
    modes: Sequence[str],
    directions: int | None,
    undecided: str,
) -> None:
    wrong = ""
    if order < 1 or not modes or set(modes) - {"reverse", "forward"}:
        wrong = f"order {order!r} must be at least 1, modes {modes!r} of reverse and forward"
    elif undecided not in ("raise", "report"):
        wrong = f"undecided is {undecided!r}; write 'raise' or 'report'"
    elif directions is not None and directions < 1:
        wrong = f"directions is {directions!r}; give the number of random directions, or None to compare each number"
    elif hvp is not None and gradient is None:
        wrong = "hvp= is compared with differences of the gradient; give gradient= too"
    if wrong:
        raise ValueError(f"check_gradients: {wrong}")


def _check(
    claim: Claim, point: Point, directions: int | None, undecided: str, rtol: float, atol: float, report: Report
) -> None:
    judge = Judge(claim, point.numbers, rtol, atol)
    if not all(map(math.isfinite, judge.values)):
        raise ValueError(f"check_gradients: f gives {judge.values!r} at the point; choose one where it is finite")
    if list(claim.f(point.numbers)) != list(judge.values):
        raise ValueError("check_gradients: f gives different values at the same point; fix what is random in it")
    if directions is None:
        judge.every_number()
    else:
        judge.directions(directions)
    count = len(claim.outputs) * len(point.numbers)
    report.compared += count if directions is None else len(claim.outputs) * directions
    place: Callable[[int, int], str] = lambda i, j: point.paths[j] + claim.outputs[i]
    if judge.wrong and kinks_that_meet(claim, point):
        judge.undecided.update(dict.fromkeys(judge.wrong, "several kinks meet here"))
        judge.wrong.clear()
    if judge.wrong:
        raise AssertionError(_wrong(judge.wrong, place, count) + first_wrong(claim, point))
    report.kinks += [place(*where) for where in sorted(judge.kinks)]
    report.undecided += [place(*where) for where in judge.undecided]
    if judge.undecided and undecided == "raise":
        lines = [f"{place(*where)}: {reason}" for where, reason in judge.undecided.items()]
        raise AssertionError(
            f"differences can't judge {len(lines)} of {count} derivatives:\n  " + "\n  ".join(lines) + "\n"
            "Choose a point off kinks and jumps, compute f in double precision, or leave out a large constant; "
            'undecided="report" lists such places in the report instead'
        )


def _wrong(wrong: dict[tuple[int, int], Wrong], place: Callable[[int, int], str], compared: int) -> str:
    """Return the text about wrong derivatives, the worst first."""
    ordered = sorted(wrong.items(), key=lambda item: -item[1].error)
    lines = [_line(each, place(*where)) for where, each in ordered[:SHOWN]]
    if len(ordered) == 1:
        return lines[0]
    more = ", ".join(place(*where) for where, _ in ordered[SHOWN:])
    lines += [f"and {more}"] if more else []
    return f"{len(ordered)} of {compared} derivatives are wrong, the worst first:\n  " + "\n  ".join(lines)


def _line(wrong: Wrong, place: str) -> str:
    slope = wrong.slope
    sides = (
        f" ({slope.left:.10g} from the left, {slope.right:.10g} from the right)" if slope.left != slope.right else ""
    )
    return (
        f"the derivative with respect to {place} is {wrong.claimed!r}, but differences give {slope.value:.10g}{sides}; "
        f"relative error {wrong.error:.3g}, step {slope.step:.3g}"
    )


def _compare_sweeps(claim: Claim, point: Point) -> None:
    """Compare the two sweeps by a random sum of derivatives, which the one adds up by rows, the other by columns."""
    if claim.roots is None:
        return
    draw = random.Random(0)  # noqa: S311
    u = [draw.uniform(0.5, 1.0) * draw.choice((-1, 1)) for _ in point.numbers]
    w = [draw.uniform(0.5, 1.0) * draw.choice((-1, 1)) for _ in claim.outputs]
    moved = jvp(claim.roots, (point.numbers,), (u,))[1]
    pulled = vjp(claim.roots, point.numbers)[1](w)[0]
    by_rows = [x * y for x, y in zip(pulled, u, strict=True)]
    by_columns = [x * y for x, y in zip(moved, w, strict=True)]
    size = sum(map(abs, by_rows)) + sum(map(abs, by_columns))
    if not math.isfinite(size):
        return
    if abs(math.fsum(by_rows) - math.fsum(by_columns)) > SWEEPS * size + TINY + ROUNDING * steepest(claim, point):
        raise AssertionError(
            f"the sweeps disagree: a sum of derivatives is {math.fsum(by_rows)!r} by the reverse sweep, "
            f"{math.fsum(by_columns)!r} by the forward sweep"
        )
