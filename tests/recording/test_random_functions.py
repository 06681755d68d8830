"""Random Python functions, eager against recorded: loops, branches, early returns, caught errors, maps, closures."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.engine.structures import flatten

from .helpers import BACKENDS

SMOOTH = [sg.sin, sg.cos, sg.tanh, sg.sigmoid, sg.atan, sg.relu, abs, sg.softplus]
RISKY = [sg.log, sg.sqrt, sg.exp, sg.asin]


class Source:
    """A random function of a list of numbers; the seed, its arguments and `weights` decide its operations."""

    def __init__(self, seed: int, risky: bool) -> None:
        self.seed = seed
        self.risky = risky
        self.weights = [Value(0.5 + 0.1 * k) for k in range(2)] if seed % 3 == 0 else []

    def __call__(self, xs: Any) -> Any:
        rng = random.Random(self.seed)
        found = [*xs, *self.weights]
        out = self.block(rng, found, 2)
        return out if out is not None else found[-1] * 0.5 + found[0]

    def block(self, rng: random.Random, found: list[Any], depth: int) -> Any:
        """Run a few statements. Return a result for an early return, else None."""
        for _ in range(rng.randint(2, 5)):
            seed = rng.random()
            result = self.statement(random.Random(seed), found, depth)
            if result is not None:
                return result
        return None

    def statement(self, rng: random.Random, found: list[Any], depth: int) -> Any:
        a, b, c = (rng.choice(found) for _ in range(3))
        k = rng.uniform(-1.5, 1.5)
        kind = rng.randrange(16 if depth else 8)
        if kind == 0:
            found.append(rng.choice(SMOOTH)(a) - k)
        elif kind == 1:
            found.append(a * b + k * c)
        elif kind == 2:
            found[rng.randrange(len(found))] = a / (2.0 + b * b)  # changed in place
        elif kind == 3:
            found.append(sg.maximum(a, b) - sg.hypot(b, c + 0.5) * k)
        elif kind == 4:
            found.append(sg.affine([a, b], [c, k], 0.25))
        elif kind == 5:
            found += sg.softmax([a, b, c])[:2]
        elif kind == 6 and self.risky:
            found.append(rng.choice(RISKY)(a))
        elif kind == 7 and self.risky:
            try:
                found.append(rng.choice(RISKY)(b - 0.25))
            except (ValueError, OverflowError):
                found.append(b * k)
        elif kind == 8:
            if a > b:
                return self.block(random.Random(rng.random()), found, depth - 1)
            found.append(a - b)
        elif kind == 9:
            y, count = a, 0
            while abs(y) > 0.75 and count < 6:
                y, count = y * 0.5 - 0.125, count + 1
            found.append(y + count)
        elif kind == 10:
            for i in range(rng.randint(2, 12)):
                found[-1] = sg.sin(found[-1] + 0.1 * i) * a - k
        elif kind == 11:
            if c < k:
                return a * b
            return None
        elif kind == 12:
            g = sg.grad(lambda y: sg.tanh(y * b) * y + (c if y > 0 else k * y))
            found.append(g(a))
        elif kind == 13:
            lanes = [a, b, c, a - b] if rng.random() < 0.5 else [a, 0.5, c]
            found.append(sg.batch_mean(lambda x: x * b if x > k else sg.cos(x))(lanes))
        elif kind == 14:
            ys = sg.vmap(lambda x, y: [x * y, x - k], in_axes=(0, None))([a, b, c], a)
            found.append(sg.sum(ys[0]) - ys[1][1])
        else:
            order = sorted([a, b, c])
            found.append(order[0] * 0.5 - order[2] + (int(a) if abs(a) < 100 else 0))
        return None


def outcome(f: Callable[..., Any], *args: Any) -> Any:
    try:
        return [float(x.data if isinstance(x, Value) else x) for x in flatten(f(*args))[0]]
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        return type(error)


def same(found: Any, expected: Any, relative: float) -> bool:
    if isinstance(found, type) or isinstance(expected, type):
        return found is expected
    return len(found) == len(expected) and all(
        x == y or (x != x and y != y) or abs(x - y) <= relative * max(1.0, abs(x), abs(y))
        for x, y in zip(found, expected, strict=True)
    )


TRANSFORMS: list[tuple[str, Callable[[Any], Any], float]] = [
    ("value", lambda f: f, 0.0),
    ("gradient", sg.value_and_grad, 1e-13),  # the terms of a mean add up in any order
    ("product", lambda f: lambda xs: sg.hvp(f, (xs,), ([1.0, -0.5, 2.0],)), 1e-11),
    ("map", lambda f: lambda xs: sg.vmap(lambda x: f([x, xs[1], xs[2]]))([xs[0], xs[1], 0.3, xs[2]]), 0.0),
]


def points(rng: random.Random) -> list[float]:
    special = [0.0, -0.0, 1.0, -1.0, 0.75, 2.0, 1e-8]
    return [rng.choice([rng.uniform(-3, 3), rng.uniform(-1, 1), rng.choice(special)]) for _ in range(3)]


def check(seed: int, name: str, transform: Callable[[Any], Any], relative: float, backend: str, count: int) -> None:
    # An operation of captured Values alone whose result is not used is not recorded, so it refuses nothing.
    f = Source(seed, risky=seed % 2 == 1 and seed % 3 > 0)
    eager = transform(f)
    jitted = sg.jit(eager, backend=backend)
    rng = random.Random(seed)
    if backend != "python":
        relative = max(relative, 1e-12)
    for _ in range(count):
        xs = points(rng)
        for weight in f.weights:
            weight.data = rng.uniform(-1, 2)
        expected, found = outcome(eager, xs), outcome(jitted, xs)
        if name == "product" and isinstance(expected, list) and isinstance(found, list):
            expected = [y if math.isnan(x) else x for x, y in zip(expected, found, strict=True)]  # at a kink
        assert same(found, expected, relative), (seed, name, xs, found, expected)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("name", "transform", "relative"), TRANSFORMS, ids=[t[0] for t in TRANSFORMS])
def test_random_functions_agree_with_eager_code(name: str, transform: Any, relative: float, backend: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # some take more ways than are recorded
        for seed in range(20 if backend == "python" else 4):
            check(seed, name, transform, relative, backend, 6)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "transform", "relative"), TRANSFORMS, ids=[t[0] for t in TRANSFORMS])
def test_many_random_functions_agree_with_eager_code(name: str, transform: Any, relative: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for seed in range(100, 1100):
            check(seed, name, transform, relative, "python", 25)
