"""Checkers of gradients side by side on right and wrong gradients of random functions, at many scales.

`python -m tests.benchmarks.checkers` prints the table; `--write` puts it into docs/testing.md. A checker that is not
installed is left out. Each is used as it comes, in double precision.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scalargrad.testing import check_gradients

from .report import machine

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
Array = Any
Exponents = tuple[float, float]

# A function of one number, and its derivative; those that are flat at 0 are not used far inside a wide feature.
SHAPES: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "exp": (np.exp, np.exp),
    "cubic": (lambda z: z**3 + z, lambda z: 3 * z**2 + 1),
    "square": (np.square, lambda z: 2 * z),
    "bump": (lambda z: 1 / (1 + z**2), lambda z: -2 * z / (1 + z**2) ** 2),
    "hyperbola": (lambda z: np.hypot(1.0, z), lambda z: z / np.hypot(1.0, z)),
}
STEEP_AT_0 = ("sin", "tanh", "exp", "cubic")


@dataclass(frozen=True)
class Family:
    """The ranges, in powers of ten, of the values, the arguments, and the size of features relative to them."""

    values: Exponents = (0, 0)
    arguments: Exponents = (0, 0)
    narrow: Exponents | None = None
    wide: Exponents | None = None
    offset: Exponents | None = None
    single: bool = False


FAMILIES = {
    "everything of ordinary size": Family(),
    "values from 1e-12 to 1e-6": Family(values=(-12, -6)),
    "values from 1e6 to 1e12": Family(values=(6, 12)),
    "arguments from 1e-12 to 1e-6": Family(arguments=(-12, -6)),
    "arguments from 1e6 to 1e12": Family(arguments=(6, 12)),
    "features 1e3 to 1e6 times narrower than the arguments": Family(narrow=(3, 6)),
    "features 1e3 to 1e6 times wider than the arguments": Family(wide=(3, 6)),
    "a constant 1e3 to 1e6 times as large": Family(offset=(3, 6)),
    "all of these at once": Family((-12, 12), (-12, 12), narrow=(0, 5), offset=(0, 3)),
    "a function in single precision": Family(single=True),
}
WRONG = ("off by 0.1 %", "doubled", "of the wrong sign", "missing", "exchanged with another")


@dataclass(frozen=True)
class Case:
    """A function of an array, a point, its gradient there, and the same with one number that is wrong in one way.

    `lengths` are the sizes of the function's features.
    """

    f: Callable[[Array], float]
    point: Array
    lengths: Array
    right: Array
    wrong: dict[str, Array]


def cases(family: Family, count: int, size: int, seed: int = 0) -> Iterator[Case]:
    """Generate cases: f(x) = A (s + s²/10) + B with s = Σ wᵢ φᵢ((xᵢ − cᵢ) / Lᵢ)."""
    random = np.random.default_rng(seed)
    power = lambda span: 10.0 ** random.uniform(*span)
    for _ in range(count):
        shapes = [SHAPES[name] for name in random.choice(STEEP_AT_0 if family.wide else list(SHAPES), size)]
        scale, argument = power(family.values), power(family.arguments)
        weights = random.choice([-1, 1], size) * 10.0 ** random.uniform(-0.5, 0.5, size) / size
        z = random.choice([-1, 1], size) * random.uniform(0.3, 1.5, size)
        lengths = argument * np.ones(size)
        centres = np.zeros(size)
        if family.wide:
            factors = 10.0 ** random.uniform(*family.wide, size)
            z, lengths = z / factors, argument * factors
        if family.narrow:
            lengths = argument / 10.0 ** random.uniform(*family.narrow, size)
            centres = argument * random.uniform(0.5, 2.0, size)
        offset = scale * power(family.offset) if family.offset else 0.0
        yield _case(shapes, (scale, offset), weights, (centres, lengths), centres + lengths * z, family.single, random)


def _case(
    shapes: list[Any],
    values: tuple[float, float],
    weights: Array,
    places: tuple[Array, Array],
    x: Array,
    single: bool,
    random: Any,
) -> Case:
    (scale, offset), (centres, lengths) = values, places
    kind = np.float32 if single else np.float64

    def f(x: Array) -> float:
        z = ((np.asarray(x) - centres) / lengths).astype(kind)
        total = sum(kind(w) * phi(t) for w, (phi, _), t in zip(weights, shapes, z, strict=True))
        return float(kind(scale) * (total + total * total / 10) + kind(offset))

    z = (x - centres) / lengths
    total = sum(w * phi(t) for w, (phi, _), t in zip(weights, shapes, z, strict=True))
    slopes = np.array([slope(t) for (_, slope), t in zip(shapes, z, strict=True)])
    right = scale * (1 + total / 5) * weights * slopes / lengths
    i = int(np.argmax(np.abs(right) > 0.1 * np.max(np.abs(right)))) if single else int(random.integers(len(x)))
    wrong = {}
    for name, factor in zip(WRONG, (1.001, 2.0, -1.0, 0.0), strict=False):
        wrong[name] = right.copy()
        wrong[name][i] *= factor
    if len(x) > 1:
        wrong[WRONG[-1]] = right.copy()
        wrong[WRONG[-1]][[i, i - 1]] = right[[i - 1, i]]
    return Case(f, x, lengths, right, wrong)


def ours(f: Callable[[Array], float], x: Array, gradient: Array, many: bool = False) -> bool:
    """Tell whether `check_gradients` passes."""
    try:
        check_gradients(f, x, gradient=lambda x: gradient, directions=1 if many else None)
    except AssertionError:
        return False
    return True


def scipy(f: Callable[[Array], float], x: Array, gradient: Array, many: bool = False) -> bool:
    """Tell whether the error that `check_grad` returns is at most 1e-4 of the gradient; `many`: one direction."""
    from scipy.optimize import check_grad

    options = {"direction": "random", "rng": 0} if many else {}
    error = check_grad(f, lambda x: gradient, x, **options)
    return bool(error <= 1e-4 * np.linalg.norm(gradient))


def torch(f: Callable[[Array], float], x: Array, gradient: Array, many: bool = False) -> bool:
    """Tell whether `gradcheck` passes, in its fast mode for `many`."""
    import torch as library

    class Claimed(library.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return library.tensor(f(x.detach().numpy()), dtype=library.float64)

        @staticmethod
        def backward(ctx: Any, adjoint: Any) -> Any:
            return adjoint * library.tensor(gradient)

    point = library.tensor(x, requires_grad=True)
    return bool(library.autograd.gradcheck(Claimed.apply, (point,), raise_exception=False, fast_mode=many))


def jax(f: Callable[[Array], float], x: Array, gradient: Array, many: bool = False) -> bool:
    """Tell whether `check_grads` of first order in reverse passes; it always takes one direction."""
    import jax as library
    from jax.test_util import check_grads

    library.config.update("jax_enable_x64", True)
    number = library.ShapeDtypeStruct((), np.float64)
    value = lambda x: library.pure_callback(lambda x: np.float64(f(np.asarray(x))), number, x)
    claimed = library.custom_vjp(value)
    claimed.defvjp(lambda x: (value(x), None), lambda _, adjoint: (adjoint * gradient,))
    try:
        check_grads(claimed, (x,), order=1, modes="rev")
    except AssertionError:
        return False
    finally:
        library.clear_caches()
    return True


CHECKERS = {"scipy": scipy, "torch": torch, "jax": jax}
NAMES = {
    "scalargrad": "`check_gradients`",
    "scipy": "`scipy.optimize.check_grad`",
    "torch": "`torch.autograd.gradcheck`",
    "jax": "`jax.test_util.check_grads`",
}


def installed() -> dict[str, Callable[..., bool]]:
    """Return the checkers that can be measured here, ours first."""
    return {"scalargrad": ours, **{name: check for name, check in CHECKERS.items() if importlib.util.find_spec(name)}}


@dataclass
class Count:
    """The number of gradients that a checker was given, and its failures."""

    right: int = 0
    refused: int = 0
    wrong: int = 0
    missed: int = 0

    def __str__(self) -> str:
        return f"{self.missed} / {self.refused}"


def compare(checkers: dict[str, Callable[..., bool]], family: Family, count: int) -> dict[str, Count]:
    """Count the failures of each checker on functions of one number and of four."""
    counts = {name: Count() for name in checkers}
    for case in [*cases(family, count, 1), *cases(family, count, 4)]:
        for name, check in checkers.items():
            found = counts[name]
            found.right += 1
            found.refused += not check(case.f, case.point, case.right)
            for gradient in case.wrong.values():
                found.wrong += 1
                found.missed += check(case.f, case.point, gradient)
    return counts


def seconds(check: Callable[..., bool], size: int, many: bool) -> float:
    """Return the CPU seconds of a check of so many numbers, without the function's own calls: the best of three."""
    weights = np.random.default_rng(0).normal(size=size)
    spent = 0.0

    def f(x: Array) -> float:
        nonlocal spent
        began = time.process_time()
        value = float(np.sum(np.tanh(weights * x)))
        spent += time.process_time() - began
        return value

    x = np.linspace(0.5, 1.5, size)
    gradient = weights * (1 - np.tanh(weights * x) ** 2)
    taken = []
    for _ in range(3):
        spent, began = 0.0, time.process_time()
        check(f, x, gradient, many)
        taken.append(time.process_time() - began - spent)
    return min(taken)


def table(count: int) -> str:
    """Return the table as Markdown, with how it was measured."""
    checkers = installed()
    rows = [["", *(NAMES[name] for name in checkers)], ["---"] * (len(checkers) + 1)]
    totals = {name: Count() for name in checkers}
    wrong = right = 0
    for label, family in FAMILIES.items():
        counts = compare(checkers, family, count)
        rows.append([label, *map(str, counts.values())])
        for name, found in counts.items():
            totals[name].missed += found.missed
            totals[name].refused += found.refused
        wrong, right = counts["scalargrad"].wrong, counts["scalargrad"].right
    rows.append(["**all**", *(f"**{found}**" for found in totals.values())])
    for label, size, many in (
        ("seconds for 1,000 numbers, each compared", 1000, False),
        ("along one direction", 1000, True),
    ):
        rows.append([label, *(_time(name, check, size, many) for name, check in checkers.items())])
    from importlib import metadata

    versions = ", ".join(f"{name} {metadata.version(name)}" for name in checkers if name != "scalargrad")
    about = machine()
    head = (
        f"Wrong gradients missed / right ones refused, of {wrong} wrong and {right} right ones in each row. "
        f"{about['date']}, {about['python']}, {about['machine']}; {versions}."
    )
    return "\n".join([head, "", *("| " + " | ".join(row) + " |" for row in rows)])


def _time(name: str, check: Callable[..., bool], size: int, many: bool) -> str:
    return "–" if name == "jax" and not many else f"{seconds(check, size, many):.2g}"


def main(given: list[str] | None = None) -> None:
    """Print the table, and write it into the page if asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.checkers", description=__doc__)
    parser.add_argument(
        "--count", type=int, default=50, metavar="N", help="functions of one number, and of four, a row"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/testing.md")
    options = parser.parse_args(given)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        text = table(options.count)
    print(text)
    if options.write:
        before, mark, rest = PAGE.read_text(encoding="utf-8").partition("<!-- checkers -->\n")
        _, end, after = rest.partition("<!-- end of checkers -->")
        PAGE.write_text(f"{before}{mark}\n{text}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
