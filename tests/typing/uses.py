"""Every public name, used as users do. Type checkers read this file, and a test runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import scalargrad as sg
from scalargrad import nn, optim, training

Number = float | sg.Value


def scalars() -> list[float]:
    """Floats in, floats out; Values in, Values out."""
    x, v = 0.25, sg.Value(0.25, label="v")
    unary = [sg.abs, sg.asin, sg.acos, sg.atan, sg.asinh, sg.atanh, sg.cbrt, sg.ceil, sg.cos, sg.cosh, sg.erf, sg.erfc]
    unary += [sg.exp, sg.expm1, sg.floor, sg.gelu, sg.log, sg.log10, sg.log1p, sg.log2, sg.neg, sg.pos, sg.sech2]
    unary += [sg.sigmoid, sg.sign, sg.silu, sg.sin, sg.sinh, sg.softplus, sg.sqrt, sg.stop_gradient, sg.tan, sg.tanh]
    unary += [sg.cospi, sg.cot, sg.coth, sg.csc, sg.csch, sg.digamma, sg.exp10, sg.exp2, sg.gamma, sg.lgamma, sg.rem2pi]
    unary += [
        sg.logexpm1,
        sg.logit,
        sg.sec,
        sg.sech,
        sg.sinc,
        sg.sinpi,
        sg.trunc,
        sg.acot,
        sg.acsch,
        sg.asech,
    ]
    results = [f(x) for f in unary]
    nodes = [f(v) for f in unary]
    nodes += [f(v + 2.0) for f in (sg.acoth, sg.acsc, sg.asec)] + [sg.log1mexp(-v)]
    binary = [sg.copysign, sg.fmod, sg.remainder, sg.xlog1py, sg.xlogy]
    binary += [sg.add, sg.sub, sg.mul, sg.div, sg.pow, sg.mod, sg.floordiv, sg.atan2, sg.hypot, sg.logaddexp]
    binary += [sg.less, sg.less_equal, sg.greater, sg.greater_equal, sg.equal, sg.not_equal, sg.round_to]
    results += [f(x, 2.0) for f in binary]
    nodes += [f(v, 2.0) for f in binary] + [f(2.0, v) for f in binary]
    nodes += [sg.acosh(v + 2.0), sg.relu(v), sg.leaky_relu(v, 0.1), sg.elu(v), sg.step(v), sg.clip(v, 0.0, 1.0)]
    nodes += [sg.round(v), sg.select(v, v, 1.0), sg.take([v, v], 1), sg.where(v > 0.0, v, 0.0)]
    nodes += [v.tanh(), v.sin().arctan2(2.0), v.relu(), -v, v**2, 2 / v, v % 2, abs(v)]
    largest: sg.Value = sg.maximum(v, 1.0, 2.0)
    least: float = sg.minimum(1.0, x)
    return [*results, *(node.data for node in nodes), largest.data, least]


def many() -> float:
    """Reductions of floats are floats, of Values they are Values."""
    xs: list[float] = [1.0, 2.0, 3.0]
    vs = [sg.Value(x) for x in xs]
    plain: float = (
        sg.sum(xs)
        + sg.mean(xs)
        + sg.prod(xs)
        + sg.fsum(xs)
        + sg.max(xs)
        + sg.min(xs)
        + sg.logsumexp(xs)
        + sg.dot(xs, xs)
    )
    node: sg.Value = sg.sum(vs) + sg.mean(vs) + sg.prod(vs) + sg.max(vs) + sg.min(vs) + sg.logsumexp(vs)
    node = node + sg.dot(vs, xs) + sg.dot(xs, vs) + sg.affine(vs, xs, 1.0)
    outputs: list[sg.Value] = sg.softmax(vs) + sg.log_softmax(vs)
    node = node + outputs[0]
    node.backward()
    node.zero_grad()
    return plain + node.data


def energy(x: float, y: float = 1.0) -> float:
    """A function as users annotate it."""
    return x * x * y


def derivatives() -> list[float]:
    """A derivative keeps the parameters of its function."""
    results: list[float] = [sg.grad(energy)(2.0, y=3.0), sg.grad(sg.grad(energy))(2.0), sg.hessian(energy)(2.0, 1.0)]
    results += [sg.value_and_grad(energy, argnums=1)(2.0, 3.0)[0], sg.jacobian(energy)(1.0)]
    results += [sg.jvp(energy, (2.0,), (1.0,))[1], sg.vjp(energy, 2.0)[1](1.0)[0], sg.hvp(energy, (2.0,), (1.0,))]
    compiled = sg.jit(energy, backend="python")
    results += [
        compiled(2.0, 3.0),
        *sg.vmap(energy)([1.0, 2.0], [1.0, 1.0]),
        sg.batch_mean(energy)([1.0, 2.0], [1.0, 1.0]),
    ]
    sparse = [sg.sparse_hessian, sg.sparse_jacobian]
    assert len(sparse) == 2  # they need SciPy
    return results


def primitives() -> list[float]:
    """The result of `sg.primitive` can be called."""
    cube = sg.primitive("uses.cube", lambda m, x: x * x * x, lambda m, out, x: 3.0 * x * x, domain=(-9.0, 9.0))
    half = sg.primitive("uses.half", lambda m, x, y: 0.5 * x * y, [lambda m, out, x, y: 0.5 * y, None])
    number: float = cube(2.0)
    node: sg.Value = cube(sg.Value(2.0))
    assert cube.source().startswith("def __call__")
    assert cube.domain == (sg.Interval(-9.0, 9.0),)
    return [number, node.data, half(2.0, 3.0)]


def solutions(a: float) -> list[float]:
    """The square root of a, three times, as the solution of an equation; a rough solver suffices."""
    solved: float = sg.root(lambda x, a: x * x - a, 1.0, a, solver=lambda f, x: 1.5)
    settled: float = sg.fixed_point(lambda x, a: (x + a / x) / 2, 1.0, a, solver=lambda f, x: f(f(x)))
    lowest: float = sg.minimize(lambda x, a: x**3 / 3 - a * x, 1.0, a, solver=lambda f, x: 1.5)
    return [solved, settled, lowest]


def pictures(folder: Path) -> list[str]:
    """All diagrams have DOT text."""
    x = sg.Value(0.5, label="x")
    J = sg.cos(sg.sin(x**2) + 3 * x**2)
    sg.label({"J": J})
    model = nn.MLP(2, [2, 1])
    diagrams: list[sg.Diagram] = [sg.influence_diagram(J), sg.derivative_diagram(J), sg.operations_diagram(J)]
    assert sg.draw_dot(J).source == sg.operations_diagram(J).source
    diagrams += [sg.network_diagram(model), sg.jacobian_diagram(model), sg.modules_diagram(J)]
    assert sg.locate_nonfinite(J) is None
    assert sg.digits(J).first is None
    assert abs(sg.exact(sg.sin)(0.5)[0] - sg.sin(0.5)) < 1e-15
    ways: sg.Paths = sg.paths(J, x)
    way: sg.Path = ways[0]
    assert way.product <= ways.total or way.nodes[0] is x
    try:
        page: sg.Page = sg.walkthrough(J)
        page.save(folder / "page.html")
    except sg.RendererNotFound:
        pass
    derived: sg.Derivation = sg.derivation(J, digits=2)
    step: sg.Step = derived.forward[0]
    line: sg.Contribution = derived.backward[0]
    assert step.node is x
    assert line.now == line.amount
    return [derived.table("csv", blank=["value"]), *(diagram.source for diagram in diagrams)]


def networks() -> float:
    """A network learns."""
    model = nn.MLP(2, [3, 1], activation=sg.tanh, rng=1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    points = [([0.0, 1.0], 1.0), ([1.0, 0.0], 0.0)]
    history = training.train(model, nn.quadratic, points, optimizer, epochs=2)
    return history.losses[-1]


@sg.jit
def hypotenuse(x: float, y: float) -> float:
    """A function of numbers, for a type checker, that is recorded."""
    return sg.sqrt(x * x + y * y)


def recordings() -> str:
    """Decorated and called, with options and prepared; functions that can't be recorded are refused by name."""
    area: float = hypotenuse(3.0, 4.0)
    rows: list[float] = sg.vmap(hypotenuse, in_axes=(0, None))([3.0, 8.0], 6.0)
    row: list[float] = sg.take([rows, [area]], 1)
    lenient = sg.jit(sg.log, domain_errors="nan", on_new_branch="eager", static_argnums=())
    lenient.record(1.0)
    step: Callable[[list[float]], float] = sg.jit(sg.batch_mean(lambda x: x * x))
    assert (row, lenient(1.0), step([1.0, 3.0]), hypotenuse.stats["recordings"]) == ([5.0], 0.0, 5.0, 1)
    refused: Callable[[float], float] = sg.jit(lambda x: float(x) + x)
    try:
        refused(1.0)
    except sg.RecordingError as error:
        return str(error)
    raise AssertionError("not refused")


def expansions() -> list[float]:
    """A Taylor series, and derivatives along a curve."""
    out, terms = sg.jet(lambda x: x * x, (1.0,), ([1.0, 0.0],))
    coefficients: list[float] = sg.series(sg.exp, 0.0, 2)
    return [out, *terms, *coefficients]
