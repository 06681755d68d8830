"""Never a wrong answer: branches are checked, leaks refused, errors are those of eager code."""

from __future__ import annotations

import functools
import math
import operator
import random
import threading
import time
from typing import Any

import pytest

import scalargrad as sg

from .helpers import BACKENDS, agree, outcome

pytest.importorskip("scalargrad.recording.derivatives")

BRANCHES = {
    "if": lambda x: x * 2 if x else x + 1,
    "chained": lambda x: x if 0 <= x < 1 else -x,
    "in": lambda x: x * 3 if x in (1.0, 2.0) else x,
    "while": lambda x: functools.reduce(lambda a, _: a / 2 if a > 1 else a, range(9), x),
    "max": lambda x: max(x, 0.5, x * x),
    "sorted": lambda x: sorted([x, 1 - x, x * x])[1],
    "equal": lambda x: x if x == 1 else x * x,
    "unequal": lambda x: x if x != 1 else x + 5,
    "le": lambda x: x if x <= 1 else x * x,
    "ge": lambda x: x if x >= 1 else x * x,
    "where": lambda x: sg.where(x > 0, lambda: sg.sqrt(x), 0.0),
    "result": lambda x: (x > 1, x * 2),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", BRANCHES)
def test_each_kind_of_branch_is_checked_at_every_run(name: str, backend: str) -> None:
    f = BRANCHES[name]
    jitted = sg.jit(f, backend=backend)
    for x in (0.0, 1.0, 0.3, -0.3, 2.0, 1.7, -2.0, 1.0, 0.3, math.nan, math.inf):
        found, expected = outcome(jitted, x), outcome(f, x)
        assert agree(found, expected), (x, found, expected)
    recordings = jitted.stats["recordings"]
    assert recordings > 1
    for x in (0.31, 1.0, -0.3):
        jitted(x)
    assert jitted.stats["recordings"] == recordings


def test_choices_inside_rows_are_no_branches() -> None:
    f = sg.jit(lambda x: sg.max([x, 0.5]) + sg.clip(x, 0.0, 1.0) + abs(x) + sg.select(x, x, 2.0), backend="python")
    for x in (-1.0, 0.0, 0.2, 3.0):
        assert f(x) == max(x, 0.5) + min(max(x, 0.0), 1.0) + abs(x) + (x or 2.0)
    assert f.stats["recordings"] == 1


LEAKS = {
    "float": (lambda x: float(x) * 2, "sg.sin"),
    "math": (math.sin, "sg.sin"),
    "index": (lambda x: [1.0, 2.0][x], "static_argnums"),
    "range": (lambda x: sum(range(x)), "static_argnums"),
    "data": (lambda x: x.data * 2, "with v itself"),
    "backward": (lambda x: (x * x).backward(), "sg.grad"),
    "text": (lambda x: float(f"{x:.20f}"), "text"),
    "pickle": (lambda x: __import__("pickle").dumps(x), "outside"),
    "object": (lambda x: object(), "return numbers"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_what_a_program_could_not_follow_is_refused_with_advice(name: str) -> None:
    f, advice = LEAKS[name]
    with pytest.raises(sg.RecordingError, match=advice):
        sg.jit(f, backend="python")(1.5)
    assert issubclass(sg.RecordingError, TypeError)


def test_data_of_a_captured_value_is_refused_too_and_free_again_afterwards() -> None:
    w = sg.Value(2.0)
    with pytest.raises(sg.RecordingError, match=r"v\.data"):
        sg.jit(lambda x: w.data * x, backend="python")(1.0)

    def assigns(x: Any) -> Any:
        w.data = 3.0
        return x

    with pytest.raises(sg.RecordingError, match="assign outside"):
        sg.jit(assigns, backend="python")(1.0)
    assert w.data == 2.0


def test_randomness_time_and_state_are_noticed() -> None:
    state = [0.0]

    def counts(x: Any) -> Any:
        state[0] += 1.0
        return x * state[0]

    for f in (
        lambda x: x * random.random(),
        lambda x: x + time.perf_counter(),
        counts,
        lambda x: x if random.random() < 2 and random.random() > x * 0 + 0.5 else -x,
    ):
        with pytest.raises(sg.RecordingError, match=r"random"):
            _ = [sg.jit(f, backend="python")(1.0) for _ in range(20)]


def test_a_recorded_value_that_is_kept_is_refused_later() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x * 2)
        return kept[0] + x

    with pytest.raises(sg.RecordingError, match="outlived"):
        sg.jit(f, backend="python")(1.0)


def test_opaque_rows_are_refused_by_name() -> None:
    row = sg.primitive("opaque_for_recording", math.sin, math.cos, opaque=True)
    with pytest.raises(sg.RecordingError, match="opaque_for_recording is opaque"):
        sg.jit(row)(1.0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("f", "bad"),
    [
        (sg.log, -1.0),
        (lambda x: sg.log(x) * 0.0, 0.0),
        (lambda x: 1 / x, 0.0),
        (lambda x: 1 / sg.exp(x), 1000.0),  # the result alone would look fine
        (lambda x: x**0.5, -2.0),
        (lambda x: x**-1, 0.0),
        (lambda x: x % (x - 1.0), 1.0),
        (sg.sin, math.inf),
        (sg.atanh, 1.0),
        (lambda x: sg.softmax([sg.sqrt(x), 1.0])[1], -1.0),
        (sg.grad(sg.log), -1.0),
    ],
)
def test_errors_are_those_of_eager_code(f: Any, bad: float, backend: str) -> None:
    jitted = sg.jit(f, backend=backend)
    assert jitted(0.5) == pytest.approx(f(0.5), rel=1e-15)
    with pytest.raises((ValueError, ArithmeticError)) as eager:
        f(sg.Value(bad))  # plain floats would turn complex, and name no operation
    with pytest.raises(type(eager.value)) as found:
        jitted(bad)
    assert str(found.value) == str(eager.value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_earlier_failed_guard_outranks_a_later_error(backend: str) -> None:
    f = lambda x: sg.log(x) if x > 0 else x * 2
    jitted = sg.jit(f, backend=backend)
    assert jitted(1.0) == 0.0
    assert jitted(-1.0) == -2.0
    g = lambda x: 1 / x if x < 5 else 1 / (x - 7)  # an earlier error outranks a later guard
    jitted = sg.jit(lambda x: (sg.log(x), g(x)), backend=backend)
    jitted(1.0)
    with pytest.raises(ValueError, match="log"):
        jitted(-1.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_derivatives_follow_ieee_as_eager_ones_do(backend: str) -> None:
    f = sg.grad(lambda x: sg.sqrt(x) * 2 + sg.cbrt(x))
    jitted = sg.jit(f, backend=backend)
    jitted(1.0)
    assert jitted(0.0) == f(0.0) == math.inf
    for x in (math.nan, math.inf):
        assert agree(outcome(jitted, x), outcome(f, x))


def test_a_storm_of_recordings_falls_back_to_eager_code_with_one_warning() -> None:
    def countdown(x: Any) -> Any:
        steps = 0.0
        while x > 1:
            x, steps = x - 1, steps + 1
        return x * steps

    f = sg.jit(countdown, backend="python")
    points = [0.5 + k for k in range(100)]
    with pytest.warns(RuntimeWarning, match="runs eagerly from now on") as caught:
        found = [f(x) for x in points]
    assert len(caught) == 1
    assert found == [countdown(x) for x in points]
    assert f.stats["recordings"] == 64
    assert f.stats["eager_runs"] > 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_eight_threads_share_a_function_its_first_call_included(backend: str) -> None:
    f = lambda xs: sg.sum([sg.sin(x) if x > 0 else x * x for x in xs])
    jitted = sg.jit(sg.value_and_grad(f), backend=backend)
    rng = random.Random(2)
    points = [[rng.uniform(-1, 1) for _ in range(3)] for _ in range(64)]
    expected = [sg.value_and_grad(f)(point) for point in points]
    wrong: list[Any] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        for _ in range(3):
            for point, right in zip(points, expected, strict=True):
                if jitted(point) != right:
                    wrong.append(point)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert jitted.stats["recordings"] == 8


def test_other_threads_stay_eager_while_one_records() -> None:
    inside, done = threading.Event(), threading.Event()
    found: list[Any] = []

    def eager() -> None:
        inside.wait()
        v = sg.Value(2.0)
        found.extend([v.data, v > 1, (v * v).data])
        done.set()

    thread = threading.Thread(target=eager)
    thread.start()

    def f(x: Any) -> Any:
        inside.set()
        done.wait()
        return x * 2

    assert sg.jit(f, backend="python")(1.0) == 2.0
    thread.join()
    assert found == [2.0, True, 4.0]


def test_an_exception_of_the_function_itself_passes_and_leaves_nothing_behind() -> None:
    def f(x: Any) -> Any:
        raise KeyError("own")

    with pytest.raises(KeyError, match="own"):
        sg.jit(f)(1.0)
    assert operator.gt(sg.Value(2.0), 1.0)
    assert sg.Value(2.0).data == 2.0
