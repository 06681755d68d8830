"""Modules, layers and networks: their parameters, names, labels, and what they refuse."""

import copy
import itertools
import math
import pickle
import random

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import nn
from scalargrad.engine.linearization import topological_order


def forward_by_hand(state, sizes, x, hidden, output):
    """The forward pass of an MLP on plain lists, from its state_dict."""
    for k, (nin, nout) in enumerate(itertools.pairwise(sizes)):
        zs = []
        for j in range(nout):
            path = f"layers.{k}.neurons.{j}"
            z = math.fsum([state[f"{path}.bias"], *(state[f"{path}.weights.{i}"] * x[i] for i in range(nin))])
            zs.append(z)
        x = [(output if k == len(sizes) - 2 else hidden)(z) for z in zs]
    return x


def test_an_mlp_is_the_formula_of_its_layers():
    model = nn.MLP(3, [5, 4, 2], activation=sg.tanh, rng=3)
    x = [0.3, -0.7, 1.1]
    expected = forward_by_hand(model.state_dict(), [3, 5, 4, 2], x, math.tanh, lambda z: z)
    assert [y.data for y in model(x)] == pytest.approx(expected, abs=1e-15)


def test_micrograds_network_is_ours():
    model = nn.MLP(2, [16, 16, 1], rng=1337)
    rng = random.Random(1337)  # micrograd draws its weights in this order, and starts its biases at 0
    for layer, nin in zip(model.layers, (2, 16, 16), strict=True):
        for neuron in layer.neurons:
            assert [w.data for w in neuron.weights] == [rng.uniform(-1, 1) for _ in range(nin)]
            assert neuron.bias.data == 0.0
    assert isinstance(model([1.0, -2.0]), sg.Value)
    assert repr(model) == "MLP(2 → 16 relu → 16 relu → 1 identity; 337 parameters)"


def test_names_of_parameters_are_their_paths():
    model = nn.MLP(2, [4, 1])
    names = [name for name, _ in model.named_parameters()]
    assert names[:4] == [
        "layers.0.neurons.0.weights.0",
        "layers.0.neurons.0.weights.1",
        "layers.0.neurons.0.bias",
        "layers.0.neurons.1.weights.0",
    ]
    assert names[-1] == "layers.1.neurons.0.bias"
    assert dict(model.named_parameters())["layers.0.neurons.3.weights.1"] is model.layers[0].neurons[3].weights[1]
    assert len(names) == len(set(names)) == 4 * 3 + 5


class Tied(nn.Module):
    def __init__(self):
        self.first = sg.Value(1.0)
        self.table = {"again": self.first, "deep": [(sg.Value(2.0),)]}
        self.computed = self.first * 2
        self.number = 3.0
        self._private = sg.Value(4.0)

    def __call__(self, x):
        return self.first * x + self.table["deep"][0][0]


def test_parameters_of_a_module_are_its_public_leaves_once_each():
    module = Tied()
    assert [(name, value.data) for name, value in module.named_parameters()] == [
        ("first", 1.0),
        ("table.deep.0.0", 2.0),
    ]
    module.first.grad = 5.0
    module.zero_grad()
    assert module.first.grad == 0.0
    assert repr(module) == "Tied(2 parameters)"
    assert module.frozen()(10.0) == 12.0
    assert type(module.frozen()(10.0)) is float


def test_a_neuron_is_one_affine_node_and_one_activation_labelled_as_in_the_lectures():
    model = nn.MLP(2, [2, 2], activation=sg.sigmoid, output=sg.sigmoid)
    x = [sg.Value(0.05, label="x₁"), sg.Value(0.1, label="x₂")]
    labels = [node.label for node in topological_order(*model(x)) if node.primitive is not None]
    assert labels == ["z₁⁽¹⁾", "y₁⁽¹⁾", "z₂⁽¹⁾", "y₂⁽¹⁾", "z₁⁽²⁾", "y₁⁽²⁾", "z₂⁽²⁾", "y₂⁽²⁾"]
    assert [p.label for p in model.layers[0].parameters()] == ["w₁₁⁽¹⁾", "w₂₁⁽¹⁾", "b₁⁽¹⁾", "w₁₂⁽¹⁾", "w₂₂⁽¹⁾", "b₂⁽¹⁾"]
    wide = nn.Layer(12, 1)
    assert wide.neurons[0].weights[11].label == "w₁₂,₁"
    assert [p.label for p in nn.Neuron(2).parameters()] == ["w₁", "w₂", "b"]
    assert nn.Neuron(1)([1.0]).label == "y"


def test_labels_that_are_there_stay():
    leaf = sg.Value(2.0, label="mine")
    layer = nn.Layer(1, 1, lambda z: leaf)
    assert layer([1.0])[0] is leaf
    assert leaf.label == "mine"
    through = nn.Layer(1, 1, lambda z: z)([1.0])[0]
    assert through.label == "z₁"


def test_layers_in_a_sequence_are_numbered_and_fit():
    model = nn.Sequential(nn.Layer(2, 4, nn.pairs), nn.ProductUnits(2, 3), nn.Sequential(nn.Layer(3, 1, sg.tanh)))
    y = model([0.5, 1.5])[0]
    assert y.label == "y₁⁽³⁾"
    assert repr(model) == "Sequential(2 → 4 pairs → 2 → 3 ProductUnits → Sequential; 22 parameters)"
    assert repr(model.layers[0]) == "Layer(2 → 4 pairs → 2; 12 parameters)"
    assert nn.Sequential(lambda xs: [2 * x for x in xs], nn.Layer(1, 1))([3.0])[0].data is not None
    with pytest.raises(ValueError, match="layer 2 takes 3 inputs, but the one before gives 4"):
        nn.Sequential(nn.Layer(2, 4), nn.Layer(3, 1))


def test_the_same_seed_gives_the_same_network_and_a_generator_goes_on():
    assert nn.MLP(2, [3, 1], rng=5).state_dict() == nn.MLP(2, [3, 1], rng=random.Random(5)).state_dict()
    rng = random.Random(5)
    assert nn.MLP(2, [3, 1], rng=rng).state_dict() != nn.MLP(2, [3, 1], rng=rng).state_dict()


def test_building_a_network_leaves_the_global_generator_alone():
    random.seed(1)
    before = random.getstate()
    nn.MLP(2, [3, 1])
    assert random.getstate() == before


def test_state_goes_from_one_model_to_another():
    model, other = nn.MLP(2, [3, 1], rng=1), nn.MLP(2, [3, 1], rng=2)
    assert model.state_dict() != other.state_dict()
    other.load_state_dict(model.state_dict())
    assert other.state_dict() == model.state_dict()
    assert other([1.0, 2.0]).data == model([1.0, 2.0]).data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("layers.0.neurons.0.bias"), "8 numbers, layers.0.neurons.0.bias missing, none unknown"),
        (lambda s: s.update(extra=1.0), "10 numbers, none missing, extra unknown"),
        (lambda s: s.update({"layers.1.neurons.0.bias": math.nan}), "layers.1.neurons.0.bias is nan"),
        (lambda s: s.update({"layers.1.neurons.0.bias": -math.inf}), "layers.1.neurons.0.bias is -inf"),
    ],
)
def test_a_bad_state_is_refused_and_leaves_the_model_as_it_was(change, message):
    model = nn.MLP(2, [2, 1], rng=1)
    before = model.state_dict()
    state = nn.MLP(2, [2, 1], rng=2).state_dict()
    change(state)
    with pytest.raises(ValueError, match=message):
        model.load_state_dict(state)
    assert model.state_dict() == before


def test_a_state_of_other_kinds_is_refused():
    model = nn.MLP(1, [1])
    with pytest.raises(TypeError, match=r"layers.0.neurons.0.bias is True, a bool"):
        model.load_state_dict({"layers.0.neurons.0.weights.0": 1, "layers.0.neurons.0.bias": True})
    with pytest.raises(ValueError, match="and 47 more missing"):
        nn.MLP(2, [16, 1]).load_state_dict(dict.fromkeys(list(nn.MLP(2, [16, 1]).state_dict())[50:], 0.0))


def test_inputs_of_any_kind_of_number():
    model = nn.MLP(2, [3, 1])
    expected = model([1.0, 2.0]).data
    assert model((1, 2)).data == model(np.array([1, 2])).data == model(iter([1, np.float32(2)])).data == expected
    x = sg.Value(1.0)
    model([x, 2]).backward()
    assert x.grad != 0.0


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ([1.0], ValueError, "layer 1: needs 2 inputs, got 1"),
        ([1.0, 2.0, 3.0], ValueError, "layer 1: needs 2 inputs, got 3"),
        (5.0, TypeError, r"layer 1: needs a list of 2 inputs, got 5.0"),
        ("ab", TypeError, "layer 1: needs a list of 2 inputs, got 'ab'"),
        ([1.0, "2"], TypeError, "layer 1: input 1 is '2', a str, not a number"),
        ([True, 1.0], TypeError, "layer 1: input 0 is True, a bool, not a number"),
    ],
)
@pytest.mark.parametrize("frozen", [False, True])
def test_bad_inputs_name_the_layer(inputs, error, message, frozen):
    model = nn.MLP(2, [3, 1])
    with pytest.raises(error, match=message):
        (model.frozen() if frozen else model)(inputs)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: nn.MLP(2, []), ValueError, "MLP: nouts has 0 layers and needs at least one"),
        (lambda: nn.MLP(0, [1]), ValueError, "MLP: nin is 0; give a whole number of at least 1"),
        (lambda: nn.MLP(2, [3, 0]), ValueError, "MLP: the size of layer 2 is 0"),
        (lambda: nn.MLP(2, [3, 2.0]), ValueError, "MLP: the size of layer 2 is 2.0"),
        (lambda: nn.MLP(2, [3, 3, 1], [sg.tanh]), ValueError, "3 layers .* an activation for each hidden one; got 1"),
        (lambda: nn.MLP(2, [1], output="tanh"), TypeError, "activation is 'tanh'; give a function, such as sg.tanh"),
        (lambda: nn.MLP(2, [1], rng=0.5), TypeError, "MLP: rng is 0.5; give a random.Random or a whole number"),
        (lambda: nn.MLP(2, [1], rng=True), TypeError, "MLP: rng is True"),
        (nn.Sequential, ValueError, "Sequential: needs at least one layer, got none"),
        (lambda: nn.Sequential(3), TypeError, "Sequential: layer 1 is 3, which can't be called"),
        (lambda: nn.Layer(True, 1), ValueError, "Layer: nin is True"),
        (lambda: nn.ProductUnits(1, 0), ValueError, "ProductUnits: nout is 0"),
        (lambda: nn.uniform(1.0, -1.0), ValueError, "uniform: needs finite low ≤ high, got 1.0 and -1.0"),
        (lambda: nn.uniform(-math.inf, 1.0), ValueError, "uniform: needs finite low"),
        (lambda: nn.constant(math.nan), ValueError, "constant: needs a finite number, got nan"),
    ],
)
def test_bad_models_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_initializers_draw_what_they_say():
    rng = random.Random(0)
    glorot = [nn.glorot()(rng, 30, 20) for _ in range(4000)]
    bound = math.sqrt(6 / 50)
    assert max(map(abs, glorot)) <= bound
    assert sum(x * x for x in glorot) / 4000 == pytest.approx(bound**2 / 3, rel=0.05)  # the variance of a uniform one
    he = [nn.he()(rng, 8, 5) for _ in range(4000)]
    assert sum(x * x for x in he) / 4000 == pytest.approx(0.25, rel=0.1)
    assert abs(sum(he) / 4000) < 0.03
    low, high = -0.25, 0.75
    drawn = [nn.uniform(low, high)(rng, 1, 1) for _ in range(1000)]
    assert low <= min(drawn) < low + 0.02
    assert high - 0.02 < max(drawn) <= high
    model = nn.MLP(2, [2], init=nn.constant(0.5), bias_init=nn.constant(-1))
    assert [p.data for p in model.parameters()] == [0.5, 0.5, -1.0] * 2


def test_frozen_networks_give_floats_equal_to_the_models():
    rng = random.Random(4)
    for activation, output in ((sg.relu, nn.identity), (sg.tanh, sg.softmax), (lambda z: z * sg.sigmoid(z), sg.step)):
        model = nn.MLP(3, [5, 4, 2], activation=activation, output=output, rng=rng)
        frozen = model.frozen()
        for _ in range(20):
            x = [rng.uniform(-2, 2) for _ in range(3)]
            found = frozen(x)
            assert [type(y) for y in found] == [float, float]
            assert found == [y.data for y in model(x)]
    single = nn.MLP(3, [4, 1]).frozen()
    assert type(single([1, 2, 3])) is float
    assert type(nn.Neuron(2).frozen()([1.0, 2.0])) is float


def test_frozen_networks_build_no_graph_and_stay_as_they_were():
    model = nn.MLP(2, [3, 1])
    frozen = model.frozen()
    before = frozen([1.0, 2.0])
    for parameter in model.parameters():
        parameter.data += 1.0
    assert frozen([1.0, 2.0]) == before != model([1.0, 2.0]).data
    first = sg.Value(0.0).serial
    frozen([1.0, 2.0])
    assert sg.Value(0.0).serial == first + 1
    assert frozen.parameters() == []
    with pytest.raises(
        TypeError, match=r"layer 1: input 0 is Value.*give its \.data, or call the model that was frozen"
    ):
        frozen([sg.Value(1.0), 2.0])


def test_a_copy_of_a_model_is_another_model():
    model = nn.MLP(2, [3, 1], sg.tanh)
    twin = copy.deepcopy(model)
    assert twin.state_dict() == model.state_dict()
    assert [name for name, _ in twin.named_parameters()] == [name for name, _ in model.named_parameters()]
    twin.layers[0].neurons[0].bias.data = 9.0
    assert model.layers[0].neurons[0].bias.data == 0.0
    restored = pickle.loads(pickle.dumps(model))  # noqa: S301 (written here)
    assert restored([1.0, 2.0]).data == model([1.0, 2.0]).data


def test_a_network_of_stacked_linear_layers_is_one_linear_layer():
    # EE514, "Activation Function": with g(z) = αz + β the layers reduce to a single linear transformation.
    model = nn.MLP(2, [3, 1], activation=lambda z: 0.5 * z + 1.0)
    hessian = sg.hessian(model)([0.3, -0.2])
    assert hessian == [[0.0, 0.0], [0.0, 0.0]]
    at = [model([float(a), float(b)]).data for a, b in ((0, 0), (1, 0), (0, 1), (2, -3))]
    assert at[3] == pytest.approx(at[0] + 2 * (at[1] - at[0]) - 3 * (at[2] - at[0]), abs=1e-14)
