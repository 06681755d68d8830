"""Files of a module's parameters: JSON with names and shapes, doubles exact."""

from __future__ import annotations

import itertools
import math
import os
from typing import Any

from ..files import read_document, write_document
from ..rows import as_float
from .module import Module

__all__ = ["load_state", "save"]


def save(module: Module, path: str | os.PathLike[str]) -> None:
    """Write the module's parameters to a JSON file, whole or not at all.

    Numbers are written so that they are read back exactly. Raises `ValueError` for a parameter that is not
    finite, `TypeError` for what is not a module, and `OSError` if the file can't be written; the old file then stays.

    >>> import pathlib, tempfile
    >>> from scalargrad import nn
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "model.json"
    >>> model, other = nn.MLP(2, [3, 1], rng=1), nn.MLP(2, [3, 1], rng=2)
    >>> nn.save(model, path)
    >>> other.load_state_dict(nn.load_state(path))
    >>> other.state_dict() == model.state_dict()
    True
    >>> folder.cleanup()
    """
    if not isinstance(module, Module):
        raise TypeError(f"save: the module is {module!r:.60}, a {type(module).__name__}; give an nn.Module")
    state = module.state_dict()
    for name, number in state.items():
        if not math.isfinite(number):
            raise ValueError(f"save: {name} is {number!r}; only finite parameters are saved")
    write_document(path, "parameters", parameters=_vectors(state))


def load_state(path: str | os.PathLike[str]) -> dict[str, float]:
    """Return the numbers of all parameters by name from a file of `save`, as `load_state_dict` takes them.

    Raises `ValueError`, naming the file, if it is cut off, is not JSON, is of another kind or of a later version, or
    has numbers that are not finite or do not fit its shapes; `OSError` if it can't be read.
    """
    try:
        vectors = read_document(path, "parameters").get("parameters")
        if not isinstance(vectors, list):
            raise ValueError("it has no list of parameters")
        state: dict[str, float] = {}
        for vector in vectors:
            for name, number in _entries(vector):
                if name in state:
                    raise ValueError(f"it has {name} twice")
                state[name] = number
    except ValueError as error:
        raise ValueError(f"load_state: {path}: {error}") from None
    return state


def _vectors(state: dict[str, float]) -> list[dict[str, Any]]:
    """Return the numbers with their names; those whose names count up from `.0` are joined to a vector."""
    vectors: list[dict[str, Any]] = []
    for head, group in itertools.groupby(state.items(), key=lambda item: item[0].rpartition(".")[0]):
        entries = list(group)
        if [name for name, _ in entries] == [f"{head}.{index}" for index in range(len(entries))]:
            vectors.append({"name": head, "shape": [len(entries)], "data": [number for _, number in entries]})
        else:
            vectors.extend({"name": name, "shape": [], "data": [number]} for name, number in entries)
    return vectors


def _entries(vector: Any) -> list[tuple[str, float]]:
    parts = [vector.get(key) for key in ("name", "shape", "data")] if isinstance(vector, dict) else [None] * 3
    name, shape, data = parts
    if not isinstance(name, str) or not isinstance(shape, list) or not isinstance(data, list):
        raise ValueError(f"a parameter needs a name, a shape and data, got {vector!r:.80}")
    numbers = [_number(name, x) for x in data]
    if shape not in ([], [len(numbers)]) or (shape == [] and len(numbers) != 1):
        raise ValueError(f"{name}: the shape {shape} is not that of its {len(numbers)} numbers")
    return [(name if shape == [] else f"{name}.{index}", number) for index, number in enumerate(numbers)]


def _number(name: str, x: Any) -> float:
    try:
        number = as_float(x)
    except OverflowError:
        number = math.inf
    if number is None or not math.isfinite(number):
        raise ValueError(f"{name}: {x!r:.40} is not a finite number")
    return number
