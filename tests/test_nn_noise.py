"""Layers with random numbers: their distribution, and that they are inputs of recorded programs."""

import math
import random

import pytest

import scalargrad as sg
from scalargrad import nn, optim
from scalargrad.training import train


def network(seed=1):
    rng = random.Random(seed)
    return nn.Sequential(
        nn.Layer(2, 6, nn.RandomizedLeakyReLU(6, rng), rng=rng),
        nn.Dropout(6, rng, p=0.25),
        nn.Layer(6, 5, sg.tanh, rng=rng),
        nn.Dropout(5, random.Random(seed + 1)),
        nn.Layer(5, 1, nn.identity, rng=rng),
    )


DATA = [([math.sin(k), math.cos(2 * k)], [0.1 * k]) for k in range(10)]


def test_dropout_drops_with_its_probability_and_keeps_the_mean():
    dropout = nn.Dropout(20_000, rng=5, p=0.3)
    dropout.draw()
    ys = [y.data for y in dropout([1.0] * 20_000)]
    assert set(ys) == {0.0, 1.0 / 0.7}
    dropped = ys.count(0.0) / 20_000
    assert abs(dropped - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 20_000)  # four standard deviations
    dropout.draw()
    again = [y.data for y in dropout([1.0] * 20_000)]
    both = sum(y == 0.0 == z for y, z in zip(ys, again, strict=True)) / 20_000
    assert abs(both - 0.09) < 4 * math.sqrt(0.09 * 0.91 / 20_000)


def test_dropout_passes_everything_until_it_draws_and_after_eval():
    model = network()
    x = [0.5, -1.0]
    expected = model(x)[0].data
    assert model.frozen()(x) == [pytest.approx(expected, rel=1e-15)]
    model.draw()
    assert model(x)[0].data != expected
    model.eval()
    assert model(x)[0].data == expected
    assert model.frozen()([3, 4.5]) == [pytest.approx(model([3, 4.5])[0].data, rel=1e-15)]
    assert len(model.parameters()) == 6 * 3 + 5 * 7 + 6
    assert repr(model.layers[1]) == "Dropout(6, p=0.25)"


def test_gradients_flow_through_what_is_kept():
    dropout = nn.Dropout(8, rng=3)
    dropout.draw()
    factors = [factor.data for factor in dropout.numbers()]
    xs = [sg.Value(float(i)) for i in range(8)]
    sg.sum(dropout(xs)).backward()
    assert [x.grad for x in xs] == factors
    assert {0.0, 2.0} == set(factors)


def test_a_recorded_program_reads_the_random_numbers_afresh():
    model = network()

    def loss(x):
        return nn.quadratic(model(x), [1.0])

    recorded = sg.jit(loss)
    for turn in range(12):
        model.eval() if turn % 4 == 3 else model.draw()
        x = [0.1 * turn, 1.0]
        assert recorded(x).data == pytest.approx(loss(x).data, rel=1e-13)
    assert recorded.stats["eager_runs"] == 0
    gradient = sg.jit(sg.grad(loss))
    for _ in range(5):
        model.draw()
        assert gradient([0.3, 0.4]) == pytest.approx(sg.grad(loss)([0.3, 0.4]), rel=1e-12)


def by_hand(model, size, epochs, rate, rng):
    """Stochastic descent in a loop of its own, drawing for each instance in its order; the losses of the steps."""
    parameters, losses = model.parameters(), []
    for _ in range(epochs):
        order = list(range(len(DATA)))
        rng.shuffle(order)
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            numbers = [[layer.sample() for layer in noisy(model)] for _ in batch]
            for p in parameters:
                p.grad = 0.0
            total = 0.0
            for index, drawn in zip(batch, numbers, strict=True):
                for layer, layers_numbers in zip(noisy(model), drawn, strict=True):
                    for leaf, number in zip(layer.numbers(), layers_numbers, strict=True):
                        leaf.data = number
                x, d = DATA[index]
                loss = nn.quadratic(model(x), d)
                loss.backward(1.0 / len(batch))
                total += loss.data
            for p in parameters:
                p.data -= rate * p.grad
            losses.append(total / len(batch))
    return losses


def noisy(model):
    return [model.layers[0].activation, model.layers[1], model.layers[3]]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("size", [1, 4])
def test_training_draws_anew_for_each_instance(size, jit):
    model, other = network(), network()
    history = train(
        model, nn.quadratic, DATA, optim.SGD(model.parameters(), 0.05), size, epochs=6, rng=random.Random(3), jit=jit
    )
    assert history.step_losses == pytest.approx(by_hand(other, size, 6, 0.05, random.Random(3)), rel=1e-9)
    assert list(model.state_dict().values()) == pytest.approx(list(other.state_dict().values()), rel=1e-9)
    other.eval()
    assert model(DATA[0][0])[0].data == pytest.approx(other(DATA[0][0])[0].data, rel=1e-9)


@pytest.mark.parametrize("jit", [False, True])
def test_a_model_that_hides_its_dropout_from_the_training_is_refused(jit):
    model = network()
    with pytest.raises(TypeError, match=r"train: the model calls a RandomizedLeakyReLU, but train can't find it"):
        train(lambda x: model(x)[:1], nn.quadratic, DATA, optim.SGD(model.parameters(), 0.05), jit=jit)
    frozen = model.frozen()
    student = nn.MLP(2, [1])
    train(
        student,
        lambda y, x: nn.quadratic(y, frozen(x)),
        [(x, x) for x, _ in DATA],
        optim.SGD(student.parameters(), 0.1),
    )


def test_numbers_of_a_training_end_with_it_also_after_an_error():
    model = network()
    with pytest.raises(ValueError, match="needs 2 inputs"):
        train(model, nn.quadratic, [([1.0], [1.0])], optim.SGD(model.parameters(), 0.05))
    assert model([1.0, 2.0])[0].data == pytest.approx(model.frozen()([1.0, 2.0])[0])


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: nn.Dropout(0.5, rng=1), ValueError, "Dropout: the number of inputs is 0.5; give a whole number"),
        (lambda: nn.Dropout(3, rng=1, p=1.0), ValueError, r"Dropout: p is 1.0; give a number in \[0, 1\)"),
        (lambda: nn.Dropout(3, rng=1, p=math.nan), ValueError, "Dropout: p is nan"),
        (lambda: nn.Dropout(3, rng=1, p=True), ValueError, "Dropout: p is True"),
        (lambda: nn.Dropout(3, rng="1"), TypeError, "Dropout: rng is '1'; give a random.Random or a whole number"),
        (lambda: nn.Dropout(3, rng=1)([1.0]), ValueError, "Dropout: needs 3 inputs, got 1"),
        (lambda: nn.Sequential(nn.Dropout(3, rng=1), nn.Layer(2, 1)), ValueError, "layer 2 takes 2 inputs, but the"),
    ],
)
def test_bad_options_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_pictures_of_networks_have_the_factors_in_the_layer_before():
    model = nn.Sequential(nn.Layer(2, 3, sg.tanh, rng=1), nn.Dropout(3, rng=1), nn.Layer(3, 1, nn.identity, rng=2))
    model.draw()
    source = sg.network_diagram(model, [1.0, -2.0], [0.5]).source
    assert "tanh, dropout" in source
    x = [1.0, -2.0]
    for unit, factor in zip(model.layers[0].neurons, model.layers[1].numbers(), strict=True):
        shown = f"{unit(x).data * factor.data:.4f}".replace("-", "−").rstrip("0").rstrip(".")
        assert shown in source
    assert {factor.data for factor in model.layers[1].numbers()} == {0.0, 2.0}
    assert f"{model(x)[0].data:.4f}".replace("-", "−") in source
    assert "dropout" in sg.jacobian_diagram(model).source
    with pytest.raises(TypeError, match=r"network_diagram: Dropout\(2, p=0.5\) comes before the first layer"):
        sg.network_diagram(nn.Sequential(nn.Dropout(2, rng=1), nn.Layer(2, 1)))
    assert [factor.label for factor in model.layers[1].numbers()] == ["m₁", "m₂", "m₃"]
