"""Losses: the divergence Div(y, d) of one instance's output y from its target d. `training` averages them.

Each takes a number, or lists of equal lengths, and returns a node, or a float for plain floats. Targets are plain
numbers, or Values if the loss is recorded for many targets. All raise `ValueError`, naming the loss, for a target
of another length or outside of its range. A term whose target is 0 counts as 0, even if its factor is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..engine.real import comparable
from ..engine.value import Value
from ..primitives import floor, log, log1p, log_softmax, mean, relu, select, softplus, step
from ..primitives import sum as total
from ..rows import as_float

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "cross_entropy_with_logits",
    "kl_divergence",
    "max_margin",
    "mean_squared_error",
    "perceptron",
    "quadratic",
]


NUMBERS = frozenset({Value, float, int})
"""The usual types of outputs and targets."""


def quadratic(output: Any, target: Any) -> Any:
    """Return half the squared distance, ½ Σ (yᵢ − dᵢ)².

    Source: 10-601, "Objective Functions for NNs"; EE514, "Learning Weights".

    >>> quadratic([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    return 0.5 * total(_squares("quadratic", output, target))


def mean_squared_error(output: Any, target: Any) -> Any:
    """Return the mean of the squared differences, 1/n Σ (yᵢ − dᵢ)².

    >>> mean_squared_error([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    return mean(_squares("mean_squared_error", output, target))


def binary_cross_entropy(output: Any, target: Any) -> Any:
    """Return −Σ dᵢ log yᵢ + (1 − dᵢ) log(1 − yᵢ), for independent probabilities y and targets d in [0, 1].

    If y is 0 or 1 and d is not, it would be infinite and raises `ValueError`; give the numbers before the sigmoid to
    the form `…_with_logits` then.
    Source: 10-601, "Objective Functions for NNs", whose J is its negative; EE514, "log loss".

    >>> round(binary_cross_entropy(0.5, 1.0), 6)
    0.693147
    """
    name = "binary_cross_entropy"
    return -_sum([term for y, d in _probabilities(name, output, target) for term in _bernoulli(name, y, d)])


def binary_cross_entropy_with_logits(output: Any, target: Any) -> Any:
    """Return the `binary_cross_entropy` of sigmoid(z) for outputs z before the sigmoid, of any size.

    It is Σ dᵢ softplus(−zᵢ) + (1 − dᵢ) softplus(zᵢ), which neither overflows nor cancels. An infinite z is a certain
    answer: the loss is 0 or inf.

    >>> binary_cross_entropy_with_logits(-1000.0, 1.0), binary_cross_entropy_with_logits(math.inf, 1.0)
    (1000.0, 0.0)
    """
    name = "binary_cross_entropy_with_logits"
    pairs = [(z, _target(name, index, d)) for index, (z, d) in enumerate(_paired(name, output, target))]
    sides = [side for z, d in pairs for side in ((d, -z), (1 - d, z)) if not _is_plain(side[0], 0.0)]
    return _sum([term for d, z in sides for term in _weighted(d, _finite_or_unused(softplus(z), d))])


def cross_entropy(output: Any, target: Any) -> Any:
    """Return −Σ dᵢ log yᵢ for the probabilities y of the classes, say from softmax.

    The target d is a list of probabilities, or the number of the class, from 0. If a y is 0 and its d is not, the
    loss would be infinite and raises `ValueError`; give the numbers before the softmax to
    `cross_entropy_with_logits` then.
    Source: 10-601, "Multi-Class Output", whose J is its negative.

    >>> round(cross_entropy([0.25, 0.75], 1), 6)
    0.287682
    """
    outputs = _listed("cross_entropy", "output", output)
    pairs = _probabilities("cross_entropy", outputs, _distribution("cross_entropy", outputs, target))
    return -_sum([term for y, d in pairs for term in _weighted(d, _log("cross_entropy", d, y))])


def cross_entropy_with_logits(output: Any, target: Any) -> Any:
    """Return the `cross_entropy` of softmax(z) for outputs z before the softmax, of any size: −Σ dᵢ log softmax(z)ᵢ.

    A z of −inf masks its class: nothing flows there, and the loss is inf if its target is not 0. A z of inf is a
    certain answer: the loss is 0 for its class, and inf for others.

    >>> cross_entropy_with_logits([1000.0, -1000.0], 1), cross_entropy_with_logits([-math.inf, 3.0], 0)
    (2000.0, inf)
    """
    name = "cross_entropy_with_logits"
    outputs = _listed(name, "output", output)
    targets = _distribution(name, outputs, target)
    pairs = _paired(name, outputs, targets) and zip(log_softmax(outputs), targets, strict=True)
    return -_sum([term for y, d in pairs for term in _weighted(d, _finite_or_unused(y, d))])


def kl_divergence(output: Any, target: Any) -> Any:
    """Return the Kullback–Leibler divergence Σ dᵢ log(dᵢ / yᵢ) of the probabilities y from the target d.

    A list y has a probability for each class, and d is a distribution or the number of the class. A single y is the
    probability of one event, and the sum is over the event and its opposite. For targets of 0 and 1 it equals the
    cross-entropy, for others it is less by the target's entropy. Raises `ValueError` as `cross_entropy` does.
    Source: 11-785, "Setting up for digit recognition", "Recognizing the digit".

    >>> round(kl_divergence([0.25, 0.75], [0.5, 0.5]), 6), round(kl_divergence(0.75, 1.0), 6)
    (0.143841, 0.287682)
    """
    name = "kl_divergence"
    if not _is_list(output):
        ((y, d),) = _probabilities(name, output, target)
        return _sum([d * _log_target(d) + (1 - d) * _log_target(1 - d), *(-term for term in _bernoulli(name, y, d))])
    outputs = _listed(name, "output", output)
    pairs = _probabilities(name, outputs, _distribution(name, outputs, target))
    return _sum([term for y, d in pairs for term in _relative(name, y, d)])


def max_margin(output: Any, target: Any) -> Any:
    """Return Σ max(0, 1 − dᵢyᵢ), the hinge loss, for targets −1 and 1. Source: micrograd's demo of two moons.

    >>> max_margin(0.25, 1.0), max_margin(0.25, -1.0)
    (0.75, 1.25)
    """
    return _sum([relu(1 - d * y) for y, d in _chosen("max_margin", output, target, (-1.0, 1.0))])


def perceptron(output: Any, target: Any) -> Any:
    """Return Σ (step(zᵢ) − dᵢ) zᵢ for the outputs z before the step and targets 0 and 1.

    The derivative of step is 0, so a gradient step on one instance is the perceptron rule
    w ← w + η (d − step(z)) x. Source: Rosenblatt, "The perceptron", 1958; EE514, "Perceptron Model".

    >>> perceptron(0.5, 0.0), perceptron(0.5, 1.0)
    (0.5, 0.0)
    """
    return _sum([(step(z) - d) * z for z, d in _chosen("perceptron", output, target, (0.0, 1.0))])


def _is_list(numbers: Any) -> bool:
    return not isinstance(numbers, Value) and as_float(numbers) is None


def _listed(name: str, what: str, numbers: Any) -> list[Any]:
    if not _is_list(numbers):
        return [numbers]
    if isinstance(numbers, (str, bytes)) or not hasattr(numbers, "__iter__"):
        raise TypeError(f"{name}: the {what} is {numbers!r}; give a number, a Value or a list of them")
    listed = list(numbers)
    if not NUMBERS.issuperset(map(type, listed)):
        for index, x in enumerate(listed):
            if comparable(x) is None:
                raise TypeError(f"{name}: {what}[{index}] is {x!r}, a {type(x).__name__}; give a number or a Value")
    return listed


def _paired(name: str, output: Any, target: Any) -> list[tuple[Any, Any]]:
    outputs, targets = _listed(name, "output", output), _listed(name, "target", target)
    if len(outputs) != len(targets) or not outputs:
        raise ValueError(f"{name}: {len(outputs)} outputs need as many targets, at least 1; got {len(targets)}")
    return list(zip(outputs, targets, strict=True))


def _squares(name: str, output: Any, target: Any) -> list[Any]:
    differences = [y - d for y, d in _paired(name, output, target)]
    return [difference * difference for difference in differences]


def _chosen(name: str, output: Any, target: Any, choices: tuple[float, float]) -> list[tuple[Any, float]]:
    pairs = _paired(name, output, target)
    for index, (_, d) in enumerate(pairs):
        # One comparison for both choices, so that a recorded program has no branch for each.
        if comparable(d) is None or (d - choices[0]) * (d - choices[1]) != 0.0:
            raise ValueError(f"{name}: target[{index}] is {d!r}; it must be {choices[0]:g} or {choices[1]:g}")
    return pairs


def _probability(name: str, what: str, x: Any) -> Any:
    if comparable(x) is None:
        raise TypeError(f"{name}: {what} is {x!r}; give a number in [0, 1]")
    # A Value is compared itself, so that recorded programs compare as well.
    if not 0.0 <= x <= 1.0:
        raise ValueError(f"{name}: {what} is {_number(x)!r}{_at(x)}; it must be in [0, 1]")
    return x


def _number(x: Any) -> float:
    number = comparable(x)
    return math.nan if number is None else number


def _at(x: Any) -> str:
    label = getattr(x, "label", "")
    return f', at "{label}"' if label else ""


def _probabilities(name: str, output: Any, target: Any) -> list[tuple[Any, Any]]:
    return [
        (_probability(name, f"output[{index}]", y), _target(name, index, d))
        for index, (y, d) in enumerate(_paired(name, output, target))
    ]


def _target(name: str, index: int, d: Any) -> Any:
    d = _probability(name, f"target[{index}]", d)
    return d if isinstance(d, Value) else as_float(d)


def _distribution(name: str, outputs: Sequence[Any], target: Any) -> Sequence[Any]:
    """Return the target as a list of probabilities: a class's number becomes one 1 among zeros."""
    count = len(outputs)
    if _is_list(target):
        targets = [_target(name, i, d) for i, d in enumerate(_listed(name, "target", target))]
        added = _sum(targets) if targets else 0.0
        if len(targets) == count and abs(added - 1.0) > 1e-9:
            raise ValueError(f"{name}: the target's probabilities add up to {_number(added)!r}, not 1")
        return targets
    if comparable(target) is None or not 0.0 <= target <= count - 1 or target != floor(target):
        raise ValueError(f"{name}: the target {target!r} is not a class of {count}; give 0 to {count - 1}, or a list")
    if isinstance(target, Value):
        return [select(target - float(i), 0.0, 1.0) for i in range(count)]
    return [1.0 if i == target else 0.0 for i in range(count)]


def _bernoulli(name: str, y: Any, d: Any) -> list[Any]:
    """Return the terms of d log y + (1 − d) log(1 − y)."""
    return _weighted(d, _log(name, d, y)) + _weighted(1 - d, _log(name, 1 - d, y, opposite=True))


def _weighted(weight: Any, factor: Any) -> list[Any]:
    """Return weight · factor as a list of one term; of none for the plain weight 0, or without a factor."""
    if factor is None or _is_plain(weight, 0.0):
        return []
    return [factor if _is_plain(weight, 1.0) else weight * factor]


def _is_plain(x: Any, number: float) -> bool:
    return not isinstance(x, Value) and x == number


def _finite_or_unused(factor: Any, weight: Any) -> Any:
    """Return the factor, or 0 if it is infinite and its weight is 0. It is a choice, and no branch of a recording."""
    if not isinstance(weight, Value):
        return factor
    return select(factor - factor, select(weight, factor, 0.0), factor)  # ∞ − ∞ is nan, which is not 0


def _log(name: str, weight: Any, y: Any, opposite: bool = False) -> Any:
    """Return log y, or log(1 − y); None if the weight is 0 and the logarithm is not needed or infinite."""
    if _is_plain(weight, 0.0):
        return None
    if y == (1.0 if opposite else 0.0):
        if weight == 0.0:
            return None
        raise ValueError(
            f"{name}: the output is {_number(y)!r}{_at(y)} but the target is not, so the loss is infinite; "
            "give the numbers before the sigmoid or softmax to a loss with_logits"
        )
    return log1p(-y) if opposite else log(y)


def _relative(name: str, y: Any, d: Any) -> list[Any]:
    """Return d log(d / y) as a list of one term; of none if d is 0."""
    logarithm = _log(name, d, y)
    return [] if logarithm is None else _weighted(d, _log_target(d) - logarithm)


def _log_target(d: Any) -> Any:
    """Return log d, and 0 for d = 0, which it is multiplied by."""
    return log(select(d, d, 1.0))


def _sum(terms: Sequence[Any]) -> Any:
    return total(terms) if len(terms) > 1 else terms[0]
