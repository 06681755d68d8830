"""Ordinary programs, with only `math` and `np` replaced: gradients, Hessians and recordings."""

import importlib
import math
import pkgutil

import pytest
from mpmath import mp

import scalargrad as sg
import scalargrad.math

from . import programs

NAMES = [module.name for module in pkgutil.iter_modules(programs.__path__)]
OF_NUMPY = ("kalman", "pendulum", "regression")
CASES = [(name, i) for name in NAMES for i in range(2)]


class FiftyDigits:
    """The part of `math` that the programs use, on mpmath's numbers."""

    def __getattr__(self, name):
        if name in ("log", "sqrt", "acos"):
            return lambda *args: self.real(getattr(mp, name)(*args))
        return getattr(mp, name)

    @staticmethod
    def real(x):
        if isinstance(x, mp.mpc):
            raise ValueError("math domain error")
        return x

    pi, tau, copysign = mp.pi, 2 * mp.pi, staticmethod(lambda x, y: abs(x) * mp.sign(y))
    floor = trunc = staticmethod(lambda x: int(mp.floor(x)))
    fmod = staticmethod(lambda x, y: mp.sign(x) * (abs(x) - y * mp.floor(abs(x) / y)))
    remainder = staticmethod(lambda x, y: x - y * mp.nint(x / y))
    lgamma = staticmethod(mp.loggamma)
    pow = staticmethod(mp.power)
    fsum = staticmethod(lambda xs: mp.fsum([*xs]))
    isinf = staticmethod(mp.isinf)
    hypot = staticmethod(lambda *xs: mp.sqrt(mp.fsum(x * x for x in xs)))
    dist = staticmethod(lambda p, q: mp.sqrt(mp.fsum((x - y) ** 2 for x, y in zip(p, q, strict=True))))


@pytest.fixture
def program(request, monkeypatch):
    """Return a program, and a function that lets its `math` or `np` stand for another module."""
    if request.param in OF_NUMPY:
        pytest.importorskip("numpy")
    module = importlib.import_module(f"{programs.__name__}.{request.param}")

    def on(library):
        name = "np" if hasattr(module, "np") else "math"
        if hasattr(module, name):
            monkeypatch.setattr(module, name, library)
        return module.run

    module.on = on
    return module


def ours(program):
    return importlib.import_module("scalargrad.numpy" if hasattr(program, "np") else "scalargrad.math")


def exact_derivatives(program, point):
    """Return value, gradient and Hessian by central differences: at 50 digits, or in doubles for NumPy's programs."""
    if hasattr(program, "np"):
        import numpy

        f, number, step = program.on(numpy), float, 1e-4
    else:
        f, number, step = program.on(FiftyDigits()), mp.mpf, mp.mpf(10) ** -12
    n = len(point)

    def moved(*directions):
        xs = [number(x) for x in point]
        for i, d in directions:
            xs[i] += d * step
        return f(xs)

    weights = ((1, 8), (2, -1))
    with mp.workdps(60):
        gradient = [sum(w * (moved((i, k)) - moved((i, -k))) for k, w in weights) / (12 * step) for i in range(n)]
        hessian = [
            [
                (moved((i, 1), (j, 1)) - moved((i, 1), (j, -1)) - moved((i, -1), (j, 1)) + moved((i, -1), (j, -1)))
                / (4 * step**2)
                for j in range(n)
            ]
            for i in range(n)
        ]
        return float(f([number(x) for x in point])), [*map(float, gradient)], [[*map(float, row)] for row in hessian]


@pytest.mark.parametrize(("program", "index"), CASES, indirect=["program"])
def test_gradient_and_hessian_are_those_of_central_differences(program, index):
    point = program.START[index]
    value, gradient, hessian = exact_derivatives(program, point)
    f = program.on(ours(program))
    assert float(f(point)) == pytest.approx(value, rel=1e-9)
    got, slopes = sg.value_and_grad(f)(point)
    tolerance = {"rel": 1e-7, "abs": 1e-7} if hasattr(program, "np") else {"rel": 1e-9, "abs": 1e-9}
    assert got == pytest.approx(value, rel=1e-9)
    assert slopes == pytest.approx(gradient, **tolerance)
    size = max(abs(x) for row in hessian for x in row)
    error = 1e-5 if hasattr(program, "np") else 1e-7  # of the differences
    for row, expected in zip(sg.hessian(f)(point), hessian, strict=True):
        assert row == pytest.approx(expected, abs=error * (1 + size))


@pytest.mark.parametrize("program", NAMES, indirect=True)
def test_a_recording_gives_the_same_at_every_point(program):
    f = program.on(ours(program))
    eager = sg.value_and_grad(f)
    recorded = sg.jit(eager)
    nearby = [[x * (1 + 0.003 * k) for x in point] for point in program.START for k in range(3)]
    for point in [*nearby, *nearby]:
        value, gradient = eager(point)
        got, slopes = recorded(point)
        assert got == pytest.approx(value, rel=1e-12)
        assert slopes == pytest.approx(gradient, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("program", [name for name in NAMES if name not in OF_NUMPY], indirect=True)
def test_the_programs_run_on_plain_math_and_give_floats(program):
    for point in program.START:
        value = program.run(point)
        assert type(value) is float
        assert math.isfinite(value)
        assert program.on(scalargrad.math)(point) == pytest.approx(value, rel=1e-14)
