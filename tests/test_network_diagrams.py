"""Pictures of networks: neurons in their places, weights and gradients as lines, and vectors as single nodes."""

import itertools
import re

import pytest

import scalargrad as sg
from scalargrad import nn
from scalargrad.diagrams import renderer, style
from scalargrad.interpreters.names import digits

drawn = pytest.mark.skipif(renderer.find_renderer() is None, reason="no renderer: pip install graphviz-pure")


def places(diagram):
    """The (x, y) of each named node."""
    found = re.findall(r'^\s*(\w+) \[label=.*?pos="([-\d.]+),([-\d.]+)"', diagram.source, flags=re.MULTILINE)
    return {name: (float(x), float(y)) for name, x, y in found}


def edges(diagram):
    """The attributes of each edge, by its two ends."""
    found = re.findall(r"^\s*(\w+) -> (\w+)(?: \[(.*)\])?$", diagram.source, flags=re.MULTILINE)
    return {(a, b): dict(re.findall(r'(\w+)="?([^" \]]+)"?', look)) for a, b, look in found}


def loss_of(model, target=(1.0, 0.0)):
    xs = [sg.Value(x, label=f"x{i}") for i, x in enumerate([0.3, -0.2, 0.5], 1)]
    loss = nn.quadratic(model(xs), list(target))
    loss.label = "L"
    loss.backward()
    return loss


def test_neurons_keep_their_order():
    place = places(sg.network_diagram(nn.MLP(3, [4, 5, 2])))
    for letter, count in [("x", 3), ("z1_", 4), ("y1_", 4), ("z2_", 5), ("y2_", 5), ("z3_", 2), ("y3_", 2)]:
        column = [place[f"{letter}{i}"] for i in range(count)]
        assert len({x for x, _ in column}) == 1
        heights = [y for _, y in column]
        assert heights == sorted(heights, reverse=True)
        assert sum(heights) == pytest.approx(0.0)
    across = [place[f"{letter}0"][0] for letter in ("x", "z1_", "y1_", "z2_", "y2_", "z3_", "y3_")]
    assert across == sorted(across)


def test_every_neuron_is_within_its_box_and_nothing_overlaps():
    source = sg.network_diagram(nn.MLP(3, [4, 2], nn.vector(sg.softmax))).source
    boxes = re.findall(r'box(\d) \[.*height=([\d.]+) pos="([-\d.]+),([-\d.]+)".*width=([\d.]+)', source)
    frames = [(float(x) - 36 * float(w), float(x) + 36 * float(w)) for _, _, x, _, w in boxes]
    assert len(frames) == 3
    assert all(right < left for (_, right), (left, _) in itertools.pairwise(frames))
    for name, (x, _) in places(sg.network_diagram(nn.MLP(3, [4, 2], nn.vector(sg.softmax)))).items():
        if re.fullmatch(r"[xyz]\d.*", name):
            layer = 0 if name[0] == "x" else int(name[1])
            assert frames[layer][0] < x - 22 < x + 22 < frames[layer][1]


def test_edges_are_those_of_the_network():
    found = edges(sg.network_diagram(nn.MLP(3, [4, 2])))
    expected = {(f"x{i}", f"z1_{j}") for i in range(3) for j in range(4)}
    expected |= {(f"z1_{j}", f"y1_{j}") for j in range(4)}
    expected |= {(f"y1_{i}", f"z2_{j}") for i in range(4) for j in range(2)}
    expected |= {(f"z2_{j}", f"y2_{j}") for j in range(2)}
    assert set(found) == expected


def test_titles_have_activations_and_sizes():
    source = sg.network_diagram(nn.MLP(3, [4, 2], sg.tanh, nn.vector(sg.softmax))).source
    for title in ("input (3)", "layer 1: tanh (3→4)", "layer 2: softmax (4→2)"):
        assert title in source


def test_wide_layers_collapse():
    place = places(sg.network_diagram(nn.MLP(784, [64, 10, 6])))
    shown = lambda letter: [int(name[len(letter) :]) for name in place if re.fullmatch(rf"{letter}\d+", name)]
    assert shown("x") == [0, 1, 2, 3, 783]
    assert shown("z1_") == shown("y1_") == [0, 1, 2, 3, 63]
    assert shown("z2_") == [0, 1, 2, 3, 9]
    assert shown("z3_") == [0, 1, 2, 3, 4, 5]
    heights = [place[f"x{i}"][1] for i in shown("x")]
    assert heights == sorted(heights, reverse=True)
    everything = places(sg.network_diagram(nn.MLP(9, [7, 1]), widest=None))
    assert {f"x{i}" for i in range(9)} <= set(everything)


def test_a_vector_activation_joins_all():
    found = edges(sg.network_diagram(nn.MLP(2, [3], output=nn.vector(sg.softmax))))
    assert {(f"z1_{i}", f"y1_{j}") for i in range(3) for j in range(3)} <= set(found)
    pairs = sg.network_diagram(nn.Layer(2, 4, nn.pairs))
    assert "layer 1: pairs (2→4→2)" in pairs.source
    assert ("z1_3", "y1_1") in edges(pairs)


def test_product_units_have_no_z():
    found = edges(sg.network_diagram(nn.Sequential(nn.ProductUnits(2, 3), nn.Layer(3, 1))))
    assert ("x0", "y1_0") in found
    assert ("y1_2", "z2_0") in found


def test_weights_are_widths_and_signs_colours():
    layer = nn.Layer(3, 1, sg.tanh)
    for weight, number in zip(layer.neurons[0].weights, [2.0, -1.0, 0.0], strict=True):
        weight.data = number
    diagram = sg.network_diagram(layer, show="weights")
    strong, weak, none = (edges(diagram)[f"x{i}", "z1_0"] for i in range(3))
    assert (strong["color"], weak["color"]) == (style.VALUE, style.DERIVATIVE)
    assert float(strong["penwidth"]) > float(weak["penwidth"]) > float(none["penwidth"])
    assert none["style"] == "dashed"
    assert "largest 2" in diagram.source


def test_dead_units_are_told_at_a_glance():
    model = nn.MLP(3, [4, 2], sg.relu)
    for neuron in model.layers[0].neurons[1:]:
        neuron.bias.data = -50.0
    loss_of(model)
    diagram = sg.network_diagram(model, show="gradients")
    lines = dict(re.findall(r"^\s*([zy]1_\d) \[(.*)\]$", diagram.source, flags=re.MULTILINE))
    assert ["dashed" in lines[f"z1_{j}"] for j in range(4)] == [False, True, True, True]
    assert "3 of 4 dead" in diagram.source
    largest = max(abs(w.grad) for n in model.layers[1].neurons for w in n.weights)
    assert f"largest {digits(largest)}" in diagram.source


def test_what_is_refused():
    model = nn.MLP(2, [2])
    with pytest.raises(ValueError, match="show is 'bias'"):
        sg.network_diagram(model, show="bias")
    with pytest.raises(ValueError, match=r"no gradients yet; call backward\(\)"):
        sg.network_diagram(model, show="gradients")
    with pytest.raises(ValueError, match=r"draw 302 units, more than 200.*widest=6"):
        sg.network_diagram(nn.MLP(300, [1]), widest=None)
    assert len(places(sg.network_diagram(nn.MLP(300, [1]), widest=None, max_nodes=None))) > 300
    for view in (sg.network_diagram, sg.jacobian_diagram):
        with pytest.raises(TypeError, match="has no units to draw"):
            view(3.0)
        with pytest.raises(TypeError, match="has no units to draw"):
            view(nn.Sequential(nn.Layer(2, 2), lambda ys: ys))


@drawn
def test_they_can_be_drawn():
    for diagram in (sg.network_diagram(nn.MLP(30, [4, 1], lambda z: z)), sg.jacobian_diagram(nn.MLP(3, [4, 1]))):
        assert diagram.svg().startswith("<?xml")
    svg = sg.network_diagram(nn.MLP(3, [4, 1])).svg()
    assert svg.count("<ellipse") == 3 + 2 * 4 + 2 * 1
    assert svg.count("<path") == 21 + 3  # its lines, and its boxes


def test_jacobian_form():
    source = sg.jacobian_diagram(nn.MLP(3, [4, 2], sg.relu, nn.vector(sg.softmax))).source
    for text in (
        r"∂z⁽¹⁾/∂x = W⁽¹⁾\n4×3",
        r"∂y⁽¹⁾/∂z⁽¹⁾ = J⁽¹⁾ of relu\n4×4, diagonal",
        r"∂z⁽²⁾/∂y⁽¹⁾ = W⁽²⁾\n2×4",
        r"∂y⁽²⁾/∂z⁽²⁾ = J⁽²⁾ of softmax\n2×2, full",
    ):
        assert text in source
    assert source.count("->") == 8


def test_influence_by_layer():
    loss = loss_of(nn.MLP(3, [4, 2], sg.tanh, sg.sigmoid))
    source = sg.influence_diagram(loss, by_layer=True).source
    assert re.findall(r'label="([^"]*: \d+ units)"', source) == [
        "W⁽¹⁾: 12 units",
        "b⁽¹⁾: 4 units",
        "W⁽²⁾: 8 units",
        "b⁽²⁾: 2 units",
        "x: 3 units",
        "z⁽¹⁾: 4 units",
        "y⁽¹⁾: 4 units",
        "z⁽²⁾: 2 units",
        "y⁽²⁾: 2 units",
    ]
    assert "label=L" in source


def test_derivatives_by_layer_are_jacobians():
    model = nn.MLP(3, [4, 2], sg.tanh, sg.sigmoid)
    loss = loss_of(model)
    source = sg.derivative_diagram(loss, by_layer=True).source
    weights = [w.data for n in model.layers[1].neurons for w in n.weights]
    norm = digits(sum(w * w for w in weights) ** 0.5)
    assert rf"∂z⁽²⁾/∂y⁽¹⁾\n2×4\nnorm {norm}" in source  # ∂z/∂y is W
    assert r"∂y⁽¹⁾/∂z⁽¹⁾\n4×4, diagonal" in source
    gradient = digits(sum(w.grad**2 for n in model.layers[0].neurons for w in n.weights) ** 0.5)
    assert f"‖∂L/∂W⁽¹⁾‖ = {gradient}" in source
    assert f"{digits(min(weights))} … {digits(max(weights))}" in source


def test_by_layer_joins_only_what_belongs_together():
    x1, x2, t = sg.Value(1.0, label="x1"), sg.Value(2.0, label="x2"), sg.Value(3.0, label="t")
    a1 = x1 * t
    a2 = a1 * x2
    sg.label({"a1": a1, "a2": a2})
    source = sg.derivative_diagram(a1 + a2, by_layer=True).source
    assert "x: 2 units" in source
    assert "a₁ = t·x₁" in source or "a₁ = x₁·t" in source
    assert source.count("->") == 6
    with pytest.raises(ValueError, match="don't go together"):
        sg.influence_diagram(a1 + a2, by_layer=True, depth=1)
    with pytest.raises(ValueError, match=r"5 nodes by layer, more than 3"):
        sg.influence_diagram(a1 + a2, by_layer=True, max_nodes=3)


def test_by_layer_without_names_is_the_whole_graph():
    x = sg.Value(1.0)
    assert sg.influence_diagram(sg.sin(x) * x, by_layer=True).source.count("->") == 3
