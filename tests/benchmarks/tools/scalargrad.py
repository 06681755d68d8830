"""Ours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import scalargrad as sg
from scalargrad import nn, optim

from ..networks import Instance, Network
from ..preparations import Task, scan
from ..workloads import Workload

VERSION = sg.__version__  # of the checkout, which need not be installed


def record(workload: Workload) -> tuple[list[Any], Any]:
    if workload.network:
        return _step(workload.network, workload.inputs, workload.batch)
    leaves = [sg.Value(x) for x in workload.inputs]
    return leaves, workload.function(sg, leaves)


def sweep(recorded: tuple[list[Any], Any]) -> list[float]:
    leaves, out = recorded
    out.backward()
    return [out.data, *(leaf.grad for leaf in leaves)]


def _step(network: Network, parameters: Sequence[float], batch: Sequence[Instance]) -> tuple[list[Any], Any]:
    model = _model(network)
    leaves = model.parameters()
    for leaf, x in zip(leaves, parameters, strict=True):
        leaf.data = x
    loss = sg.mean([NN_LOSSES[network.loss](model(x), d) for x, d in batch])
    return leaves, loss + network.penalty * sg.dot(leaves, leaves) if network.penalty else loss


def _model(network: Network) -> nn.MLP:
    return nn.MLP(network.sizes[0], network.sizes[1:], activation=getattr(sg, network.activation))


NN_LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "max_margin": nn.max_margin,
    "cross_entropy": nn.cross_entropy_with_logits,
    "squared_error": lambda y, d: 2 * nn.quadratic(y, d),
}


def train_eager(network: Network) -> Callable[[], list[float]]:
    """As `training.train` does it: a graph for each instance, whose gradients add up."""
    model = _model(network)
    parameters, start, batches = model.parameters(), network.parameters, network.batches()
    loss, penalty = NN_LOSSES[network.loss], network.penalty

    def run() -> list[float]:
        for parameter, x in zip(parameters, start, strict=True):
            parameter.data = x
        optimizer, losses = optim.SGD(parameters, lr=network.rate), []
        for batch in batches:
            optimizer.zero_grad()
            terms = [penalty * sg.dot(parameters, parameters)] if penalty else []
            for term in terms:
                term.backward()
            for x, d in batch:
                divergence = loss(model(x), d) / len(batch)
                divergence.backward()
                terms.append(divergence)
            losses.append(sum(term.data for term in terms))
            optimizer.step()
        return [*losses, sum(parameter.data for parameter in parameters)]

    return run


def train_jit(network: Network) -> Callable[[], list[float]]:
    """A recorded program of the loss and its gradient, bound to arrays."""
    import numpy as np

    start, batches = np.array(network.parameters), network.array_batches()
    bound = sg.jit(sg.value_and_grad(_objective(network))).bind(start, *batches[0])
    parameters, inputs, targets = bound.inputs

    def run() -> list[float]:
        parameters[:] = start
        losses = []
        for batch in batches:
            inputs[:], targets[:] = batch
            loss, gradient = bound()
            losses.append(float(loss))
            parameters[:] -= network.rate * gradient
        return [*losses, float(parameters.sum())]

    return run


def _objective(network: Network) -> Callable[[Any, Any, Any], Any]:
    activate, loss = getattr(sg, network.activation), NN_LOSSES[network.loss]

    def outputs(layers: Any, x: Any) -> Any:
        for layer in layers:
            sums = [sg.affine(weights, x, bias) for weights, bias in layer]
            x = sums if layer is layers[-1] else [activate(z) for z in sums]
        return x

    def objective(parameters: Any, inputs: Any, targets: Any) -> Any:
        layers = network.layers(parameters)
        mean = sg.batch_mean(lambda x, d: loss(outputs(layers, x), d))(inputs, targets)
        return mean + network.penalty * sg.dot(parameters, parameters) if network.penalty else mean

    return objective


def compile(workload: Workload) -> Callable[[Sequence[float]], Any]:
    program = sg.jit(sg.value_and_grad(lambda xs: workload.function(sg, xs)))

    def run(point: Sequence[float]) -> list[float]:
        value, gradient = program(point)
        return [value, *gradient]

    return run


def compile_batch(workload: Workload, points: Any) -> Callable[[], Any]:
    bound = sg.jit(sg.vmap(sg.value_and_grad(lambda xs: workload.function(sg, xs)))).bind(points)
    bound.inputs[0][...] = points
    return bound


def gradbench(module: str, function: str, given: Any) -> Callable[[], Any]:
    """As `tests.gradbench` answers it, recorded."""
    from tests.gradbench.protocol import EVALS

    return EVALS[module][function](given)


M = SimpleNamespace(sin=sg.sin, cos=sg.cos, exp=sg.exp, sqrt=sg.sqrt, maximum=sg.maximum, scan=scan)


def prepared(task: Task) -> Callable[[], Any]:
    """A recorded program; data is an array."""

    def over_data(x: Any, rows: Any) -> Any:
        return sg.batch_mean(lambda row: task.function(M, x, row))(rows)

    f = functools.partial(task.function, M) if task.data is None else over_data
    transforms: dict[str, Any] = {"gradient": sg.value_and_grad, "jacobian": sg.jacobian, "hessian": sg.hessian}
    program = sg.jit(transforms[task.kind](f))
    data = () if task.data is None else (task.data,)

    def run() -> list[float]:
        found = program(task.inputs, *data)
        return [found[0], *found[1]] if task.kind == "gradient" else [x for row in found for x in row]

    return run
