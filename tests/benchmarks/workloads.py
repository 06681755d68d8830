"""The functions that are timed, each stated once for all tools: plain arithmetic and a namespace `m`.

`m` is the tool's own: it has `sin`, `cos`, `exp`, `log`, `tanh` and `relu` for the tool's numbers. An op is one unary
or binary operation of the formula, as `count_ops` counts them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import networks
from .dag import random_dag
from .networks import Instance, Network


@dataclass(frozen=True)
class Workload:
    """A function of some inputs, whose value and gradient are wanted."""

    name: str
    inputs: tuple[float, ...]
    function: Callable[[Any, Sequence[Any]], Any]
    network: Network | None = None
    """The network that it is a step of, on this `batch`."""
    batch: Sequence[Instance] = ()


def chain(steps: int = 10_000) -> Workload:
    """x → z = sin(z)·x + z again and again: deep, three ops a step."""

    def function(m: Any, xs: Sequence[Any]) -> Any:
        (x,) = xs
        z = x
        for _ in range(steps):
            z = m.sin(z) * x + z
        return z

    return Workload("chain", (0.01,), function)


def formula() -> Workload:
    """The lecture's cos(sin(x²) + 3x²): the cost of one small expression."""

    def function(m: Any, xs: Sequence[Any]) -> Any:
        (x,) = xs
        return m.cos(m.sin(x**2) + 3 * x**2)

    return Workload("formula", (1.5,), function)


def moons(points: int = 100) -> Workload:
    """One step of micrograd's demo, on all points: see `networks.moons`."""
    network = networks.moons(points)
    return step(network, network.parameters, network.data)


def step(network: Network, parameters: Sequence[float], batch: Sequence[Instance]) -> Workload:
    """The loss of a step of training, as a function of the parameters."""
    return Workload(
        "step", tuple(parameters), lambda m, xs: network.objective(m, xs, batch), network=network, batch=batch
    )


def dag() -> Workload:
    """A random program of 1,000 ops over 10 inputs."""
    inputs, operations = random_dag()

    def function(m: Any, xs: Sequence[Any]) -> Any:
        values = list(xs)
        for name, *operands in operations:
            values.append(_OPERATIONS[name](m, *(values[i] for i in operands)))
        return values[-1]

    return Workload("dag", inputs, function)


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda m, x, y: x + y,
    "sub": lambda m, x, y: x - y,
    "mul": lambda m, x, y: x * y,
    "div": lambda m, x, y: x / y,
    "sin": lambda m, x: m.sin(x),
    "cos": lambda m, x: m.cos(x),
    "exp": lambda m, x: m.exp(x),
    "log": lambda m, x: m.log(x),
}


def helm(n: int = 20) -> Workload:
    """The Helmholtz free energy of a mixture of n gases (Peng–Robinson), a classic of the field."""
    rng = random.Random(n)
    a = [[rng.uniform(0.5, 1.5) for _ in range(n)] for _ in range(n)]
    b = [rng.uniform(0.1, 0.5) / n for _ in range(n)]

    def function(m: Any, xs: Sequence[Any]) -> Any:
        volume = _dot(b, xs)
        free = 1 - volume
        mixing = _total([x * m.log(x / free) for x in xs])
        attraction = _dot([_dot(row, xs) for row in a], xs) / (math.sqrt(8) * volume)
        return mixing - attraction * m.log((1 + (1 + math.sqrt(2)) * volume) / (1 + (1 - math.sqrt(2)) * volume))

    return Workload("helm", tuple(rng.uniform(0.5, 1.0) for _ in range(n)), function)


def _dot(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    return _total([x * y for x, y in zip(xs, ys, strict=True)])


def _total(xs: Sequence[Any]) -> Any:
    total = xs[0]
    for x in xs[1:]:
        total = total + x
    return total


WORKLOADS: dict[str, Callable[..., Workload]] = {f.__name__: f for f in (chain, formula, moons, dag, helm)}


def make(name: str, size: int | None = None) -> Workload:
    """The workload of that name, at its usual size or at another."""
    return WORKLOADS[name]() if size is None else WORKLOADS[name](size)


class _Counted:
    """A number that counts the operations on it."""

    total = 0

    def _count(self, *others: Any) -> _Counted:
        _Counted.total += 1
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = _count
    sin = cos = exp = log = relu = tanh = _count


def count_ops(workload: Workload) -> int:
    """The number of unary and binary operations of a workload."""
    before = _Counted.total
    workload.function(_Counted, [_Counted() for _ in workload.inputs])
    return _Counted.total - before
