"""Modules, layers and networks: their parameters, names, labels, and refusals."""

import collections
import copy
import dataclasses
import itertools
import math
import pickle
import random
import types

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import nn
from scalargrad.engine.linearization import topological_order

from .interrupts import interrupted


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


class Parts(nn.Module):
    def __init__(self, **parts):
        for name, part in parts.items():
            setattr(self, name, part)


Pair = collections.namedtuple("Pair", "left right")


@dataclasses.dataclass
class Record:
    scale: object
    note: str = "a note"


def array(*items):
    found = np.empty(len(items), dtype=object)
    found[:] = items
    return found


CONTAINERS = {
    "value": (lambda a, b: a, ["p"]),
    "list": (lambda a, b: [a, b], ["p.0", "p.1"]),
    "tuple": (lambda a, b: (a, (b,)), ["p.0", "p.1.0"]),
    "namedtuple": (Pair, ["p.left", "p.right"]),
    "dict": (lambda a, b: {"x": a, 3: b}, ["p.x", "p.3"]),
    "ordered dict": (lambda a, b: collections.OrderedDict(x=a, y=b), ["p.x", "p.y"]),
    "proxy": (lambda a, b: types.MappingProxyType({"x": a}), ["p.x"]),
    "chain": (lambda a, b: collections.ChainMap({"x": a}), ["p.x"]),
    "deque": (lambda a, b: collections.deque([a, b]), ["p.0", "p.1"]),
    "user list": (lambda a, b: collections.UserList([a, b]), ["p.0", "p.1"]),
    "dataclass": (lambda a, b: Record([a, b]), ["p.scale.0", "p.scale.1"]),
    "array": (array, ["p.0", "p.1"]),
    "matrix": (lambda a, b: array(a, b, a, b).reshape(2, 2), ["p.0.0", "p.0.1"]),
    "array of one": (lambda a, b: array(a).reshape(()), ["p"]),
    "array of lists": (lambda a, b: array([a], (b, 1.0)), ["p.0.0", "p.1.0"]),
    "module": (lambda a, b: Parts(q=a, r=[Parts(s=b)]), ["p.q", "p.r.0.s"]),
    "shared": (lambda a, b: [a, [a], {"x": b}, b], ["p.0", "p.2.x"]),
    "mixed": (lambda a, b: [None, "text", 1.0, np.ones(3), math, int, a, sg.tanh, range(3)], ["p.6"]),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_parameters_are_found_in_containers_of_every_kind(kind):
    build, names = CONTAINERS[kind]
    a, b = sg.Value(2.0), sg.Value(3.0)
    module = Parts(p=build(a, b))
    assert [name for name, _ in module.named_parameters()] == names
    assert all(parameter is a or parameter is b for parameter in module.parameters())
    module.load_state_dict(dict.fromkeys(names, 7.0))
    assert a.data == 7.0


CHANGED = {"value": float, "array of one": np.ndarray, "proxy": dict, "chain": dict, "user list": list}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_frozen_module_keeps_containers_and_holds_no_values(kind):
    build, _ = CONTAINERS[kind]
    module = Parts(p=build(sg.Value(2.0), sg.Value(3.0)), number=1.0)
    twin = module.frozen()
    assert type(twin) is Parts
    assert type(twin.p) is CHANGED.get(kind, type(module.p))
    assert "Value(" not in f"{twin.p} {vars(twin.p) if isinstance(twin.p, Parts) else ''}"
    assert len(module.parameters()) == len(CONTAINERS[kind][1])


def test_parameters_in_slots_are_found():
    class Slotted(nn.Module):
        __slots__ = ("_b", "a", "later")

        def __init__(self):
            self.a, self._b, self.c = sg.Value(1.0), sg.Value(2.0), sg.Value(3.0)

    class More(Slotted):
        __slots__ = "d"  # noqa: PLC0205 (Python takes a name too)

        def __init__(self):
            super().__init__()
            self.d = [sg.Value(4.0)]

    @dataclasses.dataclass(slots=True)
    class Line(nn.Module):
        slope: sg.Value
        bias: sg.Value = dataclasses.field(default_factory=lambda: sg.Value(0.0))

    assert [name for name, _ in More().named_parameters()] == ["a", "d.0", "c"]
    assert (More().frozen().a, More().frozen().d, More().frozen().c) == (1.0, [4.0], 3.0)
    assert [name for name, _ in Line(sg.Value(1.0)).named_parameters()] == ["slope", "bias"]
    line = Line(sg.Value(1.0))
    with pytest.raises(TypeError, match="Line: slope was computed"):
        line.slope -= 0.5


def test_values_of_the_class_are_refused_where_the_class_is_made():
    with pytest.raises(TypeError, match="Shared: w holds Values or modules that all instances would share; set"):

        class Shared(nn.Module):
            w = sg.Value(1.0)

    with pytest.raises(TypeError, match="Listed: layers holds"):

        class Listed(nn.Module):
            layers = (nn.Neuron(1),)

    class Fine(nn.Module):
        sizes = (1, 2)
        _hidden = sg.Value(1.0)
        kind = nn.Neuron

        @property
        def twice(self):
            return sg.Value(2.0)

    assert Fine().parameters() == []


def test_containers_and_modules_within_themselves_are_walked_once():
    parent, child = Parts(w=sg.Value(1.0)), Parts(v=sg.Value(2.0))
    parent.child, child.parent, child.own = child, parent, [child]
    parent.loop = loop = [sg.Value(3.0)]
    loop.append(loop)
    parent.loop = loop
    assert [name for name, _ in parent.named_parameters()] == ["w", "child.v", "loop.0"]
    assert [name for name, _ in child.named_parameters()] == ["v", "parent.w", "parent.loop.0"]
    assert parent.modules() == [parent, child]
    del parent.loop
    twin = parent.frozen()
    assert twin.child.parent is twin
    assert twin.child.own == [twin.child]
    assert (twin.w, twin.child.v) == (1.0, 2.0)


def test_modules_nest_to_any_depth():
    module = Parts(w=sg.Value(1.0))
    for _ in range(3000):
        module = Parts(inner=[module])
    assert len(module.parameters()) == 1


class Hidden:
    def __init__(self):
        self.w = sg.Value(1.0)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (lambda: {sg.Value(1.0)}, "Parts: p is a set of Values or modules, which has no order; give a list"),
        (lambda: [frozenset([sg.Value(1.0)])], "Parts: p.0 is a frozenset of Values"),
        (lambda: {"x": {nn.Neuron(1)}}, "Parts: p.x is a set of Values or modules"),
        ({"x": sg.Value(1.0)}.values, "Parts: p is a dict_values of Values"),
        (lambda: [Hidden()], "Parts: p.0 is a Hidden, which holds Values but is not a module; derive Hidden from nn.M"),
    ],
)
def test_parameters_that_would_be_lost_are_refused_by_name(part, message):
    with pytest.raises(TypeError, match=message):
        Parts(p=part())
    held = []
    module = Parts(q=held)
    held.append(part())
    with pytest.raises(TypeError, match=message.replace(": p", ": q.0")):
        module.parameters()
    assert Parts(_p=part()).parameters() == []


def test_a_parameter_that_a_computed_value_replaced_is_refused_by_name():
    ws = [sg.Value(1.0), sg.Value(2.0)]
    module = Parts(ws=ws, b=sg.Value(0.0), inner=nn.Layer(1, 2))
    ws[0].grad = 3.0
    ws[0] -= 0.1 * ws[0].grad
    for use in (module.parameters, module.state_dict, module.zero_grad, module.modules):
        with pytest.raises(TypeError, match=r"Parts: ws\.0 was computed by .*sub.*; write \.data -= … to move one"):
            use()
    ws[0] = sg.Value(ws[0].data)
    assert len(module.parameters()) == 7
    module.inner.neurons[1].weights[0] *= 2
    with pytest.raises(TypeError, match=r"Neuron: weights\.0 was computed by .*mul"):
        module.parameters()
    with pytest.raises(TypeError, match="Parts: b was computed"):
        module.b -= 0.1
    assert module.b.data == 0.0
    with pytest.raises(TypeError, match=r"Parts: ws\.0 was computed"):
        module.ws = [w * 2 for w in ws]
    again = pickle.loads(pickle.dumps(Parts(ws=[sg.Value(1.0)])))  # noqa: S301 (our own)
    again.ws[0] -= 1.0
    with pytest.raises(TypeError, match="was computed"):
        again.parameters()


def test_results_that_a_module_keeps_are_no_parameters():
    class Recurrent(nn.Module):
        def __init__(self):
            self.w = sg.Value(0.5)
            self.last = None
            self.all = []

        def __call__(self, x):
            self.last = sg.tanh(self.w * x)
            self.all.append(self.last)
            return self.last

    model = Recurrent()
    model(model(1.0))
    assert [name for name, _ in model.named_parameters()] == ["w"]


@pytest.mark.parametrize(
    "part",
    [
        lambda: {1: sg.Value(1.0), "1": sg.Value(2.0)},
        lambda: {"1.0": sg.Value(1.0), 1: [sg.Value(2.0)]},
        lambda: [{None: sg.Value(1.0), "None": sg.Value(2.0)}],
        lambda: {1: nn.Neuron(1), "1": nn.Neuron(1)},
    ],
)
def test_two_parameters_of_one_name_are_refused(part):
    with pytest.raises(ValueError, match=r"Parts: two parameters are named p\..*; give dicts keys that differ as text"):
        Parts(p=part()).state_dict()
    same = sg.Value(1.0)
    assert Parts(p={1: same, "1": same}).state_dict() == {"p.1": 1.0}


def test_loading_a_state_is_whole_under_ctrl_c_and_refused_in_a_recording():
    module = Parts(p=[sg.Value(float(i)) for i in range(50)])
    before, wanted = module.state_dict(), dict.fromkeys(module.state_dict(), 7.0)

    at = 0
    while interrupted(lambda: module.load_state_dict(wanted), at).interrupted:
        assert module.state_dict() in (before, wanted)
        at += 97
    assert at > 2000
    with pytest.raises(sg.RecordingError, match="load_state_dict"):
        sg.jit(lambda x: (module.load_state_dict(wanted), x)[1])(1.0)


ACTIVATIONS = [
    sg.tanh,
    nn.identity,
    sg.softmax,
    nn.pairs,
    nn.max_over([(0, 1), (2, 3)]),
    nn.polynomial([[(2.0, (1, 0, 2, 0))]]),
    nn.RandomizedLeakyReLU(4, rng=3),
]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda activation: activation.__name__)
def test_models_and_frozen_models_are_pickled_and_copied(activation):
    model = nn.Sequential(nn.Layer(2, 4, activation, rng=1), nn.Dropout(nn.Layer(2, 4, activation).width, rng=2))
    expected = [y.data for y in model([0.5, -2.0])]
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301 (our own)
        assert [y.data for y in again([0.5, -2.0])] == expected
        assert again.state_dict() == model.state_dict()
        again.draw()
        assert [y.data for y in model([0.5, -2.0])] == expected
    frozen = model.frozen()
    for again in (copy.deepcopy(frozen), pickle.loads(pickle.dumps(frozen))):  # noqa: S301 (our own)
        assert again([0.5, -2.0]) == frozen([0.5, -2.0]) == pytest.approx(expected, rel=1e-15)


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
        (lambda: nn.uniform(1.0, -1.0), ValueError, "uniform: needs low ≤ high, got 1.0 and -1.0"),
        (lambda: nn.uniform(-math.inf, 1.0), ValueError, "uniform: low is -inf; give a finite number"),
        (lambda: nn.MLP(1, None), TypeError, "MLP: nouts is None, a NoneType; give a list of the sizes of the layers"),
        (lambda: nn.MLP(1, [1], init=0.5), TypeError, "Neuron: init is 0.5; give an initialiser, such as nn.glorot"),
        (lambda: nn.RandomizedLeakyReLU(0, 1), ValueError, "the number of neurons is 0; give a whole number of at"),
        (lambda: nn.RandomizedLeakyReLU(1, 1, "0"), ValueError, "RandomizedLeakyReLU: lower is '0'; give a finite n"),
        (lambda: nn.polynomial([[3.0]]), TypeError, "polynomial: a term is 3.0; give a pair: a factor, and the exp"),
        (lambda: nn.max_over([(0, 1.0)]), TypeError, r"max_over: subset 0 is \(0, 1.0\); give lists of indices"),
        (lambda: nn.vector(sg.tanh, 3), TypeError, "vector: outputs is 3; give a function from the number of z"),
        (lambda: nn.save({}, "x"), TypeError, "save: the module is {}, a dict; give an nn.Module"),
        (lambda: nn.MLP(1, [1]).load_state_dict(None), TypeError, "load_state_dict: the state is None; give a state"),
        (lambda: nn.constant(math.nan), ValueError, "constant: the number is nan; give a finite number"),
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
