"""`Optimizer`: a step of all parameters, whole or not at all, and the state that goes on from it."""

from __future__ import annotations

import inspect
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ..checks import list_of, number_of
from ..engine.observer import OBSERVER
from ..engine.value import Value
from ..rows import as_float
from .schedules import SCHEDULES, Schedule

__all__ = ["Memory", "NotFiniteError", "Optimizer"]

Memory: TypeAlias = dict[str, list[float]]
"""The state of a rule between steps: lists of one number for each parameter, by name."""

_set_data: Callable[[Value, float], None] = vars(Value)["_data"].__set__


class NotFiniteError(ArithmeticError):
    """A loss, gradient or parameter that is nan or infinite stopped the training."""


class Optimizer:
    """The part that all optimisers share: parameters, a learning rate, weight decay λ, and their state.

    `lr` is a finite number of at least 0, or a schedule: a function of the number of steps made before, from 0. A
    subclass defines `update(lr, gradients)`, and keeps its options in attributes of the same names. Raises
    `ValueError` for no parameters, for one that is given twice or was computed, and for a bad learning rate;
    `TypeError` for a parameter that is not a Value.

    >>> class Sign(Optimizer):
    ...     def update(self, lr, gradients):
    ...         return [math.copysign(lr, g) for g in gradients], {}
    >>> w = Value(1.0)
    >>> w.grad = 9.0
    >>> Sign([w], lr=0.25).step()
    >>> w.data
    0.75
    """

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule, *, weight_decay: float = 0.0) -> None:
        self.name = type(self).__name__
        self.parameters = self._checked(parameters)
        self.lr = lr
        self.weight_decay = number_of(self.name, "weight_decay", weight_decay, 0.0)
        self.steps = 0
        self.state: Memory = {}
        if not callable(lr):
            self._rate(lr)

    def zero_grad(self) -> None:
        """Set the `grad` of all parameters to 0.0."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self) -> None:
        """Move all parameters by their gradients, or none: an error or Ctrl-C leaves them and the state as they were.

        Raises `NotFiniteError` for a gradient that is nan or infinite, and for a step that would make a parameter or
        the state so; `ValueError` if the schedule gives a bad learning rate.
        """
        if (recording := OBSERVER.get()) is not None:
            raise recording.refusal("an optimiser's step", "make it outside of the recorded function")
        rate = self._rate(self.lr(self.steps) if callable(self.lr) else self.lr)
        decay = self.weight_decay
        if decay:
            gradients = [parameter.grad + decay * parameter._data for parameter in self.parameters]
        else:
            gradients = [parameter.grad for parameter in self.parameters]
        step = self.update(rate, gradients)
        if not isinstance(step, tuple):
            raise TypeError(f"{self.name}.update returned {step!r}; return a pair: the moves, and the new state")
        moves, state = step
        numbers = [parameter._data - move for parameter, move in zip(self.parameters, moves, strict=True)]
        lists = [gradients, numbers, *state.values()]
        # A sum is finite only if its terms are; the terms themselves decide if the sum alone overflowed.
        if not math.isfinite(sum(map(sum, lists))) and not all(map(math.isfinite, itertools.chain(*lists))):
            raise NotFiniteError(self._refusal(gradients, numbers, state))
        # One call that runs in C throughout: Ctrl-C and other threads come before it or after it.
        moved = map(_set_data, self.parameters, numbers)
        counted = map(setattr, (self, self), ("state", "steps"), (state, self.steps + 1))
        deque(itertools.chain(moved, counted), maxlen=0)

    def update(self, lr: float, gradients: list[float]) -> tuple[list[float], Memory]:
        """Return the rule's step: the numbers to subtract from the parameters, and the new state.

        `self.state` and `self.steps`, the number of steps before this one, are to be read and not changed.
        """
        raise NotImplementedError(f"{self.name} defines no update(lr, gradients)")

    def state_dict(self) -> dict[str, Any]:
        """Return the number of steps, the options and the state, in a form that JSON keeps exactly.

        A schedule of this module is among the options; for a function of your own there is None.

        >>> from scalargrad import optim
        >>> optim.SGD([Value(1.0)], lr=0.5, momentum=0.9).state_dict()["options"]
        {'lr': 0.5, 'momentum': 0.9, 'nesterov': False, 'weight_decay': 0.0}
        """
        options = self._options()
        if callable(self.lr):
            known = type(self.lr) in SCHEDULES.values()
            options["lr"] = {"schedule": type(self.lr).__name__, **vars(self.lr)} if known else None
        return {
            "steps": self.steps,
            "options": options,
            "state": {name: list(numbers) for name, numbers in self.state.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the steps, options and state of an optimiser of the same kind and number of parameters.

        The learning rate stays if the state has none, because it was saved with a schedule of your own. Raises
        `ValueError`, and changes nothing, if the state is of another shape or has a bad option or number.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"{self.name}.load_state_dict: the state is {state!r:.60}; give a state_dict()")
        try:
            steps, options, memory = state["steps"], dict(state["options"]), dict(state["state"])
            options["lr"] = self._loaded_rate(options.get("lr"))
            twin = type(self)(self.parameters, **{**self._options(), **options})
            loaded = {name: self._loaded(name, numbers) for name, numbers in memory.items()}
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise ValueError(f"{self.name}.load_state_dict: {reason}") from None
        expected = {name: len(numbers) for name, numbers in twin.state.items()}
        given = {name: len(numbers) for name, numbers in loaded.items()}
        if given != expected or type(steps) is not int or steps < 0:
            raise ValueError(
                f"{self.name}.load_state_dict: needs a number of steps and lists of lengths {expected}, "
                f"got {steps!r} steps and {given}"
            )
        vars(self).update(twin._options(), steps=steps, state=loaded)

    def remember(self, *names: str, start: float = 0.0) -> None:
        """Begin the state: a list of one number for each parameter under each name."""
        self.state.update({name: [start] * len(self.parameters) for name in names})

    def _options(self) -> dict[str, Any]:
        names = list(inspect.signature(type(self)).parameters)[1:]
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def _loaded_rate(self, lr: Any) -> float | Schedule:
        if isinstance(lr, Mapping):
            arguments = dict(lr)
            name = arguments.pop("schedule", None)
            if name not in SCHEDULES:
                raise ValueError(f"the schedule {name!r} is unknown; known are {', '.join(SCHEDULES)}")
            return SCHEDULES[name](**arguments)
        if lr is None and not callable(self.lr):
            raise ValueError("it was saved with a schedule of your own; give the optimiser that schedule as lr")
        return self.lr if lr is None else self._rate(lr)

    def _loaded(self, name: str, numbers: Iterable[Any]) -> list[float]:
        loaded = [as_float(x) for x in numbers]
        for index, number in enumerate(loaded):
            if number is None or not math.isfinite(number) or (name == "squares" and number < 0.0):
                kind = "a number of at least 0" if name == "squares" else "a finite number"
                raise ValueError(f"{name}[{index}] is {list(numbers)[index]!r}; it must be {kind}")
        return [number for number in loaded if number is not None]

    def _refusal(self, gradients: list[float], numbers: list[float], state: Memory) -> str:
        kept = "nothing was moved; lower lr, or look for the cause with sg.locate_nonfinite(loss)"
        for index, (parameter, g, number) in enumerate(zip(self.parameters, gradients, numbers, strict=True)):
            label = f', "{parameter.label}",' if parameter.label else ""
            if not math.isfinite(g):
                return f"{self.name}: the gradient of parameter {index}{label} is {g}; {kept}"
            if not math.isfinite(number):
                return f"{self.name}: parameter {index}{label} would go from {parameter._data} to {number}; {kept}"
        lists = ((name, index, x) for name, xs in state.items() for index, x in enumerate(xs))
        name, index, x = next(entry for entry in lists if not math.isfinite(entry[2]))
        return f"{self.name}: the state {name}[{index}] would become {x}; {kept}"

    def _checked(self, parameters: Iterable[Value]) -> list[Value]:
        checked = list_of(self.name, "parameters", parameters, "model.parameters()")
        if not checked:
            raise ValueError(f"{self.name}: there are no parameters; give model.parameters()")
        for index, parameter in enumerate(checked):
            if not isinstance(parameter, Value):
                raise TypeError(f"{self.name}: parameter {index} is {parameter!r}, not a Value")
            if parameter.primitive is not None:
                raise ValueError(f"{self.name}: parameter {index}, {parameter!r}, was computed; give leaves")
        if len(set(map(id, checked))) < len(checked):
            raise ValueError(f"{self.name}: a parameter is given twice, and would be moved twice a step")
        return checked

    def _rate(self, lr: Any) -> float:
        number = as_float(lr)
        if number is None or not (math.isfinite(number) and number >= 0.0):
            at = f" at step {self.steps}" if callable(self.lr) else ""
            raise ValueError(
                f"{self.name}: lr is {lr!r}{at}; give a finite number of at least 0, or a function of the step"
            )
        return number

    def __repr__(self) -> str:
        return f"{self.name}({len(self.parameters)} parameters, lr={self.lr!r}, {self.steps} steps)"
