"""One training: its steps, and the search for the cause of a number that is not finite."""

from __future__ import annotations

import contextlib
import math
import os
import random
from collections.abc import Callable, Sequence
from typing import Any

from .. import recording
from ..engine.value import Value
from ..nn import Module
from ..nn.noise import noise_layers, replaced
from ..optim import NotFiniteError, Optimizer
from ..rows import as_float
from .checkpoint import Checkpoint
from .history import History

__all__ = ["Instance", "Run"]

Instance = tuple[Any, Any]
Batch = Sequence[tuple[int, Any, Any, list[float]]]
"""The instances of a step, each with its index, input, target and random numbers."""


class Run:
    """A training: its parts, its history, and its steps."""

    penalty: Callable[[], Any] | None = None
    on_step: Callable[[int, float], Any] | None = None
    trajectory = False

    def __init__(
        self,
        model: Callable[[Any], Any],
        loss: Callable[[Any, Any], Any],
        instances: list[Instance],
        optimizer: Optimizer,
        size: int,
        rng: random.Random,
        jit: bool,
    ) -> None:
        self.model = model
        self.loss = loss
        self.instances = instances
        self.optimizer = optimizer
        self.size = size
        self.rng = rng
        self.noisy = noise_layers(model)
        self.mean_loss = recording.jit(recording.batch_mean(self.noisy_loss)) if jit else None
        self.history = History()
        self.first = optimizer.steps  # the optimiser's count before the first step
        self.pending = 0.0  # the loss of the step under way
        self.checked = False  # the parameters, after the first backward pass
        self.checkpoint: Checkpoint | None = None

    def begin(self, path: str | os.PathLike[str] | None) -> None:
        """Take up the training that a file has, if there is one, and keep this one in it."""
        if path is not None:
            generators = [self.rng, *(layer.rng for layer in self.noisy)]
            kind = {"instances": len(self.instances), "batch_size": self.size, "trajectory": self.trajectory}
            self.checkpoint = Checkpoint(path, self.optimizer, self.history, generators, kind)
        self.first = self.optimizer.steps - len(self.history.step_losses)
        self.keep()

    def end(self) -> None:
        """Complete the history and the checkpoint, however the training ended."""
        self.keep()
        if self.checkpoint is not None and self.history.step_losses:
            self.checkpoint.write()

    def epoch(self, epoch: int) -> None:
        """Make the steps of an epoch, from 0; of those that a checkpoint has, draw the random numbers alone."""
        order = list(range(len(self.instances)))
        if self.size < len(order):
            self.rng.shuffle(order)
        starts = range(0, len(order), self.size)
        losses = self.history.step_losses
        for number, start in enumerate(starts, epoch * len(starts) + 1):
            batch = [(i, *self.instances[i], self.noise()) for i in order[start : start + self.size]]
            if number > len(losses):
                self.step(number, batch)
        if epoch == len(self.history.losses):
            total = 0.0
            for start, loss in zip(starts, losses[epoch * len(starts) :], strict=True):
                total += loss * len(order[start : start + self.size])
            self.history.losses.append(total / len(order))

    def noise(self) -> list[float]:
        """Draw the random numbers of all layers for one instance."""
        return [number for layer in self.noisy for number in layer.sample()]

    def noisy_loss(self, x: Any, d: Any, numbers: Sequence[Any] = ()) -> Any:
        """Return the loss of one instance, with these random numbers in the layers that use some."""
        with replaced(self.noisy, numbers):
            return self.loss(self.model(x), d)

    def step(self, number: int, batch: Batch) -> None:
        """Make one step on the instances of a batch."""
        self.optimizer.zero_grad()
        self.pending = self.mean(number, batch) + self.penalise()
        if not self.checked:
            self.check_parameters()
        self.check_gradients(number, self.pending, batch)
        try:
            self.optimizer.step()
        except NotFiniteError as error:
            error.add_note(f"train: at step {number}; {self.suspect()}")
            raise
        self.keep()
        if self.on_step is not None:
            self.on_step(number, self.pending)
        if self.checkpoint is not None and self.checkpoint.is_due():
            self.checkpoint.write()

    def keep(self) -> None:
        """Add the optimiser's last step to the history, if it is not there yet."""
        steps = self.optimizer.steps - self.first
        if len(self.history.step_losses) < steps:
            self.history.step_losses.append(self.pending)
        if self.trajectory and len(self.history.trajectory) <= steps:
            self.history.trajectory.append([parameter.data for parameter in self.optimizer.parameters])

    def mean(self, number: int, batch: Batch) -> float:
        """Return the mean divergence of the instances, and add its gradient to the parameters'."""
        if self.mean_loss is not None:
            _, *columns = map(list, zip(*batch, strict=True))
            # If the program fails, eager code names the instance.
            with contextlib.suppress(ArithmeticError, ValueError):
                mean = self.mean_loss(*(columns if self.noisy else columns[:2]))
                if isinstance(mean, Value) and math.isfinite(mean.data):
                    mean.backward()
                    return mean.data
            self.optimizer.zero_grad()  # of what a part of a backward pass left
        total = 0.0
        for index, x, d, numbers in batch:
            divergence = self.divergence(number, index, x, d, numbers)
            divergence.backward(1.0 / len(batch))
            total += divergence.data
        return total / len(batch)

    def divergence(self, number: int, index: int, x: Any, d: Any, numbers: Sequence[float]) -> Value:
        """Return the divergence of one instance, a finite Value."""
        try:
            divergence = self.noisy_loss(x, d, numbers)
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
        """Return the penalty, and add its gradient to the parameters'."""
        term = 0.0 if self.penalty is None else self.penalty()
        if isinstance(term, Value):
            term.backward()
            return term.data
        number = as_float(term)
        if number is None:
            raise TypeError(f"train: penalty() is {term!r:.60}, a {type(term).__name__}; return a Value or a number")
        return number

    def check_parameters(self) -> None:
        """Refuse to train if parameters of the model were replaced by others since the optimiser was made."""
        self.checked = True
        if not isinstance(self.model, Module):
            return
        named = {id(parameter): name for name, parameter in self.model.named_parameters()}
        given = set(map(id, self.optimizer.parameters))
        missing = [name for key, name in named.items() if key not in given]
        idle = [p for p in self.optimizer.parameters if id(p) not in named and p.grad == 0.0]
        if missing and idle:
            raise ValueError(
                f"train: the optimiser has {len(idle)} parameters that the model does not use, and the model has "
                f"others, such as {missing[0]}: they were replaced; make the optimiser anew from model.parameters()"
            )

    def check_gradients(self, number: int, loss: float, batch: Batch) -> None:
        """Refuse a step with a gradient or loss that is not finite, and name the instance that it comes from."""
        parameters = self.optimizer.parameters
        if math.isfinite(loss) and math.isfinite(sum([parameter.grad for parameter in parameters])):
            return
        named = self.unfinite(lambda parameter: parameter.grad)
        if named is None and math.isfinite(loss):
            return  # only the sum overflowed
        for index, x, d, numbers in batch:
            self.optimizer.zero_grad()
            self.divergence(number, index, x, d, numbers).backward(1.0 / len(batch))
            found = self.unfinite(lambda parameter: parameter.grad)
            if found is not None:
                raise NotFiniteError(f"train: the gradient turned {found} at step {number}, instance {index}")
        raise NotFiniteError(
            f"train: the loss {loss} or the gradient {named} is not finite at step {number}, in its sum"
        )

    def unfinite(self, number: Callable[[Value], float]) -> str | None:
        """Return the first parameter whose number is not finite, as text; None if all are finite."""
        for index, parameter in enumerate(self.optimizer.parameters):
            if not math.isfinite(number(parameter)):
                return f"{number(parameter)} for {self.name(index)}"
        return None

    def suspect(self) -> str:
        """Describe the parameters behind a loss that is not finite."""
        found = self.unfinite(lambda parameter: parameter.data)
        return f"a parameter had turned {found}" if found else f"all parameters are finite, {self.largest()}"

    def largest(self) -> str:
        """Return the parameter of the largest size, as text."""
        parameters = self.optimizer.parameters
        index = max(range(len(parameters)), key=lambda i: abs(parameters[i].data))
        return f"the largest is {parameters[index].data} for {self.name(index)}"

    def name(self, index: int) -> str:
        """Return the name that a parameter of the optimiser has in the model, else its label or place."""
        parameter = self.optimizer.parameters[index]
        pairs = self.model.named_parameters() if isinstance(self.model, Module) else list[tuple[str, Value]]()
        names = {id(value): name for name, value in pairs}
        named = names.get(id(parameter), "")
        return f'"{named or parameter.label or f"parameter {index}"}"'
