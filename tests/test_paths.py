"""The ways from an input to the goal: their number, their products, and their sum, which is the derivative."""

import random

import pytest

import scalargrad as sg
from scalargrad import nn

from .graphs import lecture


def test_the_ways_of_the_lecture_example():
    J = lecture()
    x = J.parents[0].parents[0].parents[0].parents[0]
    assert str(sg.paths(J, x)).splitlines() == [
        "x → u → v → s → J: 2 · 0.5403 · 1 · 0.6441 = 0.6960",
        "x → u → w → s → J: 2 · 3 · 1 · 0.6441 = 3.8647",
        "∂J/∂x = 2 · 0.5403 · 1 · 0.6441 + 2 · 3 · 1 · 0.6441 = 4.5608",
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_sum_over_the_ways_is_the_gradient(seed):
    rng = random.Random(seed)
    nodes = [sg.Value(rng.uniform(0.2, 1.5), label=f"x{i}") for i in range(1, 4)]
    for _ in range(8):
        a, b = rng.choice(nodes), rng.choice(nodes)
        nodes.append(rng.choice([a * b, a - b, sg.sin(a), sg.relu(a - 0.5), sg.floor(a) + b, sg.softmax([a, b])[0]]))
    J = sg.sum(nodes[3:])
    J.backward()
    for source in nodes:
        found = sg.paths(J, source, max_paths=None)
        assert found.total == pytest.approx(source.grad, rel=1e-12, abs=1e-12)
        assert all(path.nodes[0] is source and path.nodes[-1] is J for path in found)
        for path in found:
            assert all(parent in child.parents for parent, child in zip(path.nodes, path.nodes[1:], strict=False))


def test_ways_of_a_network_are_as_many_as_the_units_between():
    model = nn.MLP(2, [3, 4, 1], sg.tanh)
    x = sg.Value(0.5, label="x1")
    y = model([x, 1.0])
    assert len(sg.paths(y, x)) == 3 * 4
    assert sg.paths(y, x).equation().count(" + ") == 3  # the first two, dots, and the last
    weight = model.layers[1].neurons[0].weights[0]
    assert len(sg.paths(y, weight)) == 1


def test_no_way_and_the_shortest_way():
    x, y = sg.Value(2.0, label="x"), sg.Value(3.0, label="y")
    assert str(sg.paths(sg.sin(x), y)) == "∂J/∂y = 0: no way leads there"
    assert sg.paths(sg.sin(x), y).total == 0
    assert len(sg.paths(sg.floor(x), x)) == 0  # 0 by structure
    assert sg.paths(x, x).total == 1.0
    assert str(sg.paths(3 * x, x)) == "x → J: 3 = 3\n∂J/∂x = 3"


def test_an_adjoint_of_zero_passes_no_infinity():
    x = sg.Value(0.0, label="x")
    assert sg.paths(sg.relu(sg.sqrt(x) - 1.0), x).total == 0.0


def test_too_many_ways_are_counted_and_refused():
    x = sg.Value(1.0, label="x")
    y = x
    for _ in range(40):
        y = sg.sin(y) + y
    with pytest.raises(ValueError, match=f"paths: there are {2**40} ways, more than 1000; take a later source"):
        sg.paths(y, x)
    with pytest.raises(TypeError, match=r"paths: needs two Values, the goal and a source, got .* and 3"):
        sg.paths(y, 3)
