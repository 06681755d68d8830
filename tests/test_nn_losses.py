"""Losses: PyTorch's numbers, closed forms, and refusals."""

import math

import pytest

import scalargrad as sg
from scalargrad import nn

# name: loss, output, target, value, gradient; the numbers are those that PyTorch 2.13 gives in float64
# (mse_loss, binary_cross_entropy, nll_loss of log, cross_entropy, kl_div, clamp), with reduction="sum" for vectors.
PYTORCH = {
    "quadratic": (nn.quadratic, [0.3, 1.5, -0.2], [0.1, -2.0, 0.7], 6.55, [0.2, 3.5, -0.9]),
    "mse": (
        nn.mean_squared_error,
        [0.3, 1.5, -0.2],
        [0.1, -2.0, 0.7],
        4.366666666666666,
        [0.1333333333333333, 2.333333333333333, -0.5999999999999999],
    ),
    "bce": (
        nn.binary_cross_entropy,
        [0.3, 0.9, 0.2],
        [1.0, 0.0, 0.35],
        4.214904475026153,
        [-3.333333333333333, 10.000000000000002, -0.9374999999999996],
    ),
    "bce logits": (
        nn.binary_cross_entropy_with_logits,
        [0.3, -1.9, 2.2],
        [1.0, 0.0, 0.35],
        2.2288253225201835,
        [-0.42555748318834097, 0.13010847436299786, 0.5502495108803148],
    ),
    "ce": (nn.cross_entropy, [0.3, 0.1, 0.6], 2, 0.5108256237659907, [0.0, 0.0, -1.6666666666666667]),
    "ce logits": (
        nn.cross_entropy_with_logits,
        [0.3, -1.9, 2.2],
        1,
        4.2537002595098805,
        [0.12825943126455336, -0.9857884499261308, 0.8575290186615773],
    ),
    "ce logits soft": (
        nn.cross_entropy_with_logits,
        [0.3, -1.9, 2.2],
        [0.2, 0.5, 0.3],
        2.5837002595098806,
        [-0.07174056873544665, -0.4857884499261308, 0.5575290186615773],
    ),
    "kl": (
        nn.kl_divergence,
        [0.3, 0.1, 0.6],
        [0.2, 0.5, 0.3],
        0.5156817804274336,
        [-0.6666666666666667, -5.0, -0.5],
    ),
    "kl of softmax": (
        lambda zs, d: nn.kl_divergence(sg.softmax(zs), d),
        [0.3, -1.9, 2.2],
        [0.2, 0.5, 0.3],
        1.5540472454453074,
        [-0.07174056873544665, -0.4857884499261308, 0.5575290186615773],
    ),
    "hinge": (nn.max_margin, [0.3, 0.1, 1.6], [1.0, -1.0, 1.0], 1.8, [-1.0, 1.0, 0.0]),
}


@pytest.mark.parametrize("name", PYTORCH)
def test_losses_equal_pytorchs(name):
    loss, output, target, value, gradient = PYTORCH[name]
    found, slopes = sg.value_and_grad(lambda ys: loss(ys, target))(output)
    assert found == pytest.approx(value, rel=1e-14)
    assert slopes == pytest.approx(gradient, rel=1e-13, abs=1e-15)
    assert loss(output, target) == found
    assert isinstance(loss(output, target), float)


@pytest.mark.parametrize(("z", "d", "value", "slope"), [
    (1000.0, 1.0, 0.0, 0.0),
    (1000.0, 0.0, 1000.0, 1.0),
    (-1000.0, 1.0, 1000.0, -1.0),
    (-1000.0, 0.0, 0.0, 0.0),
    (40.0, 1.0, math.exp(-40.0), -math.exp(-40.0)),  # softplus(z) − dz would give 0
    (-40.0, 0.0, math.exp(-40.0), math.exp(-40.0)),
])  # fmt: skip
def test_binary_cross_entropy_with_logits_is_exact_far_out(z, d, value, slope):
    found = sg.value_and_grad(lambda z: nn.binary_cross_entropy_with_logits(z, d))(z)
    assert found == pytest.approx((value, slope), rel=1e-14)


@pytest.mark.parametrize(("zs", "d", "value", "gradient"), [
    ([1000.0, -1000.0], 0, 0.0, [0.0, 0.0]),
    ([1000.0, -1000.0], 1, 2000.0, [1.0, -1.0]),
    ([1000.0, 1000.0], 0, math.log(2.0), [-0.5, 0.5]),
    ([-1000.0, -1000.0, -1000.0], [0.0, 0.5, 0.5], math.log(3.0), [1 / 3, -1 / 6, -1 / 6]),
])  # fmt: skip
def test_cross_entropy_with_logits_is_stable_far_out(zs, d, value, gradient):
    found, slopes = sg.value_and_grad(lambda zs: nn.cross_entropy_with_logits(zs, d))(zs)
    assert found == pytest.approx(value, abs=1e-12)
    assert slopes == pytest.approx(gradient, abs=1e-15)


MASKED = [
    ([-math.inf, 0.3, -1.9, 2.2], [0.0, 1.0, 0.0, 0.0]),
    ([0.3, -math.inf, 2.2, -math.inf], [0.2, 0.0, 0.8, 0.0]),
    ([-math.inf, 5.0], [0.0, 1.0]),
]


@pytest.mark.parametrize(("zs", "target"), MASKED)
@pytest.mark.parametrize("kind", ["plain", "class", "values", "recorded"])
def test_a_masked_class_counts_for_nothing(zs, target, kind):
    """The value, the gradient (softmax − d), and the second derivatives, as if the class were not there."""
    if kind == "class" and 1.0 not in target:
        return
    d = {"class": target.index(max(target)), "values": [sg.Value(x) for x in target]}.get(kind, target)
    kept = [i for i, z in enumerate(zs) if math.isfinite(z)]
    few, few_d = [zs[i] for i in kept], [target[i] for i in kept]
    evaluated = sg.value_and_grad(nn.cross_entropy_with_logits)
    value, gradient = (sg.jit(evaluated) if kind == "recorded" else evaluated)(zs, d)
    expected = [sum(few_d) * y - t for y, t in zip(sg.softmax(few), few_d, strict=True)]
    numbers = [getattr(x, "data", x) for x in [value, *gradient]]
    assert numbers[0] == pytest.approx(nn.cross_entropy_with_logits(few, few_d), abs=1e-15)
    assert [numbers[1 + i] for i in kept] == pytest.approx(expected, abs=1e-15)
    assert all(numbers[1 + i] == 0.0 for i in range(len(zs)) if i not in kept)
    hessian = sg.hessian(lambda zs: nn.cross_entropy_with_logits(zs, d))(zs)
    p = [y if math.isfinite(z) else 0.0 for y, z in zip(sg.softmax(zs), zs, strict=True)]
    for i, row in enumerate(hessian):
        wanted = [(p[i] if i == j else 0.0) - p[i] * p[j] for j in range(len(zs))]
        assert [getattr(x, "data", x) for x in row] == pytest.approx(wanted, abs=1e-15)


@pytest.mark.parametrize(("z", "d", "value"), [
    (math.inf, 1.0, 0.0), (-math.inf, 0.0, 0.0), (math.inf, 0.0, math.inf), (-math.inf, 1.0, math.inf),
])  # fmt: skip
def test_an_infinite_logit_is_a_certain_answer(z, d, value):
    loss = nn.binary_cross_entropy_with_logits
    assert loss(z, d) == loss(z, sg.Value(d)).data == sg.jit(loss)(z, d) == value
    if value == 0.0:
        assert sg.grad(loss)(z, d) == sg.jit(sg.grad(loss))(z, d) == 0.0
        assert sg.grad(lambda z: loss(z, sg.Value(d)))(z) == 0.0
    assert nn.cross_entropy_with_logits([-math.inf, 1.0], 0) == math.inf


@pytest.mark.parametrize("kind", ["plain", "values", "recorded"])
@pytest.mark.parametrize(("zs", "target", "value", "gradient"), [
    ([math.inf, 0.5, -2.0], [1.0, 0.0, 0.0], 0.0, [0.0, 0.0, 0.0]),
    ([math.inf, -math.inf, 0.0], [1.0, 0.0, 0.0], 0.0, [0.0, 0.0, 0.0]),
    ([0.0, math.inf], [0.0, 1.0], 0.0, [0.0, 0.0]),
    ([0.0, math.inf], [1.0, 0.0], math.inf, None),
    ([0.0, math.inf], [0.5, 0.5], math.inf, None),
])  # fmt: skip
def test_an_infinite_logit_takes_all_of_the_softmax(zs, target, value, gradient, kind):
    d = [sg.Value(x) for x in target] if kind == "values" else target
    loss = sg.jit(nn.cross_entropy_with_logits) if kind == "recorded" else nn.cross_entropy_with_logits
    assert getattr(loss(zs, d), "data", loss(zs, d)) == value
    if gradient is not None:
        slopes = sg.grad(loss)(zs, d)
        assert [getattr(x, "data", x) for x in slopes] == gradient


def test_a_target_of_zero_as_a_value_drops_its_infinite_term():
    for loss in (nn.cross_entropy, nn.kl_divergence):
        assert loss([0.0, 1.0], [sg.Value(0.0), sg.Value(1.0)]).data == 0.0
    assert nn.binary_cross_entropy(1.0, sg.Value(1.0)).data == 0.0
    with pytest.raises(ValueError, match=r"the output is 0\.0 but the target is not"):
        nn.cross_entropy([0.0, 1.0], [sg.Value(0.5), sg.Value(0.5)])


def test_losses_from_logits_equal_those_from_probabilities():
    zs = [0.3, -1.9, 2.2]
    assert nn.cross_entropy_with_logits(zs, 1) == pytest.approx(nn.cross_entropy(sg.softmax(zs), 1), rel=1e-14)
    d = [1.0, 0.0, 0.35]
    from_probabilities = nn.binary_cross_entropy([sg.sigmoid(z) for z in zs], d)
    assert nn.binary_cross_entropy_with_logits(zs, d) == pytest.approx(from_probabilities, rel=1e-14)


def test_kl_divergence_equals_cross_entropy_for_one_hot_targets_and_vanishes_at_the_target():
    y = [0.3, 0.1, 0.6]
    for k in range(3):
        assert (
            nn.kl_divergence(y, k) == nn.cross_entropy(y, k) == nn.kl_divergence(y, [float(i == k) for i in range(3)])
        )
    assert nn.kl_divergence(y, y) == 0.0
    entropy = -sum(d * math.log(d) for d in (0.2, 0.5, 0.3))
    assert nn.kl_divergence(y, [0.2, 0.5, 0.3]) == pytest.approx(
        nn.cross_entropy(y, [0.2, 0.5, 0.3]) - entropy, rel=1e-14
    )
    for d in (0.0, 1.0):
        assert (
            nn.kl_divergence(0.3, d) == nn.binary_cross_entropy(0.3, d) == (-math.log(0.3) if d else -math.log1p(-0.3))
        )
    assert nn.kl_divergence(0.3, 0.3) == pytest.approx(0.0, abs=1e-16)
    found = nn.kl_divergence(0.3, 0.6)
    assert found == pytest.approx(0.6 * math.log(2.0) + 0.4 * math.log(0.4 / 0.7), rel=1e-14)
    assert nn.kl_divergence([0.3, 0.7], [0.6, 0.4]) == pytest.approx(found, rel=1e-14)


def test_terms_of_target_zero_are_no_part_of_the_loss():
    # 0 · log 0 counts as 0, in the value and in the derivative.
    assert nn.cross_entropy([0.0, 1.0], 1) == 0.0
    assert sg.grad(lambda ys: nn.kl_divergence(ys, [0.0, 1.0]))([0.0, 0.5]) == [0.0, -2.0]
    assert sg.value_and_grad(lambda y: nn.binary_cross_entropy(y, 1.0))(1.0) == (0.0, -1.0)


def test_quadratic_takes_numbers_and_values_as_targets():
    d = sg.Value(3.0)
    nn.quadratic(1.0, d).backward()
    assert d.grad == 2.0
    assert nn.quadratic(1.0, 3) == 2.0
    assert nn.mean_squared_error([1], [3]) == 4.0


def test_perceptron_loss_gives_the_perceptron_rule():
    # Δw = η (d − step(z)) x
    for x, d, moved in (([2.0, -1.0], 0.0, -1), ([2.0, -1.0], 1.0, 0), ([-2.0, 1.0], 1.0, 1), ([-2.0, 1.0], 0.0, 0)):
        gradient = sg.grad(lambda w, x=x, d=d: nn.perceptron(sg.dot(w, x), d))([1.0, 0.5])
        assert [-g for g in gradient] == [moved * number for number in x]


@pytest.mark.parametrize("name", [name for name in PYTORCH if isinstance(PYTORCH[name][2], list)])
def test_targets_may_be_values(name):
    loss, output, target, value, gradient = PYTORCH[name]
    found, slopes = sg.value_and_grad(lambda ys: loss(ys, [sg.Value(d) for d in target]))(output)
    assert found == pytest.approx(value, rel=1e-14)
    assert slopes == pytest.approx(gradient, rel=1e-13, abs=1e-15)


def test_targets_of_zero_and_one_may_be_values():
    for loss in (nn.kl_divergence, nn.cross_entropy, nn.cross_entropy_with_logits):
        for hot in range(3):
            target = [float(i == hot) for i in range(3)]
            found = loss([0.2, 0.3, 0.5], [sg.Value(d) for d in target])
            assert found.data == pytest.approx(loss([0.2, 0.3, 0.5], target), rel=1e-15)
            found.backward()
    for loss in (nn.kl_divergence, nn.binary_cross_entropy, nn.binary_cross_entropy_with_logits, nn.perceptron):
        for d in (0.0, 1.0):
            assert loss(0.3, sg.Value(d)).data == pytest.approx(loss(0.3, d), rel=1e-15)
    assert nn.max_margin(0.3, sg.Value(-1.0)).data == 1.3
    with pytest.raises(ValueError, match=r"kl_divergence: target\[0\] is 1.5; it must be in \[0, 1\]"):
        nn.kl_divergence(0.3, sg.Value(1.5))
    with pytest.raises(ValueError, match=r"max_margin: target\[0\] is Value"):
        nn.max_margin(0.3, sg.Value(0.5))


LOSSES = [
    nn.quadratic,
    nn.mean_squared_error,
    nn.binary_cross_entropy,
    nn.binary_cross_entropy_with_logits,
    nn.cross_entropy,
    nn.cross_entropy_with_logits,
    nn.kl_divergence,
    nn.max_margin,
    nn.perceptron,
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_targets_of_another_length_are_refused(loss):
    with pytest.raises(ValueError, match=f"{loss.__name__}: 2 outputs need as many targets, at least 1; got 3"):
        loss([0.5, 0.5], [0.0, 0.0, 1.0])
    with pytest.raises(TypeError, match=f"{loss.__name__}: the output is 'ab'"):
        loss("ab", [1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.binary_cross_entropy(1.5, 1.0),
            ValueError,
            r"binary_cross_entropy: output\[0\] is 1.5; .*in \[0, 1\]",
        ),
        (lambda: nn.binary_cross_entropy(0.5, 2.0), ValueError, r"binary_cross_entropy: target\[0\] is 2.0"),
        (lambda: nn.binary_cross_entropy(0.5, math.nan), ValueError, r"target\[0\] is nan"),
        (lambda: nn.binary_cross_entropy_with_logits(0.5, -1), ValueError, r"with_logits: target\[0\] is -1.0"),
        (
            lambda: nn.binary_cross_entropy([0.5], ["1"]),
            TypeError,
            r"target\[0\] is '1', a str; give a number or a V",
        ),
        (
            lambda: nn.binary_cross_entropy(0.0, 1.0),
            ValueError,
            "the output is 0.0 but the target is not, .*with_logits",
        ),
        (lambda: nn.binary_cross_entropy(1.0, 0.5), ValueError, "the output is 1.0 but the target is not"),
        (lambda: nn.cross_entropy([0.0, 1.0], 0), ValueError, "cross_entropy: the output is 0.0 but"),
        (
            lambda: nn.cross_entropy([0.5, 0.5], 2),
            ValueError,
            "the target 2 is not a class of 2; give 0 to 1, or a",
        ),
        (lambda: nn.cross_entropy([0.5, 0.5], -1), ValueError, "the target -1 is not a class"),
        (lambda: nn.cross_entropy([0.5, 0.5], 0.5), ValueError, "the target 0.5 is not a class"),
        (lambda: nn.cross_entropy([0.5, 0.5], True), TypeError, "cross_entropy: the target is True; give a number"),
        (
            lambda: nn.cross_entropy([0.5, 0.5], [0.5, 0.6]),
            ValueError,
            "the target's probabilities add up to 1.1, not 1",
        ),
        (lambda: nn.kl_divergence([0.5, -0.5], 0), ValueError, r"kl_divergence: output\[1\] is -0.5"),
        (lambda: nn.kl_divergence([sg.Value(7.0, label="y₁")], [1.0]), ValueError, r'output\[0\] is 7.0, at "y₁"'),
        (lambda: nn.max_margin(0.5, 0.0), ValueError, r"max_margin: target\[0\] is 0.0; it must be -1 or 1"),
        (lambda: nn.perceptron(0.5, -1.0), ValueError, r"perceptron: target\[0\] is -1.0; it must be 0 or 1"),
        (lambda: nn.quadratic([0.5, None], [0, 0]), TypeError, r"quadratic: output\[1\] is None, a NoneType; give a"),
        (lambda: nn.quadratic([], []), ValueError, "quadratic: 0 outputs need as many targets, at least 1"),
        (lambda: nn.quadratic(None, 1.0), TypeError, "quadratic: the output is None"),
    ],
)
def test_bad_outputs_and_targets_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
