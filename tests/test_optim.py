"""Optimisers: PyTorch's numbers, their schedules and state, and refusals."""

import copy
import itertools
import json
import math
import pickle
import re

import pytest

import scalargrad as sg
from scalargrad import optim

from .interrupts import interrupted

START = [0.5, -1.25, 2.0]


def gradients(k):
    """The fixed sequence of gradients, k from 0."""
    return [math.sin(0.7 * k + 1.0) * 2.0, math.cos(0.3 * k) + 0.25, 0.05 * (k % 7) - 0.1]


def descend(optimizer, steps):
    for k in steps:
        for parameter, gradient in zip(optimizer.parameters, gradients(k), strict=True):
            parameter.grad = gradient
        optimizer.step()


OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, 0.05),
    "momentum": lambda p: optim.SGD(p, 0.05, 0.9),
    "nesterov": lambda p: optim.SGD(p, 0.05, momentum=0.9, nesterov=True),
    "sgd_decay": lambda p: optim.SGD(p, 0.05, momentum=0.9, weight_decay=0.1),
    "adagrad": optim.Adagrad,
    "adagrad_decay": lambda p: optim.Adagrad(p, lr=0.1, weight_decay=0.1),
    "rmsprop": optim.RMSprop,
    "rmsprop_decay": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9, weight_decay=0.1),
    "adam": optim.Adam,
    "adam_decay": lambda p: optim.Adam(p, lr=0.05, betas=(0.8, 0.99), weight_decay=0.1),
    "nadam": optim.Nadam,
    "nadam_decay": lambda p: optim.Nadam(p, lr=0.05, betas=(0.8, 0.99), weight_decay=0.1, momentum_decay=0.01),
}

# The parameters after 1, 10 and 100 steps of PyTorch 2.13's optimisers of the same options, in float64.
PYTORCH = {
    "sgd": {
        1: [0.41585290151921034, -1.3125, 2.005],
        10: [0.41345617067714563, -1.4480931485799537, 1.9899999999999998],
        100: [0.3891423705347758, -2.357708672472134, 1.7624999999999988],
    },
    "momentum": {
        1: [0.41585290151921034, -1.3125, 2.005],
        10: [-0.11402893820360185, -2.659356308013161, 1.9646067882700002],
        100: [-0.4620374729932962, -12.613179505435651, -0.1796520997480568],
    },
    "nesterov": {
        1: [0.34012051288649964, -1.36875, 2.0095],
        10: [-0.139169873706096, -2.716513825791799, 1.9581461094430002],
        100: [-0.47669135515919037, -12.584570227364225, -0.1991868897732518],
    },
    "sgd_decay": {
        1: [0.41335290151921034, -1.30625, 1.995],
        10: [-0.1261959991569536, -2.3216476456349104, 1.567032222941705],
        100: [0.20987280034967554, -2.2195326808473306, -0.5144972259240151],
    },
    "adagrad": {
        1: [0.4900000000005942, -1.2599999999992, 2.00999999999],
        10: [0.487445889476877, -1.2744984864612727, 1.9952050935795163],
        100: [0.4860838874760212, -1.3095393128664705, 1.9299004188405664],
    },
    "adagrad_decay": {
        1: [0.4000000000057705, -1.3499999999911112, 1.9000000001],
        10: [0.36750789402371326, -1.448045566199642, 1.4571523259404588],
        100: [0.32269624802711633, -1.5391767046460179, 0.4787760099311432],
    },
    "rmsprop": {
        1: [0.4000000059419752, -1.3499999920000005, 2.0999999000000997],
        10: [0.37492674067750004, -1.4945805667434302, 1.950695104960595],
        100: [0.3613173111007588, -1.8859789939027929, 1.2256578172165962],
    },
    "rmsprop_decay": {
        1: [0.3418861198768478, -1.4081138785639746, 1.8418861669915652],
        10: [0.29945719906448165, -1.5272657704601782, 1.1246387716111907],
        100: [0.20504325392552541, -1.6761204491833588, -0.4696533648076584],
    },
    "adam": {
        1: [0.49900000000594197, -1.250999999992, 2.0009999999],
        10: [0.49624944453994774, -1.2578599351775768, 2.0008825663823617],
        100: [0.4955378792352139, -1.2839566444995227, 1.9605062006313128],
    },
    "adam_decay": {
        1: [0.45000000028852666, -1.2999999995555556, 1.9500000049999995],
        10: [0.34827709026182097, -1.5643554701599216, 1.5058128709374463],
        100: [0.2534615618917451, -1.8179414353197554, -0.41899846756341697],
    },
    "nadam": {
        1: [0.497887096455844, -1.2521129035398075, 2.0021129033454206],
        10: [0.4971697561009801, -1.2571469620330524, 1.9975959767827465],
        100: [0.49643583974386823, -1.3067155787336788, 1.9163831474966413],
    },
    "nadam_decay": {
        1: [0.4452330974390491, -1.3047669023901682, 1.9452331025997045],
        10: [0.42369804538422606, -1.3964580686674732, 1.526356992365777],
        100: [0.30550559543766115, -1.6801775699914228, -0.371272924698921],
    },
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimisers_equal_pytorchs_over_100_steps(name):
    parameters = [sg.Value(number) for number in START]
    optimizer = OPTIMIZERS[name](parameters)
    for k in range(100):
        for parameter, gradient in zip(parameters, gradients(k), strict=True):
            parameter.grad = gradient
        optimizer.step()
        if k + 1 in PYTORCH[name]:
            assert [p.data for p in parameters] == pytest.approx(PYTORCH[name][k + 1], rel=1e-12, abs=1e-12)


def test_momentum_is_the_lectures_at_constant_rate_and_not_at_a_changing_one():
    # "Derivation of Backpropagation", "Adding Momentum": Δw(t) = −η ∂C/∂w + α Δw(t−1)
    eta, alpha = 0.05, 0.9

    def lecture(rate):
        w, delta, path = 0.5, 0.0, []
        for k in range(50):
            delta = -rate(k) * gradients(k)[0] + alpha * delta
            w += delta
            path.append(w)
        return path

    def ours(rate):
        w = sg.Value(0.5)
        optimizer = optim.SGD([w], rate, alpha)
        path = []
        for k in range(50):
            w.grad = gradients(k)[0]
            optimizer.step()
            path.append(w.data)
        return path

    assert ours(eta) == pytest.approx(lecture(lambda k: eta), abs=1e-12)
    decaying = optim.inverse_time(eta, 0.5)
    assert ours(decaying) != pytest.approx(lecture(decaying), abs=1e-3)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_goes_on_where_it_was_also_through_json(name):
    parameters = [sg.Value(number) for number in START]
    optimizer = OPTIMIZERS[name](parameters)
    descend(optimizer, range(5))
    saved = json.loads(json.dumps(optimizer.state_dict()))
    again = [sg.Value(parameter.data) for parameter in parameters]
    resumed = OPTIMIZERS[name](again)
    resumed.load_state_dict(saved)
    descend(optimizer, range(5, 10))
    descend(resumed, range(5, 10))
    assert [p.data for p in again] == [p.data for p in parameters]
    assert resumed.steps == 10


def test_state_of_another_kind_is_refused():
    adam = optim.Adam([sg.Value(1.0)])
    before = adam.state_dict()
    for state, message in (
        (optim.SGD([sg.Value(1.0)], 0.1).state_dict(), "unexpected keyword argument 'momentum'"),
        (optim.Adam([sg.Value(1.0), sg.Value(2.0)]).state_dict(), "{'means': 1, 'squares': 1}, got 0 steps and"),
        ({**before, "state": {"means": [0.0]}}, "got 0 steps and {'means': 1}"),
        ({name: part for name, part in before.items() if name != "steps"}, "'steps' is missing"),
        ({}, "'steps' is missing"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)) as caught:
            adam.load_state_dict(state)
        assert str(caught.value).startswith("Adam.load_state_dict: ")
    assert adam.state_dict() == before


@pytest.mark.parametrize("bad", [math.nan, -math.inf, None, "1.0", True, 1j, [0.0]])
@pytest.mark.parametrize("place", ["state", "options", "steps"])
def test_bad_numbers_in_a_state_are_refused(bad, place):
    adam = optim.Adam([sg.Value(1.0)])
    before = adam.state_dict()
    state = {**before, place: {"state": {"means": [bad], "squares": [0.0]}, "options": {"eps": bad}}.get(place, bad)}
    with pytest.raises(ValueError, match=r"Adam\.load_state_dict: "):
        adam.load_state_dict(state)
    assert adam.state_dict() == before


def test_negative_squares_and_steps_are_refused():
    adam = optim.Adam([sg.Value(1.0)])
    with pytest.raises(ValueError, match=r"squares\[0\] is -1.0; it must be a number of at least 0"):
        adam.load_state_dict({**adam.state_dict(), "state": {"means": [-1.0], "squares": [-1.0]}})
    with pytest.raises(ValueError, match="int too large to convert to float"):
        adam.load_state_dict({**adam.state_dict(), "state": {"means": [10**400], "squares": [0.0]}})
    with pytest.raises(ValueError, match="got -1 steps"):
        adam.load_state_dict({**adam.state_dict(), "steps": -1})


SCHEDULES = [optim.cosine(0.1, 20, 0.01), optim.step_decay(0.1, 0.5, 3), optim.inverse_time(0.1, 0.25)]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_options_and_schedules_are_part_of_the_state(schedule):
    saved = optim.SGD([sg.Value(1.0)], schedule, momentum=0.5, nesterov=True, weight_decay=0.125)
    state = json.loads(json.dumps(saved.state_dict()))
    loaded = optim.SGD([sg.Value(1.0)], 1.0)
    loaded.load_state_dict(state)
    assert (loaded.lr, loaded.momentum, loaded.nesterov, loaded.weight_decay) == (schedule, 0.5, True, 0.125)
    assert loaded.state_dict() == saved.state_dict()


def test_a_rate_that_was_changed_on_the_way_is_loaded_and_a_function_of_your_own_is_to_be_given():
    saved = optim.Adam([sg.Value(1.0)], lr=0.5)
    saved.lr = 0.25
    loaded = optim.Adam([sg.Value(1.0)])
    loaded.load_state_dict(saved.state_dict())
    assert loaded.lr == 0.25
    saved.lr = lambda k: 0.125
    with pytest.raises(ValueError, match="a schedule of your own; give the optimiser that schedule as lr"):
        loaded.load_state_dict(saved.state_dict())
    loaded.lr = own = lambda k: 0.5
    loaded.load_state_dict(saved.state_dict())
    assert loaded.lr is own
    with pytest.raises(ValueError, match="the schedule 'system' is unknown; known are step_decay, cosine"):
        loaded.load_state_dict({**saved.state_dict(), "options": {"lr": {"schedule": "system", "command": "ls"}}})
    with pytest.raises(ValueError, match="cosine: steps is 0"):
        loaded.load_state_dict(
            {**saved.state_dict(), "options": {"lr": {"schedule": "cosine", "lr": 0.1, "steps": 0, "final": 0.0}}}
        )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimisers_and_their_parameters_are_pickled_and_copied_together(name):
    parameters = [sg.Value(number) for number in START]
    optimizer = OPTIMIZERS[name](parameters)
    optimizer.lr = optim.cosine(0.1, 20)
    descend(optimizer, range(3))
    both = parameters, optimizer
    for again, resumed in (pickle.loads(pickle.dumps(both)), copy.deepcopy(both)):  # noqa: S301 (our own)
        assert all(x is y for x, y in zip(again, resumed.parameters, strict=True))
        assert resumed.state_dict() == optimizer.state_dict()
        descend(resumed, range(3, 6))
        assert [p.data for p in again] != [p.data for p in parameters]
    descend(optimizer, range(3, 6))
    assert [p.data for p in again] == [p.data for p in parameters]


def snapshot(optimizer):
    return [p.data for p in optimizer.parameters], optimizer.state_dict()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_interrupt_at_any_instruction_leaves_a_step_undone_or_done(name):
    """Ctrl-C comes between two instructions of Python: it is tried at each of them."""

    def run(stop):
        optimizer = OPTIMIZERS[name]([sg.Value(number) for number in START])
        descend(optimizer, range(2))
        before = snapshot(optimizer)
        for parameter, gradient in zip(optimizer.parameters, gradients(2), strict=True):
            parameter.grad = gradient
        outcome = interrupted(optimizer.step, stop)
        return before, snapshot(optimizer), outcome.interrupted

    before, after, _ = run(None)
    outcomes = []
    for stop in itertools.count():
        start, end, stopped = run(stop)
        if not stopped:
            break
        assert start == before
        assert end in (before, after)
        outcomes.append(end == after)
    assert len(outcomes) > 50
    assert outcomes == sorted(outcomes)  # undone up to one instruction, done from there on


@pytest.mark.parametrize("build", [optim.Adagrad, optim.RMSprop, optim.Adam, optim.Nadam])
def test_without_eps_a_parameter_that_had_no_gradient_stays(build):
    still, moving = sg.Value(1.0), sg.Value(1.0)
    optimizer = build([moving, still], lr=0.5, eps=0.0)
    for _ in range(3):
        moving.grad = 3.0
        optimizer.step()
    assert still.data == 1.0
    assert moving.data < 1.0
    tiny = sg.Value(1.0)  # its square underflows to 0
    optimizer = build([tiny], lr=0.5, eps=0.0)
    tiny.grad = 1e-200
    optimizer.step()
    assert tiny.data == 1.0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_rate_of_zero_moves_nothing_and_counts_as_a_step(name):
    parameters = [sg.Value(number) for number in START]
    optimizer = OPTIMIZERS[name](parameters)
    optimizer.lr = 0.0
    descend(optimizer, range(1))
    assert [p.data for p in parameters] == START
    assert optimizer.steps == 1
    if "means" in optimizer.state:
        assert optimizer.state["means"][0] != 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gradient_that_is_not_finite_is_refused_and_moves_nothing(name, bad):
    optimizer = OPTIMIZERS[name]([sg.Value(0.5), sg.Value(-1.25, label="w₂"), sg.Value(2.0)])
    descend(optimizer, range(2))
    before = snapshot(optimizer)
    optimizer.parameters[1].grad = bad
    with pytest.raises(optim.NotFiniteError, match=f'the gradient of parameter 1, "w₂", is {bad}; nothing was moved'):
        optimizer.step()
    assert snapshot(optimizer) == before


def test_a_step_that_would_overflow_is_refused():
    w = sg.Value(1e308)
    w.grad = -1e300
    with pytest.raises(optim.NotFiniteError, match=r"SGD: parameter 0 would go from 1e\+308 to inf"):
        optim.SGD([w], 1e10).step()
    adagrad = optim.Adagrad([w])  # lr · g / ∞ would be 0 from here on, without a word
    with pytest.raises(optim.NotFiniteError, match=r"Adagrad: the state squares\[0\] would become inf"):
        adagrad.step()
    assert (w.data, adagrad.steps, adagrad.state) == (1e308, 0, {"squares": [0.0]})


def test_a_schedule_is_asked_at_every_step():
    w = sg.Value(0.0)
    asked = []
    optimizer = optim.SGD([w], lr=lambda k: asked.append(k) or 1.0 / (k + 1))
    for _ in range(3):
        w.grad = -1.0
        optimizer.step()
    assert asked == [0, 1, 2]
    assert w.data == 1.0 + 1.0 / 2 + 1.0 / 3


def test_schedules_have_their_closed_forms():
    half = optim.step_decay(0.8, 0.5, 10)
    assert [half(k) for k in (0, 9, 10, 25)] == [0.8, 0.8, 0.4, 0.2]
    wave = optim.cosine(1.0, 100, 0.1)
    assert [wave(k) for k in (0, 50, 100, 1000)] == pytest.approx([1.0, 0.55, 0.1, 0.1], abs=1e-15)
    assert wave(25) == pytest.approx(0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2, rel=1e-15)
    assert [optim.inverse_time(1.0, 0.25)(k) for k in (0, 4, 12)] == [1.0, 0.5, 0.25]


def test_zero_grad_clears_the_parameters():
    w = sg.Value(2.0)
    (w * w).backward()
    optim.SGD([w], 0.1).zero_grad()
    assert w.grad == 0.0


@pytest.mark.parametrize("lr", [-0.1, math.nan, math.inf, "0.1", True, None, lambda k: -1.0])
def test_rates_that_are_negative_or_not_finite_are_refused(lr):
    w = sg.Value(1.0)
    with pytest.raises(ValueError, match=r"SGD: lr is .*; give a finite number of at least 0, or a function of the"):
        optim.SGD([w], lr).step()
    assert w.data == 1.0


def test_a_schedule_of_a_bad_rate_names_the_step():
    w = sg.Value(1.0)
    optimizer = optim.SGD([w], lambda k: 0.1 - 0.05 * k)
    for _ in range(3):
        optimizer.step()
    with pytest.raises(ValueError, match=r"SGD: lr is -0.0\d+ at step 3"):
        optimizer.step()
    assert optimizer.steps == 3


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda w: optim.SGD([], 0.1), ValueError, "SGD: there are no parameters; give model.parameters()"),
        (lambda w: optim.Adam([1.0]), TypeError, "Adam: parameter 0 is 1.0, not a Value"),
        (lambda w: optim.Adam([w, w * 2]), ValueError, "Adam: parameter 1, .*, was computed; give leaves"),
        (lambda w: optim.Adam([w, w]), ValueError, "Adam: a parameter is given twice"),
        (lambda w: optim.SGD([w], 0.1, 1.0), ValueError, r"SGD: momentum is 1.0; give a number in \[0, 1\)"),
        (lambda w: optim.SGD([w], 0.1, nesterov=True), ValueError, "SGD: nesterov needs a momentum above 0"),
        (
            lambda w: optim.SGD([w], 0.1, weight_decay=-1),
            ValueError,
            r"SGD: weight_decay is -1; give a number in \[0, inf\)",
        ),
        (lambda w: optim.Adam([w], betas=(0.9, 1.0)), ValueError, r"Adam: betas\[1\] is 1.0"),
        (lambda w: optim.Adam([w], betas=0.9), TypeError, r"Adam: betas is 0.9, a float; give a pair, such as \(0.9,"),
        (lambda w: optim.Adam([w], betas=(0.9,)), ValueError, r"Adam: betas is \(0.9,\); give a pair"),
        (optim.Adam, TypeError, "Adam: parameters is Value.*; give model.parameters"),
        (lambda w: optim.Adam([w]).load_state_dict(None), TypeError, "Adam.load_state_dict: the state is None; give a"),
        (lambda w: optim.RMSprop([w], alpha=math.nan), ValueError, "RMSprop: alpha is nan"),
        (lambda w: optim.Adagrad([w], eps=-1e-9), ValueError, "Adagrad: eps is -1e-09"),
        (lambda w: optim.step_decay(1.0, 0.5, 0), ValueError, "step_decay: every is 0; give a positive finite number"),
        (lambda w: optim.cosine(-1.0, 5), ValueError, "cosine: lr is -1.0"),
        (lambda w: optim.cosine(1.0, "5"), ValueError, "cosine: steps is '5'"),
        (lambda w: optim.cosine(1.0, 5, -1.0), ValueError, "cosine: final is -1.0"),
        (lambda w: optim.inverse_time(1.0, math.inf), ValueError, "inverse_time: decay is inf"),
    ],
)
def test_bad_options_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build(sg.Value(1.0))


def test_an_own_rule_needs_only_its_update():
    class Sign(optim.Optimizer):
        def update(self, lr, gradients):
            return [math.copysign(lr, g) for g in gradients], {}

    w = sg.Value(1.0)
    optimizer = Sign([w], 0.25)
    w.grad = 9.0
    optimizer.step()
    assert w.data == 0.75
    assert repr(optimizer) == "Sign(1 parameters, lr=0.25, 1 steps)"
    assert optimizer.state_dict() == {"steps": 1, "options": {"lr": 0.25, "weight_decay": 0.0}, "state": {}}
    with pytest.raises(NotImplementedError, match="Optimizer defines no update"):
        optim.Optimizer([w], 0.1).step()
    Sign.update = lambda self, lr, gradients: None
    with pytest.raises(TypeError, match=r"Sign\.update returned None; return a pair: the moves, and the new state"):
        optimizer.step()
    assert w.data == 0.75
