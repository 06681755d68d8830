"""Training: the lecture's loop, its history, its ends, and its errors."""

import math
import random
import sys
import types

import pytest

import scalargrad as sg
from scalargrad import nn, optim
from scalargrad.training import NotFiniteError, train

LINE = [([x], 2.0 * x + 1.0) for x in (-1.0, 0.0, 1.0, 2.0)]


class Line:
    """y = wx + b by hand: the steps of w and b in batch, stochastic and mini-batch descent on ½(y − d)²."""

    def __init__(self, w=0.5, b=0.0):
        self.w, self.b = w, b

    def step(self, batch, rate):
        errors = [self.w * x[0] + self.b - d for x, d in batch]
        loss = sum(e * e / 2 for e in errors) / len(batch)
        self.w -= rate / len(batch) * sum(e * x[0] for e, (x, _) in zip(errors, batch, strict=True))
        self.b -= rate / len(batch) * sum(errors)
        return loss


def line_model(w=0.5, b=0.0):
    model = nn.MLP(1, [1])
    model.load_state_dict({"layers.0.neurons.0.weights.0": w, "layers.0.neurons.0.bias": b})
    return model


@pytest.mark.parametrize("size", [None, 1, 3])
def test_descent_by_batches_of_any_size_is_the_lectures(size):
    model, hand = line_model(), Line()
    history = train(
        model, nn.quadratic, LINE, optim.SGD(model.parameters(), 0.1), size, epochs=4, rng=11, trajectory=True
    )
    rng = random.Random(11)
    losses, steps, path = [], [], [[0.5, 0.0]]
    for _ in range(4):
        order = list(range(4))
        if size:
            rng.shuffle(order)
        weighted = 0.0
        for start in range(0, 4, size or 4):
            batch = [LINE[i] for i in order[start : start + (size or 4)]]
            steps.append(hand.step(batch, 0.1))
            weighted += steps[-1] * len(batch)
            path.append([hand.w, hand.b])
        losses.append(weighted / 4)
    assert history.losses == pytest.approx(losses, rel=1e-12)
    assert history.step_losses == pytest.approx(steps, rel=1e-12)
    for met, wanted in zip(history.trajectory, path, strict=True):
        assert met == pytest.approx(wanted, rel=1e-12)
    assert history.stopped == "epochs"
    assert all(parameter.grad == 0.0 for parameter in model.parameters())


def test_the_order_is_the_seeds():
    def run(rng):
        model = line_model()
        return train(model, nn.quadratic, LINE, optim.SGD(model.parameters(), 0.1), 1, 5, rng=rng).step_losses

    assert run(1) == run(1) == run(random.Random(1)) != run(2)


def test_training_stops_when_the_loss_settles():
    model = line_model()
    history = train(model, nn.quadratic, LINE, optim.SGD(model.parameters(), 0.5), epochs=10_000, tolerance=1e-9)
    assert history.stopped == "tolerance"
    assert len(history.losses) < 200
    assert abs(history.losses[-1] - history.losses[-2]) < 1e-9 <= abs(history.losses[-2] - history.losses[-3])
    assert history.trajectory == []


def test_penalty_and_weight_decay_give_the_same_descent():
    penalised, decayed = line_model(), line_model()
    ps = penalised.parameters()
    history = train(penalised, nn.quadratic, LINE, optim.SGD(ps, 0.1), epochs=10, penalty=lambda: 0.05 * sg.dot(ps, ps))
    other = train(decayed, nn.quadratic, LINE, optim.SGD(decayed.parameters(), 0.1, weight_decay=0.1), epochs=10)
    assert list(penalised.state_dict().values()) == pytest.approx(list(decayed.state_dict().values()), rel=1e-13)
    assert history.losses[0] == pytest.approx(other.losses[0] + 0.05 * 0.25, rel=1e-13)


def test_on_step_is_called_after_every_step():
    model, calls = line_model(), []
    history = train(
        model,
        nn.quadratic,
        LINE,
        optim.SGD(model.parameters(), 0.1),
        2,
        3,
        on_step=lambda k, loss: calls.append((k, loss)),
    )
    assert [k for k, _ in calls] == [1, 2, 3, 4, 5, 6]
    assert [loss for _, loss in calls] == history.step_losses


def test_random_slopes_are_drawn_anew_at_every_step():
    activation = nn.RandomizedLeakyReLU(3, rng=1)
    model = nn.MLP(1, [3, 1], activation, rng=0)
    seen = []
    train(
        model,
        nn.quadratic,
        LINE,
        optim.SGD(model.parameters(), 0.01),
        1,
        2,
        on_step=lambda k, loss: (activation.draw(), seen.append(activation.slopes[0].data)),
    )
    assert len(set(seen)) == 8


def test_ctrl_c_gives_back_what_was_trained():
    model = line_model()

    def interrupt(k, loss):
        if k == 3:
            raise KeyboardInterrupt

    history = train(model, nn.quadratic, LINE, optim.SGD(model.parameters(), 0.1), epochs=100, on_step=interrupt)
    assert history.stopped == "interrupted"
    assert len(history.step_losses) == 3
    assert model.state_dict() != line_model().state_dict()
    assert all(parameter.grad == 0.0 for parameter in model.parameters())


def test_a_loss_that_turns_infinite_names_step_instance_and_parameter():
    model = line_model()
    # The rate is far too large: the weights double their size many times over at every step.
    with pytest.raises(NotFiniteError) as caught:
        train(model, nn.quadratic, LINE, optim.SGD(model.parameters(), 1e100), epochs=100)
    message = str(caught.value)
    assert "train: the loss turned inf at step 3, instance 0; all parameters are finite, the largest is" in message
    assert '"layers.0.neurons.0.weights.0"' in message
    assert all(math.isfinite(parameter.data) for parameter in model.parameters())


def test_a_gradient_that_turns_nan_names_the_instance_and_leaves_the_parameters():
    model = nn.Sequential(nn.Layer(1, 1, sg.sqrt, init=nn.constant(1.0)))
    before = model.state_dict()
    data = [([4.0], 2.0), ([1.0], 2.0), ([0.0], 1.0), ([9.0], 3.0)]  # at 0 the slope of the root is infinite: ∞ · 0
    with pytest.raises(
        NotFiniteError, match=r'gradient turned nan for "layers.0.neurons.0.weights.0" at step 1, instance 2'
    ):
        train(model, nn.quadratic, data, optim.SGD(model.parameters(), 0.1))
    assert model.state_dict() == before


def test_a_parameter_that_was_not_finite_is_named():
    model = line_model()
    model.layers[0].neurons[0].bias.data = math.inf
    with pytest.raises(NotFiniteError, match=r'instance 0; a parameter had turned inf for "layers.0.neurons.0.bias"'):
        train(model, nn.quadratic, LINE, optim.SGD(model.parameters(), 0.1))


def test_an_operation_that_refuses_says_where():
    w = sg.Value(1000.0, label="w")
    with pytest.raises(OverflowError, match=r"exp: x = 1000\.0") as caught:
        train(lambda x: sg.exp(w * x), nn.quadratic, [(0.0, 1.0), (1.0, 1.0)], optim.SGD([w], 1.0))
    note = 'train: at step 1, instance 1; all parameters are finite, the largest is 1000.0 for "w"'
    assert caught.value.__notes__ == [note]


def test_gradients_whose_sum_alone_overflows_are_fine():
    a, b = sg.Value(0.0), sg.Value(0.0)
    train(lambda x: a + b, lambda y, d: 1.5e308 * y, [(0, 0)], optim.SGD([a, b], 1e-308), epochs=1)
    assert a.data == b.data == pytest.approx(-1.5)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"data": []}, ValueError, "train: there are no data; give a sequence of pairs"),
        ({"data": [([1.0], 1.0), [1.0]]}, ValueError, r"train: instance 1 is \[1.0\]; give pairs \(input, target\)"),
        ({"epochs": 0}, ValueError, "train: epochs is 0; give a whole number of at least 1"),
        ({"batch_size": 0}, ValueError, "train: batch_size is 0"),
        ({"batch_size": 2.0}, ValueError, "train: batch_size is 2.0"),
        ({"tolerance": -1.0}, ValueError, r"train: tolerance is -1.0; give a number in \[0, inf\)"),
        ({"tolerance": math.nan}, ValueError, "train: tolerance is nan"),
        ({"rng": "a"}, TypeError, "train: rng is 'a'; give a random.Random"),
        ({"data": 3}, TypeError, "train: data is 3, a int; give a sequence of pairs"),
        ({"loss": None}, TypeError, "train: loss is None; give a function of output and target, such as nn.quadratic"),
        ({"optimizer": optim.SGD}, TypeError, "train: optimizer is <class .*; give one, such as optim.Adam"),
        ({"on_step": 1}, TypeError, "train: on_step is 1; give a function of the step's number and loss"),
        ({"penalty": 0.1}, TypeError, "train: penalty is 0.1; give a function without parameters"),
        ({"penalty": lambda: None}, TypeError, r"train: penalty\(\) is None, a NoneType; return a Value or a number"),
        ({"checkpoint": 3}, TypeError, "train: checkpoint is 3, a int; give the path of a file"),
        (
            {"loss": lambda y, d: 1.0},
            TypeError,
            "train: the loss of instance 0 is 1.0, not a Value: it depends on no par",
        ),
        ({"data": [([1.0, 2.0], 1.0)]}, ValueError, "layer 1: needs 1 inputs, got 2"),
    ],
)
def test_bad_options_are_refused(options, error, message):
    model = line_model()
    arguments = {"loss": nn.quadratic, "data": LINE, "optimizer": optim.SGD(model.parameters(), 0.1), **options}
    with pytest.raises(error, match=message):
        train(model, **arguments)


def test_a_parameter_that_was_replaced_is_refused_by_name():
    model = line_model()
    optimizer = optim.SGD(model.parameters(), 0.1)
    neuron = model.layers[0].neurons[0]
    neuron.weights[0] = sg.Value(neuron.weights[0].data)
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"has 1 parameters that the model does not use.* layers\.0\.neurons\.0\.w"):
        train(model, nn.quadratic, LINE, optimizer)
    neuron.weights[0] = neuron.weights[0] * 2
    with pytest.raises(TypeError, match=r"weights\.0 was computed"):
        train(model, nn.quadratic, LINE, optimizer)
    neuron.weights[0] = sg.Value(0.5)
    assert model.state_dict() == before


def test_some_of_the_models_parameters_may_be_trained_and_others_beside_them():
    model, scale = line_model(), sg.Value(1.0)
    bias = model.layers[0].neurons[0].bias
    train(model, lambda y, d: nn.quadratic(scale * y, d), LINE, optim.SGD([bias, scale], 0.1), epochs=3)
    assert bias.data != 0.0
    assert scale.data != 1.0
    assert model.layers[0].neurons[0].weights[0].data == 0.5


def test_a_batch_may_be_larger_than_the_data():
    model, other = line_model(), line_model()
    train(model, nn.quadratic, LINE, optim.SGD(model.parameters(), 0.1), batch_size=100, epochs=2)
    train(other, nn.quadratic, LINE, optim.SGD(other.parameters(), 0.1), epochs=2)
    assert model.state_dict() == other.state_dict()


def test_progress_needs_tqdm_and_shows_the_epochs(monkeypatch):
    shown = []

    class Bar:
        def __init__(self, total, unit):
            shown.append((total, unit))

        def update(self):
            shown.append("update")

        def set_postfix(self, loss):
            shown.append(float(loss) > 0)

        def close(self):
            shown.append("close")

    def run():
        model = line_model()
        return train(model, nn.quadratic, LINE, optim.SGD(model.parameters(), 0.1), epochs=2, progress=True)

    monkeypatch.setitem(sys.modules, "tqdm", types.SimpleNamespace(tqdm=Bar))
    run()
    assert shown == [(2, "epoch"), "update", True, "update", True, "close"]
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ModuleNotFoundError, match="progress needs the package tqdm: pip install tqdm"):
        run()


def test_progress_with_the_real_tqdm(capsys):
    pytest.importorskip("tqdm")
    model = line_model()
    train(model, nn.quadratic, LINE, optim.SGD(model.parameters(), 0.1), epochs=3, progress=True)
    assert "3/3" in capsys.readouterr().err
