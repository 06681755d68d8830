"""The arguments of a call taken apart, and the results put together, at the pace of the programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engine.structures import flatten, is_array
from ..engine.value import Value
from ..rows import as_float

__all__ = ["Constant", "Inputs", "assembler", "matcher", "scan"]

FLOATS = {float}


class Inputs:
    """The arguments of one call, with which to record."""

    def __init__(self, args: tuple[Any, ...], named: dict[str, Any], static: Sequence[int]) -> None:
        self.args = args
        self.named = named
        fixed = {n % len(args) for n in static if -len(args) <= n < len(args)} if args else set()
        self.fixed = {i: args[i] for i in sorted(fixed)}
        moving = [arg for i, arg in enumerate(args) if i not in self.fixed]
        self.leaves, tree = flatten((moving, named))
        self.paths, self.rebuild = tree.paths(), tree.unflatten
        self.numbers = []
        for leaf, path in zip(self.leaves, self.paths, strict=True):
            number = leaf._data if isinstance(leaf, Value) else as_float(leaf)
            if number is None:
                raise TypeError(
                    f"jit: args{path[3:]} is {leaf!r}, a {type(leaf).__name__}, not a number or a Value; "
                    "name the argument in static_argnums if it stays the same"
                )
            self.numbers.append(number)

    def call(self, f: Callable[..., Any], leaves: Sequence[Any]) -> Any:
        """What f returns for these leaves in the place of the arguments' own."""
        moving, named = self.rebuild(leaves)
        remaining = iter(moving)
        args = [self.fixed[i] if i in self.fixed else next(remaining) for i in range(len(self.args))]
        return f(*args, **named)


def scan(args: tuple[Any, ...], named: dict[str, Any], static: Sequence[int]) -> tuple[Any, list[float]]:
    """What tells arguments apart that are nested differently, and their numbers.

    Raises `TypeError` for a static argument that can't be hashed.
    """
    key: list[Any] = []
    numbers: list[float] = []
    if static:
        fixed = {n % len(args) for n in static if -len(args) <= n < len(args)}
        for i, arg in enumerate(args):
            if i in fixed:
                key += ("static", type(arg), arg)
            else:
                _scan(arg, key, numbers)
    else:
        for arg in args:
            _scan(arg, key, numbers)
    if named:
        _scan(named, key, numbers)
    found = tuple(key)
    if static:
        try:
            hash(found)
        except TypeError:
            raise TypeError(
                f"jit: a static argument must be hashable, as numbers, strings and tuples are: {found!r}"
            ) from None
    return found, numbers


def _scan(x: Any, key: list[Any], numbers: list[float]) -> None:
    kind = type(x)
    if kind is float:
        key.append(float)
        numbers.append(x)
    elif isinstance(x, (list, tuple)):
        key += (kind, len(x))
        if set(map(type, x)) == FLOATS:
            numbers += x
            key.append(float)
        else:
            for item in x:
                _scan(item, key, numbers)
    elif isinstance(x, dict):
        key += (kind, *x)
        for item in x.values():
            _scan(item, key, numbers)
    elif is_array(x):
        key += (kind, x.shape)
        if x.dtype.kind == "f":
            numbers += x.ravel().tolist()
        else:
            for item in x.ravel().tolist():
                _scan(item, key, numbers)
    elif isinstance(x, Value):
        key.append(Value)
        numbers.append(x._data)
    else:
        number = as_float(x)
        key.append(float if number is not None else None)
        numbers.append(0.0 if number is None else number)


def matcher(args: tuple[Any, ...]) -> Callable[[tuple[Any, ...]], Sequence[float] | None] | None:
    """What gives the numbers of arguments like these at once: one list of floats, or all of them floats."""
    if set(map(type, args)) == FLOATS:
        count = len(args)
        return lambda args: args if len(args) == count and {*map(type, args)} == FLOATS else None
    if len(args) == 1 and type(args[0]) is list and set(map(type, args[0])) == FLOATS:
        length = len(args[0])

        def numbers(args: tuple[Any, ...]) -> Sequence[float] | None:
            if len(args) != 1:
                return None
            (xs,) = args
            return xs if type(xs) is list and len(xs) == length and {*map(type, xs)} == FLOATS else None

        return numbers
    return None


class Constant:
    """A leaf of a result that is no number: the same at every run."""

    def __init__(self, leaf: Any) -> None:
        self.leaf = leaf


def assembler(template: Any, at: int = 0) -> Callable[[Any], Any]:
    """What nests numbers like the template, whose leaves are their positions, counted from `at`, or constants."""
    if isinstance(template, int):
        place = template + at
        return lambda out: out[place]
    if template is None:
        return lambda out: None
    if isinstance(template, Constant):
        return lambda out: template.leaf
    if is_array(template):
        return _array_assembler(template, at)
    kind = type(template)
    if isinstance(template, dict):
        entries = [(key, assembler(item, at)) for key, item in template.items()]
        return lambda out: {key: entry(out) for key, entry in entries}
    if kind in (list, tuple) and template and all(isinstance(x, int) for x in template):
        start, stop = template[0] + at, template[-1] + at + 1
        if list(template) == list(range(template[0], template[-1] + 1)):
            return (lambda out: out[start:stop]) if kind is list else (lambda out: tuple(out[start:stop]))
    parts = [assembler(item, at) for item in template]
    if hasattr(template, "_fields"):
        return lambda out: kind(*[part(out) for part in parts])
    if kind is tuple and len(parts) == 2 and isinstance(template[0], int):
        one, rest = template[0] + at, parts[1]
        return lambda out: (out[one], rest(out))
    return lambda out: kind([part(out) for part in parts])


def _array_assembler(template: Any, at: int) -> Callable[[Any], Any]:
    from ..engine.structures import array

    shape = template.shape
    parts = [assembler(item, at) for item in template.ravel().tolist()]
    return lambda out: array([part(out) for part in parts], shape)
