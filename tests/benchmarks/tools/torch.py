"""PyTorch: a tensor without dimensions for each number, eagerly or compiled; networks on tensors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"  # what it compiles is compiled in this run

import numpy as np
import torch

from ..networks import Network
from ..workloads import Workload

VERSION_OF = "torch"

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


class M:
    sin, cos, exp, log = torch.sin, torch.cos, torch.exp, torch.log
    tanh, relu = torch.tanh, torch.relu


def record(workload: Workload) -> tuple[list[Any], Any]:
    leaves = [torch.tensor(x, requires_grad=True) for x in workload.inputs]
    return leaves, workload.function(M, leaves)


def sweep(recorded: tuple[list[Any], Any]) -> list[float]:
    leaves, out = recorded
    out.backward()
    return [out.item(), *(leaf.grad.item() for leaf in leaves)]


def compile(workload: Workload) -> Callable[[Sequence[float]], list[float]]:
    program = _compiled(workload)

    def run(point: Sequence[float]) -> list[float]:
        x = torch.tensor(point, requires_grad=True)
        value = program(x)
        (gradient,) = torch.autograd.grad(value, x)
        return [value.item(), *gradient.tolist()]

    return run


def compile_batch(workload: Workload, points: Any) -> Callable[[], Any]:
    program = _compiled(workload)
    columns = torch.tensor(points.T, requires_grad=True)  # a column holds one input of all points

    def run() -> Any:
        values = program(columns)
        (gradient,) = torch.autograd.grad(values.sum(), columns)
        return torch.vstack([values.detach()[None], gradient]).T.numpy()

    return run


def _compiled(workload: Workload) -> Callable[[Any], Any]:
    program: Callable[[Any], Any] = torch.compile(lambda x: workload.function(M, list(x)))
    return program


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "max_margin": lambda y, d: torch.relu(1 - d * y).mean(),
    "cross_entropy": torch.nn.functional.cross_entropy,
    "squared_error": lambda y, d: ((y - d) ** 2).sum(dim=1).mean(),
}


def train(network: Network) -> Callable[[], list[float]]:
    """On tensors, as its users write it."""
    start = [(torch.tensor(weights), torch.tensor(biases)) for weights, biases in network.arrays()]
    parameters = [torch.empty_like(x, requires_grad=True) for layer in start for x in layer]
    batches = [(torch.tensor(x), torch.tensor(d)) for x, d in network.array_batches()]
    activate, loss = getattr(M, network.activation), LOSSES[network.loss]

    def outputs(x: Any) -> Any:
        pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
        for weights, biases in pairs[:-1]:
            x = activate(torch.nn.functional.linear(x, weights, biases))
        return torch.nn.functional.linear(x, *pairs[-1])

    def run() -> list[float]:
        with torch.no_grad():
            for parameter, x in zip(parameters, (x for layer in start for x in layer), strict=True):
                parameter.copy_(x)
        optimizer, losses = torch.optim.SGD(parameters, lr=network.rate), []
        for x, d in batches:
            optimizer.zero_grad()
            total = loss(outputs(x), d)
            if network.penalty:
                total = total + network.penalty * sum((p * p).sum() for p in parameters)
            total.backward()
            optimizer.step()
            losses.append(total.item())
        return [*losses, sum(p.sum().item() for p in parameters)]

    return run


def gradbench(module: str, function: str, given: Any) -> Callable[[], Any]:
    """Tensor code of the eval's mathematics."""
    from .gradbench_arrays import EVALS

    return EVALS[module](SimpleNamespace(**ARRAYS), given)[function]


def _grad(f: Callable[..., Any]) -> Callable[..., Any]:
    def gradient(*tensors: Any) -> Any:
        leaves = [x.detach().requires_grad_() for x in tensors]
        return torch.autograd.grad(f(*leaves), leaves)

    return gradient


def _scan(f: Callable[[Any, Any], Any], carry: Any, rows: Any) -> Any:
    numbers = []
    for row in zip(*rows, strict=True):
        carry, number = f(carry, row)
        numbers.append(number)
    return torch.stack(numbers)


ARRAYS: dict[str, Any] = {
    **vars(torch),
    "array": lambda x: torch.as_tensor(np.array(x)),
    "numpy": lambda x: [part.numpy() for part in x] if isinstance(x, (tuple, list)) else x.numpy(),
    "transforms": torch.func,
    "jit": lambda f: f,
    "grad": _grad,
    "scan": _scan,
}
"""What `gradbench_arrays` asks of a library."""
