"""The choice of a back end, and the packages that each needs."""

from __future__ import annotations

import importlib.util

from .generated import GeneratedProgram, written
from .lowering import lower
from .program import Program, Runner

__all__ = ["BACKENDS", "build", "choose", "source"]

BACKENDS = {"native": ("llvmlite", "numpy"), "numpy": ("numpy",), "python": ()}
"""The back ends, the fastest first, and the packages that they need."""


def missing(backend: str) -> list[str]:
    """The packages that a back end needs and that are not installed."""
    return [package for package in BACKENDS[backend] if importlib.util.find_spec(package) is None]


def choose(backend: str) -> str:
    """The back end to use; "auto" is the best one whose packages are installed.

    Raises `ValueError` for an unknown one, and `ImportError`, naming the packages, for one that is missing.
    """
    if backend == "auto":
        return next(name for name in BACKENDS if not missing(name))
    if backend not in BACKENDS:
        raise ValueError(f"jit: backend is {backend!r}; choose 'auto', {', '.join(map(repr, BACKENDS))}")
    if packages := missing(backend):
        raise ImportError(f"jit: backend={backend!r} needs {' and '.join(packages)}: pip install {' '.join(packages)}")
    return backend


def build(program: Program, backend: str) -> Runner:
    """The program, ready to run by that back end."""
    if backend == "python":
        return GeneratedProgram(program)
    if backend == "numpy":
        return GeneratedProgram(program, "numpy")
    from .native import NativeProgram

    return NativeProgram(program).call


def source(program: Program, language: str) -> str:
    """The program as text in that language, "python" or "llvm"."""
    if language == "python":
        return written(lower(program))
    if language == "llvm":
        from .native import text_of_program

        return text_of_program(program)
    raise ValueError(f"source: language is {language!r}; choose 'python' or 'llvm'")
