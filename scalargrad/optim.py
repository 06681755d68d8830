"""Optimisers: rules that move parameters against their gradients, and schedules of the learning rate.

In the equations θ is a parameter, g its gradient (after weight decay: g + λθ), η the learning rate of the
step and t the step's number, from 1. The forms and defaults are PyTorch's.

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

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from .engine.observer import OBSERVER
from .engine.value import Value
from .rows import as_float

__all__ = ["SGD", "Adagrad", "Adam", "Nadam", "Optimizer", "RMSprop", "cosine", "inverse_time", "step_decay"]

Schedule: TypeAlias = Callable[[int], float]
"""A learning rate as a function of the number k of steps made before, from 0."""


class Optimizer:
    """What all optimisers share: parameters, a learning rate, weight decay λ, and their state.

    `lr` is a positive number, or a schedule: a function of the number of steps made before, from 0. A subclass
    defines `update(lr, gradients)`. Raises `ValueError` for no parameters, one that stands twice or is no leaf, and
    a learning rate that is not positive and finite; `TypeError` for what is no Value.
    """

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule, *, weight_decay: float = 0.0) -> None:
        self.name = type(self).__name__
        self.parameters = self._checked(parameters)
        self.lr = lr
        self.weight_decay = self._number("weight_decay", weight_decay, 0.0)
        self.steps = 0
        self.state: dict[str, list[float]] = {}
        if not callable(lr):
            self._rate(lr)

    def zero_grad(self) -> None:
        """Set the `grad` of all parameters to 0.0."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self) -> None:
        """Move the parameters by their gradients. Raises `ValueError` where the schedule gives no positive rate."""
        if (recording := OBSERVER.get()) is not None:
            raise recording.refusal("an optimiser's step", "make it outside of the recorded function")
        rate = self._rate(self.lr(self.steps) if callable(self.lr) else self.lr)
        decay = self.weight_decay
        if decay:
            gradients = [parameter.grad + decay * parameter.data for parameter in self.parameters]
        else:
            gradients = [parameter.grad for parameter in self.parameters]
        self.steps += 1
        self.update(rate, gradients)

    def update(self, lr: float, gradients: list[float]) -> None:
        """The rule itself: move the parameters, and the state with them. `self.steps` is the t of this step."""
        raise NotImplementedError(f"{self.name} defines no update(lr, gradients)")

    def state_dict(self) -> dict[str, Any]:
        """The number of steps and what the rule remembers, a list of one number for each parameter per name."""
        return {"steps": self.steps, **copy.deepcopy(self.state)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the state of an optimiser of the same kind and number of parameters.

        Raises `ValueError`, and changes nothing, where its names or lengths differ.
        """
        lists = {name: list(numbers) for name, numbers in state.items() if name != "steps"}
        expected = {name: len(numbers) for name, numbers in self.state.items()}
        given = {name: len(numbers) for name, numbers in lists.items()}
        steps = state.get("steps")
        if given != expected or not isinstance(steps, int):
            raise ValueError(f"{self.name}.load_state_dict: expected steps and {expected}, got {steps!r} and {given}")
        self.steps, self.state = steps, lists

    def remember(self, *names: str, start: float = 0.0) -> None:
        """Begin the state: a list of one number for each parameter under each name."""
        self.state.update({name: [start] * len(self.parameters) for name in names})

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
        if number is None or not (math.isfinite(number) and number > 0.0):
            at = f" at step {self.steps}" if callable(self.lr) else ""
            raise ValueError(f"{self.name}: lr is {lr!r}{at}; give a positive finite number, or a function of the step")
        return number

    def _number(self, name: str, x: float, low: float, high: float = math.inf) -> float:
        number = as_float(x)
        if number is None or not (low <= number < high):
            raise ValueError(f"{self.name}: {name} is {x!r}; give a number in [{low:g}, {high:g})")
        return number

    def __repr__(self) -> str:
        return f"{self.name}({len(self.parameters)} parameters, lr={self.lr!r}, {self.steps} steps)"


class SGD(Optimizer):
    """Gradient descent, with momentum μ where asked: v ← μv + g, θ ← θ − ηv; Nesterov's: θ ← θ − η(g + μv).

    At a constant η this is the lecture's Δw(t) = −η ∂C/∂w + α Δw(t−1), with α = μ and Δw = −ηv; when η changes, it
    is not: here the new η scales all of v. Raises `ValueError` for a momentum outside [0, 1).
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

    def update(self, lr: float, gradients: list[float]) -> None:
        if self.momentum:
            mu = self.momentum
            velocity = [mu * v + g for v, g in zip(self.state["velocity"], gradients, strict=True)]
            self.state["velocity"] = velocity
            gradients = [g + mu * v for g, v in zip(gradients, velocity, strict=True)] if self.nesterov else velocity
        for parameter, g in zip(self.parameters, gradients, strict=True):
            parameter._data -= lr * g


class Adagrad(Optimizer):
    """Rates that shrink with the squared gradients so far: s ← s + g², θ ← θ − η g / (√s + ε).

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

    def update(self, lr: float, gradients: list[float]) -> None:
        squares = [s + g * g for s, g in zip(self.state["squares"], gradients, strict=True)]
        self.state["squares"] = squares
        for parameter, g, s in zip(self.parameters, gradients, squares, strict=True):
            parameter._data -= lr * g / (math.sqrt(s) + self.eps)


class RMSprop(Optimizer):
    """Adagrad with a running mean: s ← αs + (1 − α)g², θ ← θ − η g / (√s + ε).

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

    def update(self, lr: float, gradients: list[float]) -> None:
        alpha = self.alpha
        squares = [alpha * s + (1.0 - alpha) * g * g for s, g in zip(self.state["squares"], gradients, strict=True)]
        self.state["squares"] = squares
        for parameter, g, s in zip(self.parameters, gradients, squares, strict=True):
            parameter._data -= lr * g / (math.sqrt(s) + self.eps)


class Adam(Optimizer):
    """Running means of the gradients and of their squares, each freed of its bias towards the start at 0:

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
        """The new running means m of the gradients and s of their squares."""
        first, second = self.betas
        means = [first * m + (1.0 - first) * g for m, g in zip(self.state["means"], gradients, strict=True)]
        squares = [second * s + (1.0 - second) * g * g for s, g in zip(self.state["squares"], gradients, strict=True)]
        self.state["means"], self.state["squares"] = means, squares
        return means, squares

    def update(self, lr: float, gradients: list[float]) -> None:
        first, second = self.betas
        size = lr / (1.0 - first**self.steps)
        scale = math.sqrt(1.0 - second**self.steps)
        for parameter, m, s in zip(self.parameters, *self.moments(gradients), strict=True):
            parameter._data -= size * m / (math.sqrt(s) / scale + self.eps)


class Nadam(Adam):
    """Adam with Nesterov's momentum: Adam's m and s, and a momentum μₜ that grows to β₁ over the steps,

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

    def update(self, lr: float, gradients: list[float]) -> None:
        mu, next_mu = self._mu(self.steps), self._mu(self.steps + 1)
        product = self.state["mu_product"][0] * mu
        self.state["mu_product"] = [product]
        by_gradient = lr * (1.0 - mu) / (1.0 - product)
        by_mean = lr * next_mu / (1.0 - product * next_mu)
        scale = 1.0 - self.betas[1] ** self.steps
        for parameter, g, m, s in zip(self.parameters, gradients, *self.moments(gradients), strict=True):
            parameter._data -= (by_gradient * g + by_mean * m) / (math.sqrt(s / scale) + self.eps)

    def _mu(self, step: int) -> float:
        return self.betas[0] * (1.0 - 0.5 * math.pow(0.96, step * self.momentum_decay))


def step_decay(lr: float, factor: float, every: int) -> Schedule:
    """The schedule η · factor^⌊k / every⌋: the rate is multiplied by the factor after every so many steps.

    Raises `ValueError` for numbers that are not positive.

    >>> [step_decay(1.0, 0.5, 2)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _positive("step_decay", lr=lr, factor=factor, every=every)
    return lambda k: lr * math.pow(factor, k // every)


def cosine(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """The schedule from η to `final` along half a cosine over so many steps, then `final`.

    A `final` of 0 is reached only after the last of the steps, where `step()` refuses it. Raises `ValueError` for
    numbers that are not positive. Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5.

    >>> [round(cosine(1.0, 4, 0.5)(k), 3) for k in range(6)]
    [1.0, 0.927, 0.75, 0.573, 0.5, 0.5]
    """
    _positive("cosine", lr=lr, steps=steps)
    return lambda k: final + (lr - final) * 0.5 * (1.0 + math.cos(math.pi * min(k, steps) / steps))


def inverse_time(lr: float, decay: float) -> Schedule:
    """The schedule η / (1 + decay · k), which falls like 1/t. Raises `ValueError` for numbers that are not positive.

    Source: Robbins and Monro, "A stochastic approximation method", 1951.

    >>> [inverse_time(1.0, 0.5)(k) for k in (0, 2, 6)]
    [1.0, 0.5, 0.25]
    """
    _positive("inverse_time", lr=lr, decay=decay)
    return lambda k: lr / (1.0 + decay * k)


def _positive(name: str, **numbers: float) -> None:
    for key, number in numbers.items():
        if not (math.isfinite(number) and number > 0.0):
            raise ValueError(f"{name}: {key} is {number!r}; give a positive number")
