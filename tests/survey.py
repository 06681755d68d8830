"""Runs the examples of a pure-Python package on the library, with only its imports replaced, and counts.

`python -m tests.survey fluids` takes each public function of an installed package, and the first example in its
docstring that calls it with floats. It differentiates the function by these floats, moved a little at random, while
`math`, `numpy` and `scipy.special` stand for `scalargrad`'s own in the package. The derivatives are compared with
central differences of the package as it is, at five step sizes.
"""

from __future__ import annotations

import argparse
import ast
import collections
import contextlib
import doctest
import importlib
import importlib.abc
import importlib.machinery
import inspect
import io
import json
import math
import pkgutil
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import scalargrad as sg

STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
STANDS_FOR = {"math": "scalargrad.math", "numpy": "scalargrad.numpy", "scipy.special": "scalargrad.special"}
PASSED_OVER = ("test", "numba", "units", "vectorized", "optional")


class Replaced(ast.NodeTransformer):
    """Replaces the imports of `math`, `numpy` and `scipy.special`."""

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in node.names:
            if alias.name in STANDS_FOR:
                alias.asname, alias.name = alias.asname or alias.name, STANDS_FOR[alias.name]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        node.module = STANDS_FOR.get(node.module or "", node.module) if not node.level else node.module
        return node


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module with other imports."""

    def source_to_code(self, data: Any, path: Any, **_: Any) -> Any:  # type: ignore[override]
        return compile(Replaced().visit(ast.parse(data)), path, "exec")

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self.get_data(self.path), self.path)


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of some packages."""

    def __init__(self, *packages: str) -> None:
        self.packages = packages

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name.partition(".")[0] not in self.packages:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = Loader(name, spec.loader.path)
        return spec


Call = tuple[str, Callable[[list[float]], Any], list[float]]


def calls(package: str) -> Iterator[Call]:
    """Yield the name of each function, the call of its example as a function of the floats, and the floats."""
    whole = importlib.import_module(package)
    names = [m.name for m in pkgutil.walk_packages(whole.__path__, f"{package}.")]
    for name in [package, *(n for n in names if not any(part in n for part in PASSED_OVER))]:
        try:
            module = importlib.import_module(name)
        except Exception:  # noqa: S112 (a module that needs more than is installed)
            continue
        for public, function in sorted(vars(module).items()):
            if inspect.isfunction(function) and function.__module__ == name and not public.startswith("_"):
                yield from _example(f"{name}.{public}", function, {**vars(whole), **vars(module)})


def _example(name: str, function: Any, scope: dict[str, Any]) -> Iterator[Call]:
    try:
        examples = doctest.DocTestParser().get_examples(function.__doc__ or "")
    except ValueError:
        return
    for example in examples:
        try:
            tree = ast.parse(example.source)
            made = [
                n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == function.__name__
            ]
            if not made:
                exec(compile(tree, name, "exec"), scope)  # noqa: S102 (the package's own examples, as doctest runs them)
                continue
            value = lambda node: eval(compile(ast.Expression(node), name, "eval"), scope)  # noqa: S307 (likewise)
            args: dict[Any, Any] = {i: value(node) for i, node in enumerate(made[0].args)}
            args |= {keyword.arg: value(keyword.value) for keyword in made[0].keywords}
        except Exception:  # noqa: S112 (an example that needs an earlier one)
            continue
        floats = [key for key, arg in args.items() if type(arg) is float]
        rng = random.Random(name)
        point = [args[key] * (1 + 0.004 * rng.random()) for key in floats]

        def call(xs: list[Any], args: dict[Any, Any] = args, floats: list[Any] = floats) -> Any:
            new = {**args, **dict(zip(floats, xs, strict=True))}
            out = function(*[new[k] for k in new if type(k) is int], **{k: x for k, x in new.items() if type(k) is str})
            outs = out if isinstance(out, (tuple, list)) else [out]
            return next(o for o in outs if isinstance(o, (float, sg.Value)) and not isinstance(o, bool))

        try:
            if floats and math.isfinite(call(point)):
                yield name, call, point
                return
        except Exception:  # noqa: S112 (the example is of an error, or gives no float)
            continue


def differences(call: Callable[[list[float]], float], point: list[float]) -> list[list[float]]:
    """Return the derivatives by central differences of the fourth order, at each of the step sizes."""

    def at(i: int, d: float) -> float:
        try:
            return float(call([x + d if j == i else x for j, x in enumerate(point)]))
        except Exception:
            return math.nan

    def by(i: int, size: float) -> float:
        h = size * max(abs(point[i]), 1e-8)
        return (8 * (at(i, h) - at(i, -h)) - (at(i, 2 * h) - at(i, -2 * h))) / (12 * h)

    return [[by(i, size) for size in STEPS] for i in range(len(point))]


def one_side(package: str, also: list[str], ours: bool) -> dict[str, Any]:
    """Return, by function, the value with the differences, or with our derivatives, or the error."""
    if ours:
        sys.meta_path.insert(0, Finder(package, *also))
    found: dict[str, Any] = {}
    for name, call, point in calls(package):
        try:
            found[name] = sg.value_and_grad(call)(point) if ours else (call(point), differences(call, point), point)
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


def verdict(plain: Any, ours: Any) -> str:
    """Return the verdict on a function: right, refused with its error, rounded (the derivative is 0), or wrong."""
    if ours is None or isinstance(ours, str):
        return f"refused: {ours}"
    (value, slopes, point), (got, gradient) = plain, ours
    if not math.isclose(value, got, rel_tol=1e-9, abs_tol=1e-12):
        return f"wrong value: {got} for {value}"
    if not any(gradient) and value in [round(value, digits) for digits in range(9)]:
        return "rounded"
    for x, slope, candidates in zip(point, gradient, slopes, strict=True):
        finite = [c for c in candidates if math.isfinite(c)]
        if finite and min(abs(slope - c) for c in finite) > 1e-5 * max(
            abs(slope), 1e-3 * abs(value) / max(abs(x), 1e-8)
        ):
            return f"wrong derivative: {slope} for {candidates}"
    return "right"


def main() -> None:
    """Print the functions that were refused or wrong, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package")
    parser.add_argument("--also", nargs="*", default=[], help="packages that it computes with, replaced too")
    parser.add_argument("--side", choices=("plain", "ours"))
    options = parser.parse_args()
    if options.side:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = one_side(options.package, options.also, options.side == "ours")
        print(json.dumps(found))
        return
    command = [sys.executable, "-m", "tests.survey", options.package, "--also", *options.also, "--side"]
    plain, ours = (json.loads(subprocess.check_output([*command, side]).splitlines()[-1]) for side in ("plain", "ours"))
    verdicts = {name: verdict(expected, ours.get(name)) for name, expected in plain.items()}
    for name, told in verdicts.items():
        if told not in ("right", "rounded"):
            print(f"{name}: {told[:300]}")
    print(dict(collections.Counter(told.partition(":")[0] for told in verdicts.values())))


if __name__ == "__main__":
    main()
