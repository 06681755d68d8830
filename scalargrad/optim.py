"""Optimisers: rules that move parameters against their gradients, and schedules of the learning rate.

In the equations θ is a parameter, g its gradient (after weight decay: g + λθ), η the learning rate of the
step and t the step's number, from 1. The forms and defaults are PyTorch's.

Two conventions hold for all rules. A quotient 0/0, which only ε = 0 allows, counts as 0: the parameter stays. A step
that would make a parameter or the optimiser's state nan or infinite is refused.

>>> import scalargrad as sg
>>> w = sg.Value(3.0)
>>> optimizer = SGD([w], lr=0.25)
>>> for _ in range(20):
...     optimizer.zero_grad()
...     ((w - 1) ** 2).backward()
...     optimizer.step()
>>> round(w.data, 4)
1.0
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from .engine.observer import OBSERVER
from .engine.value import Value
from .rows import as_float

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "Nadam",
    "NotFiniteError",
    "Optimizer",
    "RMSprop",
    "cosine",
    "inverse_time",
    "step_decay",
]

Schedule: TypeAlias = Callable[[int], float]
"""A learning rate as a function of the number k of steps made before, from 0."""
Memory: TypeAlias = dict[str, list[float]]
"""What a rule remembers between steps: lists of one number for each parameter, by name."""

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
        self.weight_decay = self._number("weight_decay", weight_decay, 0.0)
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

        >>> SGD([Value(1.0)], lr=0.5, momentum=0.9).state_dict()["options"]
        {'lr': 0.5, 'momentum': 0.9, 'nesterov': False, 'weight_decay': 0.0}
        """
        options = self._options()
        if callable(self.lr):
            known = isinstance(self.lr, (step_decay, cosine, inverse_time))
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
        checked = list(parameters)
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

    def _number(self, name: str, x: float, low: float, high: float = math.inf) -> float:
        number = as_float(x)
        if number is None or not (low <= number < high):
            raise ValueError(f"{self.name}: {name} is {x!r}; give a number in [{low:g}, {high:g})")
        return number

    def __repr__(self) -> str:
        return f"{self.name}({len(self.parameters)} parameters, lr={self.lr!r}, {self.steps} steps)"


class SGD(Optimizer):
    """Gradient descent, if asked with momentum μ: v ← μv + g, θ ← θ − ηv; Nesterov's: θ ← θ − η(g + μv).

    While η is constant, this is the lecture's Δw(t) = −η ∂C/∂w + α Δw(t−1), with α = μ and Δw = −ηv. When η changes,
    the new η scales all of v here, unlike there. Raises `ValueError` for a momentum outside [0, 1).
    Source: "Derivation of Backpropagation", "Adding Momentum"; 11-785, "Gradient Descent Algorithm"; Sutskever,
    Martens, Dahl and Hinton, "On the importance of initialization and momentum", ICML 2013.

    >>> w = Value(1.0)
    >>> optimizer = SGD([w], lr=0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     w.grad = 1.0
    ...     optimizer.step()
    >>> w.data
    -0.25
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay)
        self.momentum = self._number("momentum", momentum, 0.0, 1.0)
        self.nesterov = nesterov
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov needs a momentum above 0")
        if momentum:
            self.remember("velocity")

    def update(self, lr: float, gradients: list[float]) -> tuple[list[float], Memory]:
        mu = self.momentum
        if not mu:
            return [lr * g for g in gradients], {}
        velocity = [mu * v + g for v, g in zip(self.state["velocity"], gradients, strict=True)]
        if self.nesterov:
            moves = [lr * (g + mu * v) for g, v in zip(gradients, velocity, strict=True)]
        else:
            moves = [lr * v for v in velocity]
        return moves, {"velocity": velocity}


class Adagrad(Optimizer):
    """Adagrad: rates that shrink with the squared gradients so far: s ← s + g², θ ← θ − η g / (√s + ε).

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods", JMLR 2011; named in "Derivation of
    Backpropagation", "Many Variations on Gradient Descent".

    >>> w = Value(1.0)
    >>> optimizer = Adagrad([w], lr=0.5)
    >>> w.grad = 4.0
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.5
    """

    def __init__(
        self, parameters: Iterable[Value], lr: float | Schedule = 0.01, eps: float = 1e-10, *, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay)
        self.eps = self._number("eps", eps, 0.0)
        self.remember("squares")

    def update(self, lr: float, gradients: list[float]) -> tuple[list[float], Memory]:
        squares = [s + g * g for s, g in zip(self.state["squares"], gradients, strict=True)]
        return _scaled(lr, gradients, squares, self.eps), {"squares": squares}


class RMSprop(Optimizer):
    """RMSprop, Adagrad with a running mean: s ← αs + (1 − α)g², θ ← θ − η g / (√s + ε).

    Source: Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, 2012; named in "Derivation of
    Backpropagation", "Many Variations on Gradient Descent".

    >>> w = Value(1.0)
    >>> optimizer = RMSprop([w], lr=0.5, alpha=0.75)
    >>> w.grad = 4.0
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.0
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        *,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay)
        self.alpha = self._number("alpha", alpha, 0.0, 1.0)
        self.eps = self._number("eps", eps, 0.0)
        self.remember("squares")

    def update(self, lr: float, gradients: list[float]) -> tuple[list[float], Memory]:
        alpha = self.alpha
        squares = [alpha * s + (1.0 - alpha) * g * g for s, g in zip(self.state["squares"], gradients, strict=True)]
        return _scaled(lr, gradients, squares, self.eps), {"squares": squares}


class Adam(Optimizer):
    """Adam: steps by running means of the gradients and of their squares, each corrected for its start at 0:

    m ← β₁m + (1 − β₁)g, s ← β₂s + (1 − β₂)g², θ ← θ − η m̂ / (√ŝ + ε) with m̂ = m / (1 − β₁ᵗ), ŝ = s / (1 − β₂ᵗ).

    Source: Kingma and Ba, "Adam", ICLR 2015, algorithm 1; named in "Derivation of Backpropagation".

    >>> w = Value(1.0)
    >>> optimizer = Adam([w], lr=0.5)
    >>> w.grad = 4.0
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.5
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay)
        self.betas = (self._number("betas[0]", betas[0], 0.0, 1.0), self._number("betas[1]", betas[1], 0.0, 1.0))
        self.eps = self._number("eps", eps, 0.0)
        self.remember("means", "squares")

    def moments(self, gradients: list[float]) -> tuple[list[float], list[float]]:
        """Return the new running means: m of the gradients and s of their squares."""
        first, second = self.betas
        means = [first * m + (1.0 - first) * g for m, g in zip(self.state["means"], gradients, strict=True)]
        squares = [second * s + (1.0 - second) * g * g for s, g in zip(self.state["squares"], gradients, strict=True)]
        return means, squares

    def update(self, lr: float, gradients: list[float]) -> tuple[list[float], Memory]:
        means, squares = self.moments(gradients)
        size = lr / (1.0 - self.betas[0] ** (self.steps + 1))
        scale = math.sqrt(1.0 - self.betas[1] ** (self.steps + 1))
        return _scaled(size, means, squares, self.eps, scale), {"means": means, "squares": squares}


class Nadam(Adam):
    """Nadam, Adam with Nesterov's momentum: Adam's m and s, and a momentum μₜ that grows to β₁ over the steps,

    μₜ = β₁(1 − ½ · 0.96^(tψ)), θ ← θ − η ((1 − μₜ) g / (1 − Πᵢ≤ₜ μᵢ) + μₜ₊₁ m / (1 − Πᵢ≤ₜ₊₁ μᵢ)) / (√ŝ + ε),

    where ψ is `momentum_decay`. Source: Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop,
    algorithm 2 and its schedule of μ; named in "Derivation of Backpropagation".

    >>> w = Value(1.0)
    >>> optimizer = Nadam([w], lr=0.5)
    >>> w.grad = 4.0
    >>> optimizer.step()
    >>> 0.3 < w.data < 0.6
    True
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        weight_decay: float = 0.0,
        momentum_decay: float = 0.004,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay=weight_decay)
        self.momentum_decay = self._number("momentum_decay", momentum_decay, 0.0)
        self.state["mu_product"] = [1.0]

    def update(self, lr: float, gradients: list[float]) -> tuple[list[float], Memory]:
        t = self.steps + 1
        mu, next_mu = self._mu(t), self._mu(t + 1)
        product = self.state["mu_product"][0] * mu
        means, squares = self.moments(gradients)
        of_gradient, of_mean = lr * (1.0 - mu) / (1.0 - product), lr * next_mu / (1.0 - product * next_mu)
        mixed = [of_gradient * g + of_mean * m for g, m in zip(gradients, means, strict=True)]
        scale = math.sqrt(1.0 - self.betas[1] ** t)
        state = {"means": means, "squares": squares, "mu_product": [product]}
        return _scaled(1.0, mixed, squares, self.eps, scale), state

    def _mu(self, step: int) -> float:
        return self.betas[0] * (1.0 - 0.5 * math.pow(0.96, step * self.momentum_decay))


def _scaled(size: float, steps: list[float], squares: list[float], eps: float, scale: float = 1.0) -> list[float]:
    """Return size · step / (√s / scale + ε) for each parameter; 0/0, which only ε = 0 allows, counts as 0."""
    return [
        size * step / root if (root := math.sqrt(s) / scale + eps) else 0.0
        for step, s in zip(steps, squares, strict=True)
    ]


@dataclass(frozen=True)
class step_decay:  # noqa: N801 (its instances are called, and it is read as a function, as are those below)
    """The schedule η · factor^⌊k / every⌋: every `every` steps the rate is multiplied by the factor.

    Raises `ValueError` for numbers that are not positive.

    >>> [step_decay(1.0, 0.5, 2)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    lr: float
    factor: float
    every: int

    def __post_init__(self) -> None:
        _check_positive(self)

    def __call__(self, k: int) -> float:
        return self.lr * math.pow(self.factor, k // self.every)


@dataclass(frozen=True)
class cosine:  # noqa: N801
    """The schedule that goes from η to `final` along half a cosine in `steps` steps, and stays there.

    Raises `ValueError` for numbers that are not positive; `final` may be 0. Source: Loshchilov and Hutter, "SGDR",
    ICLR 2017, equation 5.

    >>> [round(cosine(1.0, 4, 0.5)(k), 3) for k in range(6)]
    [1.0, 0.927, 0.75, 0.573, 0.5, 0.5]
    """

    lr: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        _check_positive(self, or_zero=("final",))

    def __call__(self, k: int) -> float:
        falling = 0.5 * (1.0 + math.cos(math.pi * min(k, self.steps) / self.steps))
        return self.final + (self.lr - self.final) * falling


@dataclass(frozen=True)
class inverse_time:  # noqa: N801
    """The schedule η / (1 + decay · k), which falls like 1/t. Raises `ValueError` for numbers that are not positive.

    Source: Robbins and Monro, "A stochastic approximation method", 1951.

    >>> [inverse_time(1.0, 0.5)(k) for k in (0, 2, 6)]
    [1.0, 0.5, 0.25]
    """

    lr: float
    decay: float

    def __post_init__(self) -> None:
        _check_positive(self)

    def __call__(self, k: int) -> float:
        return self.lr / (1.0 + self.decay * k)


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    schedule.__name__: schedule for schedule in (step_decay, cosine, inverse_time)
}


def _check_positive(schedule: Any, or_zero: tuple[str, ...] = ()) -> None:
    for field in dataclasses.fields(schedule):
        x = getattr(schedule, field.name)
        number = as_float(x)
        if number is None or not math.isfinite(number) or number < 0.0 or (number == 0.0 and field.name not in or_zero):
            raise ValueError(f"{type(schedule).__name__}: {field.name} is {x!r}; give a positive finite number")
