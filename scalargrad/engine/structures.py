"""Nested arguments and results, taken apart into their leaves and put together again.

Lists, tuples, named tuples, dataclasses, dicts, their subclasses and NumPy arrays are containers. `None` has no leaves.
Everything else is a leaf. `flatten` returns the leaves and a `Tree`, the structure without them. A tree can be compared
and hashed; it names each leaf, and puts new leaves in the places of the old ones.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

Build = Callable[[list[Any]], Any]


class Tree:
    """A structure without its leaves: a kind of container, the keys of its parts, and the parts, which are trees.

    Two trees are equal if their containers have equal kinds, keys (of equal types) and parts, at all levels.
    """

    __slots__ = ("_hash", "_identity", "build", "keys", "kind", "parts", "shape", "size")

    def __init__(self, kind: type, keys: Sequence[Any], parts: tuple[Tree, ...], build: Build) -> None:
        self.kind = kind
        self.keys = keys
        self.parts = parts
        self.build = build
        self.shape: tuple[int, ...] | None = None
        flat = parts.count(LEAF) == len(parts)
        self.size: int = len(parts) if flat else sum(part.size for part in parts)
        types = None if isinstance(keys, range) else tuple(map(type, keys))
        self._identity: tuple[Any, ...] = kind, keys, types, parts
        self._hash = hash((kind, keys, len(parts) if flat else parts))

    @classmethod
    def of_array(cls, kind: type, shape: tuple[int, ...]) -> Tree:
        """Return the tree of an array or, with the shape `()`, of a single leaf."""
        tree = cls.__new__(cls)
        tree.kind, tree.keys, tree.parts, tree.shape = kind, (), (), shape
        tree.size = 1
        for length in shape:
            tree.size *= length
        tree.build = next_of if kind is object else lambda leaves: array(leaves, shape)
        tree._identity = kind, shape
        tree._hash = hash(tree._identity)
        return tree

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Tree) and self._hash == other._hash and self._identity == other._identity

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"<tree of {self.size} leaves in a {self.kind.__name__}>"

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Return the structure with these leaves. Arrays are of floats, or of objects if a leaf is not a float."""
        return self._unflatten(iter(leaves))

    def _unflatten(self, leaves: Iterator[Any]) -> Any:
        if self.shape is not None:
            return self.build([next(leaves) for _ in range(self.size)])
        return self.build([next(leaves) if part is LEAF else part._unflatten(leaves) for part in self.parts])

    def paths(self) -> list[str]:
        """Return the name of each leaf within the structure, such as `["w"][2]` or `.x`."""
        if self.shape is not None:
            return ["".join(f"[{i}]" for i in index) for index in _indices(self.shape)]
        form = ".{}" if self.kind in _NAMED else "[{!r}]"
        parts = zip(self.keys, self.parts, strict=True)
        return [form.format(key) + path for key, part in parts for path in part.paths()]


_NAMED: set[type] = set()
"""The dataclasses and named tuples seen so far: their parts have names."""


def next_of(leaves: list[Any]) -> Any:
    """Return the one leaf of a list."""
    return leaves[0]


LEAF = Tree.of_array(object, ())
"""The tree of a single leaf."""


def is_array(x: Any) -> bool:
    """Return True if x is a NumPy array, without importing NumPy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


def flatten(structure: Any, whole: Callable[[Any], bool] | None = None) -> tuple[list[Any], Tree]:
    """Return the leaves of a structure in order, and its tree. An array for which `whole` is true is one leaf.

    >>> leaves, tree = flatten({"w": [1.0, 2.0], "b": 3.0})
    >>> leaves, tree.paths()
    ([1.0, 2.0, 3.0], ["['w'][0]", "['w'][1]", "['b']"])
    >>> tree.unflatten([4.0, 5.0, 6.0])
    {'w': [4.0, 5.0], 'b': 6.0}
    """
    leaves: list[Any] = []
    return leaves, _flatten(structure, leaves, whole)


def _flatten(structure: Any, leaves: list[Any], whole: Callable[[Any], bool] | None) -> Tree:
    if is_array(structure) and not (whole and whole(structure)):
        leaves.extend(structure.ravel().tolist())
        return Tree.of_array(type(structure), structure.shape)
    opened = None if type(structure) is float else opening(structure)
    if opened is None:
        leaves.append(structure)
        return LEAF
    keys, items, build = opened
    return Tree(type(structure), keys, tuple([_flatten(item, leaves, whole) for item in items]), build)


def opening(structure: Any) -> tuple[Sequence[Any], Iterable[Any], Build] | None:
    """Return the keys and the items of a container and the function that rebuilds it; None for a leaf.

    Rebuilding keeps the kind of the container: an `OrderedDict`, a `defaultdict` with its default, a named tuple, a
    dataclass with its attributes that are not fields.
    """
    kind: Any = type(structure)
    if isinstance(structure, dict):
        keys = tuple(structure)
        return keys, structure.values(), lambda items: _copied_dict(structure, keys, items)
    if isinstance(structure, (list, tuple)):
        if hasattr(kind, "_make"):
            _NAMED.add(kind)
            return kind._fields, structure, kind._make
        return range(len(structure)), structure, list if kind is list else kind
    if dataclasses.is_dataclass(kind):
        _NAMED.add(type(structure))
        names = tuple(field.name for field in dataclasses.fields(structure))
        return names, [getattr(structure, name) for name in names], lambda items: _copied(structure, names, items)
    return ((), (), lambda items: None) if structure is None else None


def _copied_dict(structure: dict[Any, Any], keys: Sequence[Any], items: Sequence[Any]) -> dict[Any, Any]:
    new = dict(zip(keys, items, strict=True))
    if type(structure) is dict:
        return new
    subclassed = copy.copy(structure)
    subclassed.update(new)
    return subclassed


def _copied(structure: Any, names: Sequence[str], items: Sequence[Any]) -> Any:
    # A copy, since a dataclass may be frozen, or may have no constructor that takes its fields.
    new = copy.copy(structure)
    for name, item in zip(names, items, strict=True):
        object.__setattr__(new, name, item)
    return new


def matched(given: Any, tree: Tree, path: str = "") -> list[Any]:
    """Return the leaves of `given` in the order of `tree`: sequences are matched in order, dicts by key.

    A list, a tuple and an array match each other. Raises `ValueError`, naming the first place where the two differ.
    """
    if is_array(given):
        given = list(given) if given.ndim else given.item()
    opened = opening(given)
    if tree is LEAF:
        if opened is not None:
            raise ValueError(f"a {type(given).__name__} at {path or 'the top'}, but a number is expected")
        return [given]
    if tree.shape is not None:
        tree = _listed(tree.shape)
    if opened is None:
        raise ValueError(f"{given!r} at {path or 'the top'}, but {len(tree.parts)} parts are expected")
    keys, items, _ = opened
    found = dict(zip(keys, items, strict=True))
    missing = [key for key in tree.keys if key not in found]
    extra = [key for key in found if key not in tree.keys]
    if missing or extra:
        told = f"[{missing[0]!r}] is missing" if missing else f"[{extra[0]!r}] is unexpected"
        raise ValueError(f"{path}{told}: {len(found)} parts at {path or 'the top'}, expected {len(tree.parts)}")
    parts = zip(tree.keys, tree.parts, strict=True)
    return [leaf for key, part in parts for leaf in matched(found[key], part, f"{path}[{key!r}]")]


def _listed(shape: tuple[int, ...]) -> Tree:
    """Return the tree of the nested lists that equal an array of that shape."""
    if not shape:
        return LEAF
    return Tree(list, range(shape[0]), (_listed(shape[1:]),) * shape[0], list)


def nested(outer: Tree, inner: Tree, matrix: Sequence[Sequence[Any]]) -> Any:
    """Return the entries of a matrix, nested like `outer` and, at each of its leaves, like `inner`.

    Arrays are joined and come last: for an array of shape (2,) and one of shape (3,), the part has shape (2, 3).

    >>> nested(flatten((0, 0))[1], flatten({"a": 0, "b": 0})[1], [[1.0, 2.0], [3.0, 4.0]])
    ({'a': 1.0, 'b': 2.0}, {'a': 3.0, 'b': 4.0})
    """
    if outer.shape is None:
        rows = iter(matrix)
        return outer.build([nested(part, inner, [next(rows) for _ in range(part.size)]) for part in outer.parts])
    if inner.shape is None:
        ends = [0]
        for part in inner.parts:
            ends.append(ends[-1] + part.size)
        pairs = zip(inner.parts, ends, strict=False)
        return inner.build([nested(outer, part, [row[at : at + part.size] for row in matrix]) for part, at in pairs])
    entries = [entry for row in matrix for entry in row]
    return entries[0] if outer is LEAF and inner is LEAF else array(entries, outer.shape + inner.shape)


def _indices(shape: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
    if not shape:
        return [()]
    import numpy as np

    return np.ndindex(*shape)


ARRAYS_OF_VALUES: list[type] = []
"""The class of the arrays that hold Values, once it is loaded."""

LOADERS: list[Callable[[], object]] = []
"""The function that loads that class, `scalargrad.numpy`, and gives Values NumPy's functions; the package sets it."""


def load_arrays() -> None:
    """Load the class of arrays of Values, unless it is loaded."""
    while LOADERS:
        LOADERS.pop()()


def array(items: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Return a NumPy array of that shape, of floats, or of objects if an item is not a float."""
    import numpy as np

    if all(isinstance(item, float) for item in items):
        return np.array(items, dtype=float).reshape(shape)
    load_arrays()
    result = np.empty(len(items), dtype=object)
    result[:] = items
    return result.reshape(shape).view(*ARRAYS_OF_VALUES)
