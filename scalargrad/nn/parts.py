"""The contents of a module's attribute: Values and modules in nested containers."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set, ValuesView
from typing import Any

from ..engine.structures import is_array, opening
from ..engine.value import Value

PLAIN = frozenset({
    float, int, bool, complex, str, bytes, bytearray, range, memoryview, type(None), type, types.FunctionType,
    types.BuiltinFunctionType, types.ModuleType,
})  # fmt: skip
"""The types of items that are left out at once."""


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
        elif id(item) not in seen and type(item) not in PLAIN:
            seen[id(item)] = item
            entries = _entries(item)
            if entries is None:
                _refuse_hidden(item, path, owner, module)
            else:
                inner = [(key, part) for key, part in entries if type(part) not in PLAIN]
                stack.extend((f"{path}.{key}" if key != "" else path, part) for key, part in reversed(inner))
    return found


def _entries(item: Any) -> Iterable[tuple[Any, Any]] | None:
    """Return the keys and the parts of a container; None for anything else."""
    if is_array(item):
        if item.dtype != object:
            return ()
        return enumerate(item) if item.ndim else [("", item.item())]
    if (opened := opening(item)) is not None:
        return zip(opened[0], opened[1], strict=True)
    if isinstance(item, Mapping):
        return item.items()
    return enumerate(item) if _is_list(item) else None


def _is_list(item: Any) -> bool:
    return isinstance(item, Sequence) and not isinstance(item, (str, bytes, bytearray))


def _refuse_hidden(item: Any, path: str, owner: str, module: type) -> None:
    kind = type(item).__name__
    if isinstance(item, (Set, ValuesView)):
        if any(isinstance(part, (Value, module)) for part in item):
            raise TypeError(f"{owner}: {path} is a {kind} of Values or modules, which has no order; give a list")
        return
    attributes = getattr(item, "__dict__", None)
    if type(attributes) is dict and any(
        isinstance(part, Value) and part.primitive is None for part in attributes.values()
    ):
        raise TypeError(
            f"{owner}: {path} is a {kind}, which holds Values but is not a module; derive {kind} from nn.Module, "
            "or begin the attribute's name with _"
        )


def copy_with(item: Any, function: Callable[[Any], Any]) -> Any:
    """Return a copy of an item with `function(part)` in the place of each part that is not a container.

    Containers keep their kinds, if `structures` or this can make them; other mappings become dicts, other sequences
    lists.
    """
    if type(item) in PLAIN or (is_array(item) and item.dtype != object):
        return item
    if is_array(item):
        from numpy import ndindex

        twin = item.copy()
        for index in ndindex(item.shape):
            twin[index] = copy_with(item[index], function)
        return twin.astype(float) if all(isinstance(part, float) for part in twin.flat) else twin
    if isinstance(item, deque):
        return deque([copy_with(part, function) for part in item], item.maxlen)
    if hasattr(item, "frozen"):
        return function(item)
    if (opened := opening(item)) is not None:
        return opened[2]([copy_with(part, function) for part in opened[1]])
    if isinstance(item, Mapping):
        return {key: copy_with(part, function) for key, part in item.items()}
    return [copy_with(part, function) for part in item] if _is_list(item) else function(item)
