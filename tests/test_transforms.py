"""Derivatives of functions: nesting, closures, structures, `argnums`, `has_aux`, and bad input."""

import collections
import copy
import dataclasses
import functools
import math
import pickle
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value

Point = namedtuple("Point", "x y")


def flat(rows):
    return [x for row in rows for x in row]


def cube(x):
    return x**3


def test_the_lecture_formula():
    f = lambda x: sg.cos(sg.sin(x**2) + 3 * x**2)
    x = 1.5
    inner = math.sin(x * x) + 3 * x * x
    value, slope = sg.value_and_grad(f)(x)
    assert value == pytest.approx(math.cos(inner), rel=1e-14)
    assert slope == pytest.approx(-math.sin(inner) * (2 * x * math.cos(x * x) + 6 * x), rel=1e-14)


def test_derivatives_of_any_order():
    f = sg.exp
    for _ in range(6):
        f = sg.grad(f)
    assert f(0.5) == pytest.approx(math.exp(0.5), rel=1e-15)
    g = lambda x: x**7
    for order in range(8):
        assert g(2.0) == pytest.approx(math.perm(7, order) * 2.0 ** (7 - order), rel=1e-14)
        g = sg.grad(g)
    assert g(2.0) == 0.0


# Nesting: no inner derivative mistakes an outer variable for its own


def test_the_perturbation_is_not_confused():
    assert sg.grad(lambda x: x * sg.grad(lambda y: x * y)(2.0))(1.0) == 2.0
    assert sg.grad(lambda x: x * sg.grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert sg.grad(lambda x: x * sg.grad(lambda y: x)(3.0))(5.0) == 0.0
    assert sg.grad(lambda x: sg.grad(lambda y: x * x * y)(x))(3.0) == 6.0
    assert sg.grad(lambda x: sg.grad(lambda y: x * y * y)(x))(3.0) == 4 * 3.0


def test_an_inner_derivative_by_every_transform():
    inner = {
        "grad": lambda x: sg.grad(lambda y: x * y * y)(2.0),
        "value_and_grad": lambda x: sg.value_and_grad(lambda y: x * y * y)(2.0)[1],
        "jvp": lambda x: sg.jvp(lambda y: x * y * y, (2.0,), (1.0,))[1],
        "jvp by the tangent": lambda x: sg.jvp(lambda y: y * y, (2.0,), (x,))[1],
        "vjp": lambda x: sg.vjp(lambda y: x * y * y, 2.0)[1](1.0)[0],
        "vjp by the adjoint": lambda x: sg.vjp(lambda y: y * y, 2.0)[1](x)[0],
        "jacobian": lambda x: sg.jacobian(lambda y: [x * y * y, y])(2.0)[0],
        "hessian": lambda x: sg.hessian(lambda y: x * y * y * y / 3.0)(2.0),
        "hvp": lambda x: sg.hvp(lambda y: x * y * y * y / 3.0, (2.0,), (1.0,)),
    }
    for name, f in inner.items():
        assert f(3.0) == pytest.approx(12.0, rel=1e-15), name
        assert sg.grad(f)(3.0) == pytest.approx(4.0, rel=1e-15), name
        assert sg.jvp(f, (3.0,), (1.0,))[1] == pytest.approx(4.0, rel=1e-15), name


def test_three_levels():
    f = lambda x: sg.grad(lambda y: sg.grad(lambda z: x * y * y * z**3)(2.0))(3.0)
    assert f(5.0) == 5.0 * 6.0 * 12.0
    assert sg.grad(f)(5.0) == 72.0


def test_closures_over_values():
    w = Value(3.0)
    slope = sg.grad(lambda x: w * x * x)(2.0)
    assert isinstance(slope, Value)
    assert slope.data == 12.0
    slope.backward()
    assert w.grad == 4.0
    assert type(sg.grad(lambda x: x * x)(2.0)) is float
    assert sg.grad(lambda x: x * w.data)(2.0) == 3.0


def test_values_in_values_out():
    x = Value(2.0)
    slope = sg.grad(cube)(x)
    assert (slope.data, x.grad) == (12.0, 0.0)
    slope.backward()
    assert x.grad == 12.0
    assert isinstance(sg.grad(lambda v: 1.0)(x), Value)


# Copies, hashes and refusals inside a derivative


@dataclasses.dataclass
class Both:
    first: object
    second: object


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy of a list": lambda x: copy.deepcopy([1.0, x])[1],
    "asdict": lambda x: dataclasses.asdict(Both(x, 2.0))["first"],
    "replace": lambda x: dataclasses.replace(Both(x, 2.0), second=3.0).first,
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_of_an_argument_keeps_the_derivative(name):
    again = COPIES[name]
    assert sg.grad(lambda x: again(x) * x)(3.0) == 6.0
    assert sg.grad(lambda x: again(x * x) * x)(3.0) == 27.0
    assert sg.grad(lambda x: again(x) * x)(Value(3.0)).data == 6.0
    assert sg.grad(sg.grad(lambda x: again(x * x) * x))(3.0) == 18.0
    assert sg.grad(lambda x: sg.grad(lambda y: again(x * y))(2.0) * x)(3.0) == 6.0
    assert sg.jvp(lambda x: again(x) * x, (3.0,), (1.0,)) == (9.0, 6.0)


def test_a_copy_of_what_a_user_made_is_a_copy():
    w = Value(2.0, label="w")
    seen = []

    def f(x):
        model = copy.deepcopy({"w": w, "wx": w * x})
        seen.append((model["w"] is w, model["wx"].parents[0] is w))
        return model["w"] * x * w

    slope = sg.grad(f)(3.0)
    assert seen == [(False, True)]
    slope.backward()
    assert w.grad == 2.0
    result = sg.grad(lambda x: x * x * w)(Value(3.0))
    copied = copy.deepcopy(result)  # when the derivative has run, all of it is the user's
    copied.backward()
    assert w.grad == 2.0


@pytest.mark.parametrize(
    "look",
    [
        lambda x: x in {1.25},
        {1.25: 1}.get,
        lambda x: len({x, 1.25}),
        lambda x: collections.Counter({x: 1}),
        functools.cache(lambda y: y),
        lambda x: hash(2 * x),
    ],
)
def test_a_hash_inside_a_derivative_is_refused(look):
    with pytest.raises(TypeError, match=r"can't be hashed inside a derivative.*any\(x == key for key in keys\)"):
        sg.grad(lambda x: x * x if look(x) else x)(1.25)
    with pytest.raises(TypeError, match="hashed inside a derivative"):
        sg.grad(lambda x: x * x if look(x) else x)(Value(1.25))
    look(Value(1.25))
    assert sg.grad(lambda x: x * 2 if any(x == key for key in (1.25,)) else x * 3)(1.25) == 2.0
    assert sg.grad(lambda x: x * 2 if x in [1.25] else x * 3)(1.25) == 2.0
    w = Value(3.0)  # which no derivative handed in
    assert sg.grad(lambda x: x * {w: 2.0}[w])(1.0) == 2.0


def test_a_pickle_inside_a_derivative_is_refused():
    with pytest.raises(TypeError, match="can't be pickled inside a derivative: its copy would have no gradient"):
        sg.grad(lambda x: pickle.loads(pickle.dumps(x)))(1.0)  # noqa: S301
    with pytest.raises(TypeError, match="can't be pickled"):
        sg.grad(lambda x: pickle.loads(pickle.dumps([x * x])))(1.0)  # noqa: S301


def test_a_refusal_that_is_swallowed_is_told():
    def swallow(x):
        try:
            return math.exp(x)
        except TypeError:
            return 1e300

    for compute in (
        lambda: sg.grad(swallow)(2.0),
        lambda: sg.jvp(lambda x: x + swallow(x * x), (2.0,), (1.0,)),
        lambda: sg.grad(lambda x: sg.grad(lambda y: x * y)(1.0) + swallow(x))(2.0),
        lambda: sg.jacobian(lambda x: [swallow(x), x])(2.0),
    ):
        with pytest.warns(RuntimeWarning, match=r"refused to be a float, and the function caught the error"):
            compute()
    assert sg.grad(lambda x: x * swallow(Value(1.0)))(2.0) == 1e300  # no part of this derivative
    with pytest.warns(RuntimeWarning) as caught:
        sg.grad(swallow)(2.0)
    assert [warning.filename for warning in caught] == [__file__]


# Arguments and results


def test_argnums():
    f = lambda x, y, z: x * y**2 + z
    assert sg.grad(f)(2.0, 3.0, 1.0) == 9.0
    assert sg.grad(f, 1)(2.0, 3.0, 1.0) == 12.0
    assert sg.grad(f, -1)(2.0, 3.0, 1.0) == 1.0
    assert sg.grad(f, (0, 1))(2.0, 3.0, 1.0) == (9.0, 12.0)
    assert sg.grad(f, [1])(2.0, 3.0, 1.0) == (12.0,)
    assert sg.hessian(f, 1)(2.0, 3.0, 1.0) == 4.0
    assert sg.grad(f, np.int64(1))(2.0, 3.0, 1.0) == 12.0
    assert sg.grad(f, np.array([1, -1]))(2.0, 3.0, 1.0) == (12.0, 1.0)
    assert sg.jacobian(lambda x, y: [x * y, y], (0, 1))(2.0, 3.0) == [(3.0, 2.0), (0.0, 1.0)]


@dataclasses.dataclass(frozen=True)
class State:
    position: float
    velocity: list[float]
    name: None = None


Pair = namedtuple("Pair", "a b")


def test_containers_keep_their_kind():
    energy = lambda s: s.position**2 + s.velocity[0] ** 2 * s.position
    assert sg.grad(energy)(State(2.0, [3.0])) == State(13.0, [12.0])
    assert sg.hessian(energy)(State(2.0, [3.0])).velocity == [State(6.0, [4.0])]
    assert sg.hessian(lambda p: p.a * p.b)(Pair(1.0, 2.0)) == Pair(Pair(0.0, 1.0), Pair(1.0, 0.0))
    assert sg.jacobian(lambda p: Pair(p.a, p.a * p.b))(Pair(2.0, 3.0)) == Pair(Pair(1.0, 0.0), Pair(3.0, 2.0))
    ordered = sg.grad(lambda d: d["x"] * d["y"])(collections.OrderedDict(y=2.0, x=3.0))
    assert (type(ordered), list(ordered)) == (collections.OrderedDict, ["y", "x"])
    counted = sg.grad(lambda d: d["x"] ** 2)(collections.defaultdict(list, x=3.0))
    assert (counted, counted.default_factory) == ({"x": 6.0}, list)
    assert sg.grad(lambda p: p["w"] ** 2)({"w": 3.0, "b": None}) == {"w": 6.0, "b": None}


def test_tangents_and_adjoints_are_matched_by_key():
    f = lambda p: {"s": p["a"] + 2.0 * p["b"], "t": p["a"] * p["b"]}
    at = {"a": 2.0, "b": 3.0}
    assert sg.jvp(f, (at,), ({"b": 0.0, "a": 1.0},))[1] == {"s": 1.0, "t": 3.0}
    assert sg.vjp(f, at)[1]({"t": 0.0, "s": 1.0}) == ({"a": 1.0, "b": 2.0},)
    with pytest.raises(TypeError, match=r"\[0\]\['b'\] is missing"):
        sg.jvp(f, (at,), ({"a": 1.0, "c": 1.0},))


def test_what_is_not_differentiated_by_may_be_anything():
    assert sg.grad(lambda x, how: x * x if how == "square" else x)(3.0, "square") == 6.0
    assert sg.grad(lambda x, factor=1.0: x * factor)(3.0, factor=5.0) == 5.0


def test_integers_are_numbers():
    assert sg.grad(cube)(2) == 12.0
    assert sg.value_and_grad(lambda x: 3)(1.0) == (3.0, 0.0)


def test_nested_arguments():
    parameters = {"w": [1.0, 2.0], "b": (3.0,), "p": Point(4.0, 5.0)}
    f = lambda p: p["w"][0] * p["w"][1] + p["b"][0] ** 2 + p["p"].x * p["p"].y
    assert sg.grad(f)(parameters) == {"w": [2.0, 1.0], "b": (6.0,), "p": Point(5.0, 4.0)}
    assert sg.grad(lambda p: 1.0)({}) == {}


def test_arrays():
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    gradient = sg.grad(lambda m: (m * m).sum() + m[0, 1])(a)
    assert gradient.dtype == float
    assert gradient.tolist() == [[2.0, 5.0], [6.0, 8.0]]
    J = sg.jacobian(lambda v: np.array([v[0] * v[1], v[1], v[2] ** 2]))(np.array([1.0, 2.0, 3.0]))
    assert J.tolist() == [[2.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 6.0]]
    H = sg.hessian(lambda v: v[0] * v[1] * v[2])(np.array([1.0, 2.0, 3.0]))
    assert H.shape == (3, 3)
    assert H.tolist() == [[0.0, 3.0, 2.0], [3.0, 0.0, 1.0], [2.0, 1.0, 0.0]]
    J = sg.jacobian(lambda m: m @ m)(a)
    assert J.shape == (2, 2, 2, 2)


def test_the_jacobian_is_nested_like_output_then_argument():
    f = lambda p: {"s": p["x"] * p["y"], "v": [p["x"], 2.0 * p["y"], 5.0]}
    expected = {"s": {"x": 3.0, "y": 2.0}, "v": [{"x": 1.0, "y": 0.0}, {"x": 0.0, "y": 2.0}, {"x": 0.0, "y": 0.0}]}
    assert sg.jacobian(f)({"x": 2.0, "y": 3.0}) == expected


def test_hessians_of_nested_arguments():
    f = lambda p: p["x"] ** 2 * p["y"]
    assert sg.hessian(f)({"x": 2.0, "y": 3.0}) == {"x": {"x": 6.0, "y": 4.0}, "y": {"x": 4.0, "y": 0.0}}


@given(rows=st.integers(1, 6), columns=st.integers(1, 6))
def test_both_sweeps_give_the_jacobian(rows, columns):
    f = lambda v: [sum(sg.sin(x * (i + 1.0)) * (j + 1.0) for j, x in enumerate(v)) for i in range(rows)]
    point = [0.1 * (j + 1) for j in range(columns)]
    expected = [[math.cos(x * (i + 1.0)) * (i + 1.0) * (j + 1.0) for j, x in enumerate(point)] for i in range(rows)]
    got = sg.jacobian(f)(point)
    assert [len(row) for row in got] == [columns] * rows
    assert flat(got) == pytest.approx(flat(expected), rel=1e-14)


def test_jvp_and_vjp():
    f = lambda x, y: [x * y, x + y]
    assert sg.jvp(f, (2.0, 3.0), (1.0, 10.0)) == ([6.0, 5.0], [23.0, 11.0])
    out, pullback = sg.vjp(f, 2.0, 3.0)
    assert out == [6.0, 5.0]
    assert pullback([1.0, 10.0]) == (13.0, 12.0)
    assert pullback([0.0, 1.0]) == (1.0, 1.0)
    assert sg.hvp(lambda x, y: x * x * y, (2.0, 3.0), (1.0, 1.0)) == (6.0 + 4.0, 4.0)


def test_aux():
    f = lambda x: (x * x, {"twice": 2 * x, "text": "t"})
    assert sg.grad(f, has_aux=True)(3.0) == (6.0, {"twice": 6.0, "text": "t"})
    assert sg.value_and_grad(f, has_aux=True)(3.0) == ((9.0, {"twice": 6.0, "text": "t"}), 6.0)
    assert type(sg.grad(f, has_aux=True)(3.0)[1]["twice"]) is float


def test_aux_of_the_others():
    f = lambda x: (x * x, {"twice": 2 * x, "text": "t"})
    aux = {"twice": 6.0, "text": "t"}
    assert sg.jvp(f, (3.0,), (1.0,), has_aux=True) == (9.0, 6.0, aux)
    out, pullback, found = sg.vjp(f, 3.0, has_aux=True)
    assert (out, pullback(1.0), found) == (9.0, (6.0,), aux)
    assert sg.jacobian(lambda x: ([x, x * x], "t"), has_aux=True)(3.0) == ([1.0, 6.0], "t")
    assert sg.hessian(f, has_aux=True)(3.0) == (2.0, aux)


WRAPPED = [lambda y: [y], lambda y: (y,), lambda y: {"y": y}, lambda y: np.array([y]), lambda y: np.array([[y]])]


@pytest.mark.parametrize("wrap", WRAPPED)
def test_one_number_in_a_list_or_array(wrap):
    assert sg.grad(lambda x: wrap(x * x))(3.0) == 6.0
    assert sg.value_and_grad(lambda x: wrap(x * x))(3.0) == (wrap(9.0), 6.0)


def test_the_hessian_of_several_outputs():
    f = lambda v: {"a": v[0] * v[1], "b": [v[0] ** 3]}
    expected = {"a": [[0.0, 1.0], [1.0, 0.0]], "b": [[[12.0, 0.0], [0.0, 0.0]]]}
    assert sg.hessian(f)([2.0, 3.0]) == expected
    assert sg.hessian(lambda x, y: x * x * y, (0, 1))(2.0, 3.0) == ((6.0, 4.0), (4.0, 0.0))


def test_the_name_and_text_of_the_function_are_kept():
    def f(x):
        """Text."""
        return x

    assert (sg.grad(f).__name__, sg.grad(f).__doc__) == ("f", "Text.")


def test_an_error_inside_leaves_nothing_behind():
    with pytest.raises(ValueError, match="log: x"):
        sg.grad(lambda x: sg.log(x))(-1.0)  # noqa: PLW0108
    assert sg.grad(cube)(2.0) == 12.0


def test_infinite_derivatives_off_the_path():
    assert sg.grad(lambda x: sg.stop_gradient(sg.sqrt(x)) + x)(0.0) == 1.0
    assert sg.grad(lambda x: sg.floor(sg.sqrt(x)) + x)(0.0) == 1.0
    assert sg.jvp(lambda x: sg.floor(sg.sqrt(x)) + x, (0.0,), (1.0,))[1] == 1.0


BAD = [
    (lambda: sg.grad(3), "a derivative needs a function, got 3"),
    (lambda: sg.jvp("f", (1.0,), (1.0,)), "a derivative needs a function"),
    (lambda: sg.grad(cube)("a"), r"grad: args\[0\] is 'a', a str, and can't be differentiated by"),
    (lambda: sg.grad(cube)(True), r"args\[0\] is True, a bool"),
    (lambda: sg.grad(cube)(None), r"args\[0\] is None"),
    (lambda: sg.grad(cube)(1j), r"args\[0\] is 1j, a complex"),
    (
        lambda: sg.grad(lambda a, p: 0.0, 1)(1.0, {"w": [1.0, "a"]}),
        r"args\[1\]\['w'\]\[1\] is 'a', a str.* choose them with argnums",
    ),
    (lambda: sg.grad(lambda x: [x, x])(1.0), r"returned 2 in a list; use sg\.jacobian"),
    (lambda: sg.grad(lambda x: "a")(1.0), "the function's result is 'a', a str; return numbers"),
    (lambda: sg.grad(lambda x: None)(1.0), "the function's result is None"),
    (lambda: sg.jacobian(lambda x: {"a": [x, "b"]})(1.0), r"result at \['a'\]\[1\] is 'b'"),
    (lambda: sg.grad(cube, has_aux=True)(1.0), r"has_aux=True the function returns a pair \(output, aux\)"),
    (lambda: sg.jvp(cube, (1.0,), (1.0, 2.0)), "jvp: tangents must be nested like what it belongs to, with 1 numbers"),
    (lambda: sg.jvp(cube, (1.0,), ("a",)), r"jvp: tangents at \[0\] is 'a', not a number"),
    (lambda: sg.vjp(lambda x: [x, x], 1.0)[1]([1.0]), "vjp: the adjoint must be nested like"),
    (lambda: sg.vjp(cube, 1.0)[1]("a"), "vjp: the adjoint at the top is 'a'"),
]


@pytest.mark.parametrize(("compute", "message"), BAD)
def test_bad_input(compute, message):
    with pytest.raises(TypeError, match=message):
        compute()


@pytest.mark.parametrize("argnums", [1, -2, (0, 5)])
def test_argnums_out_of_range(argnums):
    with pytest.raises(ValueError, match=r"grad: argnums names argument .*, but 1 were given"):
        sg.grad(cube, argnums)(1.0)


@pytest.mark.parametrize("argnums", [(0, 0), (0, -2), [1, 0, 1], np.array([0, 0])], ids=str)
def test_argnums_named_twice(argnums):
    for transform in (sg.grad, sg.value_and_grad, sg.jacobian, sg.hessian):
        with pytest.raises(ValueError, match=r"argnums names argument [01] twice"):
            transform(lambda x, y: x * x * y, argnums)(2.0, 3.0)


@pytest.mark.parametrize("argnums", ["0", 0.0, True, None, (0, "1"), np.float64(1.0)], ids=repr)
def test_argnums_that_are_no_positions(argnums):
    with pytest.raises(TypeError, match=r"grad: argnums is .*; give a position such as 0, or a tuple of positions"):
        sg.grad(lambda x, y: x * x * y, argnums)(2.0, 3.0)
