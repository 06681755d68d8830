"""Tasks that networks of the lectures must learn: XOR, a sine, two moons, the real digits."""

import itertools
import json
import math
import random
import runpy
from pathlib import Path

import pytest

import scalargrad as sg
from scalargrad import nn, optim
from scalargrad.training import train

CORNERS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
XOR = list(zip(CORNERS, [0.0, 1.0, 1.0, 0.0], strict=True))
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def right(classify, data):
    return sum(classify(x) == d for x, d in data)


def perceptron_by_hand(w1, w2, b):
    neuron = nn.Neuron(2, sg.step)
    neuron.load_state_dict({"weights.0": w1, "weights.1": w2, "bias": b})
    return neuron.frozen()


# EE514, "Infamous XOR Problem"


def test_a_single_perceptron_reaches_every_pattern_but_xor_and_its_opposite():
    # The sign patterns of z on the four corners: which half-planes exist. A grid of weights finds them all.
    grid = [-1.5, -1.0, -0.5, 0.5, 1.0, 1.5]
    patterns = {tuple(map(perceptron_by_hand(w1, w2, b), CORNERS)) for w1, w2, b in itertools.product(grid, repeat=3)}
    every = set(itertools.product((0.0, 1.0), repeat=4))
    assert every - patterns == {(0.0, 1.0, 1.0, 0.0), (1.0, 0.0, 0.0, 1.0)}
    # No others exist: z₀₀ + z₁₁ = z₀₁ + z₁₀ = 2b + w₁ + w₂ contradicts the signs of these two.
    assert max(sum(y == d for y, (_, d) in zip(pattern, XOR, strict=True)) for pattern in patterns) == 3


@pytest.mark.parametrize("seed", range(5))
def test_the_perceptron_rule_fails_on_xor_and_learns_and_and_or(seed):
    def learn(targets):
        neuron = nn.Neuron(2, nn.identity, rng=seed)
        data = list(zip(CORNERS, targets, strict=True))
        best = []

        def count(k, loss):
            best.append(right(lambda x: sg.step(neuron.frozen()(x)), data))

        train(neuron, nn.perceptron, data, optim.SGD(neuron.parameters(), 0.1), 1, 60, rng=seed, on_step=count)
        return max(best), best[-1]

    assert learn([0.0, 1.0, 1.0, 0.0])[0] == 3
    assert learn([0.0, 0.0, 0.0, 1.0])[1] == 4
    assert learn([0.0, 1.0, 1.0, 1.0])[1] == 4


def test_and_and_or_neurons_by_hand_make_xor():
    conjunction, disjunction = perceptron_by_hand(1.0, 1.0, -1.5), perceptron_by_hand(1.0, 1.0, -0.5)
    assert [conjunction(x) for x in CORNERS] == [0.0, 0.0, 0.0, 1.0]
    assert [disjunction(x) for x in CORNERS] == [0.0, 1.0, 1.0, 1.0]
    model = nn.MLP(2, [2, 1], activation=sg.step, output=sg.step)
    model.load_state_dict({
        "layers.0.neurons.0.weights.0": 1.0, "layers.0.neurons.0.weights.1": 1.0, "layers.0.neurons.0.bias": -1.5,
        "layers.0.neurons.1.weights.0": 1.0, "layers.0.neurons.1.weights.1": 1.0, "layers.0.neurons.1.bias": -0.5,
        "layers.1.neurons.0.weights.0": -1.0, "layers.1.neurons.0.weights.1": 1.0, "layers.1.neurons.0.bias": -0.5,
    })  # fmt: skip
    assert right(model.frozen(), XOR) == right(lambda x: model(x).data, XOR) == 4


def test_mlps_learn_xor_from_at_least_18_of_20_seeds():
    def learns(seed):
        model = nn.MLP(2, [4, 1], activation=sg.tanh, output=sg.sigmoid, rng=seed)
        train(model, nn.binary_cross_entropy, XOR, optim.Adam(model.parameters(), lr=0.05), epochs=300)
        frozen = model.frozen()
        return right(lambda x: float(frozen(x) > 0.5), XOR) == 4

    assert sum(map(learns, range(20))) >= 18


# EE514, "Universal Approximation Theorem"


def test_one_hidden_layer_fits_a_sine():
    points = [-math.pi + 2 * math.pi * i / 40 for i in range(41)]
    model = nn.MLP(1, [10, 1], sg.tanh, init=nn.uniform(-2, 2), bias_init=nn.uniform(-2, 2), rng=2)
    optimizer = optim.Adam(model.parameters(), lr=optim.cosine(0.03, 3600, 0.0003))
    train(model, nn.quadratic, [([x], math.sin(x)) for x in points], optimizer, 8, 600, rng=2)
    frozen = model.frozen()
    between = [-math.pi + 2 * math.pi * i / 1000 for i in range(1001)]
    assert max(abs(frozen([x]) - math.sin(x)) for x in between) < 0.05


# micrograd's demo of two moons


def moons():
    points = json.loads((Path(__file__).parent / "data" / "moons.json").read_text(encoding="utf-8"))["points"]
    return [([x, y], float(label)) for x, y, label in points]


# The losses of steps 0 to 5 and 99 that micrograd's notebook prints, from the same weights and points.
PRINTED = {
    0: 0.8958441028683222,
    1: 1.7235905336972022,
    2: 0.7429006313851131,
    3: 0.7705641260584198,
    4: 0.3692793385976538,
    5: 0.313545481918522,
    99: 0.010978370135492717,
}


def test_two_moons_train_as_in_micrograds_notebook():
    model = nn.MLP(2, [16, 16, 1], rng=1337)
    parameters = model.parameters()
    optimizer = optim.SGD(parameters, lr=lambda k: 1.0 - 0.9 * k / 100)
    history = train(
        model, nn.max_margin, moons(), optimizer, epochs=100, penalty=lambda: 1e-4 * sg.dot(parameters, parameters)
    )
    for step, loss in PRINTED.items():
        assert history.losses[step] == pytest.approx(loss, rel=1e-9, abs=1e-9)
    frozen = model.frozen()
    assert right(lambda x: math.copysign(1.0, frozen(x)), moons()) == 100


# 11-785, "Setting up for digit recognition", "Recognizing the digit"


def script(name, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(NOTEBOOKS))
    return runpy.run_path(str(NOTEBOOKS / name))


def test_the_split_of_the_digits_is_stratified_and_fixed(monkeypatch):
    digits = script("digits.py", monkeypatch)
    images = digits["load"]()
    seen, unseen = digits["split"](images)
    assert (len(images), len(seen) + len(unseen)) == (1797, 1797)
    assert {0.0, 1.0} <= {pixel for image in images[:20] for pixel in image.pixels}
    assert not {tuple(image.pixels) for image in seen} & {tuple(image.pixels) for image in unseen}
    for number in range(10):
        count = sum(image.number == number for image in images)
        assert sum(image.number == number for image in unseen) == round(0.2 * count)
    assert digits["split"](images) == (seen, unseen)


@pytest.mark.slow
def test_two_or_not_two(monkeypatch):
    _, accuracy = script("train_two.py", monkeypatch)["train"]()
    assert accuracy >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [10, 11])
def test_ten_digits_and_none_of_the_above(outputs, monkeypatch):
    model, accuracy = script("train_digits.py", monkeypatch)["train"](outputs, epochs=6)
    assert accuracy >= 0.95
    blank = random.Random(5)
    probabilities = model.frozen()([blank.random() for _ in range(64)])
    assert len(probabilities) == outputs
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-12)
