"""Nested arguments and results: lists, tuples, dicts and NumPy arrays of numbers, taken apart and rebuilt."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array; NumPy is not imported for it."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


def flatten(structure: Any, path: str = "") -> tuple[list[Any], list[str], Callable[[Sequence[Any]], Any]]:
    """The leaves of a structure in order, their paths such as `["w"][2]`, and the function that rebuilds it.

    Whatever is no list, tuple, dict or array is a leaf. A rebuilt array holds floats, or objects where
    a leaf is a Value.
    """
    leaves: list[Any] = []
    paths: list[str] = []
    build = _flatten(structure, path, leaves, paths)

    def rebuild(new_leaves: Sequence[Any]) -> Any:
        remaining = iter(new_leaves)
        return build(lambda: next(remaining))

    return leaves, paths, rebuild


def _flatten(structure: Any, path: str, leaves: list[Any], paths: list[str]) -> Callable[[Callable[[], Any]], Any]:
    if isinstance(structure, dict):
        builds = {key: _flatten(item, f"{path}[{key!r}]", leaves, paths) for key, item in structure.items()}
        return lambda take: {key: build(take) for key, build in builds.items()}
    if isinstance(structure, (list, tuple)):
        kind = type(structure)
        parts = [_flatten(item, f"{path}[{i}]", leaves, paths) for i, item in enumerate(structure)]
        if hasattr(structure, "_fields"):  # a namedtuple
            return lambda take: kind(*[build(take) for build in parts])
        return lambda take: kind([build(take) for build in parts])
    if is_array(structure):
        shape = structure.shape
        leaves.extend(structure.ravel().tolist())
        paths.extend(path + "".join(f"[{i}]" for i in index) for index in _indices(shape))
        return lambda take: array([take() for _ in range(structure.size)], shape)
    leaves.append(structure)
    paths.append(path)
    return lambda take: take()


def _indices(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    import numpy as np

    return list(np.ndindex(*shape))


def array(items: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """A NumPy array of that shape: of floats, or of objects where an item is no plain float."""
    import numpy as np

    if all(isinstance(item, float) for item in items):
        return np.array(items, dtype=float).reshape(shape)
    result = np.empty(len(items), dtype=object)
    result[:] = items
    return result.reshape(shape)
