"""What has to be prepared: plain Python with loops, of scalars, whose derivatives a tool makes ready to run.

A function gets a namespace `m`, with a tool's `sin`, `cos`, `exp`, `sqrt`, `maximum` and `scan`, and a list of numbers.
Tools of arrays have their own text of some (`tools/prepared_arrays.py`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Task(NamedTuple):
    """A function of the inputs, or of the inputs and a row of data, whose results are averaged; the `kind` to compute.

    "gradient" is the value with the gradient, "jacobian" that of several results, "hessian" the second derivatives.
    """

    name: str
    function: Callable[..., Any]
    inputs: list[float]
    kind: str
    data: Any = None


def scan(body: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The last carry, and what each turn gave besides: a plain loop."""
    given = []
    for x in xs:
        carry, y = body(carry, x)
        given.append(y)
    return carry, given


def residuals(m: Any, p: Sequence[Any], turns: int = 50) -> list[Any]:
    """Those of a model with three compartments and twelve rates, 4 steps of Runge and Kutta for each observation."""
    k = [m.exp(x) for x in p]

    def slope(y: Sequence[Any]) -> list[Any]:
        out, taken, lost = k[0] * y[0], k[1] * y[1] / (k[2] + y[1]), k[3] * y[2]
        back = k[6] * y[2] - k[7] * y[1]
        return [k[4] - out - k[5] * y[0], out - taken + back, taken - lost * k[8] - k[9] * y[2] * k[10] + k[11] * y[0]]

    def between(y: Any, observed: Any) -> tuple[Any, Any]:
        h = 0.05
        for _ in range(4):
            k1 = slope(y)
            k2 = slope([a + 0.5 * h * b for a, b in zip(y, k1, strict=True)])
            k3 = slope([a + 0.5 * h * b for a, b in zip(y, k2, strict=True)])
            k4 = slope([a + h * b for a, b in zip(y, k3, strict=True)])
            y = [a + h / 6 * (b + 2 * c + 2 * d + e) for a, b, c, d, e in zip(y, k1, k2, k3, k4, strict=True)]
        return y, y[2] - observed

    found: list[Any] = m.scan(between, [1.0, 0.0, 0.0], [0.002 * t for t in range(turns)])[1]
    return found


def squares(m: Any, p: Sequence[Any], turns: int = 50) -> Any:
    """The sum of the squared residuals."""
    total = 0.0
    for r in residuals(m, p, turns):
        total = total + r * r
    return total


def put(m: Any, x: Sequence[Any], n: int = 100) -> Any:
    """The price of an American put on a binomial tree (Cox, Ross and Rubinstein, 1979)."""
    price, strike, rate, volatility, years = x
    step = years / n
    up = m.exp(volatility * m.sqrt(step))
    down, discount = 1 / up, m.exp(-rate * step)
    share = (m.exp(rate * step) - down) / (up - down)
    raised, lowered = discount * share, discount * (1 - share)
    prices = [price * down**n]
    for _ in range(n):
        prices.append(prices[-1] * (up * up))
    values = [m.maximum(strike - s, 0.0) for s in prices]
    for i in range(n - 1, -1, -1):
        prices = [prices[j + 1] * down for j in range(i + 1)]
        values = [m.maximum(raised * values[j + 1] + lowered * values[j], strike - prices[j]) for j in range(i + 1)]
    return values[0]


JOINTS, LENGTH, GRAVITY = 6, 0.5, 9.81


def arm(m: Any, x: Sequence[Any]) -> list[Any]:
    """The accelerations of a planar arm with a mass at the end of each link, by angles, velocities and torques."""
    n, square = JOINTS, LENGTH * LENGTH
    q, v, u = x[:n], x[n : 2 * n], x[2 * n :]
    rows, right = [], []
    for i in range(n):
        beyond = [float(n - max(i, j)) * square for j in range(n)]
        rows.append([beyond[j] * m.cos(q[i] - q[j]) for j in range(n)])
        force = u[i] - (n - i) * GRAVITY * LENGTH * m.sin(q[i])
        for j in range(n):
            force = force - beyond[j] * m.sin(q[i] - q[j]) * v[j] * v[j]
        right.append(force)
    for i in range(n):
        for k in range(i + 1, n):
            factor = rows[k][i] / rows[i][i]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
            right[k] = right[k] - factor * right[i]
    for i in reversed(range(n)):
        for j in range(i + 1, n):
            right[i] = right[i] - rows[i][j] * right[j]
        right[i] = right[i] / rows[i][i]
    return right


def asian(m: Any, x: Sequence[Any], z: Any) -> Any:
    """What an Asian option pays for one path of twelve months."""
    price, volatility = x
    total = 0.0
    for k in range(12):
        price = price * m.exp(-0.5 / 12 * volatility * volatility + volatility * math.sqrt(1 / 12) * z[k])
        total = total + price
    return m.maximum(total / 12 - 100.0, 0.0)


def rosenbrock(m: Any, x: Sequence[Any]) -> Any:
    """Rosenbrock's function, by a plain loop."""
    total = 0.0
    for i in range(len(x) - 1):
        total = total + 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def chain(m: Any, x: Sequence[Any], turns: int = 110_000) -> Any:
    """Three operations a turn, each of which takes the last one's result."""
    return m.scan(lambda y, _: (m.sin(y) * y + x[1], None), x[0], range(turns))[0]


def tasks() -> dict[str, Task]:
    """All of them by name."""
    import numpy as np

    draw = random.Random(7)
    rates = [0.1 * i - 0.5 for i in range(12)]
    state = [draw.uniform(-1.0, 1.0) for _ in range(3 * JOINTS)]
    paths = np.random.default_rng(7).normal(size=(100_000, 12))
    found = [
        Task("ODE with 12 parameters, 200 steps: gradient", squares, rates, "gradient"),
        Task("the same ODE: Jacobian of 50 residuals", residuals, rates, "jacobian"),
        Task("the same ODE: Hessian", squares, rates, "hessian"),
        Task("American put, tree of 100 steps: five Greeks", put, [100.0, 105.0, 0.03, 0.3, 1.0], "gradient"),
        Task("planar arm, six joints: linearised dynamics", arm, state, "jacobian"),
        Task("Asian option, 100,000 paths: gradient", asian, [100.0, 0.2], "gradient", paths),
        Task("Rosenbrock, n = 4,000: gradient", rosenbrock, [0.1 + 1e-4 * i for i in range(4000)], "gradient"),
        Task("chain of 330,000 operations: gradient", chain, [0.01, 0.3], "gradient"),
    ]
    return {task.name: task for task in found}
