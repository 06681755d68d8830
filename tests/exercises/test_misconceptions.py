"""Every misconception gives the number got by hand, is named on several graphs, and never on a right answer."""

import math
from collections import defaultdict
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad.exercises import (
    FORMULAS,
    MISCONCEPTIONS,
    Adjoint,
    ForwardValue,
    LocalDerivative,
    MissingLine,
    TrainingStep,
    draw,
)
from scalargrad.exercises.exercise import agrees

SIMPLE = "t = x**2; u1 = sin(t); u2 = 3*t; u = u1 + u2; cos(u)"
NEURON = "z = affine([w], [x], b); y = tanh(z); e = y - d; 0.5*e**2"
LAYER = "y1 = tanh(x1); y2 = tanh(x2); z1 = dot([p, q], [y1, y2]); z2 = dot([r, s], [y1, y2]); z1**2 + 3*z2"
AT = {"w": 0.5, "x": 1.5, "b": 0.25, "d": 1.0}
Z, Y = 1.0, math.tanh(1.0)
SLOPE = 1 - Y**2
LINE = "e1 = w*x1 - d1; e2 = w*x2 - d2; mean([e1**2, e2**2])"
POINTS = {"w": 0.5, "x1": 1.0, "d1": 2.0, "x2": 2.0, "d2": 1.5}  # e1 = −1.5, e2 = −0.5: dJ/dw = −1.5 − 1.0


def descend(slope, w=2.0, rate=0.1, steps=2):
    for _ in range(steps):
        w -= rate * slope(w)
    return w


def of_softmax(z1, z2):
    y1, y2 = sg.softmax([z1, z2])
    sg.label({"y1": y1, "y2": y2})
    return y1 * y1 + 3 * y2


P = 1 / (1 + math.exp(-0.7))  # the softmax of 0.7 and 0

# What the mistake gives, worked by hand with nothing of the library.
BY_HAND = [
    ("degrees", ForwardValue(SIMPLE, {"x": 2.0}, of="u1"), math.sin(math.radians(4.0))),
    ("activation left out", ForwardValue(NEURON, AT, of="y"), 1.0),
    ("bias left out", ForwardValue(NEURON, AT, of="z"), 0.75),
    ("power as product", ForwardValue("t = x**3; t + 1", {"x": 1.5}, of="t"), 4.5),
    ("logarithm to base 10", ForwardValue("l = log(x); 2*l", {"x": 5.0}, of="l"), math.log10(5.0)),
    ("minus lost", ForwardValue("a = x - y; 2*a", {"x": 5.0, "y": 2.0}, of="a"), 7.0),
    ("minus lost", Adjoint(SIMPLE, {"x": 1.0}, of="u"), math.sin(math.sin(1.0) + 3.0)),
    ("minus lost", LocalDerivative("a = x - y; a**2", {"x": 5.0, "y": 2.0}, of="a", by="y"), 1.0),
    ("input for output", LocalDerivative("y = exp(z); y**2", {"z": 0.3}, of="y", by="z"), 0.3),
    ("input for output", LocalDerivative("y = tanh(z); y**2", {"z": 0.6}, of="y", by="z"), 1 - 0.36),
    ("input for output", LocalDerivative("y = sigmoid(z); y**2", {"z": 0.6}, of="y", by="z"), 0.6 * 0.4),
    ("derivative at the output", LocalDerivative(SIMPLE, {"x": 2.0}, of="u1", by="t"), math.cos(math.sin(4.0))),
    ("exponential as power", LocalDerivative("y = exp(z); y**2", {"z": 3.0}, of="y", by="z"), 3 * math.exp(2.0)),
    ("exponent kept", LocalDerivative("t = x**3; t + 1", {"x": 2.0}, of="t", by="x"), 24.0),
    ("exponent not in front", LocalDerivative("t = x**3; t + 1", {"x": 2.0}, of="t", by="x"), 4.0),
    ("own factor", LocalDerivative("p = a*b; p**2", {"a": 3.0, "b": 5.0}, of="p", by="a"), 3.0),
    ("own factor", LocalDerivative(NEURON, AT, of="z", by="w"), 0.5),
    ("constant factor dropped", Adjoint(SIMPLE, {"x": 1.0}, of="t"), -math.sin(math.sin(1) + 3) * (math.cos(1) + 1)),
    ("quotient not squared", LocalDerivative("q = a/b; q**2", {"a": 3.0, "b": 4.0}, of="q", by="b"), -0.75),
    ("relu flat at 0", Adjoint("z = w*x - 3; y = relu(z); 5*y", {"w": 1.5, "x": 2.0}, of="w"), 0.0),
    ("activation's derivative left out", Adjoint(NEURON, AT, of="z"), Y - 1.0),
    ("softmax as diagonal", Adjoint(of_softmax, {"z1": 0.7, "z2": 0.0}, of="z1"), 2 * P * P * (1 - P)),
    ("bias as constant", Adjoint(NEURON, AT, of="b"), 0.0),
    (
        "weights transposed",
        Adjoint(LAYER, {"x1": 0.4, "x2": -0.3, "p": 1.0, "q": 2.0, "r": -1.0, "s": 0.5}, of="y1"),
        2 * (math.tanh(0.4) - 2 * math.tanh(0.3)) * 1.0 + 3 * 2.0,
    ),
    ("mean not averaged", Adjoint(LINE, POINTS, of="w"), -5.0),
    ("mean not averaged", ForwardValue("m = mean([x, y]); m**2", {"x": 1.0, "y": 4.0}, of="m"), 5.0),
    ("max to all", Adjoint("m = max(a, b); m**2", {"a": 3.0, "b": 1.0}, of="b"), 6.0),
    ("path forgotten", Adjoint(SIMPLE, {"x": 1.0}, of="x"), 3.8647),
    ("used twice, counted once", Adjoint("a = 3*x; a*a", {"x": 1.0}, of="a"), 3.0),
    ("= for +=", Adjoint(SIMPLE, {"x": 1.0}, of="x"), 0.6960),
    ("factor from above left out", Adjoint("t = x**2; u = sin(t); u**3", {"x": 1.0}, of="t"), math.cos(1.0)),
    (
        "added along the path",
        Adjoint("t = x**2; u = sin(t); u**3", {"x": 1.0}, of="t"),
        1 + 3 * math.sin(1) ** 2 + math.cos(1),
    ),
    ("wrong order", Adjoint(SIMPLE, {"x": 1.0}, of="x"), 3.8647),
    ("one node early", Adjoint(SIMPLE, {"x": 1.0}, of="x"), 2.2804),
    ("sum for contribution", MissingLine(SIMPLE, {"x": 1.0}, number=5), 2.2804),
    ("whole chain for one edge", LocalDerivative("t = x**2; 5*t", {"x": 3.0}, of="t", by="x"), 30.0),
    ("backward twice", Adjoint(SIMPLE, {"x": 1.0}, of="x"), 9.1216),
    ("value for derivative", Adjoint(NEURON, AT, of="z"), Z),
    ("sign", Adjoint("t = x**2; exp(t)", {"x": 0.5}, of="x"), -math.exp(0.25)),
    ("upside down", LocalDerivative("t = x**2; 5*t", {"x": 4.0}, of="t", by="x"), 0.125),
    # On w² from 2: the slope is 4 at 2 and 3.2 at 1.6.
    ("no zero_grad", TrainingStep("w**2", {"w": 2.0}, of="w", steps=2), 1.6 - 0.1 * (4.0 + 3.2)),
    ("uphill", TrainingStep("w**2", {"w": 2.0}, of="w"), 2.4),
    ("learning rate left out", TrainingStep("w**3", {"w": 2.0}, of="w", rate=0.02), -10.0),
    ("change for weight", TrainingStep("w**2", {"w": 2.0}, of="w"), -0.4),
    ("old gradient", TrainingStep("w**2", {"w": 2.0}, of="w", steps=2), 1.2),
    # ab² at (2, 3): b moves first, to 3 − 0.1·12 = 1.8; the right gradient of a is 9, the wrong one 1.8².
    ("new weight in the gradient", TrainingStep("a*b**2", {"a": 2.0, "b": 3.0}, of="a", weights=["a", "b"]), 2 - 0.324),
    ("mean not averaged", TrainingStep(LINE, POINTS, of="w"), 0.5 + 0.5),
]


@pytest.mark.parametrize(("name", "exercise", "number"), BY_HAND, ids=[f"{n}-{e.kind}" for n, e, _ in BY_HAND])
def test_wrong_answer_is_that_of_the_mistake_by_hand(name, exercise, number):
    assert any(m.name == name and x == pytest.approx(number, rel=8e-5) for m, x in exercise.wrong)
    feedback = exercise.check(f"{number:.5g}")
    assert not feedback.right
    assert name in [m.name for m in feedback.misconceptions]
    assert feedback.misconceptions[0].hint in feedback.text


def test_every_misconception_has_a_number_by_hand():
    assert {name for name, _, _ in BY_HAND} == {m.name for m in MISCONCEPTIONS}
    assert len(MISCONCEPTIONS) >= 15
    assert len({m.hint for m in MISCONCEPTIONS}) == len(MISCONCEPTIONS)


MORE = {
    "degrees 1": ForwardValue("t = tan(x); t + x", {"x": 1.2}, of="t"),
    "degrees 2": ForwardValue("t = cos(x); t*x", {"x": 0.8}, of="J"),
    "logarithm 1": ForwardValue("l = log(x); l + x", {"x": 1.7}, of="l"),
    "logarithm 2": ForwardValue("l = log(x*y); l*y", {"x": 1.7, "y": 3.0}, of="J"),
    "quotient 1": LocalDerivative("q = a/b; sin(q)", {"a": 3.0, "b": 4.0}, of="q", by="b"),
    "quotient 2": Adjoint("q = (a + b)/b; q**3", {"a": 3.0, "b": 4.0}, of="b"),
    "relu 1": Adjoint("z = x - y; 3*relu(z)", {"x": 2.0, "y": 2.0}, of="x"),
    "relu 2": LocalDerivative("z = x*y; h = relu(z); h + x", {"x": 0.0, "y": 2.0}, of="h", by="z"),
    "softmax 1": Adjoint(of_softmax, {"z1": 0.7, "z2": 0.2}, of="z2"),
    "bias 1": LocalDerivative("z = affine([w], [x], b); z**2", {"w": 1.0, "x": 2.0, "b": 0.5}, of="z", by="b"),
    "mean 1": LocalDerivative("a = x**2; m = mean([a, y, z]); m**2", {"x": 1.0, "y": 2.0, "z": 5.0}, of="m", by="a"),
    "mean 2": ForwardValue("m = mean([x, y]); sin(m)", {"x": 1.0, "y": 4.0}, of="m"),
    "maximum 1": Adjoint("m = max(a, b); sin(m) + a", {"a": 3.0, "b": 1.0}, of="b"),
    "maximum 2": LocalDerivative("m = min(a, b); m**3", {"a": 3.0, "b": 1.0}, of="m", by="a"),
    "transposed 1": Adjoint(
        "u = x + 1; v = x*2; p = affine([a, b], [u, v], 1.0); q = affine([c, d], [u, v], 0.5); p*q",
        {"x": 0.5, "a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0},
        of="u",
    ),
    "transposed 2": Adjoint(LAYER, {"x1": 1.0, "x2": 0.2, "p": 1.0, "q": 2.0, "r": 3.0, "s": -1.0}, of="x2"),
    "exponential 1": Adjoint("y = exp(z); sin(y)", {"z": 0.4}, of="z"),
    "exponential 2": LocalDerivative("y = exp(z); y + z", {"z": 1.4}, of="y", by="z"),
    "twice 1": Adjoint("a = sin(x); a*a + a", {"x": 0.7}, of="x"),
    "twice 2": LocalDerivative("a = 3*x; p = a*a; p + a", {"x": 0.7}, of="p", by="a"),
    "bias forward 1": ForwardValue("z = affine([w], [x], b); z**2", {"w": 1.0, "x": 2.0, "b": 0.5}, of="z"),
    "wrong order 1": Adjoint("a = x**2; b = sin(a); c = a*b; c + a", {"x": 0.7}, of="x"),
    "wrong order 2": Adjoint("t = 3*x; u = exp(t); v = t*u; u*v + t", {"x": 0.3}, of="x"),
    "sum 1": MissingLine("a = sin(x); a*x", {"x": 0.7}, number=3),
    "sum 2": MissingLine("t = 3*x; u = exp(t); t*u", {"x": 0.3}, number=3),
    "sign 1": Adjoint("t = x**2; t + 3*x", {"x": 1.7}, of="x"),
    "sign 2": LocalDerivative("t = sin(x); 3*t", {"x": 0.5}, of="t", by="x"),
    "in turn 1": TrainingStep("w1*w2**2", {"w1": 2.0, "w2": 3.0}, of="w1"),
    "in turn 2": TrainingStep("p = w1*x; y = tanh(p); w2*y", {"w1": 0.5, "w2": 1.5, "x": 2.0}, of="w1", rate=0.3),
}


@cache
def drawn():
    """Exercises of all kinds on all formulas, with their names."""
    pool = [
        (name, exercise) for name, formula in FORMULAS.items() for seed in (1, 2) for exercise in draw(formula, seed)
    ]
    return [*pool, *MORE.items(), *((f"by hand {i}", exercise) for i, (_, exercise, _) in enumerate(BY_HAND))]


def test_every_misconception_is_named_on_at_least_three_graphs():
    graphs = defaultdict(set)
    for _, exercise in drawn():
        for misconception, number in exercise.wrong:
            feedback = exercise.check(f"{number:.4g}")
            named = [m.name for m in feedback.misconceptions]
            assert not feedback.right or agrees(float(f"{number:.4g}"), exercise.answer)
            if misconception.name in named:
                graphs[misconception.name].add(str(exercise.problem.formula))
            elif not feedback.right:
                assert misconception.general  # a special one explains the same number
    assert {m.name: len(graphs[m.name]) for m in MISCONCEPTIONS if len(graphs[m.name]) < 3} == {}


def test_right_answers_pass_as_they_are_typed_and_name_nothing():
    for name, exercise in drawn():
        for typed in (exercise.answer, f"{exercise.answer:.4g}", f"{exercise.answer:.6f}", str(exercise.answer)):
            if isinstance(typed, float) or agrees(float(typed), exercise.answer) or "e" not in typed:
                feedback = exercise.check(typed)
                assert feedback.right, (name, exercise, typed)
                assert feedback.misconceptions == ()


def test_a_mistake_that_gives_the_right_number_is_not_named():
    exercise = LocalDerivative("t = x**3; 2*t", {"x": 1.0}, of="t", by="x")  # 3·1³ is 3·1²
    assert exercise.check(3.0).right
    assert "exponent kept" not in {m.name for m, _ in exercise.wrong}


def test_two_mistakes_with_one_number_are_both_named():
    feedback = Adjoint(SIMPLE, {"x": 1.0}, of="x").check("0.6960")
    assert [m.name for m in feedback.misconceptions] == ["path forgotten", "= for +="]
    assert " Or: " in feedback.text


@given(st.floats(-10.0, 10.0))
def test_a_number_that_no_mistake_gives_accuses_nobody(number):
    exercise = Adjoint(SIMPLE, {"x": 1.3}, of="x")
    near = [x for x in (exercise.answer, *(x for _, x in exercise.wrong)) if agrees(number, x)]
    assert bool(exercise.check(number).misconceptions) == (bool(near) and not agrees(number, exercise.answer))


def test_a_row_more_in_the_table_is_a_misconception_more(monkeypatch):
    from scalargrad.exercises import Misconception, exercise

    halved = Misconception("halved", "Half of it was lost.", contribution=lambda adjoint, local: 0.5 * adjoint * local)
    monkeypatch.setattr(exercise, "MISCONCEPTIONS", (*MISCONCEPTIONS, halved))
    assert [m.name for m in Adjoint("t = 3*x; t + 1", {"x": 1.0}, of="x").check(0.75).misconceptions] == ["halved"]
