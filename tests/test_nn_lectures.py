"""The lectures' networks: their printed numbers and their formulas, written out by hand, against ours."""

import math

import pytest

import scalargrad as sg
from scalargrad import nn, optim, training


def sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z))


def printed(number, text):
    """Return True if a number rounds to the number on a slide, or is truncated to it, as slides do."""
    digits = len(text.partition(".")[2])
    return abs(number - float(text)) < 10.0**-digits


# EE514, "Back Propagation – Example": the 2-2-2 network.
SLIDE = {
    "layers.0.neurons.0.weights.0": 0.15,
    "layers.0.neurons.0.weights.1": 0.2,
    "layers.0.neurons.0.bias": 0.35,
    "layers.0.neurons.1.weights.0": 0.25,
    "layers.0.neurons.1.weights.1": 0.3,
    "layers.0.neurons.1.bias": 0.35,
    "layers.1.neurons.0.weights.0": 0.4,
    "layers.1.neurons.0.weights.1": 0.45,
    "layers.1.neurons.0.bias": 0.6,
    "layers.1.neurons.1.weights.0": 0.5,
    "layers.1.neurons.1.weights.1": 0.55,
    "layers.1.neurons.1.bias": 0.6,
}


@pytest.fixture
def example():
    model = nn.MLP(2, [2, 2], activation=sg.sigmoid, output=sg.sigmoid)
    model.load_state_dict(SLIDE)
    outputs = model([0.05, 0.1])
    loss = nn.quadratic(outputs, [0.01, 0.99])
    loss.backward()
    return model, outputs, loss


def test_ee514_example_forward(example):
    _, outputs, loss = example
    z2 = [output.parents[0] for output in outputs]
    a1 = [parent for parent in z2[0].parents if parent.label.startswith("y")]
    z1 = [a.parents[0] for a in a1]
    for nodes, label, texts in (
        (z1, "z{}⁽¹⁾", ("0.3775", "0.3925")),
        (a1, "y{}⁽¹⁾", ("0.5933", "0.5969")),
        (z2, "z{}⁽²⁾", ("1.106", "1.225")),
        (outputs, "y{}⁽²⁾", ("0.7514", "0.7729")),
    ):
        assert [node.label for node in nodes] == [label.format(subscript) for subscript in "₁₂"]
        assert all(printed(node.data, text) for node, text in zip(nodes, texts, strict=True))
    assert printed(loss.data, "0.2984")


def test_ee514_example_backward(example):
    model, outputs, _ = example
    first = outputs[0]
    assert printed(first.grad, "0.7414")  # ∂L/∂ỹ₁
    assert printed(first.partials[0], "0.1868")  # ∂ỹ₁/∂z₁⁽²⁾
    z = first.parents[0]
    by_weight = dict(zip([p.label for p in z.parents], z.partials, strict=True))["w₁₁⁽²⁾"]
    assert printed(by_weight, "0.5933")  # ∂z₁⁽²⁾/∂w₁₁⁽²⁾ = a₁⁽¹⁾
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert round(gradients["layers.1.neurons.0.weights.0"], 4) == 0.0822
    assert round(gradients["layers.0.neurons.0.weights.0"], 9) == 0.000438568


def test_ee514_example_is_not_its_printed_formula():
    # As printed, ½‖(ỹ₁ − y₁)² − (ỹ₂ − y₂)²‖² is another number than the 0.2984 beside it.
    y1, y2 = 0.7513650695523157, 0.7729284653214625
    assert round(0.5 * ((y1 - 0.01) ** 2 - (y2 - 0.99) ** 2) ** 2, 4) == 0.1263


# 10-601, "Case 1: Logistic regression" and "Case 2: Neural network". The slides' J is the negative of the loss.
TARGETS = (0.0, 1.0, 0.3)


def logistic(b):
    """The slides' dy/db."""
    return math.exp(-b) / (math.exp(-b) + 1.0) ** 2


def slide_dj_dy(y, d):
    return d / y + (1 - d) / (y - 1)


@pytest.mark.parametrize("d", TARGETS)
@pytest.mark.parametrize("objective", ["cross-entropy", "quadratic"])
def test_case_1_logistic_regression(objective, d):
    x, theta, bias = [0.5, -1.5, 2.0], [0.3, 0.8, -0.4], 0.2
    neuron = nn.Neuron(3, sg.sigmoid)
    neuron.load_state_dict({**{f"weights.{j}": w for j, w in enumerate(theta)}, "bias": bias})
    inputs = [sg.Value(number) for number in x]
    a = bias + sum(w * number for w, number in zip(theta, x, strict=True))
    y = sigmoid(a)
    if objective == "quadratic":
        nn.quadratic(neuron(inputs), d).backward()
        dj_da = (y - d) * logistic(a)
    else:
        nn.binary_cross_entropy(neuron(inputs), d).backward()
        dj_da = -slide_dj_dy(y, d) * logistic(a)
    assert [w.grad for w in neuron.weights] == pytest.approx([dj_da * number for number in x], abs=1e-12)
    assert neuron.bias.grad == pytest.approx(dj_da, abs=1e-12)
    assert [v.grad for v in inputs] == pytest.approx([dj_da * w for w in theta], abs=1e-12)


ALPHA = [[0.4, -0.7], [1.1, 0.2], [-0.5, 0.9]]
BETA = [0.6, -1.2, 0.8]
X = [0.7, -0.3]


@pytest.mark.parametrize("d", TARGETS)
@pytest.mark.parametrize("objective", ["cross-entropy", "quadratic"])
def test_case_2_neural_network_whole(objective, d):
    model = nn.MLP(2, [3, 1], activation=sg.sigmoid, output=sg.sigmoid)
    for j, neuron in enumerate(model.layers[0].neurons):
        neuron.load_state_dict({"weights.0": ALPHA[j][0], "weights.1": ALPHA[j][1], "bias": 0.1 * j})
    model.layers[1].neurons[0].load_state_dict({**{f"weights.{j}": b for j, b in enumerate(BETA)}, "bias": -0.3})
    inputs = [sg.Value(number) for number in X]
    # The slides' lines, forward then backward.
    a = [0.1 * j + sum(w * number for w, number in zip(ALPHA[j], X, strict=True)) for j in range(3)]
    z = [sigmoid(number) for number in a]
    b = -0.3 + sum(w * number for w, number in zip(BETA, z, strict=True))
    y = sigmoid(b)
    loss = nn.quadratic if objective == "quadratic" else nn.binary_cross_entropy
    loss(model(inputs), d).backward()
    dj_dy = y - d if objective == "quadratic" else -slide_dj_dy(y, d)
    dj_db = dj_dy * logistic(b)
    dj_dz = [dj_db * w for w in BETA]
    dj_da = [g * logistic(number) for g, number in zip(dj_dz, a, strict=True)]
    output = model.layers[1].neurons[0]
    assert [w.grad for w in output.weights] == pytest.approx([dj_db * number for number in z], abs=1e-12)
    assert output.bias.grad == pytest.approx(dj_db, abs=1e-12)
    for j, neuron in enumerate(model.layers[0].neurons):
        assert [w.grad for w in neuron.weights] == pytest.approx([dj_da[j] * number for number in X], abs=1e-12)
        assert neuron.bias.grad == pytest.approx(dj_da[j], abs=1e-12)
    expected = [sum(dj_da[j] * ALPHA[j][i] for j in range(3)) for i in range(2)]
    assert [v.grad for v in inputs] == pytest.approx(expected, abs=1e-12)


def backward_of(module, inputs, adjoints):
    """A module by itself: the adjoints of its inputs (and parameters) for those of its outputs."""
    _, pullback = sg.vjp(module, *inputs)
    return pullback(adjoints)


def test_case_2_by_modules_1_to_5():
    # Each module has its forward and backward; the adjoints go from one to the next as on the slide.
    d = 1.0

    def affine(weights, x):
        return [sg.dot(row, x) for row in weights]

    a = affine(ALPHA, X)
    z = [sg.sigmoid(number) for number in a]
    b = sg.dot(BETA, z)
    y = sg.sigmoid(b)
    (dj_dy,) = backward_of(lambda y: -nn.binary_cross_entropy(y, d), [y], 1.0)  # module 5: the slide's J
    assert dj_dy == pytest.approx(d / y + (1 - d) / (y - 1), abs=1e-12)
    (dj_db,) = backward_of(sg.sigmoid, [b], dj_dy)  # module 4
    assert dj_db == pytest.approx(dj_dy * logistic(b), abs=1e-12)
    dj_dbeta, dj_dz = backward_of(sg.dot, [BETA, z], dj_db)  # module 3
    assert dj_dbeta == pytest.approx([dj_db * number for number in z], abs=1e-12)
    assert dj_dz == pytest.approx([dj_db * w for w in BETA], abs=1e-12)
    (dj_da,) = backward_of(lambda a: [sg.sigmoid(number) for number in a], [a], dj_dz)  # module 2
    assert dj_da == pytest.approx([g * logistic(number) for g, number in zip(dj_dz, a, strict=True)], abs=1e-12)
    dj_dalpha, dj_dx = backward_of(affine, [ALPHA, X], dj_da)  # module 1
    for row, g in zip(dj_dalpha, dj_da, strict=True):
        assert row == pytest.approx([g * number for number in X], abs=1e-12)
    assert dj_dx == pytest.approx([sum(g * row[i] for g, row in zip(dj_da, ALPHA, strict=True)) for i in range(2)])
    whole = sg.grad(
        lambda alpha, beta, x: (
            -nn.binary_cross_entropy(sg.sigmoid(sg.dot(beta, [sg.sigmoid(number) for number in affine(alpha, x)])), d)
        ),
        argnums=(0, 1, 2),
    )(ALPHA, BETA, X)
    for found, by_modules in zip(whole, (dj_dalpha, dj_dbeta, dj_dx), strict=True):
        flat = [e for row in found for e in (row if isinstance(row, list) else [row])]
        assert flat == pytest.approx(
            [e for row in by_modules for e in (row if isinstance(row, list) else [row])], abs=1e-12
        )


def test_multi_class_output_of_10_601():
    # J = Σ y*ₖ log yₖ with y = softmax(b): dJ/dbₖ = y*ₖ − yₖ.
    b, d = [0.3, -1.0, 2.0], [0.1, 0.2, 0.7]
    weights = [math.exp(number) for number in b]
    y = [w / sum(weights) for w in weights]
    found = sg.grad(lambda b: -nn.cross_entropy(sg.softmax(b), d))(b)
    assert found == pytest.approx([target - number for target, number in zip(d, y, strict=True)], abs=1e-12)


# "Derivation of Backpropagation": the delta rule.
def test_delta_rule_and_the_update_with_momentum():
    eta, alpha = 0.5, 0.9
    model = nn.MLP(3, [4, 2], activation=sg.sigmoid, output=sg.sigmoid, bias_init=nn.uniform(), rng=8)
    hidden, outputs = model.layers
    w_jk = [[w.data for w in neuron.weights] for neuron in hidden.neurons]
    w_ij = [[w.data for w in neuron.weights] for neuron in outputs.neurons]
    b_j, b_i = [n.bias.data for n in hidden.neurons], [n.bias.data for n in outputs.neurons]
    x, y = [0.2, -0.5, 0.9], [0.0, 1.0]
    change = dict.fromkeys(model.state_dict(), 0.0)
    optimizer = optim.SGD(model.parameters(), eta, momentum=alpha)
    for _ in range(20):
        a_j = [sigmoid(b + sum(w * k for w, k in zip(row, x, strict=True))) for row, b in zip(w_jk, b_j, strict=True)]
        a_i = [sigmoid(b + sum(w * a for w, a in zip(row, a_j, strict=True))) for row, b in zip(w_ij, b_i, strict=True)]
        d_i = [(a - t) * a * (1 - a) for a, t in zip(a_i, y, strict=True)]
        d_j = [sum(w_ij[i][j] * d_i[i] for i in range(2)) * a_j[j] * (1 - a_j[j]) for j in range(4)]
        optimizer.zero_grad()
        nn.quadratic(model(x), y).backward()
        for i, neuron in enumerate(outputs.neurons):
            assert [w.grad for w in neuron.weights] == pytest.approx([d_i[i] * a for a in a_j], abs=1e-12)
            assert neuron.bias.grad == pytest.approx(d_i[i], abs=1e-12)
        for j, neuron in enumerate(hidden.neurons):
            assert [w.grad for w in neuron.weights] == pytest.approx([d_j[j] * k for k in x], abs=1e-12)
            assert neuron.bias.grad == pytest.approx(d_j[j], abs=1e-12)
        optimizer.step()
        # Δw(t) = −η δ a + α Δw(t−1), and for the biases with a = 1
        for layer, rows, biases, deltas, below in ((0, w_jk, b_j, d_j, x), (1, w_ij, b_i, d_i, a_j)):
            for n, delta in enumerate(deltas):
                path = f"layers.{layer}.neurons.{n}"
                for m, a in enumerate(below):
                    change[f"{path}.weights.{m}"] = -eta * delta * a + alpha * change[f"{path}.weights.{m}"]
                    rows[n][m] += change[f"{path}.weights.{m}"]
                change[f"{path}.bias"] = -eta * delta + alpha * change[f"{path}.bias"]
                biases[n] += change[f"{path}.bias"]
        for layer, rows, biases in ((hidden, w_jk, b_j), (outputs, w_ij, b_i)):
            for neuron, row, bias in zip(layer.neurons, rows, biases, strict=True):
                assert [w.data for w in neuron.weights] == pytest.approx(row, abs=1e-12)
                assert neuron.bias.data == pytest.approx(bias, abs=1e-12)


# 11-785: the recursion over the layers, in scalar form and with Jacobians; tanh hidden, softmax output.
SIZES = [3, 4, 3, 3]


@pytest.fixture
def deep():
    model = nn.MLP(3, SIZES[1:], activation=sg.tanh, output=sg.softmax, bias_init=nn.uniform(), rng=6)
    W = [[[w.data for w in neuron.weights] for neuron in layer.neurons] for layer in model.layers]
    b = [[neuron.bias.data for neuron in layer.neurons] for layer in model.layers]
    x, d = [0.4, -0.9, 0.2], [0.2, 0.5, 0.3]
    inputs = [sg.Value(number) for number in x]
    nn.kl_divergence(model(inputs), d).backward()
    y, z = [x], []
    for k in range(3):
        z.append([b[k][j] + sum(w * v for w, v in zip(W[k][j], y[k], strict=True)) for j in range(SIZES[k + 1])])
        if k < 2:
            y.append([math.tanh(number) for number in z[k]])
        else:
            weights = [math.exp(number) for number in z[k]]
            y.append([weight / sum(weights) for weight in weights])
    return model, inputs, W, y, d


def check_layers(model, inputs, by_W, by_b, by_x):
    for k, layer in enumerate(model.layers):
        for j, neuron in enumerate(layer.neurons):
            assert [w.grad for w in neuron.weights] == pytest.approx(by_W[k][j], abs=1e-12)
            assert neuron.bias.grad == pytest.approx(by_b[k][j], abs=1e-12)
    assert [v.grad for v in inputs] == pytest.approx(by_x, abs=1e-12)


def test_cmu_backward_pass_in_scalar_form(deep):
    model, inputs, W, y, d = deep
    by_y = [-target / number for target, number in zip(d, y[3], strict=True)]
    by_W, by_b = [None] * 3, [None] * 3
    for k in (2, 1, 0):
        if k == 2:  # a vector activation: ∂Div/∂zᵢ = Σⱼ ∂Div/∂yⱼ yⱼ (δᵢⱼ − yᵢ)
            by_z = [sum(by_y[j] * y[3][j] * ((i == j) - y[3][i]) for j in range(3)) for i in range(3)]
        else:
            by_z = [g * (1 - number**2) for g, number in zip(by_y, y[k + 1], strict=True)]
        by_W[k] = [[y[k][i] * by_z[j] for i in range(SIZES[k])] for j in range(SIZES[k + 1])]
        by_b[k] = by_z
        by_y = [sum(W[k][j][i] * by_z[j] for j in range(SIZES[k + 1])) for i in range(SIZES[k])]
    check_layers(model, inputs, by_W, by_b, by_y)


def test_cmu_backward_pass_with_jacobians(deep):
    np = pytest.importorskip("numpy")
    model, inputs, W, y, d = deep
    by_y = np.array([[-target / number for target, number in zip(d, y[3], strict=True)]])  # ∇_Y Div, a row vector
    by_W, by_b = [None] * 3, [None] * 3
    for k in (2, 1, 0):
        out = np.array(y[k + 1])
        jacobian = np.diag(out) - np.outer(out, out) if k == 2 else np.diag(1 - out**2)
        by_z = by_y @ jacobian  # ∇_z Div = ∇_y Div J_y(z)
        by_W[k] = (np.array([y[k]]).T @ by_z).T  # ∇_W Div = y ∇_z Div, the transpose of W's shape
        by_b[k] = by_z[0]  # ∇_b Div = ∇_z Div
        by_y = by_z @ np.array(W[k])  # ∇_y Div = ∇_z Div W
    check_layers(model, inputs, by_W, by_b, by_y[0])


def test_cmu_training_loop_is_ours():
    # "Training by BackProp": gradients accumulate over the instances, then W ← W − η/T dLoss/dW.
    data = [([0.1, 0.9], [1.0, 0.0]), ([-0.4, 0.3], [0.0, 1.0]), ([0.8, -0.6], [0.5, 0.5])]
    model = nn.MLP(2, [3, 2], activation=sg.tanh, output=sg.softmax, rng=2)
    twin = nn.MLP(2, [3, 2], activation=sg.tanh, output=sg.softmax, rng=2)
    history = training.train(twin, nn.kl_divergence, data, optim.SGD(twin.parameters(), 0.3), epochs=5)
    for k in range(5):
        model.zero_grad()
        loss = 0.0
        for x, d in data:
            divergence = nn.kl_divergence(model(x), d)
            divergence.backward()
            loss += divergence.data
        for parameter in model.parameters():
            parameter.data -= 0.3 / len(data) * parameter.grad
        assert history.losses[k] == pytest.approx(loss / len(data), rel=1e-13)
    assert list(twin.state_dict().values()) == pytest.approx(list(model.state_dict().values()), abs=1e-13)
