"""`Module`: what holds Values and lists them as parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ..engine.value import Value
from ..rows import as_float

__all__ = ["Module"]


class Module:
    """A part of a model. Its parameters are the leaf Values in its attributes, to any depth.

    Attributes may hold Values, modules, and lists, tuples and dicts of them; those whose names begin with
    `_` are left out. A subclass sets its attributes and defines `__call__`.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.points = Value(2.0), [Value(0.0), Value(1.0)]
    >>> [name for name, parameter in Line().named_parameters()]
    ['slope', 'points.0', 'points.1']
    """

    def named_parameters(self) -> list[tuple[str, Value]]:
        """The pairs (name, parameter), in the order of the attributes; a shared one once, by its first name.

        The name is the path to it, as in `layers.0.neurons.3.weights.2`.
        """
        found: dict[int, tuple[str, Value]] = {}
        for name, value in _values(self, ""):
            found.setdefault(id(value), (name, value))
        return list(found.values())

    def parameters(self) -> list[Value]:
        """The parameters, in the order of `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the `grad` of all parameters to 0.0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, float]:
        """The numbers of all parameters, by name."""
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Give the parameters the numbers of a `state_dict()` of a model of the same shape.

        Raises `ValueError`, and leaves the model as it was, where a name is missing or unknown or a number
        is not finite; `TypeError` for what is no number.
        """
        parameters = dict(self.named_parameters())
        missing, unknown = _without(parameters, state), _without(state, parameters)
        if missing or unknown:
            raise ValueError(
                f"load_state_dict: the state is of another shape than this {type(self).__name__} of "
                f"{len(parameters)} parameters: {len(state)} numbers, {missing or 'none'} missing, "
                f"{unknown or 'none'} unknown"
            )
        numbers = {name: _finite(name, state[name]) for name in parameters}
        for name, parameter in parameters.items():
            parameter.data = numbers[name]

    def frozen(self) -> Any:
        """The same module on plain floats, for prediction: it builds no graph and has no parameters.

        Called with numbers it gives what the module gives, as floats. Later changes of the module's parameters
        don't reach it.

        >>> from scalargrad import nn
        >>> model = nn.MLP(2, [3, 1])
        >>> model.frozen()([1.0, 2.0]) == model([1.0, 2.0]).data
        True
        """
        twin = object.__new__(type(self))
        for name, item in vars(self).items():
            object.__setattr__(twin, name, _frozen(item))
        return twin

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters())} parameters)"


def children(item: Any) -> Iterator[tuple[str, Any]]:
    """The named parts of a module, list, tuple or dict; none of anything else."""
    if isinstance(item, Module):
        yield from ((name, part) for name, part in vars(item).items() if not name.startswith("_"))
    elif isinstance(item, Mapping):
        yield from ((str(key), part) for key, part in item.items())
    elif isinstance(item, (list, tuple)):
        yield from ((str(index), part) for index, part in enumerate(item))


def _values(item: Any, prefix: str) -> Iterator[tuple[str, Value]]:
    for name, part in children(item):
        if isinstance(part, Value):
            if part.primitive is None:
                yield prefix + name, part
        else:
            yield from _values(part, f"{prefix}{name}.")


def _frozen(item: Any) -> Any:
    if isinstance(item, Value):
        return item.data
    if hasattr(item, "frozen"):
        return item.frozen()
    if isinstance(item, dict):
        return {key: _frozen(part) for key, part in item.items()}
    if type(item) in (list, tuple):
        return type(item)([_frozen(part) for part in item])
    return item


def _without(names: Mapping[str, Any], others: Mapping[str, Any]) -> str:
    left = [name for name in names if name not in others]
    return ", ".join(left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")


def _finite(name: str, number: Any) -> float:
    data = as_float(number)
    if data is None:
        raise TypeError(f"load_state_dict: {name} is {number!r}, a {type(number).__name__}, not a number")
    if not math.isfinite(data):
        raise ValueError(f"load_state_dict: {name} is {data!r}; a parameter is a finite number")
    return data
