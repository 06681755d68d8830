"""The update rules: each returns the moves of a step and its new state, and changes nothing itself."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..checks import list_of, number_of
from ..engine.value import Value
from .optimizer import Memory, Optimizer
from .schedules import Schedule

__all__ = ["SGD", "Adagrad", "Adam", "Nadam", "RMSprop"]


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
        self.momentum = number_of(self.name, "momentum", momentum, 0.0, 1.0)
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
        self.eps = number_of(self.name, "eps", eps, 0.0)
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
        self.alpha = number_of(self.name, "alpha", alpha, 0.0, 1.0)
        self.eps = number_of(self.name, "eps", eps, 0.0)
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
        first, second = _pair(self.name, betas)
        self.betas = (
            number_of(self.name, "betas[0]", first, 0.0, 1.0),
            number_of(self.name, "betas[1]", second, 0.0, 1.0),
        )
        self.eps = number_of(self.name, "eps", eps, 0.0)
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
        self.momentum_decay = number_of(self.name, "momentum_decay", momentum_decay, 0.0)
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


def _pair(name: str, betas: tuple[float, float]) -> list[float]:
    pair = list_of(name, "betas", betas, "a pair, such as (0.9, 0.999)")
    if len(pair) != 2:
        raise ValueError(f"{name}: betas is {betas!r}; give a pair, such as (0.9, 0.999)")
    return pair


def _scaled(size: float, steps: list[float], squares: list[float], eps: float, scale: float = 1.0) -> list[float]:
    """Return size · step / (√s / scale + ε) for each parameter; 0/0, which only ε = 0 allows, counts as 0."""
    return [
        size * step / root if (root := math.sqrt(s) / scale + eps) else 0.0
        for step, s in zip(steps, squares, strict=True)
    ]
