"""`train`, the loop over epochs, and its checks."""

from __future__ import annotations

import importlib
import os
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..checks import function_of, list_of, number_of, size_of
from ..nn import Module
from ..nn.initializers import generator
from ..optim import Optimizer
from .history import History
from .run import Instance, Run

__all__ = ["train"]


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
    checkpoint: str | os.PathLike[str] | None = None,
) -> History:
    """Minimise Loss = 1/T Σ Div(model(x), d) over the data, a sequence of pairs (x, d), and return the history.

    An epoch visits each instance once: all in one step (`batch_size=None`, batch gradient descent), one for each
    step (1, stochastic), or `batch_size` of them (mini-batches); `rng` shuffles them, except for full batches. In a
    step the instances' gradients accumulate, then the optimiser moves its parameters. The training ends after
    `epochs`, when the loss of an epoch differs from the last one's by less than `tolerance`, or at Ctrl-C, which
    keeps all whole steps. The layers of a module that use random numbers, such as `nn.Dropout`, get new ones for each
    instance.

    `penalty()` is added to the loss of every step, say `lambda: 1e-4 * sg.dot(ps, ps)`; `on_step(k, loss)` is
    called after step k, from 1; `progress` shows a bar by tqdm; `trajectory` keeps the parameters of every step.
    With `jit`, model and loss are recorded once and run as one program over the instances of a step.

    `checkpoint` is the path of a file that keeps the parameters, the optimiser's state and options, the random
    numbers and the history. It is written every 10 seconds and at the end, however the training ends. If the file is
    there at the start, the training goes on from it, to the same bits as without a break. The optimiser's options and
    the random numbers are then those of the file; `epochs` and `tolerance` may change.

    Raises `NotFiniteError` if a loss or gradient turns nan or infinite, with the step, the instance and the
    parameter, and leaves the parameters as before that step; `ValueError` for no data, sizes below 1, a negative
    tolerance, or a checkpoint that is damaged or of another training; `TypeError` if the loss does not depend on a
    Value; `ModuleNotFoundError` for `progress` without tqdm.
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
    size_of("train", "epochs", epochs)
    size = len(instances) if batch_size is None else size_of("train", "batch_size", batch_size)
    number_of("train", "tolerance", tolerance, 0.0)
    _check(model, loss, optimizer, on_step, penalty)
    if isinstance(model, Module):
        model.parameters()  # refuses a parameter that was replaced
    run = Run(model, loss, instances, optimizer, size, generator("train", rng), jit)
    run.penalty, run.on_step, run.trajectory = penalty, on_step, trajectory
    run.begin(checkpoint)
    bar = _bar(epochs) if progress else None
    try:
        for epoch in range(epochs):
            run.epoch(epoch)
            losses = run.history.losses[: epoch + 1]
            if bar is not None:
                bar.update()
                bar.set_postfix(loss=f"{losses[-1]:.4g}")
            if _settled(losses, tolerance):
                run.history.stopped = "tolerance"
                break
    except KeyboardInterrupt:
        run.history.stopped = "interrupted"
    finally:
        optimizer.zero_grad()
        run.end()
        if bar is not None:
            bar.close()
    return run.history


def _instances(data: Iterable[Instance]) -> list[Instance]:
    instances = list_of("train", "data", data, "a sequence of pairs (input, target)")
    if not instances:
        raise ValueError("train: there are no data; give a sequence of pairs (input, target)")
    for index, instance in enumerate(instances):
        if not isinstance(instance, (tuple, list)) or len(instance) != 2:
            raise ValueError(f"train: instance {index} is {instance!r:.60}; give pairs (input, target)")
    return instances


def _check(model: Any, loss: Any, optimizer: Any, on_step: Any, penalty: Any) -> None:
    function_of("train", "model", model, "an nn.Module, or a function of an input")
    function_of("train", "loss", loss, "a function of output and target, such as nn.quadratic")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"train: optimizer is {optimizer!r:.60}; give one, such as optim.Adam(model.parameters())")
    if on_step is not None:
        function_of("train", "on_step", on_step, "a function of the step's number and loss")
    if penalty is not None:
        function_of("train", "penalty", penalty, "a function without parameters")


def _settled(losses: Sequence[float], tolerance: float) -> bool:
    return len(losses) > 1 and abs(losses[-1] - losses[-2]) < tolerance


def _bar(epochs: int) -> Any:
    try:
        tqdm = importlib.import_module("tqdm")
    except ModuleNotFoundError:
        raise ModuleNotFoundError("train: progress needs the package tqdm: pip install tqdm") from None
    return tqdm.tqdm(total=epochs, unit="epoch")
