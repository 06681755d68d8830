"""The back ends: the packages that they need, the choice of one, and programs made ready to run."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

from . import python
from .passes import prepared
from .program import BACKENDS as PROGRAM_BACKENDS
from .program import Program
from .python import Runner

__all__ = ["BACKENDS", "build", "choose", "missing", "source"]

BACKENDS = {"native": ("llvmlite", "numpy"), "numpy": ("numpy",), "python": ()}
"""The back ends, the fastest first, and the packages that they need."""


def missing(backend: str) -> list[str]:
    """Return the packages that a back end needs but that are not installed."""
    return [package for package in BACKENDS[backend] if importlib.util.find_spec(package) is None]


def choose(backend: str) -> str:
    """Return the back end to use; "auto" is the best one whose packages are installed.

    Raises `ValueError` if it is unknown, and `ImportError`, naming the packages, if some are missing.
    """
    if backend == "auto":
        return next(name for name in BACKENDS if not missing(name))
    if backend not in BACKENDS:
        raise ValueError(f"jit: backend is {backend!r}; choose 'auto', {', '.join(map(repr, BACKENDS))}")
    if packages := missing(backend):
        raise ImportError(f"jit: backend={backend!r} needs {' and '.join(packages)}: pip install {' '.join(packages)}")
    return backend


def build(program: Program, backend: str) -> Runner:
    """Return a recorded program ready to run by that back end."""
    program = prepared(program)
    if backend == "python":
        run = python.compiled(program)
        return functools.partial(_with_lists, run) if program.wide else run
    name = {"numpy": "blocks", "native": "native"}[backend]
    try:
        printer = importlib.import_module(f".{name}", __package__)
    except ModuleNotFoundError:
        return build(program, "python")
    compiled: Runner = printer.compiled(program)
    return compiled


def _with_lists(run: Runner, numbers: Sequence[float], columns: Sequence[Any]) -> list[Any] | None:
    # NumPy's own floats are slow, and never raise.
    return run(numbers, [x if isinstance(x, list) else x.tolist() for x in columns])


def checked(program: Program, backend: str = "auto") -> Runner:
    """Return a program ready to run. It raises `ValueError` for too many or too few numbers or columns."""
    run = build(program, choose(backend))
    wide = len(program.wide)
    count = program.inputs - wide

    def checking(numbers: object, columns: object = ()) -> list[object] | None:
        given = list(numbers)  # type: ignore[call-overload]
        if len(given) != count or len(columns) != wide:  # type: ignore[arg-type]
            raise ValueError(
                f"a program of {count} numbers and {wide} columns was given {len(given)} and {len(columns)}"  # type: ignore[arg-type]
            )
        return run(given, columns) if wide else run(given)

    return checking


def source(program: Program, language: str, real: str = "double") -> str:
    """Return a recorded program as text in that language: "python", "c" or "llvm"."""
    program = prepared(program)
    if language == "python":
        return python.source(program)
    if language in ("c", "llvm"):
        printer = importlib.import_module({"c": ".c", "llvm": ".native"}[language], __package__)
        text: str = printer.source(program, real) if language == "c" else printer.source(program)
        return text
    raise ValueError(f"source: language is {language!r}; choose 'python', 'c' or 'llvm'")


PROGRAM_BACKENDS |= {"compile": checked, "source": source}
