"""`Value`: operators, comparisons, refusals, and its life in copies, pickles and memory."""

import copy
import gc
import math
import numbers
import operator
import pickle
import threading
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value
from scalargrad.engine.graph import topological_order

NUMPYS = [np.float64(2.0), np.float32(2.0), np.longdouble(2.0), np.int64(2), np.int8(2)]
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow]
FLOATS = st.floats(-1e3, 1e3)


def outcome(compute):
    """Return the number that a computation gives, or the kind of its error."""
    try:
        result = compute()
    except (ZeroDivisionError, OverflowError) as error:
        return type(error)
    return result.data if isinstance(result, Value) else result


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
@given(x=FLOATS, y=FLOATS)
def test_binary_operators_compute_what_floats_compute(op, x, y):
    expected = outcome(lambda: op(x, y))
    for left, right in ((Value(x), Value(y)), (Value(x), y), (x, Value(y))):
        try:
            got = outcome(lambda left=left, right=right: op(left, right))
        except ValueError:
            # Where a float turns complex; Python finds out only after an overflow.
            assert op is operator.pow
            assert x < 0
            assert not y.is_integer()
        else:
            assert got == expected


@given(x=FLOATS, y=FLOATS.filter(bool))
def test_divmod(x, y):
    expected = divmod(x, y)
    for left, right in ((Value(x), Value(y)), (Value(x), y), (x, Value(y))):
        assert tuple(part.data for part in divmod(left, right)) == expected


@given(x=FLOATS)
def test_unary_operators_compute_what_floats_compute(x):
    assert (-Value(x)).data == -x
    assert (+Value(x)).data == x
    assert abs(Value(x)).data == abs(x)
    assert bool(Value(x)) == bool(x)


@given(x=FLOATS, y=st.one_of(FLOATS, st.integers(-5, 5)))
def test_comparisons_are_those_of_the_data(x, y):
    for op in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
        assert op(Value(x), Value(y)) is op(x, float(y))
        assert op(Value(x), y) is op(x, y)
        assert op(y, Value(x)) is op(y, x)


def test_a_comparison_with_what_is_no_number():
    assert Value(1.0) != "1.0"
    assert (Value(1.0) == None) is False  # noqa: E711
    assert Value(1.0) not in ["a", None]
    with pytest.raises(TypeError, match="'<' not supported"):
        Value(1.0) < "2"  # noqa: B015


def test_equal_values_are_different_keys():
    x, y = Value(1.0), Value(1.0)
    assert x == y
    assert hash(x) != hash(y)
    assert {x: "x", y: "y"} == {x: "x", y: "y"}
    assert len({x, y, x}) == 2


def test_integers_fractions_and_numpy_scalars_are_numbers():
    for number in (2, Fraction(1, 2), np.float64(0.5), np.float32(0.5), np.int64(2)):
        x = Value(number)
        assert type(x.data) is float
        assert x.data == float(number)
        assert type((Value(1.0) + number).data) is float
    assert Value(10**20).data == 1e20
    with pytest.raises(OverflowError):
        Value(10**400)


@pytest.mark.parametrize("number", NUMPYS, ids=lambda n: n.dtype)
@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
def test_numpy_scalars_on_either_side(op, number):
    for left, right in ((number, Value(3.0)), (Value(3.0), number)):
        result = op(left, right)
        assert type(result) is Value
        assert type(result.data) is float
        plain = [x.data if isinstance(x, Value) else float(x) for x in (left, right)]
        assert result.data == op(*plain)
        assert all(type(arg) in (Value, float) for arg in result.args)
    assert number < Value(3.0)
    assert Value(3.0) > number
    assert not number > Value(3.0)
    assert np.float64(3.0) == Value(3.0)


def test_object_arrays():
    xs = [Value(0.1), Value(0.2), Value(0.3)]
    a = np.array(xs, dtype=object)
    y = (np.sin(a) * 2.0 + a @ a).sum() + np.arcsin(a)[0] + np.arctan2(a, a)[1] + np.sqrt(a).mean() + np.var(a)
    y.backward()
    plain = np.array([0.1, 0.2, 0.3])
    expected = (np.sin(plain) * 2.0 + plain @ plain).sum() + np.arcsin(0.1) + np.pi / 4 + np.sqrt(plain).mean()
    assert y.data == pytest.approx(expected + np.var(plain), rel=1e-14)
    slopes = 2 * np.cos(plain) + 6 * plain + 1 / np.sqrt(plain) / 6 + 2 * (plain - plain.mean()) / 3
    slopes[0] += 1 / math.sqrt(1 - 0.1**2)
    assert [x.grad for x in xs] == pytest.approx(list(slopes), rel=1e-13)
    assert (np.array([1.0, 2.0]) * Value(3.0)).tolist() == [3.0, 6.0]
    assert (Value(3.0) * np.array([1.0, 2.0])).dtype == object


def test_arrays_of_floats_stay_floats_and_of_values_become_objects():
    assert sg.sin(np.array([0.0, 1.0])).tolist() == [0.0, math.sin(1.0)]
    nodes = sg.sin(np.array([Value(0.0), Value(1.0)]))
    assert [node.data for node in nodes] == [0.0, math.sin(1.0)]
    assert sg.hypot(np.array([3.0, 6.0]), np.array([4.0, 8.0])).tolist() == [5.0, 10.0]


def test_the_rows_are_methods_only_by_their_names():
    x = Value(0.5)
    assert x.sin().data == math.sin(0.5)
    assert x.arcsin().data == math.asin(0.5)
    for name in ("nonsense", "sum", "__array__", "__array_interface__", "_ipython_display_", "dtype"):
        assert not hasattr(x, name)


SILENT = [
    (float, r"not silently turned into a float: .*sg\.sin.*v\.data"),
    (complex, "not silently turned into a float"),
    (math.sin, r"sg\.sin"),
    (lambda v: np.array([v], dtype=float), r"dtype=object"),
    (lambda v: [1, 2][v], r"not an index, as a float is not; write int\(v\)"),
    (range, r"write int\(v\)"),
]


@pytest.mark.parametrize(("convert", "message"), SILENT)
def test_a_value_is_not_silently_a_number(convert, message):
    with pytest.raises(TypeError, match=message):
        convert(Value(1.0))


@given(x=st.floats(-1e6, 1e6) | st.integers(-9, 9).map(lambda n: n + 0.5))
def test_whole_numbers_are_what_python_gives(x):
    for convert in (math.floor, math.ceil, math.trunc, int, round):
        assert convert(Value(x)) == convert(x)
        assert type(convert(Value(x))) is int
    assert Value(x).is_integer() is x.is_integer()


@given(x=st.floats(-1e6, 1e6) | st.integers(-9999, 9999).map(lambda n: n / 1000), digits=st.integers(-3, 8))
def test_round_to_digits_is_a_value_with_derivative_0(x, digits):
    v = Value(x)
    rounded = round(v, digits)
    assert repr(rounded.data) == repr(round(x, digits))
    (rounded * v).backward()
    assert v.grad == rounded.data


def test_whole_numbers_are_refused_as_python_does():
    with pytest.raises(OverflowError):
        int(Value(math.inf))
    with pytest.raises(ValueError, match="NaN"):
        round(Value(math.nan))
    with pytest.raises(TypeError):
        round(Value(1.0), 1.5)


def test_whole_numbers_are_branches_of_a_recording():
    f = sg.jit(lambda x: x * int(x) + math.ceil(x) * x**2 + (x if x.is_integer() else -x), backend="python")
    for x in (1.5, -1.5, 2.5, 1.25, -2.75):
        assert f(x) == x * int(x) + math.ceil(x) * x**2 - x
        assert sg.grad(f)(x) == int(x) + 2 * math.ceil(x) * x - 1


def test_a_value_is_a_real_number():
    v = Value(2.5)
    assert isinstance(v, numbers.Real)
    assert np.isscalar(v)
    assert (v.real, v.imag, v.conjugate(), v.item()) == (v, 0.0, v, v)
    assert v.real is v.conjugate() is v.item() is v


def test_a_bool_is_0_or_1_as_an_operand():
    x = Value(3.0)
    for yes in (True, np.bool_(True)):
        assert (yes * x).data == (x * yes).data == 3.0
        assert (x + yes).data == (yes + x).data == 4.0
        assert (x - yes).data == 2.0
        assert (x**yes).data == 3.0
    assert ((x > 1) * x).data == 3.0
    assert ((x < 1) * x).data == 0.0
    assert sg.select(x > 1, x, 0.0).data == 3.0
    assert Value(1.0) == True  # noqa: E712
    assert sg.grad(lambda x: (x > 1) * x * x)(3.0) == 6.0


REFUSED = [
    ("1.0", r"a str; write float\(…\)"),
    (True, "a bool; write 1.0 or 0.0"),
    (np.bool_(True), "a bool"),
    (1j, "complex; only real numbers"),
    (None, "None; give a number"),
    ([1.0], "a list; give a float or an int"),
    (b"1", "a bytes; give a float"),
    (Decimal(1), "a Decimal; give a float"),
    (Value(1.0), "already a Value"),
]


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=lambda item: type(item).__name__)
def test_what_is_no_data(data, message):
    with pytest.raises(TypeError, match=f"Value: data is .*{message}"):
        Value(data)


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=lambda item: type(item).__name__)
def test_what_is_no_data_cannot_be_assigned(data, message):
    v = Value(1.0)
    for name in ("data", "grad"):
        with pytest.raises(TypeError, match=f"Value: {name} is .*{message}"):
            setattr(v, name, data)
    assert (v.data, v.grad) == (1.0, 0.0)
    with pytest.raises(TypeError, match="backward: the seed is"):
        (v * v).backward(data)
    assert v.grad == 0.0


@pytest.mark.parametrize("number", [3, Fraction(3), np.float64(3.0), np.float32(3.0), np.int32(3)], ids=type)
def test_what_is_assigned_is_a_float(number):
    v = Value(0.0)
    v.data = v.grad = number
    assert (type(v.data), type(v.grad)) == (float, float)
    assert (v.data, v.grad) == (3.0, 3.0)


def test_a_small_integer_of_numpy_does_not_overflow():
    w = Value(1.0)
    w.data = np.int32(50000)
    assert (w * w).data == 2.5e9


@pytest.mark.parametrize("operand", ["1.0", 1j, None, b"1"], ids=repr)
@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
def test_what_is_no_operand(op, operand):
    for left, right in ((Value(1.0), operand), (operand, Value(1.0))):
        if isinstance(left, (str, bytes)) and op is operator.mod:
            continue  # Python formats a string
        with pytest.raises(TypeError, match=rf"{type(operand).__name__}, not a number or a Value"):
            op(left, right)


def test_an_operand_that_knows_values_is_asked():
    class Other:
        def __radd__(self, other):
            return "asked"

    assert Value(1.0) + Other() == "asked"
    with pytest.raises(TypeError, match="unsupported operand"):
        Value(1.0) + {}


def test_errors_name_the_operation_the_operand_and_its_label():
    u = Value(-1.0, label="u")
    with pytest.raises(ValueError, match=r'^log: x = -1\.0 is outside \(0, inf\), at "u"$'):
        sg.log(u)
    with pytest.raises(ZeroDivisionError, match=r'^div: y = 0\.0 is outside .*, at "zero"$'):
        u / Value(0.0, label="zero")


def test_label_is_a_string():
    with pytest.raises(TypeError, match="Value: label is 3, a int; give a string"):
        Value(1.0, label=3)
    v = Value(1.0, label="v")
    with pytest.raises(TypeError, match="Value: label is None, a NoneType; give a string"):
        v.label = None
    assert v.label == "v"
    v.label = np.str_("w")
    assert type(v.label) is str


def test_repr_and_format():
    x = Value(1.5, label="x")
    assert repr(x) == "Value(data=1.5, grad=0.0, label='x')"
    assert repr(x + 1) == "Value(data=2.5, grad=0.0)"
    assert f"{x:.3f}" == "1.500"
    assert f"{x}" == str(x) == repr(x)


def test_nan_and_infinity_are_numbers():
    assert math.isnan(Value(math.nan).data)
    assert (Value(math.inf) - 1).data == math.inf
    assert not Value(math.nan) == Value(math.nan)  # noqa: SIM201


def test_names_of_micrograd():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    assert (a._prev, a._op) == (set(), "")
    assert (c._prev, c._op) == ({a, b}, "*")
    ops = {
        (a + b)._op,
        (a - b)._op,
        (a / b)._op,
        (-a)._op,
        (a**2)._op,
        (a**0.5)._op,
        (a**b)._op,
        a.relu()._op,
        a.tanh()._op,
    }
    assert ops == {"+", "-", "/", "**2", "**0.5", "**", "ReLU", "tanh"}
    assert (a * 2)._prev == (a * a)._prev == {a}
    assert sg.draw_dot is sg.operations_diagram
    assert "data 2" in sg.draw_dot(c).source or "2" in sg.draw_dot(c).source


CONDITIONS = {
    sg.less: operator.lt,
    sg.less_equal: operator.le,
    sg.greater: operator.gt,
    sg.greater_equal: operator.ge,
    sg.equal: operator.eq,
    sg.not_equal: operator.ne,
}


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda row: row.name)
@given(x=st.sampled_from([-1.0, 0.0, -0.0, 2.0, math.inf, math.nan]), y=st.sampled_from([0.0, 2.0, math.inf, math.nan]))
def test_conditions_are_numbers_that_select_takes(condition, x, y):
    true = float(CONDITIONS[condition](x, y))
    assert condition(x, y) == condition(Value(x), y).data == condition(x, Value(y)).data == true
    f = lambda a, b: sg.select(condition(a, b), 3.0 * a, 5.0 * a)
    assert sg.grad(f)(x, y) == (3.0 if true else 5.0)
    assert condition(Value(x), Value(y)).partials == (0.0, 0.0)


def test_a_condition_is_no_branch_of_a_recording():
    f = sg.jit(lambda x: sg.select(sg.less(x, 1.0), x * x, 3.0 * x), backend="python")
    g = sg.jit(sg.grad(lambda x: sg.select(sg.less_equal(x, 1.0), x * x, 3.0 * x)), backend="python")
    for x in (0.5, 1.0, 2.0):
        assert f(x) == (x * x if x < 1 else 3.0 * x)
        assert g(x) == (2 * x if x <= 1 else 3.0)
    assert f.stats["recordings"] == g.stats["recordings"] == 1


def test_ufuncs_of_numpy_take_values_on_either_side():
    v = Value(2.0)
    assert np.arctan2(1.0, v).data == math.atan2(1.0, 2.0)
    assert np.arctan2(v, np.float64(1.0)).data == math.atan2(2.0, 1.0)
    assert np.logaddexp(v, 1.0).data == pytest.approx(np.logaddexp(2.0, 1.0))
    assert [x.data for x in np.hypot(v, [3.0, 4.0])] == [math.hypot(2.0, 3.0), math.hypot(2.0, 4.0)]
    assert np.maximum(v, math.nan).data != np.maximum(v, math.nan).data
    assert not np.isnan(v)
    assert (np.array([1.0, 3.0]) > v).tolist() == [False, True]
    f = lambda x: np.exp(np.where(x > 0, x, 0.0)).sum() + np.max(x)
    assert sg.grad(f)(np.array([1.0, -1.0])) == pytest.approx([math.e + 1.0, 0.0])
    assert np.isnan(sg.grad(np.max)(np.array([math.nan, 1.0]))).all()


def test_a_recording_refuses_what_it_cannot_follow():
    for look, name in ((lambda x: x in {1.0}, "hash"), (lambda x: f"{x:.1f}", "text"), (lambda x: x.grad, "grad")):
        with pytest.raises(sg.RecordingError, match=name):
            sg.jit(lambda x, look=look: x * x if look(x) else x, backend="python", static_argnums=1)(1.0, look)


# The life of a graph


def chain(length):
    x = Value(1.0, label="x")
    y = x
    for _ in range(length):
        y = y * 1.0
    return x, y


def test_a_copy_shares_its_parents_and_a_deep_copy_shares_nothing():
    x = Value(2.0, label="x")
    y = sg.sin(x) * x
    y.label = "y"
    y.backward()
    shallow, deep = copy.copy(y), copy.deepcopy(y)
    assert shallow.parents == y.parents
    assert shallow.parents[1] is x
    before = x.grad
    deep.backward()
    assert x.grad == before
    assert (deep.data, deep.label) == (y.data, "y")
    assert deep.parents[1].grad == 2 * before
    assert deep.parents[1] is deep.parents[0].parents[0]
    assert deep.parents[1].label == "x"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))], ids=["copy", "pickle"])  # noqa: S301
def test_values_kept_together_share_their_graph_again(again):
    x = Value(2.0)
    first, second = again([x * x, sg.exp(x)])
    assert first.parents[0] is second.parents[0]
    (first + second).backward()
    assert first.parents[0].grad == 4.0 + math.exp(2.0)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))], ids=["copy", "pickle"])  # noqa: S301
def test_what_is_built_on_a_copy_is_swept_in_order(again):
    graph = [Value(float(i)) for i in range(5)]
    total = sum(graph)
    leaves, new = again((graph, total))
    (new * sg.softmax([new, leaves[0]])[0] + leaves[1]).backward()
    weight = 1 / (1 + math.exp(-10.0))
    slope = weight + 10.0 * weight * (1 - weight)
    assert leaves[2].grad == pytest.approx(slope, rel=1e-12)
    assert leaves[1].grad == pytest.approx(slope + 1.0, rel=1e-12)
    assert graph[2].grad == 0.0


def test_a_vector_row_survives_a_pickle():
    xs = [Value(1.0), Value(2.0)]
    ys = pickle.loads(pickle.dumps(sg.softmax(xs)))  # noqa: S301
    assert [y.data for y in ys] == sg.softmax([1.0, 2.0])
    ys[0].backward()
    assert ys[0].parents[0].grad == pytest.approx(ys[0].data * (1 - ys[0].data))


def test_threads_may_pickle_one_graph():
    x = Value(2.0)
    pair = [x * x, sg.exp(x)]
    for _ in range(100):
        pair.append(pair[-1] * pair[-2] * 1e-3)
    texts = []
    threads = [threading.Thread(target=lambda: texts.extend(pickle.dumps(pair) for _ in range(20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 80
    for text in texts:
        loaded = pickle.loads(text)  # noqa: S301
        assert len({id(leaf) for leaf in topological_order(*loaded) if not leaf.parents}) == 1


def test_a_pickle_of_a_row_that_is_missing_says_so(rows_restored):
    row = sg.primitive("short_lived", lambda m, x: x * x, lambda m, out, x: 2.0 * x)
    text = pickle.dumps(row(Value(1.0)))
    del sg.rows.TABLE["short_lived"]
    with pytest.raises(LookupError, match=r"no primitive is named 'short_lived'; one added by sg\.primitive"):
        pickle.loads(text)  # noqa: S301


def test_no_reference_cycles():
    def build(times):
        for _ in range(times):
            x, y = Value(0.5), Value(2.0)
            J = sg.softmax([sg.sin(x * y), y**2, sg.dot([x, y], [y, x])])[0] / y
            J.backward()
            repr(J)
            sg.grad(sg.grad(lambda v: sg.softmax([v * v, 1.0])[0]))(1.0)

    build(200)  # the common calls are compiled
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        build(1000)
        assert gc.collect() == 0
        assert len(gc.get_objects()) - before < 100
    finally:
        gc.enable()


@pytest.mark.slow
def test_a_million_nodes_deep():
    x, y = chain(1_000_000)
    y.backward()
    assert x.grad == 1.0
    repr(y)
    for copied in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):  # noqa: S301
        assert copied.data == y.data
        copied.backward()
        assert x.grad == 1.0
    assert sg.jvp(lambda v: chain_on(v, 1_000_000), (1.0,), (2.0,)) == (1.0, 2.0)
    del y, copied  # freed without recursion


def chain_on(v, length):
    for _ in range(length):
        v = v * 1.0
    return v


def test_a_hundred_thousand_nodes_deep():
    x, y = chain(100_000)
    y.backward()
    assert x.grad == 1.0
    assert sg.grad(lambda v: chain_on(v, 50_000))(1.0) == 1.0
    copied = copy.deepcopy(y)
    assert pickle.loads(pickle.dumps(y)).data == copied.data == 1.0  # noqa: S301
