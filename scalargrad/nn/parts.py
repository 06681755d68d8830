"""The contents of a module's attribute: Values and modules in nested containers."""

from __future__ import annotations

import copy
import dataclasses
import types
from collections.abc import Callable, Mapping, MappingView, MutableMapping, MutableSequence, Sequence, Set
from typing import Any

from ..engine.structures import array, is_array
from ..engine.value import Value

PLAIN = frozenset({
    float, int, bool, complex, str, bytes, bytearray, range, memoryview, type(None), type, types.FunctionType,
    types.BuiltinFunctionType, types.ModuleType,
})  # fmt: skip


def contents(item: Any, path: str, owner: str, module: type) -> list[tuple[str, Any]]:
    """Return all Values and modules in an item, through containers but not into modules, with their paths.

    Raises `TypeError` for a set of them, and for an object that is not a module and has a leaf as an attribute.
    """
    found: list[tuple[str, Any]] = []
    seen: dict[int, Any] = {}  # the containers themselves too, so that none is freed and its id used again
    stack = [(path, item)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, (Value, module)):
            found.append((path, item))
        elif id(item) not in seen and (entries := _entries(item)) is not None:
            seen[id(item)] = item
            inner = [(f"{path}.{key}" if key else path, part) for key, part in entries if type(part) not in PLAIN]
            stack.extend(reversed(inner))
        elif isinstance(item, (Set, MappingView)):
            if any(isinstance(part, (Value, module)) for part in item):
                raise TypeError(
                    f"{owner}: {path} is a {type(item).__name__} of Values or modules, which has no order or can't be "
                    "copied; give a list or a dict"
                )
        elif any(isinstance(part, Value) and part.primitive is None for part in _attributes(item)):
            raise TypeError(
                f"{owner}: {path} is a {type(item).__name__}, which holds Values but is not an nn.Module; "
                f"derive {type(item).__name__} from nn.Module, or begin the attribute's name with _"
            )
    return found


def _entries(item: Any) -> list[tuple[str, Any]] | None:
    """Return the parts of a container with their keys as text; None for anything else."""
    if isinstance(item, Mapping):
        return [(str(key), part) for key, part in item.items()]
    if is_array(item):
        if item.dtype != object:
            return []
        return [(str(index), part) for index, part in enumerate(item)] if item.ndim else [("", item.item())]
    if isinstance(item, Sequence) and type(item) not in PLAIN:
        return [(str(index), part) for index, part in enumerate(item)]
    if _is_record(item):
        return [(field.name, getattr(item, field.name)) for field in dataclasses.fields(item)]
    return None


def _attributes(item: Any) -> list[Any]:
    attributes = None if type(item) in PLAIN else getattr(item, "__dict__", None)
    return list(attributes.values()) if type(attributes) is dict else []


def _is_record(item: Any) -> bool:
    return dataclasses.is_dataclass(item) and not isinstance(item, type)


def copy_with(function: Callable[[Any, dict[int, Any]], Any], item: Any, memo: dict[int, Any]) -> Any:
    """Return a copy of an item with `function(part, memo)` in the place of each part that is not a container.

    `memo` has the copies by the id of the original, so that a container that is shared, or is within itself, stays so.
    """
    if id(item) in memo:
        return memo[id(item)]
    if type(item) in PLAIN or (is_array(item) and item.dtype != object):
        return item
    if isinstance(item, tuple):
        parts = [copy_with(function, part, memo) for part in item]
        return item._make(parts) if hasattr(item, "_make") else tuple(parts)
    if is_array(item):
        return array([copy_with(function, part, memo) for part in item.flat], item.shape)
    if isinstance(item, (MutableMapping, MutableSequence)):
        twin = memo[id(item)] = copy.copy(item)
        for key, part in item.items() if isinstance(item, Mapping) else enumerate(item):
            twin[key] = copy_with(function, part, memo)
        return twin
    if _is_record(item) and not hasattr(item, "frozen"):
        twin = memo[id(item)] = copy.copy(item)
        for field in dataclasses.fields(item):
            object.__setattr__(twin, field.name, copy_with(function, getattr(item, field.name), memo))
        return twin
    return function(item, memo)
