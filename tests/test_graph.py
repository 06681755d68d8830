"""The order of a graph and its two sweeps: sharing, accumulation, size, several roots."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value
from scalargrad.engine.linearization import backward, merged, topological_order


def test_parents_come_first_and_each_node_once():
    x, y = Value(1.0), Value(2.0)
    z = x * y
    J = (z + x) * (z + y)
    order = topological_order(J)
    assert len(order) == len({id(node) for node in order}) == 6
    place = {id(node): i for i, node in enumerate(order)}
    assert all(place[id(parent)] < place[id(node)] for node in order for parent in node.parents)
    assert order[-1] is J


def test_a_node_records_parents_args_and_partials():
    t = Value(2.0)
    y = 3 * t
    assert y.parents == (t,)
    assert y.args == (3.0, t)
    assert y.partials == (3.0,)
    assert y.primitive is sg.mul
    assert (t * t).parents == (t, t)
    assert (t.primitive, t.parents, t.args, t.partials) == (None, (), (), ())
    for node, args, parents, by_parent in [
        (-t, (t,), (t,), (-1.0,)),
        (t - 3.0, (t, 3.0), (t,), (1.0,)),
        (t / t, (t, t), (t, t), (0.5, -0.5)),
        (sg.floor(t), (t,), (t,), (None,)),
        (7.0 // t, (7.0, t), (t,), (None,)),
        (sg.clip(t, 0.0, 5.0), (t, 0.0, 5.0), (t,), (1.0,)),
        (sg.sum([t, 1.0]), (t, 1.0), (t,), (1.0,)),
        (sg.sum([t, 1.0, y]), (t, 1.0, y), (t, y), (1.0, 1.0)),
    ]:
        assert (node.args, node.parents, node.partials_or_none) == (args, parents, by_parent)
        assert node.partials == tuple([by or 0.0 for by in by_parent])


def test_the_same_operand_twice_has_two_edges():
    a = Value(3.0)
    (a + a).backward()
    assert a.grad == 2.0
    a.zero_grad()
    (a * a).backward()
    assert a.grad == 6.0


def test_a_diamond():
    x = Value(0.7)
    u = sg.sin(x)
    J = u * u + sg.exp(u)
    J.backward()
    assert x.grad == pytest.approx((2 * math.sin(0.7) + math.exp(math.sin(0.7))) * math.cos(0.7), rel=1e-15)


def test_thirty_levels_of_sharing_are_linear():
    leaf = x = Value(0.9)
    data, slope = 0.9, 1.0
    for _ in range(30):
        x = x * x * 0.1 + x * 0.5
        slope *= 0.2 * data + 0.5
        data = data * data * 0.1 + data * 0.5
    assert len(topological_order(x)) == 1 + 4 * 30
    x.backward()
    assert leaf.grad == pytest.approx(slope, rel=1e-13)


def test_a_million_parents():
    xs = [Value(1.0)] * 3 + [Value(float(i)) for i in range(1_000_000)]
    total = sg.sum(xs)
    total.backward()
    assert xs[0].grad == 3.0
    assert xs[-1].grad == 1.0
    assert len(topological_order(total)) == 1_000_002


def test_leaves_add_up_and_interior_nodes_start_afresh():
    x = Value(3.0)
    u = x * x
    y = u * x
    y.backward()
    y.backward()
    assert x.grad == 2 * 27.0
    assert u.grad == 3.0
    y.zero_grad()
    assert x.grad == 0.0
    y.backward(seed=2.0)
    assert x.grad == 54.0


def test_two_roots_that_share_interior_nodes():
    x = Value(2.0)
    u = x * x
    first, second = u * 3.0, sg.exp(u)
    first.backward()
    second.backward()
    assert x.grad == pytest.approx((3.0 + math.exp(4.0)) * 4.0, rel=1e-15)
    x.zero_grad()
    backward([first, second], [1.0, 2.0])
    assert x.grad == pytest.approx((3.0 + 2.0 * math.exp(4.0)) * 4.0, rel=1e-15)
    x.zero_grad()
    backward([u, first, u], [1.0, 1.0, 1.0])
    assert x.grad == (1.0 + 3.0 + 1.0) * 4.0


def test_backward_on_a_leaf():
    x = Value(3.0)
    x.backward()
    assert x.grad == 1.0
    x.backward(2.5)
    assert x.grad == 3.5


def test_a_graph_keeps_the_derivatives_of_its_own_forward_pass():
    w = Value(2.0)
    y = w * w
    w.data = 10.0
    y.backward()
    assert w.grad == 4.0
    assert (w * w).data == 100.0


def test_gradient_descent_by_hand():
    w = Value(5.0)
    for _ in range(60):
        w.zero_grad()
        ((w - 2.0) ** 2).backward()
        w.data -= 0.2 * w.grad
    assert w.data == pytest.approx(2.0, abs=1e-12)


@pytest.mark.parametrize("seed", ["1", None, True, Value(1.0)], ids=repr)
def test_a_seed_is_a_number(seed):
    x = Value(1.0)
    with pytest.raises(TypeError, match=r"backward: the seed is .*; give a number, or use sg\.vjp for Values"):
        x.backward(seed)
    assert x.grad == 0.0


def test_no_path_means_no_infinity():
    x, y = Value(1.0), Value(0.0)
    J = x + sg.floor(sg.log(y + 1.0)) + 0.0 * sg.stop_gradient(sg.sqrt(y))
    J.backward()
    assert (x.grad, y.grad) == (1.0, 0.0)
    J = sg.floor(sg.sqrt(y)) + sg.sqrt(y) * x
    J.backward()
    assert y.grad == math.inf  # one path of several has a derivative


def test_an_infinite_adjoint_stops_at_a_zero_by_structure():
    c, x = sg.Value(1.0), sg.Value(0.0)
    condition = c * 2.0
    chosen = sg.select(condition, x, 1.0)
    assert (chosen.partials_or_none, chosen.partials) == ((None, 1.0), (0.0, 1.0))
    J = sg.sqrt(chosen)
    J.backward()
    assert (x.grad, condition.grad, c.grad) == (math.inf, 0.0, 0.0)
    assert sg.grad(lambda c, x: sg.sqrt(sg.select(c * 2.0, x, 1.0)), (0, 1))(1.0, 0.0) == (0.0, math.inf)
    assert sg.derivation(J).gradient == {"v₁": 0.0, "v₂": math.inf}


def test_what_is_beneath_a_zero_by_structure_starts_afresh():
    x = sg.Value(3.0)
    y = x * x
    y.backward()
    assert y.grad == 1.0
    (sg.floor(y) + sg.select(y, x, 0.0)).backward()
    assert y.grad == 0.0
    assert x.grad == 6.0 + 1.0


def test_merging_joins_equal_expressions():
    x = Value(1.5)
    J = sg.cos(sg.sin(x**2) + 3 * x**2)
    joined = merged(J)
    assert len(topological_order(J)) == len(topological_order(joined)) + 1
    joined.backward()
    assert x.grad == pytest.approx(sg.grad(lambda v: sg.cos(sg.sin(v**2) + 3 * v**2))(1.5), rel=1e-15)


# A derivative that is exactly 0

ROOT = {"sqrt": (sg.sqrt, 0.0), "cbrt": (sg.cbrt, 0.0), "asin": (sg.asin, 1.0), "acosh": (sg.acosh, 1.0)}

STOPPED = {
    # what does not choose the number, or chooses a constant, has derivative 0 though that of the number is infinite
    "relu": lambda u: sg.relu(u - 9.0),
    "leaky relu": lambda u: sg.leaky_relu(u - 9.0, 0.0),
    "max": lambda u: sg.max([u, 9.0]),
    "min": lambda u: sg.min([u, -9.0]),
    "clip": lambda u: sg.clip(u, 4.0, 5.0),
    "select": lambda u: sg.select(0.0, u, 3.0),
    "softmax": lambda u: sg.softmax([u - 1e4, 0.0])[0],
    "logsumexp": lambda u: sg.logsumexp([u, 1e4]),
    "times 0": lambda u: 0.0 * u,
    "through several nodes": lambda u: 3.0 * sg.relu(sg.exp(u) - 99.0) + 1.0,
    "nothing else": sg.stop_gradient,
}

PIECES = {"relu", "leaky relu", "max", "min", "clip", "select", "times 0", "nothing else"}
"""Those without curvature, so that the second derivative is 0 as well."""


@pytest.mark.parametrize("outer", STOPPED)
@pytest.mark.parametrize("inner", ROOT)
def test_a_zero_stops_at_an_infinite_derivative(inner, outer):
    root, at = ROOT[inner]
    f = lambda x: STOPPED[outer](root(x))
    x = Value(at)
    f(x).backward()
    assert x.grad == 0.0
    assert sg.grad(f)(at) == sg.grad(f)(Value(at)).data == sg.vjp(f, at)[1](1.0)[0] == 0.0
    assert sg.jit(sg.grad(f), backend="python")(at) == 0.0
    if outer in PIECES:
        assert sg.grad(sg.grad(f))(at) == 0.0
    assert sg.jvp(root, (at,), (0.0,))[1] == 0.0


def test_an_infinite_derivative_that_is_wanted_arrives():
    for root, at in ROOT.values():
        x = Value(at)
        (root(x) * 2.0).backward()
        assert x.grad == math.inf
        assert sg.grad(root)(at) == sg.grad(root)(Value(at)).data == sg.jvp(root, (at,), (1.0,))[1] == math.inf


def test_a_zero_stops_at_nan_too():
    f = lambda x, y: 0.0 * x**y
    x, y = Value(-2.0), Value(3.0)
    f(x, y).backward()
    assert (x.grad, y.grad) == (0.0, 0.0)
    assert sg.grad(f, 1)(-2.0, 3.0) == sg.grad(f, 1)(x, y).data == 0.0


def test_each_row_of_a_jacobian_is_its_own():
    f = lambda v: [v[0], sg.sqrt(v[1]), v[0] * v[1]]
    assert sg.jacobian(f)([2.0, 0.0]) == [[1.0, 0.0], [0.0, math.inf], [0.0, 2.0]]
    assert [[x.data for x in row] for row in sg.jacobian(f)([Value(2.0), Value(0.0)])] == sg.jacobian(f)([2.0, 0.0])
    assert sg.jacobian(lambda v: [*f(v), v[1] * v[1]])([2.0, 0.0])[:3] == sg.jacobian(f)([2.0, 0.0])
    assert sg.hessian(lambda v: sg.sqrt(v[0]) + v[1] ** 2)([0.0, 1.0]) == [[-math.inf, 0.0], [0.0, 2.0]]


@pytest.mark.parametrize("extra", [0, 1], ids=["in reverse", "forward"])
def test_a_row_of_a_jacobian_sweeps_only_what_reaches_it(extra, monkeypatch):
    products = 0

    def counted(derivative, partial):
        nonlocal products
        products += 1
        return derivative * partial

    def products_of(n):
        nonlocal products
        products = 0
        sg.jacobian(lambda v: [*sg.softmax(v), *v[:extra]])([Value(0.1 * i) for i in range(n)])
        return products

    monkeypatch.setattr("scalargrad.engine.linearization.times", counted)
    assert products_of(40) < 4.5 * products_of(20)


# Random graphs with shared nodes

UNARY = [sg.sin, sg.tanh, sg.sigmoid, sg.softplus, sg.exp, lambda x: x * 0.5, sg.atan, sg.gelu]
BINARY = [sg.add, sg.mul, sg.sub, lambda x, y: sg.hypot(x, y * y + 1.0), sg.logaddexp, lambda x, y: x / (1.5 + y * y)]


def program(seed, size=12):
    """A random smooth function of a list of numbers, with shared intermediate values; two outputs."""

    def run(xs):
        rng = random.Random(seed)
        found = list(xs)
        for _ in range(size):
            if rng.random() < 0.5:
                found.append(rng.choice(UNARY)(rng.choice(found) * 0.3))
            else:
                found.append(rng.choice(BINARY)(rng.choice(found), rng.choice(found)))
        return [found[-1] + found[-2] * found[-3], sg.dot(found[:3], found[-3:])]

    return run


POINTS = st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3)
SEEDS = st.integers(0, 2**32)


@given(seed=SEEDS, point=POINTS, direction=POINTS, adjoint=st.lists(st.floats(-2, 2), min_size=2, max_size=2))
def test_dot_product_of_forward_and_reverse(seed, point, direction, adjoint):
    f = program(seed)
    outs, tangents = sg.jvp(f, (point,), (direction,))
    again, pullback = sg.vjp(f, *[point])
    (gradients,) = pullback(adjoint)
    assert outs == again
    left = [a * t for a, t in zip(adjoint, tangents, strict=True)]
    right = [g * d for g, d in zip(gradients, direction, strict=True)]
    # Each sweep sums along the paths in an order of its own: they agree up to rounding of the terms, which may cancel.
    leaves = [sg.Value(x) for x in point]
    sizes = [abs(a) * size for a, size in zip(adjoint, sizes_of_paths(f(leaves), leaves, direction), strict=True)]
    assert sum(left) == pytest.approx(sum(right), abs=1e-12 * sum(sizes) + 1e-300)


def sizes_of_paths(outs, leaves, direction):
    """For each output, the sum over all paths of the effects of a perturbation of the leaves, all taken as positive."""
    total = sg.sum(outs)
    sizes = {id(leaf): abs(d) for leaf, d in zip(leaves, direction, strict=True)}
    for node in topological_order(total):
        if node.parents:
            sizes[id(node)] = sum(abs(d) * sizes[id(p)] for p, d in zip(node.parents, node.partials, strict=True))
    return [sizes[id(out)] for out in outs]


@given(seed=SEEDS, point=POINTS)
def test_gradients_are_those_of_central_differences(seed, point):
    f = lambda xs: program(seed)(xs)[0]
    gradient = sg.grad(f)(point)
    h = 1e-4
    for i, slope in enumerate(gradient):
        moved = [[x + k * h * (i == j) for j, x in enumerate(point)] for k in (-2, -1, 1, 2)]
        a, b, c, d = map(f, moved)
        # Fourth order: the error is h⁴ f⁽⁵⁾ / 30 ≈ 1e-17 times a derivative, plus rounding of f over h.
        assert slope == pytest.approx((a - 8 * b + 8 * c - d) / (12 * h), rel=1e-6, abs=1e-6)


@given(seed=SEEDS, point=POINTS)
def test_hessians_are_symmetric(seed, point):
    f = lambda xs: program(seed)(xs)[0]
    H = sg.hessian(f)(point)
    size = 1.0 + max(abs(h) for row in H for h in row)
    for i in range(3):
        for j in range(i):
            assert H[i][j] == pytest.approx(H[j][i], abs=1e-11 * size)


@given(seed=SEEDS, point=POINTS, direction=POINTS)
def test_hvp_is_the_hessian_times_the_vector(seed, point, direction):
    f = lambda xs: program(seed)(xs)[0]
    H = sg.hessian(f)(point)
    size = 1.0 + max(abs(h) for row in H for h in row)
    expected = [sum(h * d for h, d in zip(row, direction, strict=True)) for row in H]
    assert sg.hvp(f, (point,), (direction,)) == pytest.approx(expected, rel=1e-10, abs=1e-10 * size)


@given(order=st.permutations(range(4)), point=POINTS)
def test_the_order_of_construction_does_not_matter(order, point):
    def build(order):
        xs = [Value(p) for p in point]
        x, y, z = xs
        parts = {}
        makers = [lambda: sg.sin(x * y), lambda: sg.exp(z * 0.3) * x, lambda: y / (1.5 + z * z), lambda: x * x * z]
        for i in order:
            parts[i] = makers[i]()
        J = (parts[0] + parts[1]) * (parts[2] - parts[3])
        J.backward()
        return [J.data, *(v.grad for v in xs)]

    assert build(order) == pytest.approx(build(range(4)), rel=1e-12, abs=1e-12)


# Worked examples


def test_micrograd_readme():
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + sg.relu(b + a)
    d += 3 * d + sg.relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_micrograd_neuron():
    x1, x2 = Value(2.0), Value(0.0)
    w1, w2 = Value(-3.0), Value(1.0)
    b = Value(6.8813735870195432)
    out = sg.tanh(x1 * w1 + x2 * w2 + b)
    out.backward()
    assert out.data == pytest.approx(0.7071067811865476, rel=1e-15)
    assert [v.grad for v in (x1, w1, x2, w2)] == pytest.approx([-1.5, 1.0, 0.5, 0.0], rel=1e-14)


@given(x=st.floats(-3, 3))
def test_lecture_example_against_its_closed_form(x):
    leaf = Value(x)
    J = sg.cos(sg.sin(leaf**2) + 3 * leaf**2)
    J.backward()
    assert J.data == pytest.approx(math.cos(math.sin(x * x) + 3 * x * x), rel=1e-13, abs=1e-14)
    slope = -math.sin(math.sin(x * x) + 3 * x * x) * (math.cos(x * x) * 2 * x + 6 * x)
    assert leaf.grad == pytest.approx(slope, rel=1e-12, abs=1e-13)
