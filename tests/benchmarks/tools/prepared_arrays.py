"""The functions of `preparations` as JAX's users write them: on arrays, or with `scan` for a loop over time."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..preparations import GRAVITY, JOINTS, LENGTH, Task, asian, chain, residuals


def _scan(body: Callable[[Any, Any], Any], carry: Any, xs: Any) -> Any:
    return jax.lax.scan(body, jax.tree.map(lambda x: jnp.asarray(x, dtype=float), carry), jnp.asarray(np.array(xs)))


M = SimpleNamespace(sin=jnp.sin, cos=jnp.cos, exp=jnp.exp, sqrt=jnp.sqrt, maximum=jnp.maximum, scan=_scan)


def put(x: Any, n: int = 100) -> Any:
    """All prices of the tree as one array; what comes in at its end never reaches the root."""
    price, strike, rate, volatility, years = x
    step = years / n
    up = jnp.exp(volatility * jnp.sqrt(step))
    share = (jnp.exp(rate * step) - 1 / up) / (up - 1 / up)
    raised, lowered = jnp.exp(-rate * step) * share, jnp.exp(-rate * step) * (1 - share)
    prices = price * up ** (2.0 * jnp.arange(n + 1) - n)

    def back(state: Any, _: Any) -> Any:
        prices, values = state
        prices = jnp.roll(prices, -1) / up
        return (prices, jnp.maximum(raised * jnp.roll(values, -1) + lowered * values, strike - prices)), None

    return jax.lax.scan(back, (prices, jnp.maximum(strike - prices, 0.0)), None, length=n)[0][1][0]


def arm(x: Any) -> Any:
    """The equations of motion as matrices."""
    q, v, u = x.reshape(3, JOINTS)
    i = jnp.arange(JOINTS)
    beyond = (JOINTS - jnp.maximum(i[:, None], i)) * LENGTH**2
    between = q[:, None] - q
    force = u - (JOINTS - i) * GRAVITY * LENGTH * jnp.sin(q) - (beyond * jnp.sin(between)) @ (v * v)
    return jnp.linalg.solve(beyond * jnp.cos(between), force)


def rosenbrock(x: Any) -> Any:
    """Rosenbrock's function, of all neighbours at once."""
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "squares": lambda x: (jnp.asarray(residuals(M, x)) ** 2).sum(),
    "residuals": lambda x: jnp.asarray(residuals(M, x)),
    "put": put,
    "arm": arm,
    "asian": lambda x, z: jax.vmap(lambda row: asian(M, x, row))(z).mean(),
    "rosenbrock": rosenbrock,
    "chain": lambda x: chain(M, x),
}


def prepared(task: Task) -> Callable[[], Any]:
    """What computes the task, jitted."""
    f = FUNCTIONS[task.function.__name__]
    more_inputs = task.kind == "jacobian" and jax.eval_shape(f, jnp.asarray(task.inputs)).size < len(task.inputs)
    transforms = {"gradient": jax.value_and_grad, "hessian": jax.hessian}
    program = jax.jit(transforms.get(task.kind, jax.jacrev if more_inputs else jax.jacfwd)(f))
    data = () if task.data is None else (task.data,)
    point = np.asarray(task.inputs)

    def run() -> list[float]:
        found: list[float] = np.concatenate([np.ravel(x) for x in jax.tree.leaves(program(point, *data))]).tolist()
        return found

    return run
