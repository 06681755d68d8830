"""Recorded programs: plain data, their passes and their size."""

from __future__ import annotations

import itertools
import math
import pickle
import random
from typing import Any

import pytest

import scalargrad as sg
from scalargrad.recording.backends import build
from scalargrad.recording.program import Program


def program(f: Any, *args: Any) -> Program:
    return sg.jit(f, backend="python").program(*args)


def test_a_program_prints_its_numbered_instructions() -> None:
    text = str(program(lambda x, y: sg.sin(x * y) + 2.0, 1.0, 2.0))
    assert text == "program of v0, v1\nv2 = v0 · v1\nv3 = sin(v2)\nv4 = v3 + 2.0\nreturn v4"


def test_len_and_cost_count_an_instruction_of_many_arguments_by_their_number() -> None:
    recorded = program(lambda xs: sg.affine(xs, [1.0, 2.0, 3.0], 0.5) * sg.exp(xs[0]), [1.0, 2.0, 3.0])
    assert len(recorded) == 3
    assert recorded.cost() == {"affine": 7, "exp": 1, "mul": 1}


def test_equal_recordings_give_the_same_program_and_others_do_not() -> None:
    f = lambda x: x * 2.0 + 1.0
    assert program(f, 1.0) == program(f, 5.0)
    assert hash(program(f, 1.0)) == hash(program(f, 5.0))
    assert program(f, 1.0) != program(lambda x: x * 2.0 + 3.0, 1.0)
    assert program(lambda x, y: x - y, 1.0, 1.0) != program(lambda x, y: x - 1.0, 1.0, 1.0)  # the value 1, the number 1
    assert program(lambda x: x + 0.0, 1.0) != program(lambda x: x + -0.0, 1.0)


def test_a_pickled_program_runs_the_same() -> None:
    w = [[0.5, -1.0], [2.0, 0.25]]
    f = sg.grad(lambda xs: sg.logsumexp([sg.relu(sg.dot(row, xs)) for row in w]) if xs[0] > 0 else xs[1])
    recorded = program(f, [1.0, 2.0])
    loaded = pickle.loads(pickle.dumps(recorded))  # noqa: S301 (our own)
    assert loaded == recorded
    assert build(loaded, "python")([1.0, 2.0]) == f([1.0, 2.0])


def test_constants_fold_and_equal_operations_are_shared() -> None:
    def f(x: Any) -> Any:
        two = sg.Value(1.0) + 1.0  # a Value made inside is a constant
        return sg.sin(x) * two + sg.sin(x) * (sg.Value(2.0) * 1.0)

    assert program(f, 1.0).cost() == {"sin": 1, "mul": 1, "add": 1}


def test_dead_code_goes_but_what_raises_stays() -> None:
    def f(x: Any) -> Any:
        x * 7.0 + sg.sigmoid(x) * 2.0  # no result needs it
        sg.log(x)
        return x * 2.0

    jitted = sg.jit(f, backend="python")
    assert "log" in jitted.program(1.0).cost()
    assert "add" not in jitted.program(1.0).cost()
    assert jitted(2.0) == 4.0
    with pytest.raises(ValueError, match=r"log: x = -1\.0"):
        jitted(-1.0)


def test_identities_that_do_not_hold_in_ieee_arithmetic_are_not_used() -> None:
    recorded = program(lambda x: 0.0 * x + x * 1.0 / 1.0, 1.0)
    assert recorded.cost() == {"mul": 1, "add": 1}
    assert math.isnan(sg.jit(lambda x: 0.0 * x, backend="python")(math.inf))


def test_source_is_a_function_in_python_and_names_the_languages() -> None:
    recorded = program(lambda x: sg.sin(x) * x, 1.0)
    scope: dict[str, Any] = {"sin": math.sin}
    exec(recorded.source("python"), scope)  # noqa: S102 (generated from the program)
    assert scope["program"]([2.0]) == [math.sin(2.0) * 2.0]
    with pytest.raises(ValueError, match="'python', 'c' or 'llvm'"):
        recorded.source("fortran")


def test_a_relu_network_is_one_program() -> None:
    rng = random.Random(3)
    parameters = [rng.uniform(-1, 1) for _ in range(4 * 3 + 4 * 5)]
    f = sg.jit(sg.value_and_grad(network), backend="python")
    for _ in range(30):
        f(parameters, [rng.uniform(-2, 2) for _ in range(3)])
    assert f.stats["recordings"] == 1


def network(parameters: Any, xs: Any) -> Any:
    remaining = iter(parameters)
    hidden = [sg.relu(sg.dot([next(remaining) for _ in xs], xs)) for _ in range(4)]
    outs = [sg.affine([next(remaining) for _ in hidden], hidden, next(remaining)) for _ in range(4)]
    return sg.clip(sg.max(outs), -1.0, 5.0) + sg.logsumexp(outs)


# The cheap gradient principle (Griewank and Walther, "Evaluating Derivatives", 2008, section 4.5).


def chain(xs: Any) -> Any:
    z = xs[0]
    for _ in range(200):
        z = sg.sin(z) * xs[0] + z
    return z


def mixed(xs: Any) -> Any:
    """A random program in the proportions of the published ones: mostly + and ·, some functions."""
    rng = random.Random(7)
    found = list(xs)
    kinds = ["add"] * 43 + ["sub"] * 12 + ["mul"] * 34 + ["div"] * 2 + ["sin"] * 4 + ["cos"] + ["exp"] * 3 + ["log"] * 2
    for _ in range(400):
        kind, x, y = rng.choice(kinds), rng.choice(found[-40:]), rng.choice(found[-40:])
        operands = (x, y) if kind in ("add", "sub", "mul", "div") else (x,)
        refused = (kind == "log" and x <= 0.0) or (kind == "exp" and x > 700.0) or (kind == "div" and y == 0.0)
        out = sg.sin(x) if refused else getattr(sg, kind)(*operands)
        found.append(sg.tanh(out) if rng.random() < 0.3 else out)
    total = found[-40]
    for x in found[-39:]:
        total = total + x
    return total


def helm(xs: Any) -> Any:
    rng = random.Random(20)
    a = [[rng.uniform(0.5, 1.5) for _ in xs] for _ in xs]
    volume = sum_of([x * rng.uniform(0.01, 0.02) for x in xs])
    mixing = sum_of([x * sg.log(x / (1 - volume)) for x in xs])
    attraction = sum_of(
        [x * sum_of([c * y for c, y in zip(row, xs, strict=True)]) for row, x in zip(a, xs, strict=True)]
    )
    return mixing - attraction / volume * sg.log((1 + 2.4 * volume) / (1 - 0.4 * volume))


def sum_of(xs: Any) -> Any:
    return list(itertools.accumulate(xs, lambda x, y: x + y))[-1]


def mlp(xs: Any) -> Any:
    remaining = itertools.cycle(xs)
    activations = [0.3, -0.7, 0.2]
    for width in (8, 8, 1):
        activations = [
            sg.tanh(sg.affine([next(remaining) for _ in activations], activations, next(remaining)))
            for _ in range(width)
        ]
    return activations[0]


@pytest.mark.parametrize(
    ("f", "count"), [(chain, 1), (mixed, 6), (helm, 20), (mlp, 113)], ids=lambda x: getattr(x, "__name__", "")
)
def test_a_gradient_costs_at_most_four_functions_and_a_hessian_vector_product_ten(f: Any, count: int) -> None:
    rng = random.Random(1)
    xs = [rng.uniform(0.01, 1.0) / (100 if f is chain else 1) for _ in range(count)]
    tangents = [1.0] * count
    cost = lambda g: sum(program(g, xs).cost().values())
    assert cost(sg.value_and_grad(f)) <= 4 * cost(f)
    assert cost(lambda v: sg.hvp(f, (v,), (tangents,))) <= 10 * cost(f)
