"""Training: gradient descent on the mean divergence of a model's outputs from the targets."""

from __future__ import annotations

import contextlib
import importlib
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import recording
from .engine.value import Value
from .nn import Module
from .nn.initializers import generator
from .optim import NotFiniteError, Optimizer
from .rows import as_float

__all__ = ["History", "NotFiniteError", "train"]

Instance = tuple[Any, Any]


@dataclass
class History:
    """What training went through.

    `losses` has the loss of each epoch, `step_losses` that of each step, both as met on the way, before the
    step; `trajectory` the parameters before the first step and after each, where it was asked for. `stopped` says
    why it ended: "epochs", "tolerance" or "interrupted".
    """

    losses: list[float] = field(default_factory=list)
    step_losses: list[float] = field(default_factory=list)
    trajectory: list[list[float]] = field(default_factory=list)
    stopped: str = "epochs"


def train(
    model: Callable[[Any], Any],
    loss: Callable[[Any, Any], Any],
    data: Iterable[Instance],
    optimizer: Optimizer,
    batch_size: int | None = None,
    epochs: int = 100,
    tolerance: float = 0.0,
    rng: random.Random | int = 0,
    progress: bool = False,
    on_step: Callable[[int, float], Any] | None = None,
    *,
    penalty: Callable[[], Any] | None = None,
    trajectory: bool = False,
    jit: bool = False,
) -> History:
    """Minimise Loss = 1/T Σ Div(model(x), d) over the data, a sequence of pairs (x, d); give its history.

    An epoch visits all instances once: all in one step (`batch_size=None`, batch gradient descent), one for each
    step (1, stochastic), or so many (mini-batches); `rng` shuffles them, except for full batches. In a step the
    instances' gradients accumulate, then the optimiser moves its parameters. It ends after `epochs`, or when the
    loss of an epoch differs from the last one's by less than `tolerance`, or at Ctrl-C, keeping what was trained.

    `penalty()` is added to the loss of every step, say `lambda: 1e-4 * sg.dot(ps, ps)`; `on_step(k, loss)` is
    called after step k, from 1; `progress` shows a bar by tqdm; `trajectory` keeps the parameters of every step.
    With `jit`, model and loss are recorded once and run as one program over the instances of a step.

    Raises `NotFiniteError` where a loss or gradient turns nan or infinite, with the step, the instance and the
    parameter, leaving the parameters as before that step; `ValueError` for no data, sizes below 1 or a negative
    tolerance; `TypeError` where the loss does not depend on a Value; `ModuleNotFoundError` for `progress` without tqdm.
    Source: 11-785, "Training by BackProp"; "Derivation of Backpropagation", "Gradient Descent" to "Mini-Batch
    Gradient Descent".

    >>> import scalargrad as sg
    >>> from scalargrad import nn, optim
    >>> model = nn.MLP(1, [1])
    >>> data = [([x], 2 * x + 1) for x in (-1.0, 0.0, 1.0)]
    >>> history = train(model, nn.quadratic, data, optim.SGD(model.parameters(), lr=0.5), epochs=50)
    >>> [round(parameter.data, 3) for parameter in model.parameters()]
    [2.0, 1.0]
    """
    instances = _instances(data)
    _check(epochs, batch_size, tolerance)
    size = batch_size or len(instances)
    rng = generator("train", rng)
    mean_loss = recording.jit(recording.batch_mean(lambda x, d: loss(model(x), d))) if jit else None
    run = _Run(model, loss, mean_loss, optimizer, penalty, on_step, History(), trajectory)
    bar = _bar(epochs) if progress else None
    try:
        run.keep()
        for _ in range(epochs):
            order = list(range(len(instances)))
            if size < len(instances):
                rng.shuffle(order)
            total = 0.0
            for start in range(0, len(order), size):
                batch = order[start : start + size]
                total += run.step([(index, *instances[index]) for index in batch]) * len(batch)
            run.history.losses.append(total / len(order))
            if bar is not None:
                bar.update()
                bar.set_postfix(loss=f"{run.history.losses[-1]:.4g}")
            if _settled(run.history.losses, tolerance):
                run.history.stopped = "tolerance"
                break
    except KeyboardInterrupt:
        run.history.stopped = "interrupted"
    finally:
        optimizer.zero_grad()
        if bar is not None:
            bar.close()
    return run.history


@dataclass
class _Run:
    """One training: what a step needs."""

    model: Callable[[Any], Any]
    loss: Callable[[Any, Any], Any]
    mean_loss: Callable[[Any, Any], Any] | None  # both together over lists, recorded
    optimizer: Optimizer
    penalty: Callable[[], Any] | None
    on_step: Callable[[int, float], Any] | None
    history: History
    trajectory: bool

    def step(self, batch: Sequence[tuple[int, Any, Any]]) -> float:
        """One step on instances with their indices; their mean loss, with the penalty."""
        self.optimizer.zero_grad()
        number = len(self.history.step_losses) + 1
        loss = self.mean(number, batch) + self.penalise()
        self.check_gradients(number, loss, batch)
        self.optimizer.step()
        self.history.step_losses.append(loss)
        self.keep()
        if self.on_step is not None:
            self.on_step(number, loss)
        return loss

    def mean(self, number: int, batch: Sequence[tuple[int, Any, Any]]) -> float:
        """The mean divergence of the instances, its gradient added to the parameters'."""
        if self.mean_loss is not None:
            _, xs, ds = zip(*batch, strict=True)
            # Where the program fails, eager code names the instance.
            with contextlib.suppress(ArithmeticError, ValueError):
                mean = self.mean_loss(list(xs), list(ds))
                if isinstance(mean, Value) and math.isfinite(mean.data):
                    mean.backward()
                    return mean.data
        total = 0.0
        for index, x, d in batch:
            divergence = self.divergence(number, index, x, d)
            divergence.backward(1.0 / len(batch))
            total += divergence.data
        return total / len(batch)

    def divergence(self, number: int, index: int, x: Any, d: Any) -> Value:
        """The divergence of one instance, a finite Value."""
        try:
            divergence = self.loss(self.model(x), d)
        except (ArithmeticError, ValueError) as error:
            error.add_note(f"train: at step {number}, instance {index}; {self.suspect()}")
            raise
        if not isinstance(divergence, Value):
            raise TypeError(
                f"train: the loss of instance {index} is {divergence!r}, not a Value: it depends on no parameter"
            )
        if not math.isfinite(divergence.data):
            raise NotFiniteError(
                f"train: the loss turned {divergence.data} at step {number}, instance {index}; {self.suspect()}"
            )
        return divergence

    def penalise(self) -> float:
        """The penalty, its gradient added to the parameters'."""
        term = 0.0 if self.penalty is None else self.penalty()
        if isinstance(term, Value):
            term.backward()
            return term.data
        return float(term)

    def check_gradients(self, number: int, loss: float, batch: Sequence[tuple[int, Any, Any]]) -> None:
        """Refuse to step where a gradient or the loss is not finite, naming the instance that brought it."""
        parameters = self.optimizer.parameters
        if math.isfinite(loss) and math.isfinite(sum([parameter.grad for parameter in parameters])):
            return
        named = self.unfinite(lambda parameter: parameter.grad)
        if named is None and math.isfinite(loss):
            return  # only the sum overflowed
        for index, x, d in batch:
            self.optimizer.zero_grad()
            self.divergence(number, index, x, d).backward(1.0 / len(batch))
            found = self.unfinite(lambda parameter: parameter.grad)
            if found is not None:
                raise NotFiniteError(f"train: the gradient turned {found} at step {number}, instance {index}")
        raise NotFiniteError(
            f"train: the loss {loss} or the gradient {named} is not finite at step {number}, in its sum"
        )

    def unfinite(self, number: Callable[[Value], float]) -> str | None:
        """The first parameter whose number is not finite, as text; None where all are."""
        for index, parameter in enumerate(self.optimizer.parameters):
            if not math.isfinite(number(parameter)):
                return f"{number(parameter)} for {self.name(index)}"
        return None

    def suspect(self) -> str:
        """What is known of the parameters behind a loss that is not finite."""
        found = self.unfinite(lambda parameter: parameter.data)
        return f"a parameter had turned {found}" if found else f"all parameters are finite, {self.largest()}"

    def largest(self) -> str:
        """The parameter of the largest size, as text."""
        parameters = self.optimizer.parameters
        index = max(range(len(parameters)), key=lambda i: abs(parameters[i].data))
        return f"the largest is {parameters[index].data} for {self.name(index)}"

    def name(self, index: int) -> str:
        """The name of a parameter of the optimiser in the model, else its label or place."""
        parameter = self.optimizer.parameters[index]
        pairs = self.model.named_parameters() if isinstance(self.model, Module) else list[tuple[str, Value]]()
        names = {id(value): name for name, value in pairs}
        named = names.get(id(parameter), "")
        return f'"{named or parameter.label or f"parameter {index}"}"'

    def keep(self) -> None:
        """Add the parameters to the trajectory, where it was asked for."""
        if self.trajectory:
            self.history.trajectory.append([parameter.data for parameter in self.optimizer.parameters])


def _instances(data: Iterable[Instance]) -> list[Instance]:
    instances = list(data)
    if not instances:
        raise ValueError("train: there are no data; give a sequence of pairs (input, target)")
    for index, instance in enumerate(instances):
        if not isinstance(instance, (tuple, list)) or len(instance) != 2:
            raise ValueError(f"train: instance {index} is {instance!r:.60}; give pairs (input, target)")
    return instances


def _check(epochs: int, batch_size: int | None, tolerance: float) -> None:
    for name, size in (("epochs", epochs), ("batch_size", 1 if batch_size is None else batch_size)):
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"train: {name} is {size!r}; give a whole number of at least 1")
    number = as_float(tolerance)
    if number is None or not number >= 0.0:
        raise ValueError(f"train: tolerance is {tolerance!r}; give a number of at least 0")


def _settled(losses: Sequence[float], tolerance: float) -> bool:
    return len(losses) > 1 and abs(losses[-1] - losses[-2]) < tolerance


def _bar(epochs: int) -> Any:
    try:
        tqdm = importlib.import_module("tqdm")
    except ModuleNotFoundError:
        raise ModuleNotFoundError("train: progress needs the package tqdm: pip install tqdm") from None
    return tqdm.tqdm(total=epochs, unit="epoch")
