"""Pictures of networks: neurons in their places, weights and gradients as lines, and vectors as single nodes."""

import itertools
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import nn
from scalargrad.diagrams import renderer, style
from scalargrad.interpreters.names import digits

from .graphs import overlaps, pixels

drawn = pytest.mark.skipif(renderer.find_renderer() is None, reason="no renderer: pip install graphviz-pure")


def places(diagram):
    """The (x, y) of each named node."""
    found = re.findall(r'^\s*(\w+) \[label=.*?pos="([-\d.]+),([-\d.]+)"', diagram.source, flags=re.MULTILINE)
    return {name: (float(x), float(y)) for name, x, y in found}


def texts(source):
    """The lines of text of all HTML-like labels."""
    return re.findall(r"<font[^>]*>([^<]*)</font>", source)


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
    boxes = re.findall(r'box(\d) \[.*height=([\d.]+) .*?pos="([-\d.]+),([-\d.]+)".*width=([\d.]+)', source)
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


def activation_edges(diagram, layer=1):
    """The pairs (k, j) for which a line leads from z of unit j to y of unit k."""
    found = [re.fullmatch(rf"z{layer}_(\d+) y{layer}_(\d+)", " ".join(ends)) for ends in edges(diagram)]
    return {(int(match[2]), int(match[1])) for match in found if match}


def test_a_line_from_z_to_y_stands_only_where_y_depends_on_z():
    pairs = sg.network_diagram(nn.Layer(2, 4, nn.pairs))
    assert "layer 1: pairs (2→4→2)" in pairs.source
    assert activation_edges(pairs) == {(0, 0), (0, 1), (1, 2), (1, 3)}
    pool = sg.network_diagram(nn.Layer(2, 3, nn.max_over([(0, 1), (1, 2)])))
    assert activation_edges(pool) == {(0, 0), (0, 1), (1, 1), (1, 2)}
    polynomial = nn.polynomial([[(1.0, (2, 0, 1))], [(3.0, (0, 1, 0))]])
    assert activation_edges(sg.network_diagram(nn.Layer(2, 3, polynomial))) == {(0, 0), (0, 2), (1, 1)}
    stopped = nn.vector(lambda zs: [z * sg.stop_gradient(zs[0]) for z in zs])
    assert activation_edges(sg.network_diagram(nn.Layer(2, 3, stopped))) == {(0, 0), (1, 1), (2, 2)}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_pattern_of_any_activation_is_that_of_its_jacobian(seed):
    rng = random.Random(seed)
    terms = [[rng.choices(range(3), k=3) for _ in range(rng.randint(1, 2))] for _ in range(rng.randint(1, 4))]
    activation = nn.vector(
        lambda zs: [sg.sum([sg.prod([z**e for z, e in zip(zs, es, strict=True)]) for es in row]) for row in terms],
        lambda count: len(terms),
    )
    jacobian = sg.jacobian(activation)([0.7, 1.3, -0.9])
    entries = {(k, j) for k, row in enumerate(jacobian) for j, slope in enumerate(row) if slope}
    assert entries <= activation_edges(sg.network_diagram(nn.Layer(2, 3, activation)))


def test_an_activation_that_cannot_be_tried_is_drawn_as_joining_all():
    def picky(zs):
        raise ValueError("never")

    assert len(activation_edges(sg.network_diagram(nn.Layer(2, 2, nn.vector(picky))))) == 4


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
    assert (strong["color"], weak["color"]) == (style.LIGHT.value, style.LIGHT.negative)
    assert "style" not in strong
    assert weak["style"] == "dashed"  # told by more than hue
    assert float(strong["penwidth"]) > float(weak["penwidth"]) > float(none["penwidth"])
    assert none["style"] == "dotted"
    assert "solid: positive, dashed: negative; the wider the larger; thin and dotted: 0" in diagram.source
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
    with pytest.raises(ValueError, match="show is 'bias'; give one of None, 'weights', 'gradients', 'numbers'"):
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
    carried = [" ".join(texts(look)) for *_, look in labelled(source)]
    assert carried == [
        "∂z⁽¹⁾/∂x = W⁽¹⁾ 4×3",
        "∂y⁽¹⁾/∂z⁽¹⁾ = J⁽¹⁾ of relu, diagonal 4×4",
        "∂z⁽²⁾/∂y⁽¹⁾ = W⁽²⁾ 2×4",
        "∂y⁽²⁾/∂z⁽²⁾ = J⁽²⁾ of softmax, full 2×2",
    ]
    assert source.count("->") == 8


def labelled(source):
    """The edges that have a label, with their attributes."""
    found = re.findall(r"^\s*(\w+) -> (\w+) \[(.*)\]$", source, flags=re.MULTILINE)
    return [edge for edge in found if "label=" in edge[2]]


def grid(look):
    """The matrix that a label draws: 1 for a filled cell, 0 for an empty one."""
    rows = re.findall(r"<tr>((?:<td width[^>]*></td>)+)</tr>", look)
    return [[int(style.LIGHT.edge in cell) for cell in re.findall(r"<td[^>]*>", row)] for row in rows]


def test_jacobians_are_drawn_with_their_entries():
    model = nn.Sequential(nn.Layer(3, 4, nn.pairs), nn.Layer(2, 3, sg.tanh))
    affine, pairs, second, diagonal = [grid(look) for *_, look in labelled(sg.jacobian_diagram(model).source)]
    assert affine == [[1, 1, 1]] * 4
    assert pairs == [[1, 1, 0, 0], [0, 0, 1, 1]]
    assert second == [[1, 1]] * 3
    assert diagonal == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert "of pairs, 4 of 8 entries" in texts(sg.jacobian_diagram(model).source)
    wide = [grid(look) for *_, look in labelled(sg.jacobian_diagram(nn.MLP(784, [64])).source)]
    assert [(len(matrix), len(matrix[0])) for matrix in wide] == [(8, 8), (8, 8)]
    assert wide[1] == [[int(i == j) for j in range(8)] for i in range(8)]


# One input, its target, and the ways of a weight


def worked_example():
    """The 2-2-2 network of EE514, with its numbers."""
    model = nn.MLP(2, [2, 2], sg.sigmoid, sg.sigmoid)
    numbers = [(0.15, 0.2, 0.35), (0.25, 0.3, 0.35), (0.4, 0.45, 0.6), (0.5, 0.55, 0.6)]
    neurons = [neuron for layer in model.layers for neuron in layer.neurons]
    for neuron, (*weights, bias) in zip(neurons, numbers, strict=True):
        for weight, number in zip(neuron.weights, weights, strict=True):
            weight.data = number
        neuron.bias.data = bias
    return model


X, D = (0.05, 0.1), (0.01, 0.99)


def node(diagram, name):
    """The texts in a node."""
    return texts(re.search(rf"^\s*{name} \[(.*)\]$", diagram.source, flags=re.MULTILINE)[1])


def test_the_worked_example_has_the_lectures_numbers():
    diagram = sg.network_diagram(worked_example(), X, D)
    for name, label, value in [
        ("x1", "x₂", "0.1"),
        ("z1_0", "z₁⁽¹⁾", "0.3775"),
        ("z1_1", "z₂⁽¹⁾", "0.3925"),
        ("y1_0", "y₁⁽¹⁾", "0.5933"),
        ("y1_1", "y₂⁽¹⁾", "0.5969"),
        ("z2_0", "z₁⁽²⁾", "1.1059"),
        ("y2_0", "y₁⁽²⁾", "0.7514"),
        ("y2_1", "y₂⁽²⁾", "0.7729"),
        ("Div", "Div", "0.2984"),
        ("d1", "d₂", "0.99"),
    ]:
        assert node(diagram, name) == [label, value]
    for text in ('label="ẏ = 0.7414"', 'label="f′ = 0.1868"', "label=0.15", "label=0.55"):
        assert text in diagram.source
    assert {("y2_0", "Div"), ("d0", "Div")} <= set(edges(diagram))


def test_derivatives_at_the_units_are_those_of_backward():
    model = worked_example()
    xs = [sg.Value(x) for x in X]
    loss = nn.quadratic(model(xs), D)
    loss.backward()
    source = sg.network_diagram(model, X, D, digits=8).source
    for neuron, name in [(neuron, f"z{k}_{j}") for k in (1, 2) for j, neuron in enumerate(model.layers[k - 1].neurons)]:
        shown = re.search(rf'{name}_d \[.*?label="ż = ([^"]*)"', source)[1].replace("−", "-")
        assert float(shown) == pytest.approx(neuron.bias.grad, abs=1e-8)  # ∂Div/∂b = ∂Div/∂z
    assert model.layers[0].neurons[0].bias.mark is not None
    fresh = worked_example()
    sg.network_diagram(fresh, X, D)
    assert all(parameter.grad == 0.0 and parameter.mark is None for parameter in fresh.parameters())


def test_biases_are_a_unit_or_stand_inside():
    unit = sg.network_diagram(worked_example(), X, bias="unit")
    assert {("x_bias", "z1_0"), ("x_bias", "z1_1"), ("y1_bias", "z2_1")} <= {
        (a.replace("x0_", "x_"), b) for a, b in edges(unit)
    }
    assert 'label="y₀ = 1"' in unit.source
    assert "label=0.35" in unit.source
    inside = sg.network_diagram(worked_example(), X, bias="inside")
    assert node(inside, "z1_0") == ["z₁⁽¹⁾", "0.3775", "b 0.35"]
    assert "y₀" not in inside.source


def test_the_ways_of_a_weight_with_their_products_and_sum():
    model = worked_example()
    second = model.layers[1].neurons[0].weights[0]
    diagram = sg.network_diagram(model, X, D, highlight=second)
    assert "∂Div/∂w₁₁⁽²⁾ = 0.5933 · 0.1868 · 0.7414 = 0.0822" in diagram.source
    marked = {ends for ends, look in edges(diagram).items() if look.get("penwidth") == "3"}
    assert marked == {("y1_0", "z2_0"), ("z2_0", "y2_0"), ("y2_0", "Div")}
    first = model.layers[0].neurons[0].weights[0]
    both = sg.network_diagram(model, X, D, highlight=first)
    total = "0.05 · 0.2413 · 0.4 · 0.1868 · 0.7414 + 0.05 · 0.2413 · 0.5 · 0.1755 · (−0.2171)"
    assert f"∂Div/∂w₁₁⁽¹⁾ = {total} = 4.3857·10⁻⁴" in both.source
    xs = [sg.Value(x) for x in X]
    nn.quadratic(model(xs), D).backward()
    assert f"= {digits(first.grad)}" in both.source
    marked = {ends for ends, look in edges(both).items() if look.get("penwidth") == "3"}
    assert {("x0", "z1_0"), ("y1_0", "z2_1"), ("y2_1", "Div")} <= marked
    J = nn.quadratic(model([sg.Value(x, label=f"x{i}") for i, x in enumerate(X, 1)]), D)
    one = sg.network_diagram(model, X, D, highlight=sg.paths(J, first)[1])  # of the user's own graph
    marked = {ends for ends, look in edges(one).items() if look.get("penwidth") == "3"}
    assert marked == {
        *(("x0", "z1_0"), ("z1_0", "y1_0"), ("y1_0", "z2_1"), ("z2_1", "y2_1"), ("y2_1", "Div")),
    }
    bias = sg.network_diagram(model, X, D, highlight=model.layers[1].neurons[1].bias)
    assert "∂Div/∂b₂⁽²⁾ = 1 · 0.1755 · (−0.2171) = −0.0381" in bias.source
    unit = sg.network_diagram(model, X, D, bias="unit", highlight=model.layers[1].neurons[1].bias)
    assert edges(unit)["y1_bias", "z2_1"]["penwidth"] == "3"
    assert edges(unit)["y1_bias", "z2_0"]["penwidth"] != "3"


def test_ways_through_all_kinds_of_layers_add_up_to_the_gradient():
    model = nn.Sequential(
        nn.Layer(2, 4, nn.pairs, rng=1),
        nn.Layer(2, 3, nn.max_over([(0, 1), (1, 2)]), rng=2),
        nn.ProductUnits(2, 2),
        nn.Layer(2, 2, nn.vector(sg.softmax), rng=3),
    )
    nn.quadratic(model([0.7, 1.3]), D).backward()
    for layer in (model.layers[0], model.layers[1], model.layers[3]):
        for weight in layer.parameters():
            source = sg.network_diagram(model, [0.7, 1.3], D, highlight=weight, digits=6).source
            legend = re.search(r"∂Div/∂[^ ]+ = ([^\"]*)\"", source)[1]
            assert legend.endswith(digits(weight.grad, 6)) or weight.grad == 0.0, (weight.label, weight.grad, legend)


def test_too_many_ways_are_counted_and_refused():
    deep = nn.MLP(2, [9, 9, 9, 9, 9, 1], sg.tanh)
    first = deep.layers[0].neurons[0].weights[0]
    with pytest.raises(
        ValueError, match=r"6561 ways lead from w₁₁⁽¹⁾ to Div, more than 1000; highlight a weight of a later"
    ):
        sg.network_diagram(deep, X, [1.0], highlight=first)


def test_values_that_are_refused():
    model = worked_example()
    for x, d, message in [
        ((1.0,), None, "x has 1 numbers; give 2, one for each input"),
        (X, (1.0,), "d has 1 numbers; give 2, one for each output"),
        (None, D, "d needs an input x before it"),
    ]:
        with pytest.raises(ValueError, match=f"network_diagram: {message}"):
            sg.network_diagram(model, x, d)
    with pytest.raises(ValueError, match="highlight needs x, d and a weight or bias of the model"):
        sg.network_diagram(model, X, D, highlight=sg.Value(1.0))

    class Residual(nn.Sequential):
        def __call__(self, xs):
            return [x + y for x, y in zip(xs, super().__call__(xs), strict=True)]

    with pytest.raises(ValueError, match="the model does more than its layers one after the other"):
        sg.network_diagram(Residual(nn.Layer(2, 2)), X)


@drawn
@pytest.mark.parametrize("size", style.SIZES)
def test_nothing_overlaps_and_nothing_is_cut(size):
    model = nn.MLP(3, [4, 3], sg.tanh, nn.vector(sg.softmax))
    for diagram in [
        sg.network_diagram(worked_example(), X, D, bias="unit", size=size),
        sg.network_diagram(worked_example(), X, bias="inside", size=size),
        sg.network_diagram(model, show="weights", size=size),
        sg.network_diagram(nn.MLP(784, [64, 10]), size=size),
        sg.jacobian_diagram(model, size=size),
    ]:
        assert overlaps(diagram.svg()) == []


@drawn
def test_the_worked_example_is_legible_on_a_slide():
    svg = sg.network_diagram(worked_example(), X, D, bias="unit", size="slide").svg()
    sizes = dict(pixels(svg))
    assert {"f′ = 0.1868", "0.55", "ẏ = 0.7414", "ż = −0.0381"} <= set(sizes)
    assert min(sizes.values()) >= 16.0
    xs = [sg.Value(x, label=f"x{i}") for i, x in enumerate(X, 1)]
    graph = sg.derivative_diagram(nn.quadratic(worked_example()(xs), D), size="slide", show="formula").svg()
    assert min(size for _, size in pixels(graph)) >= 16.0  # all 28 nodes of it


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
    carried = [texts(look) for *_, look in labelled(source)]
    assert ["∂z⁽²⁾/∂y⁽¹⁾", "2×4, full", f"norm {norm}"] in carried  # ∂z/∂y is W
    assert ["∂y⁽¹⁾/∂z⁽¹⁾", "4×4, diagonal"] in [lines[:2] for lines in carried]
    gradient = digits(sum(w.grad**2 for n in model.layers[0].neurons for w in n.weights) ** 0.5)
    assert f"‖∂L/∂W⁽¹⁾‖ = {gradient}" in source
    assert f"{digits(min(weights))} … {digits(max(weights))}" in source


def test_gradients_by_layer_that_are_not_the_derivative_are_not_called_so():
    model = nn.MLP(3, [4, 2], sg.tanh, sg.sigmoid)
    loss = loss_of(model)
    assert "‖∂L/∂W⁽¹⁾‖ = " in sg.derivative_diagram(loss, by_layer=True).source
    loss.backward()  # the leaves add up
    twice = sg.derivative_diagram(loss, by_layer=True).source
    assert "‖∂L/∂W⁽¹⁾‖" not in twice
    assert "‖∂L/∂z⁽¹⁾‖ = " in twice
    fresh = nn.MLP(3, [4, 2], sg.tanh, sg.sigmoid)
    goal = nn.quadratic(fresh([0.1, 0.2, 0.3]), [1.0, 0.0])
    fresh.layers[0].neurons[0].weights[0].grad = 0.5
    assert "‖grad‖ = 0.5, set by hand" in sg.derivative_diagram(goal, by_layer=True).source
    assert "largest 0.5" in sg.network_diagram(fresh, show="gradients").source


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
