"""Activations of the lectures, vector activations, multiplicative units, max over subsets."""

import math
import random

import pytest

import scalargrad as sg
from scalargrad import nn


def jacobian(layer, x):
    """The derivatives as floats; they are Values if the layer has parameters."""
    return [[float(getattr(entry, "data", entry)) for entry in row] for row in sg.jacobian(layer)(x)]


# The value and the derivative by hand at z, if both are plain numbers.
TABLE = [
    (nn.identity, 0.7, 0.7, 1.0),
    (sg.step, 0.7, 1.0, 0.0),
    (sg.step, -0.7, 0.0, 0.0),
    (sg.sigmoid, 0.0, 0.5, 0.25),
    (sg.tanh, math.log(2.0), 0.6, 0.64),
    (sg.relu, 1.5, 1.5, 1.0),
    (sg.relu, 0.0, 0.0, 1.0),
    (sg.relu, -1.5, 0.0, 0.0),
    (sg.leaky_relu, -2.0, -0.02, 0.01),
    (sg.leaky_relu, 0.0, 0.0, 1.0),
    (sg.softplus, 0.0, math.log(2.0), 0.5),
    (nn.selu, 2.0, 2.101401974710961, 1.0507009873554805),
    (
        nn.selu,
        -1.0,
        1.0507009873554805 * 1.6732632423543772 * math.expm1(-1.0),
        1.0507009873554805 * 1.6732632423543772 * math.exp(-1.0),
    ),
    (nn.hard_tanh, 0.5, 0.5, 1.0),
    (nn.hard_tanh, 2.0, 1.0, 0.0),
    (nn.soft_sign, -3.0, -0.75, 1 / 16),
]


@pytest.mark.parametrize(("activation", "z", "y", "slope"), TABLE)
def test_scalar_activations_of_the_lectures(activation, z, y, slope):
    neuron = nn.Neuron(1, activation)
    neuron.load_state_dict({"weights.0": 1.0, "bias": 0.0})
    x = sg.Value(z)
    out = neuron([x])
    out.backward()
    assert out.data == pytest.approx(y, abs=1e-15)
    assert x.grad == pytest.approx(slope, abs=1e-15)


def test_softmax_layer_has_the_lectures_full_jacobian():
    layer = nn.Layer(3, 3, sg.softmax, rng=2)
    x = [0.2, -1.0, 0.7]
    y = [node.data for node in layer(x)]
    assert sum(y) == pytest.approx(1.0, abs=1e-15)
    weights = [[w.data for w in neuron.weights] for neuron in layer.neurons]
    # 11-785: ∂yⱼ/∂zᵢ = yⱼ(δᵢⱼ − yᵢ), and z = Wx + b.
    by_z = [[y[j] * ((i == j) - y[i]) for i in range(3)] for j in range(3)]
    expected = [[sum(by_z[j][i] * weights[i][k] for i in range(3)) for k in range(3)] for j in range(3)]
    for row, wanted in zip(jacobian(layer, x), expected, strict=True):
        assert row == pytest.approx(wanted, abs=1e-15)
    assert [node.label for node in layer(x)] == ["y₁", "y₂", "y₃"]


def test_product_units_have_the_lectures_derivative():
    # 11-785: yᵢ = Πₗ zₗ^αₗᵢ, ∂yᵢ/∂zⱼ = αⱼᵢ zⱼ^(αⱼᵢ − 1) Πₗ≠ⱼ zₗ^αₗᵢ; and by the exponent, yᵢ log zₗ.
    unit = nn.ProductUnits(3, 2, init=nn.uniform(-1.5, 1.5), rng=1)
    z = [0.8, 1.7, 2.5]
    alpha = [[a.data for a in row] for row in unit.exponents]
    y = [node.data for node in unit(z)]
    for i, row in enumerate(jacobian(unit, z)):
        assert y[i] == pytest.approx(math.prod(x**a for x, a in zip(z, alpha[i], strict=True)), rel=1e-14)
        for j, derivative in enumerate(row):
            others = math.prod(z[k] ** alpha[i][k] for k in range(3) if k != j)
            assert derivative == pytest.approx(alpha[i][j] * z[j] ** (alpha[i][j] - 1) * others, rel=1e-13)
    unit(z)[0].backward()
    assert [a.grad for a in unit.exponents[0]] == pytest.approx([y[0] * math.log(x) for x in z], rel=1e-13)
    assert [a.grad for a in unit.exponents[1]] == [0.0] * 3
    assert unit.exponents[1][2].label == "α₃₂"
    assert [name for name, _ in unit.named_parameters()][-1] == "exponents.1.2"


def test_product_units_at_zero_and_below():
    squares = nn.ProductUnits(2, 1, init=nn.constant(2.0))
    assert jacobian(squares, [0.0, 3.0]) == [[0.0, 0.0]]
    assert squares([-2.0, 3.0])[0].data == 36.0
    with pytest.raises(ValueError, match=r"pow: .*x = -2.0"):
        nn.ProductUnits(1, 1, init=nn.constant(0.5))([-2.0])
    with pytest.raises(ValueError, match="ProductUnits: needs 2 inputs, got 1"):
        squares([1.0])


def test_gated_linear_units_halve_the_layer():
    s = 1 / (1 + math.exp(-1.0))
    assert nn.glu([2.0, 3.0, 0.0, 1.0]) == pytest.approx([1.0, 3.0 * s])
    assert jacobian(nn.glu, [2.0, 3.0, 0.0, 1.0])[1] == pytest.approx([0.0, s, 0.0, 3.0 * s * (1 - s)])
    assert repr(nn.MLP(2, [6, 1], nn.glu)) == "MLP(2 → 6 glu → 3 → 1 identity; 22 parameters)"
    with pytest.raises(ValueError, match="glu: needs an even number of z, got 3"):
        nn.glu([1.0, 2.0, 3.0])


def test_pairs_multiply_neighbours():
    # 11-785: o = y_j y_l, so ∂o/∂y_j = y_l.
    layer = nn.Layer(4, 4, nn.pairs)
    for j, neuron in enumerate(layer.neurons):
        neuron.load_state_dict({**{f"weights.{i}": float(i == j) for i in range(4)}, "bias": 0.0})
    assert layer.width == 2
    assert [y.data for y in layer([2.0, 3.0, 5.0, 7.0])] == [6.0, 35.0]
    assert jacobian(layer, [2.0, 3.0, 5.0, 7.0]) == [[3.0, 2.0, 0.0, 0.0], [0.0, 0.0, 7.0, 5.0]]
    assert repr(nn.MLP(2, [6, 1], nn.pairs)) == "MLP(2 → 6 pairs → 3 → 1 identity; 22 parameters)"
    with pytest.raises(ValueError, match="pairs: needs an even number of z, got 3"):
        nn.pairs([1.0, 2.0, 3.0])


def test_polynomial_activation():
    # y₁ = z₁²z₂ − 3z₂, y₂ = 4 + z₁
    f = nn.polynomial([[(1, (2, 1)), (-3, (0, 1))], [(4, (0, 0)), (1, (1, 0))]])
    assert f([2.0, 5.0]) == [5.0, 6.0]
    assert sg.jacobian(f)([2.0, 5.0]) == [[20.0, 1.0], [1.0, 0.0]]
    assert nn.polynomial([[(2.0, (0.5,))]])([9.0]) == [6.0]
    assert nn.polynomial([[(3.0, (0,))]])([9.0]) == [3.0]
    with pytest.raises(ValueError, match="polynomial: a term has 2 exponents for 3 z"):
        f([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="polynomial: needs at least one output"):
        nn.polynomial([[]])
    with pytest.raises(ValueError, match="pow: "):
        nn.polynomial([[(1.0, (0.5,))]])([-1.0])


def test_max_over_subsets_has_the_argmaxs_subgradient():
    pool = nn.max_over([(0, 1, 2), (1, 2, 3)])
    assert pool([1.0, 5.0, 2.0, 7.0]) == [5.0, 7.0]
    assert sg.jacobian(pool)([1.0, 5.0, 2.0, 7.0]) == [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    assert sg.jacobian(pool)([1.0, 1.0, 1.0, 1.0]) == [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    with pytest.raises(ValueError, match="max_over: needs at least one subset, and none empty"):
        nn.max_over([(0,), ()])
    with pytest.raises(ValueError, match=r"max_over: subset 1, \(1, 2, 3\), has an index beyond the 3 z"):
        pool([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="index beyond"):
        nn.max_over([(-1,)])([1.0])


def test_own_vector_activation():
    normed = nn.vector(lambda zs: [z / sg.sqrt(sg.dot(zs, zs)) for z in zs])
    y = nn.Layer(2, 3, normed, rng=1)([1.0, 2.0])
    assert sum(v.data**2 for v in y) == pytest.approx(1.0, abs=1e-15)
    mean = nn.vector(lambda zs: [sg.mean(zs)], outputs=lambda count: 1)
    assert nn.MLP(2, [4, 3], mean).layers[1].nin == 1
    with pytest.raises(ValueError, match=r"layer: its activation made 1 outputs of 2 z, expected 2; .*nn.vector"):
        nn.Layer(1, 2, nn.vector(lambda zs: zs[:1]))([1.0])
    with pytest.raises(TypeError, match="vector: the function is 3; give a function from the list of z"):
        nn.vector(3)


def test_randomised_leaky_relu_draws_from_the_callers_generator():
    activation = nn.RandomizedLeakyReLU(2, random.Random(9))
    rng = random.Random(9)
    slopes = [rng.uniform(1 / 8, 1 / 3) for _ in range(2)]
    assert [slope.data for slope in activation.slopes] == [(1 / 8 + 1 / 3) / 2] * 2
    activation.draw()
    assert [slope.data for slope in activation.slopes] == slopes
    layer = nn.Layer(1, 2, activation, init=nn.constant(1.0))
    x = sg.Value(-2.0)
    outputs = layer([x])
    assert [y.data for y in outputs] == [-2.0 * slope for slope in slopes]
    sg.sum(outputs).backward()
    assert x.grad == slopes[0] + slopes[1]
    activation.draw()
    assert [slope.data for slope in activation.slopes] == [rng.uniform(1 / 8, 1 / 3) for _ in range(2)]
    assert [y.data for y in layer([3.0])] == [3.0, 3.0]
    layer.eval()
    assert [slope.data for slope in activation.slopes] == [(1 / 8 + 1 / 3) / 2] * 2


def test_randomised_slopes_are_leaves_but_no_parameters_and_frozen_takes_their_mean():
    model = nn.MLP(1, [2, 1], activation=nn.RandomizedLeakyReLU(2, 0, lower=0.0, upper=0.01), init=nn.constant(1.0))
    assert len(model.parameters()) == 7
    assert model.frozen()([-4.0]) == 2 * 0.005 * -4.0
    assert type(model.frozen()([-4.0])) is float
    with pytest.raises(ValueError, match="RandomizedLeakyReLU: has slopes for 2 neurons, got 3 z"):
        nn.Layer(1, 3, nn.RandomizedLeakyReLU(2, 0))([1.0])
    with pytest.raises(ValueError, match=r"needs lower ≤ upper, got 0\.5 and 0\.1"):
        nn.RandomizedLeakyReLU(2, 0, lower=0.5, upper=0.1)
