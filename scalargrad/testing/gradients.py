"""`check_gradients`: derivatives of any code against differences, and the two sweeps against each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.evaluation import evaluate
from ..engine.graph import topological_order
from ..engine.structures import flatten
from ..engine.transforms import jacobian, jvp, vjp
from ..engine.value import Value
from ..interpreters.floats import IEEE
from ..rows import Output, as_float
from .differences import Difference, differences
from .margins import margin

__all__ = ["Report", "check_gradients"]

Function = Callable[..., Any]
SWEEPS = 1e-9
"""The two sweeps compute the same sums in different orders: they differ by rounding alone."""


@dataclass
class Report:
    """What a check found: how many derivatives were compared, and where it could not simply say yes.

    `kinks` are those at a kink that lie between the slopes of its two sides, `undecided` those that no
    differences can judge: at a composition of kinks, a jump, or a point without neighbours in the domain.
    """

    compared: int = 0
    kinks: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Problem:
    """A function of flat numbers, with the names of its arguments and outputs."""

    f: Function
    args: Sequence[Any]
    rtol: float
    atol: float

    def flat(self, leaves: Sequence[Any]) -> list[Any]:
        rebuild = flatten(list(self.args))[1].unflatten
        return flatten(self.f(*rebuild(leaves)))[0]

    def numbers(self, leaves: Sequence[float]) -> list[float]:
        return [y.data if isinstance(y, Value) else float(y) for y in self.flat(leaves)]


def check_gradients(
    f: Function,
    *args: Any,
    gradient: Function | None = None,
    order: int = 2,
    modes: Sequence[str] = ("reverse", "forward"),
    rtol: float = 1e-6,
    atol: float = 1e-8,
) -> Report:
    """A `Report`, after comparing the derivatives of f at `args` with extrapolated central differences.

    The derivatives are this library's, by each sweep in `modes`, up to the given order: f is a function of
    numbers or nested arguments, with one or several outputs. With `gradient` they are what that function
    returns for `args`: nested like the argument, or for several arguments a tuple of such; f then needs to
    work on plain floats only, and returns one number.

    It knows kinks: where the slopes from the left and from the right differ, any value between them passes,
    and the report says so. That is sound for a single kink; where several meet it says that it can't judge.

    Raises `AssertionError` for a derivative that is off by more than `rtol` times its size plus `atol`, naming
    the argument by path, both values, the step, and the first node whose local derivative disagrees.
    Raises `ValueError` for an unknown mode or an order below 1.

    >>> check_gradients(lambda x: x**3, 2.0).compared
    2
    >>> check_gradients(lambda x: max(x, 0.0), 0.0, gradient=lambda x: 0.3).kinks
    ['args[0]']
    >>> check_gradients(lambda x: x * x, 2.0, gradient=lambda x: 2.5 * x)
    Traceback (most recent call last):
    AssertionError: derivative by args[0] is 5.0, but differences give 4; relative error 0.2, step 0.0625
    """
    if order < 1 or not modes or set(modes) - {"reverse", "forward"}:
        raise ValueError(f"check_gradients: order {order!r} must be at least 1, modes {modes!r} of reverse and forward")
    report = Report()
    problem = _Problem(f, [_floats(arg) for arg in args], rtol, atol)
    if gradient is not None:
        returned = gradient(*args)
        rows = [[float(x) for x in flatten([returned] if len(args) == 1 else list(returned))[0]]]
        _compare(problem, rows, report, graph=False)
        return report
    _check_order(problem, modes, order, report)
    return report


def _floats(arg: Any) -> Any:
    leaves, tree = flatten(arg)
    paths, rebuild = tree.paths(), tree.unflatten
    for leaf, path in zip(leaves, paths, strict=True):
        if as_float(leaf) is None:
            raise TypeError(f"check_gradients: {path or 'an argument'} is {leaf!r}, not a plain number")
    return rebuild([as_float(leaf) for leaf in leaves])


def _check_order(problem: _Problem, modes: Sequence[str], order: int, report: Report) -> None:
    found = {mode: _by_sweep(problem, mode) for mode in modes}
    first = found[modes[0]]
    for mode, rows in found.items():
        for (i, row), j in itertools.product(enumerate(rows), range(len(rows[0]) if rows else 0)):
            size = SWEEPS * (max(map(abs, first[i])) + 1.0)
            if math.isfinite(row[j]) and abs(row[j] - first[i][j]) > size:
                raise AssertionError(
                    f"the sweeps disagree about {_place(problem, i, j)}: {first[i][j]!r} by {modes[0]}, "
                    f"{row[j]!r} by {mode}"
                )
    known = len(report.kinks) + len(report.undecided)
    _compare(problem, first, report, graph=True)
    if order > 1 and len(report.kinks) + len(report.undecided) == known:
        argnums = tuple(range(len(problem.args)))
        _check_order(
            _Problem(jacobian(problem.f, argnums), problem.args, problem.rtol, problem.atol), modes, order - 1, report
        )


def _by_sweep(problem: _Problem, mode: str) -> list[list[float]]:
    """The Jacobian, a row for each output."""
    leaves = flatten(list(problem.args))[0]
    count = len(problem.numbers(leaves))
    flat = problem.flat
    if mode == "reverse":
        pullback = vjp(flat, leaves)[1]
        return [list(pullback(_unit(count, i))[0]) for i in range(count)]
    columns = [jvp(flat, (leaves,), (_unit(len(leaves), j),))[1] for j in range(len(leaves))]
    return [[column[i] for column in columns] for i in range(count)]


def _unit(count: int, index: int) -> list[float]:
    return [float(i == index) for i in range(count)]


def _place(problem: _Problem, output: int, leaf: int) -> str:
    path = f"args{flatten(list(problem.args))[1].paths()[leaf]}"
    return path if output == 0 else f"{path}, of output {output}"


def _compare(problem: _Problem, rows: Sequence[Sequence[float]], report: Report, graph: bool) -> None:
    leaves = flatten(list(problem.args))[0]
    if rows and len(rows[0]) != len(leaves):
        raise AssertionError(f"the gradient has {len(rows[0])} numbers for {len(leaves)} arguments")
    for j, leaf in enumerate(leaves):
        along = lambda x, j=j: problem.numbers([*leaves[:j], x, *leaves[j + 1 :]])
        central = differences(along, leaf)
        sides: list[list[Difference]] = []
        for i, row in enumerate(rows):
            report.compared += 1
            if _close(problem, row[j], central[i]):
                continue
            sides = sides or [differences(along, leaf, side) for side in (-1, 1)]
            _judge(problem, (i, j), row[j], central[i], [side[i] for side in sides], report, graph)


def _close(problem: _Problem, got: float, found: Difference) -> bool:
    return abs(got - found.value) <= problem.rtol * abs(found.value) + problem.atol and _sharp(problem, found)


def _sharp(problem: _Problem, found: Difference) -> bool:
    # Differences that are themselves uncertain by more than ten tolerances decide nothing.
    return found.error <= 10 * (problem.rtol * abs(found.value) + problem.atol)


def _judge(
    problem: _Problem,
    where: tuple[int, int],
    got: float,
    central: Difference,
    sides: Sequence[Difference],
    report: Report,
    graph: bool,
) -> None:
    place = _place(problem, *where)
    if all(_sharp(problem, side) for side in sides):
        low, high = sorted(side.value for side in sides)
        slack = problem.rtol * max(abs(low), abs(high)) + problem.atol
        if high - low > 2 * slack and low - slack <= got <= high + slack:
            report.kinks.append(place)
            return
    nodes = _nodes(problem) if graph else []
    kinked = sum(_at_a_change(node) for node in nodes)
    if kinked > 1 or not (_sharp(problem, central) or all(_sharp(problem, side) for side in sides)):
        report.undecided.append(place)
        return
    scale = max(abs(central.value), abs(got)) or 1.0
    slopes = f" ({sides[0].value:.10g} from the left, {sides[1].value:.10g} from the right)"
    message = (
        f"derivative by {place} is {got!r}, but differences give {central.value:.10g}"
        f"{slopes if abs(sides[0].value - sides[1].value) > problem.atol else ''}; "
        f"relative error {abs(got - central.value) / scale:.3g}, step {central.step:.3g}"
    )
    raise AssertionError(f"{message}. {_first_wrong(problem, nodes)}" if graph else message)


def _nodes(problem: _Problem) -> list[Value]:
    numbers, tree = flatten(list(problem.args))
    leaves = [Value(leaf, label=f"args{path}") for leaf, path in zip(numbers, tree.paths(), strict=True)]
    roots = [out for out in problem.flat(leaves) if isinstance(out, Value)]
    return topological_order(*roots)


def _data(node: Value) -> list[float]:
    return [arg.data if isinstance(arg, Value) else arg for arg in node.args]


def _at_a_change(node: Value) -> bool:
    primitive = node.primitive
    return primitive is not None and not isinstance(primitive, Output) and margin(primitive, _data(node)) == 0.0


def _first_wrong(problem: _Problem, nodes: Sequence[Value]) -> str:
    for node in nodes:
        for text in _wrong_partials(problem, node):
            return f"The first local derivative that disagrees: {text}"
    return (
        "Every local derivative agrees with differences: perhaps a number was taken out of a Value by .data, "
        "or the function is not the same at each call"
    )


def _wrong_partials(problem: _Problem, node: Value) -> Iterator[str]:
    primitive = node.primitive
    if primitive is None or not node.partials:
        return
    row, index = (primitive.vector, primitive.index) if isinstance(primitive, Output) else (primitive, None)
    data = _data(node)
    positions = [i for i, arg in enumerate(node.args) if isinstance(arg, Value)]
    for i, partial in zip(positions, node.partials, strict=True):

        def along(x: float, i: int = i) -> list[float]:
            out = evaluate(row, (*data[:i], x, *data[i + 1 :]), IEEE)
            return [out if index is None else out[index]]

        found = differences(along, data[i])[0]
        if _sharp(problem, found) and not _close(problem, partial, found):
            operands = ", ".join(f"{x:.6g}" for x in data)
            name = f", at {node.args[i].label}" if isinstance(node.args[i], Value) and node.args[i].label else ""  # type: ignore[union-attr]
            yield f"{row.name}({operands}) by argument {i}{name}: {partial!r} instead of {found.value:.10g}"
