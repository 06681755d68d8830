"""Files of a module's parameters: JSON with shapes and a version, doubles exact."""

from __future__ import annotations

import itertools
import json
import math
import os
from pathlib import Path
from typing import Any, NoReturn

from ..files import write_whole
from ..rows import as_float
from .module import Module

__all__ = ["load_state", "save"]

FORMAT = "scalargrad parameters"
VERSION = 1


def save(module: Module, path: str | os.PathLike[str]) -> None:
    """Write the module's parameters to a JSON file, whole or not at all.

    Numbers are written so that they are read back exactly. Raises `ValueError` for a parameter that is not
    finite, `OSError` where the file can't be written; the file that was there stays then.

    >>> import tempfile
    >>> from scalargrad import nn
    >>> folder = tempfile.TemporaryDirectory()
    >>> model, other = nn.MLP(2, [3, 1], rng=1), nn.MLP(2, [3, 1], rng=2)
    >>> nn.save(model, Path(folder.name) / "model.json")
    >>> other.load_state_dict(nn.load_state(Path(folder.name) / "model.json"))
    >>> other.state_dict() == model.state_dict()
    True
    >>> folder.cleanup()
    """
    state = module.state_dict()
    for name, number in state.items():
        if not math.isfinite(number):
            raise ValueError(f"save: {name} is {number!r}; only finite parameters are saved")
    document = {"format": FORMAT, "version": VERSION, "parameters": _vectors(state)}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(path, f"{text}\n".encode())


def load_state(path: str | os.PathLike[str]) -> dict[str, float]:
    """The numbers of all parameters by name, from a file that `save` wrote: what `load_state_dict` takes.

    Raises `ValueError`, naming the file, for one that is cut off, no JSON, of another kind, of a later version,
    or has numbers that are not finite or not as many as its shapes say; `OSError` where it can't be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        document = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(f"load_state: {path} is no file of parameters: nested too deeply") from None
    except ValueError as error:  # no UTF-8, no JSON, a nan, a number of too many digits
        raise ValueError(f"load_state: {path} is cut off or no file of parameters: {error}") from None
    try:
        return _state(document)
    except ValueError as error:
        raise ValueError(f"load_state: {path}: {error}") from None


def _vectors(state: dict[str, float]) -> list[dict[str, Any]]:
    """The numbers, those of names that count up from `.0` together as a vector."""
    vectors: list[dict[str, Any]] = []
    for head, group in itertools.groupby(state.items(), key=lambda item: item[0].rpartition(".")[0]):
        entries = list(group)
        if [name for name, _ in entries] == [f"{head}.{index}" for index in range(len(entries))]:
            vectors.append({"name": head, "shape": [len(entries)], "data": [number for _, number in entries]})
        else:
            vectors.extend({"name": name, "shape": [], "data": [number]} for name, number in entries)
    return vectors


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"it has the number {text}; parameters are finite")


def _state(document: Any) -> dict[str, float]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f'it is no file of parameters: it does not say "format": "{FORMAT}"')
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise ValueError(f"it is of version {version!r}, and this scalargrad reads version {VERSION}; update it")
    vectors = document.get("parameters")
    if not isinstance(vectors, list):
        raise ValueError("it has no list of parameters")
    state: dict[str, float] = {}
    for vector in vectors:
        for name, number in _entries(vector):
            if name in state:
                raise ValueError(f"{name} stands in it twice")
            state[name] = number
    return state


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
        raise ValueError(f"{name}: {x!r:.40} is no finite number")
    return number
