"""casadi's SX: a graph that is built in C++, rebuilt each time where no program is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import casadi

from ..networks import LOSSES, Network
from ..preparations import Task, scan
from ..workloads import Workload

VERSION_OF = "casadi"


class M:
    sin, cos, exp, log, tanh = casadi.sin, casadi.cos, casadi.exp, casadi.log, casadi.tanh
    sqrt, maximum, scan = casadi.sqrt, casadi.fmax, staticmethod(scan)

    @staticmethod
    def relu(x: Any) -> Any:
        return casadi.fmax(x, 0.0)


def record(workload: Workload) -> tuple[Any, Any, Sequence[float]]:
    x = casadi.SX.sym("x", len(workload.inputs))
    return x, workload.function(M, casadi.vertsplit(x)), workload.inputs


def _program(x: Any, out: Any) -> Any:
    return casadi.Function("f", [x], [casadi.vertcat(out, casadi.gradient(out, x))])


def sweep(recorded: tuple[Any, Any, Sequence[float]]) -> list[float]:
    x, out, inputs = recorded
    return _program(x, out)(inputs).full().ravel().tolist()


def compile(workload: Workload) -> Callable[[Sequence[float]], list[float]]:
    import numpy as np

    x, out, _ = record(workload)
    program = _program(x, out)
    point, result = np.zeros(len(workload.inputs)), np.zeros(len(workload.inputs) + 1)
    buffer, evaluate = program.buffer()
    buffer.set_arg(0, memoryview(point))
    buffer.set_res(0, memoryview(result))

    def run(values: Sequence[float], owners: Any = (program, buffer)) -> list[float]:  # `evaluate` keeps neither
        point[:] = values
        evaluate()
        return result.tolist()

    return run


def compile_batch(workload: Workload, points: Any) -> Callable[[], Any]:
    x, out, _ = record(workload)
    mapped = _program(x, out).map(len(points))
    columns = casadi.DM(points.T)
    return lambda: mapped(columns).full().T


def train(network: Network) -> Callable[[], list[float]]:
    """A program for one instance, mapped over a batch and summed."""
    import numpy as np

    start = np.array(network.parameters)
    batches = [(casadi.DM(x.T), casadi.DM(d.T)) for x, d in network.array_batches()]
    p = casadi.SX.sym("p", len(start))
    x, d = (casadi.SX.sym(name, size) for name, size in (("x", network.sizes[0]), ("d", network.sizes[-1])))
    outputs = network.outputs(M, network.layers(casadi.vertsplit(p)), casadi.vertsplit(x))
    loss = LOSSES[network.loss](M, outputs, casadi.vertsplit(d))
    instance = casadi.Function("f", [p, x, d], [casadi.vertcat(loss, casadi.gradient(loss, p))])
    program = instance.map("mapped", "serial", network.batch, [0], [0])

    def run() -> list[float]:
        parameters, losses = start, []
        for batch in batches:
            loss, *gradient = program(parameters, *batch).full().ravel() / network.batch
            losses.append(float(loss + network.penalty * parameters @ parameters))
            parameters = parameters - network.rate * (np.array(gradient) + 2 * network.penalty * parameters)
        return [*losses, float(parameters.sum())]

    return run


def prepared(task: Task) -> Callable[[], list[float]]:
    """A program of scalars; over data it is mapped, and its results are summed."""
    import numpy as np

    x = casadi.SX.sym("x", len(task.inputs))
    z = [] if task.data is None else [casadi.SX.sym("z", len(task.data[0]))]
    out = task.function(M, casadi.vertsplit(x), *map(casadi.vertsplit, z))
    if task.kind == "gradient":
        found = casadi.vertcat(out, casadi.gradient(out, x))
    elif task.kind == "jacobian":
        found = casadi.jacobian(casadi.vertcat(*out), x).T  # a matrix is stored column after column
    else:
        found = casadi.hessian(out, x)[0]
    program = casadi.Function("f", [x, *z], [casadi.densify(found)])
    given, count = [np.array(task.inputs)], 1
    if task.data is not None:
        count = len(task.data)
        program = program.map("mapped", "serial", count, [0], [0])
        given.append(task.data)
    result = np.zeros(program.numel_out(0))
    buffer, evaluate = program.buffer()
    for i, array in enumerate(given):
        buffer.set_arg(i, memoryview(array.ravel()))
    buffer.set_res(0, memoryview(result))

    def run(owners: Any = (program, buffer, given)) -> list[float]:
        evaluate()
        return (result / count).tolist()

    return run
