"""Exercises: questions, answers and refusals, and that four decimals suffice to work them."""

import math

import pytest

import scalargrad as sg
from scalargrad import exercises
from scalargrad.exercises import (
    FORMULAS,
    KINDS,
    Adjoint,
    ForwardValue,
    LocalDerivative,
    MissingLine,
    TrainingStep,
    draw,
)

SIMPLE = "t = x**2; u1 = sin(t); u2 = 3*t; u = u1 + u2; cos(u)"


def test_answers_are_those_of_the_lecture():
    at = {"x": 1.0}
    assert ForwardValue(SIMPLE, at, of="u").answer == pytest.approx(3.8415, abs=1e-4)
    assert LocalDerivative(SIMPLE, at, of="u1", by="t").answer == pytest.approx(0.5403, abs=1e-4)
    assert [MissingLine(SIMPLE, at, number=n).answer for n in range(1, 7)] == pytest.approx(
        [0.6441, 0.6441, 0.6441, 1.9324, 0.3480, 4.5608], abs=1e-4
    )
    assert Adjoint(SIMPLE, at, of="x").answer == pytest.approx(4.5608, abs=1e-4)
    assert TrainingStep(SIMPLE, at, of="x", rate=0.1).answer == pytest.approx(1 - 0.45608, abs=1e-4)


@pytest.mark.parametrize("name", FORMULAS)
def test_adjoints_and_steps_agree_with_grad(name):
    formula = FORMULAS[name]
    for exercise in draw(formula, "Emmy", [Adjoint, TrainingStep]):
        names, numbers = zip(*exercise.problem.inputs.items(), strict=True)

        def goal(*values, exercise=exercise, names=names):
            leaves = {name: value for name, value in zip(names, values, strict=True)}  # noqa: C416 (as in the package)
            formula = exercise.problem.formula
            return exercises.graph.Expression(formula)(leaves) if isinstance(formula, str) else formula(**leaves)

        gradient = dict(zip(names, sg.grad(goal, argnums=tuple(range(len(names))))(*numbers), strict=True))
        if exercise.kind == "adjoint" and exercise.node.primitive is None:
            assert exercise.answer == pytest.approx(gradient[exercise.node.label], rel=1e-12)
        if exercise.kind == "training step" and exercise.steps == 1:
            assert exercise.answer == pytest.approx(exercise.start - 0.1 * gradient[exercise.of], rel=1e-12)


def test_a_seed_gives_the_same_exercises_and_another_one_others():
    first, again, other = (draw(SIMPLE, seed) for seed in ("Ada", "Ada", "Grace"))
    assert [repr(e) for e in first] == [repr(e) for e in again]
    assert all(one.problem.inputs != two.problem.inputs for one, two in zip(first, other, strict=True))
    assert [type(e) for e in first] == list(KINDS)


def test_repr_gives_the_exercise_again():
    for exercise in draw(SIMPLE, 3):
        name, _, rest = repr(exercise).partition("(")
        again = eval(f"kind({rest}", {"kind": getattr(exercises, name)})  # noqa: S307 (our own text)
        assert again.answer == exercise.answer


def test_drawn_exercises_can_be_worked_with_four_decimals():
    for exercise in draw(FORMULAS["a hidden neuron"], "Alan", [Adjoint] * 10):
        found = {}
        for step in exercise.graph.equations.forward:
            found[id(step.node)] = round(step.value, 4)
        adjoints = {id(node): 0.0 for node in exercise.graph.nodes} | {id(exercise.graph.goal): 1.0}
        for edge in exercise.graph.edges:
            amount = adjoints[id(edge.child)] * round(edge.local, 4)
            adjoints[id(edge.parent)] = round(adjoints[id(edge.parent)] + amount, 6)
        assert exercise.check(adjoints[id(exercise.node)]).right


def test_inputs_at_which_four_decimals_are_too_few_are_not_drawn():
    formula = "p = cos(x); q = cos(y); c = 10000*p - 10000*q; c + 1"
    for seed in range(12):
        (exercise,) = draw(formula, seed, [ForwardValue], ranges={"x": (0.0, 0.3), "y": (0.0, 0.3)})
        p, q = (round(math.cos(exercise.problem.inputs[name]), 4) for name in "xy")
        by_hand = {"p": p, "q": q, "c": 10000 * p - 10000 * q, "J": 10000 * p - 10000 * q + 1}
        assert exercise.options["of"] not in by_hand or exercise.check(by_hand[exercise.options["of"]]).right


@pytest.mark.parametrize(
    ("typed", "number"),
    [("-0.5", -0.5), ("−0.5", -0.5), (" 2/3 ", 2 / 3), ("cos(1)", math.cos(1)), ("2^3", 8.0), ("3e-2", 0.03), (2, 2.0)],
)
def test_answers_are_read_as_students_type_them(typed, number):
    assert exercises.exercise.read_number(typed) == number


@pytest.mark.parametrize("typed", ["", "about 3", "0,25", "x", "__import__('os').getcwd()", "1/0", "[1]", "nan"])
def test_text_that_is_not_a_number_is_refused(typed):
    with pytest.raises(ValueError, match="is not a number"):
        Adjoint(SIMPLE, {"x": 1.0}, of="t").check(typed)


def test_a_comma_gets_its_own_advice():
    with pytest.raises(ValueError, match="write a decimal point"):
        Adjoint(SIMPLE, {"x": 1.0}, of="t").check("0,25")


@pytest.mark.parametrize("wrong", [True, 1j, [1.0]])
def test_what_is_not_a_number_is_refused(wrong):
    with pytest.raises(TypeError):
        Adjoint(SIMPLE, {"x": 1.0}, of="t").check(wrong)


@pytest.mark.parametrize("nothing", [None, ...])
def test_no_answer_yet_is_not_right_and_accuses_nobody(nothing):
    feedback = Adjoint(SIMPLE, {"x": 1.0}, of="t").check(nothing)
    assert not feedback.right
    assert feedback.misconceptions == ()
    assert "put your number" in feedback.text


def test_an_answer_rounded_too_far_is_called_close():
    feedback = Adjoint(SIMPLE, {"x": 1.0}, of="x").check("4.6")
    assert not feedback
    assert "four significant digits" in str(feedback)
    assert feedback.misconceptions == ()


def test_an_answer_of_zero_takes_zero_only():
    exercise = Adjoint("m = max(a, b); m**2", {"a": 3.0, "b": 1.0}, of="b")
    assert exercise.answer == 0.0
    assert exercise.check("0").right
    assert not exercise.check(0.001).right


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adjoint(SIMPLE, {}, of="t"), "no number for x"),
        (lambda: Adjoint(SIMPLE, {"x": 1.0, "y": 2.0}, of="t"), "no variable is named y"),
        (lambda: Adjoint(SIMPLE, {"x": 1.0}, of="s"), "no node 's'; its nodes are x, t, u1, u2, u, J"),
        (lambda: LocalDerivative(SIMPLE, {"x": 1.0}, of="u", by="t"), "u is not computed from t directly"),
        (lambda: MissingLine(SIMPLE, {"x": 1.0}, number=7), "the lines 1 to 6"),
        (lambda: TrainingStep(SIMPLE, {"x": 1.0}, of="t"), "t is not a variable"),
        (lambda: TrainingStep(SIMPLE, {"x": 1.0}, of="x", steps=9), "ask for 1 to 5"),
        (lambda: TrainingStep(SIMPLE, {"x": 1.0}, of="x", rate=1e-4), "take a larger rate"),
        (lambda: Adjoint("2 + 3", {}, of="t"), "depends on no variable"),
        (lambda: Adjoint("x.real", {"x": 1.0}, of="t"), "cannot stand in a formula"),
        (lambda: Adjoint("log(x)", {"x": -1.0}, of="x"), "outside"),
        (lambda: Adjoint("+".join(["x"] * 70), {"x": 1.0}, of="x"), "at most 60 nodes"),
        (lambda: draw("log(-1 - x**2)"), "no inputs were found"),
        (lambda: draw(SIMPLE, ranges={"y": (0.0, 1.0)}), "the formula's variables are x"),
        (lambda: exercises.Sheet(()).save("sheet.docx"), "not as 'sheet.docx'"),
    ],
)
def test_bad_input_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        make()


def test_ranges_are_kept_to():
    for exercise in draw("y = log(x); y**2", 5, ranges={"x": (3.0, 4.0)}):
        assert 3.0 <= exercise.problem.inputs["x"] <= 4.0


def test_question_does_not_give_the_answer_away():
    exercise = Adjoint(SIMPLE, {"x": 1.0}, of="x")
    for text in (str(exercise.question), exercise.question.markdown(), exercise.question.latex()):
        assert "4.56" not in text
    assert "4.5608" in str(exercise.solution)


def test_a_console_without_mathematical_signs_gets_ascii(monkeypatch):
    import io
    import sys

    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    exercise = Adjoint(SIMPLE, {"x": 1.0}, of="t")
    for text in (exercise.question, exercise.solution, exercise.check(0.348)):
        assert str(text).encode("cp1252")
        print(text)


def test_text_of_a_question():
    assert str(Adjoint("t = x**2; sin(t)", {"x": 1.0}, of="x").question) == (
        "The forward pass is done. Work the backward pass.\n\n"
        "  x = 1\n  t = x² = 1\n  J = sin t = 0.8415\n\nWhat is ∂J/∂x?"
    )
    assert Adjoint("sin(x)", {"x": -0.5}, of="x").question.markdown() == (
        "The forward pass is done. Work the backward pass.\n\n$$\\begin{aligned}\nx &= -0.5 \\\\[6pt]\n"
        "J &= \\sin x = -0.4794\n\\end{aligned}$$\n\nWhat is $\\frac{\\partial J}{\\partial x}$?"
    )
