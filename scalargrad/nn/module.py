"""`Module`: an object that holds Values and lists them as parameters."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping
from itertools import repeat
from typing import Any, ClassVar

from ..engine.observer import OBSERVER
from ..engine.value import Value
from ..rows import as_float
from .parts import PLAIN, contents, copy_with

__all__ = ["Module"]


class Module:
    """A part of a model. Its parameters are the leaf Values in its attributes, at any depth.

    An attribute may hold a Value, a module, or lists, tuples, deques, dicts, dataclasses and object arrays of them.
    Attributes whose names begin with `_` are left out, and so are computed Values. Refused with `TypeError` are a set
    of Values, which has no order; an object of another class that holds a Value; a Value that is an attribute of the
    class; and a computed Value in an attribute that held parameters before: `w.data -= …` moves a parameter, `w -= …`
    would lose it. A subclass sets its attributes and defines `__call__`.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.points = Value(2.0), [Value(0.0), Value(1.0)]
    >>> [name for name, parameter in Line().named_parameters()]
    ['slope', 'points.0', 'points.1']
    """

    _slots: ClassVar[tuple[str, ...]] = ()
    """The public attributes of the class that are slots."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        slots = vars(cls).get("__slots__", ())
        own = (slots,) if isinstance(slots, str) else tuple(slots)
        cls._slots = cls._slots + tuple(name for name in own if not name.startswith("_"))
        for name, part in vars(cls).items():
            if not name.startswith("_") and contents(part, name, cls.__name__, Module):
                raise TypeError(
                    f"{cls.__name__}: {name} holds Values or modules that all instances would share; "
                    f"set self.{name} in __init__, or give a dataclass field(default_factory=…)"
                )

    def __setattr__(self, name: str, part: Any) -> None:
        if not name.startswith("_"):
            self._checked(name, part)
        object.__setattr__(self, name, part)

    def _checked(self, name: str, part: Any) -> list[tuple[str, Any]]:
        """Return the Values and modules in an attribute with their paths, without computed Values.

        If the attribute holds a parameter, remember it; if it did so before, refuse a computed Value.
        """
        if type(part) in PLAIN:
            return []
        owner = type(self).__name__
        found = contents(part, name, owner, Module)
        computed = [entry for entry in found if _is_computed(entry[1])]
        leaves = [entry for entry in found if not _is_computed(entry[1])] if computed else found
        holders = vars(self).setdefault("_holders", set())
        if name not in holders and any(isinstance(item, Value) for _, item in leaves):
            holders.add(name)
        if computed and name in holders:
            path, item = computed[0]
            raise TypeError(
                f"{owner}: {path} was computed by {item.primitive}, but {name} holds parameters, which are leaves; "
                "write .data -= … to move one, or begin the name with _ to keep a result"
            )
        return leaves

    def _parts(self) -> list[tuple[str, Any]]:
        """Return the leaves and modules in all public attributes, but not in those modules, with their paths."""
        public = [name for name in (*self._slots, *vars(self)) if not name.startswith("_") and hasattr(self, name)]
        return [entry for name in public for entry in self._checked(name, getattr(self, name))]

    def _walk(self) -> list[tuple[str, Any]]:
        """Return all leaves and modules with their paths, in the order of the attributes, modules once each."""
        found, seen, stack = [], set[int](), [("", self)]
        while stack:
            path, part = stack.pop()
            if isinstance(part, Module):
                if id(part) in seen:
                    continue
                seen.add(id(part))
                inner = reversed(part._parts())
                stack.extend((f"{path}.{name}" if path else name, item) for name, item in inner)
            found.append((path, part))
        return found

    def modules(self) -> list[Module]:
        """Return this module and all modules in it, each once."""
        return [part for _, part in self._walk() if isinstance(part, Module)]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return the pairs (name, parameter), in the order of the attributes; a shared parameter has its first name.

        The name is the path to it, as in `layers.0.neurons.3.weights.2`. Raises `ValueError` if two parameters have
        one name, as with dict keys 1 and "1"; `TypeError` as `Module` does.
        """
        found: dict[int, tuple[str, Value]] = {}
        for name, part in self._walk():
            if isinstance(part, Value):
                found.setdefault(id(part), (name, part))
        names = Counter([name for name, _ in found.values()])
        if len(names) < len(found):
            name = names.most_common(1)[0][0]
            raise ValueError(
                f"{type(self).__name__}: two parameters are named {name}; give dicts keys that differ as text, "
                "without dots"
            )
        return list(found.values())

    def parameters(self) -> list[Value]:
        """Return the parameters, in the order of `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the `grad` of all parameters to 0.0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def draw(self) -> None:
        """Draw new random numbers for all layers that use them, such as `Dropout`."""
        for module in self.modules():
            module._set_noise(drawn=True)

    def eval(self) -> None:
        """Set the random numbers of all layers to their means, which switches `Dropout` off."""
        for module in self.modules():
            module._set_noise(drawn=False)

    def _set_noise(self, drawn: bool) -> None:
        """Draw the random numbers of this layer alone, or set them to their means; most layers have none."""

    def state_dict(self) -> dict[str, float]:
        """Return the numbers of all parameters by name."""
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Give the parameters the numbers of a `state_dict()` of a model of the same shape.

        Raises `ValueError` for a missing or unknown name and for a number that is not finite, `TypeError` for anything
        else than a number. The model then stays as it was.
        """
        if (recording := OBSERVER.get()) is not None:
            raise recording.refusal("load_state_dict", "load outside of the recorded function")
        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict: the state is {state!r:.60}; give a state_dict()")
        parameters = dict(self.named_parameters())
        missing, unknown = _without(parameters, state), _without(state, parameters)
        if missing or unknown:
            raise ValueError(
                f"load_state_dict: the state is of another shape than this {type(self).__name__} of "
                f"{len(parameters)} parameters: {len(state)} numbers, {missing or 'none'} missing, "
                f"{unknown or 'none'} unknown"
            )
        numbers = [_finite(name, state[name]) for name in parameters]
        deque(map(setattr, parameters.values(), repeat("_data"), numbers), maxlen=0)  # in C: Ctrl-C can't divide it

    def frozen(self) -> Any:
        """Return the same module on plain floats, for prediction: it builds no graph and has no parameters.

        Its random numbers are the means. Later changes of this module don't reach it.

        >>> from scalargrad import nn
        >>> model = nn.MLP(2, [3, 1])
        >>> model.frozen()([1.0, 2.0]) == model([1.0, 2.0]).data
        True
        """
        return self._frozen({})

    def _frozen(self, memo: dict[int, Any]) -> Any:
        if type(self).frozen is not Module.frozen:
            return self.frozen()
        twin = memo[id(self)] = object.__new__(type(self))
        for name in (*self._slots, *vars(self)):
            object.__setattr__(twin, name, copy_with(getattr(self, name, None), lambda leaf: _frozen(leaf, memo)))
        return twin

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters())} parameters)"


def _is_computed(item: Any) -> bool:
    return isinstance(item, Value) and item.primitive is not None


def _frozen(part: Any, memo: dict[int, Any]) -> Any:
    """Return the twin of a part that is not a container: numbers for Values, frozen modules for modules."""
    if isinstance(part, Value):
        return part._data
    if isinstance(part, Module):
        return memo[id(part)] if id(part) in memo else part._frozen(memo)
    return part.frozen() if hasattr(part, "frozen") else part


def _without(names: Mapping[str, Any], others: Mapping[str, Any]) -> str:
    left = [name for name in names if name not in others]
    return ", ".join(map(str, left[:3])) + (f" and {len(left) - 3} more" if len(left) > 3 else "")


def _finite(name: str, number: Any) -> float:
    data = as_float(number)
    if data is None:
        raise TypeError(f"load_state_dict: {name} is {number!r}, a {type(number).__name__}, not a number")
    if not math.isfinite(data):
        raise ValueError(f"load_state_dict: {name} is {data!r}; a parameter is a finite number")
    return data
