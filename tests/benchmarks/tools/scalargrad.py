"""Ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import scalargrad as sg

from ..workloads import LAYERS, PENALTY, Workload, two_moons
from . import MissingError

VERSION_OF = "scalargrad"


def record(workload: Workload) -> tuple[list[Any], Any]:
    if workload.name == "moons":
        return _moons(workload)
    leaves = [sg.Value(x) for x in workload.inputs]
    return leaves, workload.function(sg, leaves)


def sweep(recorded: tuple[list[Any], Any]) -> list[float]:
    leaves, out = recorded
    out.backward()
    return [out.data, *(leaf.grad for leaf in leaves)]


def _moons(workload: Workload) -> tuple[list[Any], Any]:
    try:
        from scalargrad import nn
    except ImportError:
        raise MissingError("no scalargrad.nn yet") from None
    model = nn.MLP(LAYERS[0], [*LAYERS[1:]], activation=sg.relu)
    parameters = list(model.parameters())
    for parameter, x in zip(parameters, workload.inputs, strict=True):
        parameter.data = x
    losses = [sg.relu(1 - label * model(point)) for point, label in two_moons(workload.points)]
    return parameters, sg.mean(losses) + PENALTY * sg.dot(parameters, parameters)


def compile(workload: Workload) -> Callable[[Sequence[float]], Any]:
    if not hasattr(sg, "jit"):
        raise MissingError("no scalargrad.jit yet")
    program = sg.jit(sg.value_and_grad(lambda xs: workload.function(sg, xs)))

    def run(point: Sequence[float]) -> list[float]:
        value, gradient = program(point)
        return [value, *gradient]

    return run


def compile_batch(workload: Workload, points: Any) -> Callable[[], Any]:
    if not hasattr(sg, "vmap"):
        raise MissingError("no scalargrad.vmap yet")
    import numpy as np

    program = sg.jit(sg.vmap(sg.value_and_grad(lambda xs: workload.function(sg, xs))))

    def run() -> Any:
        value, gradient = program(points)
        return np.column_stack([value, gradient])

    return run
