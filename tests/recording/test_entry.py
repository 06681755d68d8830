"""The entry into native code: its arguments and results, the cases for the general path, the objects it keeps alive."""

from __future__ import annotations

import gc
import math
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest

import scalargrad as sg
from scalargrad.recording.capi import shape

pytest.importorskip("llvmlite")


def product(xs: Any) -> Any:
    return sg.sin(xs[0]) * xs[1] + xs[2]


@pytest.fixture
def entered() -> Any:
    """A function of three numbers that is ready to be entered directly."""
    f = sg.jit(sg.value_and_grad(product), backend="native")
    f([0.1, 0.2, 0.3])
    assert type(f._quick).__name__ == "builtin_function_or_method"
    return f


class Triple(NamedTuple):
    one: float
    two: float
    three: float


STRUCTURES = [
    ((1.5,), lambda x: x * x),
    ((1.5, -0.5), lambda x, y: (x * y, [x, y])),
    (([1.5, -0.5],), lambda xs: [xs[0] * xs[1]]),
    (((1.5, -0.5),), lambda xs: (xs[0] * xs[1],)),
    (([1.5, -0.5], 2.0), lambda xs, y: (xs[0] * y, (xs[1], [y, y * y], xs[0]))),
    (([[1.5, 0.25], [-0.5]], (2.0, [3.0])), lambda a, b: [[a[0][1] * b[0]], ([a[1][0], b[1][0]], a[0][0])]),
]


@pytest.mark.parametrize(("args", "f"), STRUCTURES)
def test_arguments_and_results_nest_as_in_eager_code(args: Any, f: Any) -> None:
    jitted = sg.jit(f, backend="native")
    for _ in range(3):
        assert repr(jitted(*args)) == repr(f(*args))  # to the last bit, and in the same containers
    assert type(jitted._quick).__name__ == "builtin_function_or_method"
    assert repr(jitted._quick(args)) == repr(f(*args))


@pytest.mark.parametrize(
    "xs",
    [
        [1, 2.0, 3.0],
        [1.0, 2.0, np.float64(3.0)],
        (1.0, 2.0, 3.0),
        np.array([1.0, 2.0, 3.0]),
        Triple(1.0, 2.0, 3.0),
        type("Own", (list,), {})([1.0, 2.0, 3.0]),
    ],
)
def test_other_numbers_go_the_general_way(entered: Any, xs: Any) -> None:
    assert entered._quick((xs,)) is None
    value, gradient = entered(xs)
    expected = sg.value_and_grad(product)([1.0, 2.0, 3.0])
    assert (value, list(gradient)) == expected


def test_what_is_no_number_is_refused_as_before(entered: Any) -> None:
    for xs in ([1.0, "2", 3.0], [1.0, None, 3.0], [1.0, True, 3.0]):
        assert entered._quick((xs,)) is None
        with pytest.raises(TypeError):
            entered(xs)
    for xs in ([], [1.0, 2.0]):
        assert entered._quick((xs,)) is None
        with pytest.raises(IndexError):
            entered(xs)
    assert entered._quick(()) is None
    assert entered._quick(([1.0, 2.0, 3.0], 4.0)) is None
    assert entered([1.0, 2.0, 3.0, 4.0])[1][3] == 0.0


def test_values_keep_their_gradients(entered: Any) -> None:
    f = sg.jit(product, backend="native")
    f([0.1, 0.2, 0.3])
    x = sg.Value(0.1)
    out = f([x, 0.2, 0.3])
    out.backward()
    assert x.grad == pytest.approx(math.cos(0.1) * 0.2)
    assert type(f([0.1, 0.2, 0.3])) is float


def test_a_list_may_change_between_calls(entered: Any) -> None:
    rng = random.Random(0)
    xs: list[Any] = [0.1, 0.2, 0.3]
    eager = sg.value_and_grad(product)
    for _ in range(300):
        action = rng.randrange(4)
        if action == 0:
            xs[rng.randrange(len(xs))] = rng.choice([1, 2.5, np.float64(0.5), -0.0, math.inf])
        elif action == 1:
            xs.append(rng.random())
        elif action == 2 and len(xs) > 3:
            xs.pop()
        expected = outcome(eager, xs)
        assert repr(outcome(entered, xs)) == repr(expected)


def outcome(f: Any, xs: Any) -> Any:
    try:
        return f(xs)
    except ValueError as error:  # the sine of an infinity
        return type(error)


def test_guards_and_errors_are_seen_by_the_general_way() -> None:
    f = lambda x, y: sg.log(x) * y if y > 0 else x / y
    jitted = sg.jit(f, backend="native")
    for x, y in [(2.0, 1.0), (2.0, -1.0), (3.0, 1.0), (3.0, -2.0)] * 3:
        assert jitted(x, y) == f(x, y)
    assert jitted.stats["recordings"] == 2
    assert jitted(2.0, 1.0) == f(2.0, 1.0)
    with pytest.raises(ValueError, match="log"):
        jitted(-1.0, 1.0)
    with pytest.raises(ZeroDivisionError):
        jitted(1.0, 0.0)
    assert math.isnan(jitted(math.nan, 1.0))
    assert jitted(math.inf, 1.0) == math.inf


def test_eight_threads_enter_at_once(entered: Any) -> None:
    eager = sg.value_and_grad(product)

    def work(seed: int) -> bool:
        rng = random.Random(seed)
        points = [[rng.uniform(-1, 1) for _ in range(3)] for _ in range(500)]
        return all(entered(xs) == eager(xs) for xs in points)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_references_are_counted(entered: Any) -> None:
    xs, bad = [0.1, 0.2, 0.3], [0.1, 0.2, 3]
    gc.collect()
    before = [sys.getrefcount(x) for x in (xs, xs[0], float, list, tuple)]
    none = sys.getrefcount(None)
    blocks = sys.getallocatedblocks()
    for _ in range(20_000):
        entered._quick((xs,))
        entered._quick((bad,))
    assert [sys.getrefcount(x) for x in (xs, xs[0], float, list, tuple)] == before
    assert abs(sys.getrefcount(None) - none) < 100
    assert abs(sys.getallocatedblocks() - blocks) < 1000


def test_an_entry_outlives_its_function() -> None:
    f = sg.jit(product, backend="native")
    f([0.1, 0.2, 0.3])
    enter = f._quick
    assert enter is not None
    del f
    gc.collect()
    assert enter(([0.1, 0.2, 0.3],)) == product([0.1, 0.2, 0.3])


def test_where_objects_are_laid_out_otherwise_there_is_no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scalargrad.recording.capi.PLAIN_OBJECTS", 32)
    f = sg.jit(product, backend="native")
    for _ in range(2):
        assert f([0.1, 0.2, 0.3]) == product([0.1, 0.2, 0.3])
    assert type(f._quick).__name__ == "function"


def test_a_large_scratch_array_is_not_put_on_the_stack() -> None:
    f = sg.jit(lambda xs: xs[0] * xs[-1], backend="native")
    xs = [2.0] * 5000
    assert [f(xs) for _ in range(2)] == [4.0, 4.0]
    assert type(f._quick).__name__ == "function"


def test_shapes() -> None:
    assert shape((1.0, {}), float) is None
    assert shape([], float) is None
    assert shape(Triple(1.0, 2.0, 3.0), float) is None
    assert shape((1.0, [2]), float) is None
