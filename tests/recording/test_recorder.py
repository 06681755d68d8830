"""A recording knows all decisions: it guards or refuses operations that a program could not follow."""

from __future__ import annotations

import contextlib
import copy
import functools
import math
import os
import pickle
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import RecordingError, Value
from scalargrad.engine.observer import OBSERVER
from scalargrad.recording.recorder import Recording

from .helpers import agree, outcome

jit: Callable[..., Any] = functools.partial(sg.jit, backend="python")


def caught_log(x: Any) -> Any:
    try:
        return sg.log(x)
    except ValueError:
        return 0.0 * x


def caught_exp(x: Any) -> Any:
    with contextlib.suppress(OverflowError):
        return sg.exp(x)
    return x * 1.0


def retried(x: Any) -> Any:
    for step in (0.0, 1.0, 2.0, 3.0):
        try:
            return sg.sqrt(x + step)
        except ValueError:
            continue
    return x * 0.0


@pytest.mark.parametrize("f", [caught_log, caught_exp, retried])
@pytest.mark.parametrize("order", [(-2.0, 2.0), (2.0, -2.0), (1000.0, 2.0, -2.5), (2.0, -0.5, 1000.0, -2.0)])
def test_a_refusal_that_the_function_catches_is_a_branch(f: Any, order: tuple[float, ...]) -> None:
    jitted, mapped = jit(f), jit(sg.vmap(f))
    for x in order:
        assert outcome(jitted, x) == outcome(f, x)
        assert outcome(mapped, [x, 3.0, x]) == outcome(sg.vmap(f), [x, 3.0, x])
    assert math.copysign(1.0, jit(caught_log)(-2.0)) == -1.0


def test_a_refusal_by_the_recording_that_the_function_catches_is_raised_all_the_same() -> None:
    def f(x: Any) -> Any:
        try:
            return math.exp(x)
        except Exception:
            return 1e300

    with pytest.raises(RecordingError, match=r"sg\.exp"):
        jit(f)(1.0)
    assert OBSERVER.get() is None


KEYS: list[tuple[Callable[..., Any], list[tuple[tuple[Any, ...], dict[str, Any]]]]] = [
    (lambda xs, k=1.0: xs[0] * xs[1] * k, [(([1.0, 2.0],), {}), (([1.0, 2.0], 3.0), {}), (([1.0, 2],), {"k": 5})]),
    (
        lambda a: a[0][0] + (a[1][0] if isinstance(a[1], list) else a[1]),
        [(([[1.0, 2.0], [3, 4.0]],), {}), (([[1.0, [7.0, 8.0]], 5.0],), {})],
    ),
    (
        lambda x, p=None, a=0.0: x + 100 * p["a"] if p else x + 10 * a,
        [((1.0, {"a": 2.0}), {}), ((1.0,), {"a": 2.0}), ((1.0, None), {"a": 2.0}), ((1.0,), {})],
    ),
    (lambda p: sum(p[0].values() if isinstance(p[0], dict) else p[0]), [(([{0: 5.0}],), {}), (([[5.0]],), {})]),
    (lambda p: p.get(True, 0.0) + p.get("1", 3.0), [(({True: 5.0},), {}), (({1: 5.0},), {}), (({"1": 5.0},), {})]),
]


@pytest.mark.parametrize(("f", "calls"), KEYS)
def test_the_key_of_a_call_says_completely_how_its_arguments_are_nested(f: Any, calls: Any) -> None:
    jitted = jit(f)
    for _ in range(2):
        for args, named in [*calls, *reversed(calls)]:
            assert jitted(*args, **named) == f(*args, **named)


def test_static_arguments_are_told_apart_with_their_types() -> None:
    h = jit(lambda x, c: sg.atan2(c, x), static_argnums=1)
    assert (h(-1.0, 0.0), h(-1.0, -0.0)) == (math.pi, -math.pi)
    g = jit(lambda x, c: x * 2 if c[0] is True else x, static_argnums=1)
    assert (g(1.0, (1,)), g(1.0, (True,)), g(1.0, (1.0,))) == (1.0, 2.0, 1.0)
    k = jit(lambda x, c: x / math.copysign(1.0, c[0][0]), static_argnums=-1)
    assert (k(1.0, ((0.0,),)), k(1.0, ((-0.0,),))) == (1.0, -1.0)


def test_a_map_s_arguments_are_told_apart_too() -> None:
    g = jit(sg.vmap(lambda x, p: x * sum(p[0].values() if isinstance(p[0], dict) else p[0]), (0, None)))
    assert g([1.0, 2.0, 3.0], [{0: 5.0}]) == [5.0, 10.0, 15.0]
    assert g([1.0, 2.0, 3.0], [[5.0]]) == [5.0, 10.0, 15.0]


def test_what_another_thread_computes_with_recorded_values_is_refused() -> None:
    def f(xs: Any) -> Any:
        with ThreadPoolExecutor(2) as pool:
            return sg.sum(pool.map(lambda x: sg.sin(x) if x > 1.5 else x, xs))

    for g in (f, lambda xs: ThreadPoolExecutor(1).submit(lambda: xs[0] * 2.0 + xs[1]).result()):
        with pytest.raises(RecordingError, match="another thread"):
            jit(g)([1.0, 2.0])
    assert jit(lambda x: x * 2)(1.0) == 2.0


def test_random_numbers_are_seen_whatever_they_decide() -> None:
    numpy = pytest.importorskip("numpy")
    own = random.Random(1)
    for f in (
        lambda x: x if random.random() < 0.9 else 0.0 * x,
        lambda x: x if numpy.random.rand() < 2.0 else 0.0 * x,
        lambda x: x * own.random(),
    ):
        with pytest.raises(RecordingError, match="random"):
            jit(f)(1.0)


def test_values_that_leaked_are_refused_by_name() -> None:
    leak: list[Any] = []
    f = jit(lambda a, b: (leak.append(b), a * b)[1])
    assert f(1.0, 2.0) == 2.0
    value = leak[0]
    for use in (
        lambda: value * 3.0,
        lambda: 3.0 - value,
        lambda: value > 1.0,
        lambda: value == 1.0,
        lambda: bool(value),
        lambda: sg.sin(value),
        lambda: Value(2.0) * value,
        lambda: value.data,
        lambda: sg.grad(lambda x: x * value)(1.0),
        lambda: jit(lambda x: x * value)(1.0),
    ):
        with pytest.raises(RecordingError, match="outlived"):
            use()
    for use in (lambda: value.grad, value.backward, lambda: hash(value), lambda: f"{value}", lambda: f"{value:.2f}"):
        with pytest.raises(RecordingError):
            use()
    assert "2.0" not in repr(value)
    assert leak[-1] == 2.0  # the last run is at the caller's point


@pytest.mark.parametrize(
    "f",
    [
        lambda x: float(f"{x:.1f}") + x,
        lambda x: x * len(str(x.grad)),
        lambda x: x * 2 if x in {1.25} else x * 3,
        lambda x: {x: 1.0}[x] * x,
        functools.cache(lambda x: x * 2),
        lambda x: pickle.loads(pickle.dumps(x)) * x,  # noqa: S301
    ],
)
def test_text_hashes_copies_and_gradients_are_refused(f: Any) -> None:
    with pytest.raises(RecordingError):
        jit(f)(2.7)


def test_a_function_that_would_not_end_nearby_is_not_run_there() -> None:
    def power(x: Any, n: Any) -> Any:
        while n:
            x, n = x * 1.5, n - 1
        return x

    f = jit(power)
    assert (f(2.0, 3), f(2.0, 1), f.stats["recordings"]) == (6.75, 3.0, 2)

    def picky(x: Any) -> Any:
        assert x == 2.0
        return {2.0: x}[2.0] * 2

    assert jit(picky)(2.0) == 4.0


def test_whole_numbers_and_copies_of_values_are_followed() -> None:
    f = lambda x: x * int(x) + math.floor(x) + round(x) + round(x, 1) + copy.copy(x) + copy.deepcopy([x])[0]
    jitted = jit(f)
    for x in (2.3, 2.4, -1.7, 0.2, -0.2, 2.31):
        assert jitted(x) == f(x)
    assert jitted.stats["recordings"] < 6
    assert jit(sg.grad(lambda x: copy.copy(x) * x))(3.0) == 6.0


def test_what_an_exception_or_a_refusal_leaves_behind_is_nothing() -> None:
    w = Value(2.0)
    bad: list[Callable[[Any], Any]] = [
        lambda x: 1 / 0,
        lambda x: {}[x > 0],
        math.sin,
        lambda x: w.data * x,
        lambda x: sg.vmap(sg.log)([x, -1.0, x]),
        lambda x: sg.vmap(math.sin)([x, x, x]),
    ]
    for f in bad:
        for _ in range(2):
            with pytest.raises(Exception):  # noqa: B017
                jit(f)(1.0)
            assert OBSERVER.get() is None
            assert jit(lambda x: w * x)(3.0).data == 6.0
            assert (w.data, w > 1.0) == (2.0, True)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one may hit a weak reference's end
def test_an_interrupt_leaves_no_recording_behind() -> None:
    import gc

    armed = [False]

    def interrupt(*_: Any) -> None:
        if armed[0]:
            armed[0] = False
            raise KeyboardInterrupt

    f = lambda xs: sg.sum([sg.sin(x) * x if x > 0 else x for x in xs])
    rng = random.Random(0)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(200):
            jitted = jit(f)
            with contextlib.suppress(KeyboardInterrupt):
                armed[0] = True
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 3e-3))
                jitted([rng.uniform(-1, 1) for _ in range(20)])
                armed[0] = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert OBSERVER.get() is None
            assert gc.isenabled()
            assert jitted([1.0, -2.0]) == math.sin(1.0) - 2.0
    finally:
        signal.signal(signal.SIGALRM, before)


def test_vector_rows_of_captured_values_are_recorded() -> None:
    W = [Value(0.1), Value(0.2)]
    for _ in range(130):
        expected = sg.softmax(W)
    f = jit(lambda x: sg.softmax(W)[0] * x + sg.softmax(W)[1])
    for data in (0.1, 3.0):
        W[0].data = data
        expected = sg.softmax(W)
        assert f(2.0).data == expected[0].data * 2.0 + expected[1].data


def test_eager_runs_refuse_what_values_refuse() -> None:
    f = jit(lambda x: (x if x > -1 else -x) ** 0.5 if x < 5 else caught_log(x))
    assert f(4.0) == 2.0
    with pytest.raises(ValueError, match="pow"):
        f(-0.5)
    g = jit(lambda x: (caught_log(x), x**0.5))
    with pytest.raises(ValueError, match="pow"):
        g(-2.0)


def test_methods_and_tests_of_the_type_are_those_of_values() -> None:
    assert jit(lambda x: x.tanh() * 2)(1.0) == math.tanh(1.0) * 2
    assert jit(lambda x: x * 2 if isinstance(x, Value) else x)(1.0) == 2.0


def test_constants_of_a_recording_stay_numbers() -> None:
    f = lambda x: x * math.sin(sg.grad(lambda y: y * y * y)(2.0))
    assert jit(f)(3.0) == f(3.0)


def test_a_jitted_function_of_a_module_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(squared)) is squared  # noqa: S301
    own = pickle.loads(pickle.dumps(sg.jit(caught_log, backend="python", on_new_branch="eager")))  # noqa: S301
    assert (own(2.0), own.on_new_branch) == (math.log(2.0), "eager")


@sg.jit
def squared(x: Any) -> Any:
    return x * x


def test_branches_can_be_prepared_and_new_ones_refused() -> None:
    f = lambda x: x * 2 if x > 0 else -x
    strict = jit(f, on_new_branch="raise")
    strict.record(1.0)
    assert strict(3.0) == 6.0
    with pytest.raises(RecordingError, match=r"f\.record"):
        strict(-1.0)
    strict.record(-1.0)
    strict.record(-2.0)
    assert (strict(-3.0), strict.stats["recordings"]) == (3.0, 2)
    eager = jit(f, on_new_branch="eager")
    assert (eager(1.0), eager(-1.0), eager.stats["recordings"], eager.stats["eager_runs"]) == (2.0, 1.0, 1, 1)
    with pytest.raises(ValueError, match="on_new_branch is 'no'"):
        jit(f, on_new_branch="no")


def test_a_bad_operand_gives_nan_on_request() -> None:
    f = jit(lambda x: sg.log(x) + 1 / (x - 1) + x**0.5, domain_errors="nan")
    for x in (-1.0, 4.0, 1.0, 0.0, -3.0):
        found = f(x)
        expected = outcome(lambda x: sg.log(x) + 1 / (x - 1) + x**0.5, Value(x))
        assert (not math.isfinite(found)) if isinstance(expected, type) else found == expected[0]
    assert f.stats["eager_runs"] == 0
    w = Value(-1.0)
    assert math.isnan(jit(lambda x: sg.log(w) * x, domain_errors="nan")(1.0).data)
    with pytest.raises(ValueError, match="domain_errors"):
        jit(lambda x: x, domain_errors="ignore")


def test_sixteen_threads_share_functions_from_their_first_call_on() -> None:
    f = lambda xs: sg.sum([sg.sin(x) if x > 0 else caught_log(x) for x in xs])
    jitted, mapped = jit(f), jit(sg.vmap(lambda x: x * x if x > 0 else -x))
    rng = random.Random(2)
    points = [[rng.uniform(-1, 1) for _ in range(rng.randint(1, 3))] for _ in range(48)]
    expected = [f(point) for point in points]
    wrong: list[Any] = []
    start = threading.Barrier(16)

    def work() -> None:
        start.wait()
        for point, right in zip(points, expected, strict=True):
            if not agree(outcome(jitted, point), [right]):
                wrong.append(point)
            if mapped(point) != [x * x if x > 0 else -x for x in point]:
                wrong.append(point)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_mutually_recursive_functions_of_two_threads_do_not_wait_for_each_other() -> None:
    functions: dict[str, Any] = {}
    functions["a"] = jit(lambda x: functions["b"](x - 1) if x > 0 else x)
    functions["b"] = jit(lambda x: functions["a"](x - 1) * 2 if x > 0 else x)
    found = []
    threads = [
        threading.Thread(target=lambda name=name: found.append(functions[name](5.0)), daemon=True) for name in "ab" * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == [0.0] * 8


def test_bound_functions_keep_static_arguments_and_refuse_other_shapes() -> None:
    pytest.importorskip("numpy")
    bound = jit(lambda x, m: x if m == "a" else -x, static_argnums=1).bind(1.0, "a")
    assert float(bound()) == 1.0
    bound = jit(lambda x: [x, x * 2] if x > 0 else [x]).bind(1.0)
    bound.inputs[0][...] = -1.0
    with pytest.raises(ValueError, match="nested differently"):
        bound()


def test_a_compiled_program_refuses_too_many_and_too_few_numbers() -> None:
    run = jit(lambda a, b: a * b + 1).program(1.0, 2.0).compile("python")
    assert run([2.0, 3.0]) == [7.0]
    for numbers in ([1.0], [1.0, 2.0, 3.0]):
        with pytest.raises(ValueError, match="a program of 2 numbers"):
            run(numbers)


def test_recording_is_linear_and_keeps_each_step_once() -> None:
    def chain(x: Any) -> Any:
        for _ in range(50_000):
            x = x * 0.5 + 1.0
        return x

    recording = Recording([1.0])
    out = recording.run(chain, *recording.inputs)
    assert len(recording.tape.steps) == 100_000
    assert out.number == chain(1.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_was_forked_while_a_thread_recorded_does_not_wait_for_it() -> None:
    inside, done = threading.Event(), threading.Event()

    def slow(x: Any) -> Any:
        if not done.is_set():
            inside.set()
            done.wait(20)
        return x * 2

    f = jit(slow)
    thread = threading.Thread(target=lambda: f(1.0))
    thread.start()
    inside.wait()
    child = os.fork()
    if child == 0:
        done.set()
        os._exit(0 if f(3.0) == 6.0 else 1)
    end = time.monotonic() + 20
    status = (0, 0)
    while status[0] == 0 and time.monotonic() < end:
        status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    done.set()
    thread.join()
    if status[0] == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert status == (child, 0)
