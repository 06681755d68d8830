"""A process of its own for one tool: it reads a request per line, and answers with a line of JSON.

`{"do": NAME, …}` calls the function of that name here; what goes wrong is answered as `{"problem": …}`.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.gradbench.answers import numbers

from .networks import NETWORKS, Network
from .preparations import Task, tasks
from .workloads import count_ops, make, step

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "DRJIT_NUM_THREADS")


class Worker:
    """What a process answers to; `prepare` says what `time` repeats."""

    def __init__(self, name: str) -> None:
        self.tool = importlib.import_module(f"{__package__}.tools.{name}")
        self.run: Callable[[], Any] = lambda: None
        self.clock: Callable[[], float] = time.perf_counter

    def pause_collector(self) -> dict[str, Any]:
        """From now on the garbage collector of Python does not run by itself."""
        gc.disable()
        return {}

    def version(self) -> dict[str, Any]:
        return {"version": getattr(self.tool, "VERSION", "") or importlib.metadata.version(self.tool.VERSION_OF)}

    def prepare(self, mode: str, clock: str = "perf_counter", **task: Any) -> dict[str, Any]:
        """The results of a first run, and what it and its preparation took, by that clock of Python's `time`."""
        self.clock = getattr(time, clock)
        if mode == "prepared":
            task = {"task": tasks()[task["name"]]}  # to draw its data is no preparation
        start = self.clock()
        self.run = PREPARATIONS[mode](self.tool, **task)
        result = self.run()
        prepared = self.clock()
        self.run()
        return {
            "result": numbers(result) if mode == "gradbench" else digest(result),
            "preparation": prepared - start,
            "seconds": self.clock() - prepared,
        }

    def time(self, repeats: int) -> dict[str, Any]:
        """The seconds that one run takes, on average over the repeats."""
        run = self.run
        gc.collect()
        start = self.clock()
        for _ in range(repeats):
            run()
        return {"seconds": (self.clock() - start) / repeats}

    def memory(self, workload: str, size: int | None = None) -> dict[str, Any]:
        """Bytes of the process per op, and seconds: after recording, after the sweep, at the peak."""
        made = make(workload, size)
        self.tool.sweep(self.tool.record(make(workload, 10)))  # what the first use loads is not counted
        ops = count_ops(made)
        gc.collect()
        empty, start = resident(), time.perf_counter()
        recorded = self.tool.record(made)
        recording = time.perf_counter() - start
        before, start = resident(), time.perf_counter()
        result = self.tool.sweep(recorded)
        sweeping = time.perf_counter() - start
        return {
            "ops": ops,
            "result": digest(result),
            "before": (before - empty) / ops,
            "after": (resident() - empty) / ops,
            "peak": (peak() - empty) / ops,
            "seconds": recording + sweeping,
        }


def _eager(tool: Any, workload: str, size: int | None = None) -> Callable[[], Any]:
    made = make(workload, size)
    record, sweep = tool.record, tool.sweep
    return lambda: sweep(record(made))


def _replay(tool: Any, workload: str) -> Callable[[], Any]:
    made = make(workload)
    program = tool.compile(made)
    point = list(made.inputs)
    return lambda: program(point)


def _batch(tool: Any, workload: str, points: int) -> Callable[[], Any]:
    import numpy as np

    from .dag import WIDTH

    made = make(workload)
    factors = np.random.default_rng(7).uniform(1 - WIDTH, 1 + WIDTH, (points, len(made.inputs)))
    run: Callable[[], Any] = tool.compile_batch(made, factors * np.array(made.inputs))
    return run


def _training(tool: Any, network: str, way: str = "", **size: int) -> Callable[[], list[float]]:
    made = NETWORKS[network](**size)
    if not way and not hasattr(tool, "train"):
        return _training_of_numbers(tool, made)
    run: Callable[[], list[float]] = getattr(tool, f"train_{way}" if way else "train")(made)
    return run


def _training_of_numbers(tool: Any, network: Network) -> Callable[[], list[float]]:
    record, sweep, batches = tool.record, tool.sweep, network.batches()

    def run() -> list[float]:
        parameters, losses = network.parameters, []
        for batch in batches:
            loss, *gradient = sweep(record(step(network, parameters, batch)))
            parameters = [p - network.rate * g for p, g in zip(parameters, gradient, strict=True)]
            losses.append(loss)
        return [*losses, sum(parameters)]

    return run


def _gradbench(tool: Any, module: str, function: str, size: dict[str, int]) -> Callable[[], Any]:
    import numpy as np

    from tests.gradbench import inputs

    given = getattr(inputs, module)(np.random.default_rng(31337), **size)
    run: Callable[[], Any] = tool.gradbench(module, function, given)
    return run


def _prepared(tool: Any, task: Task) -> Callable[[], Any]:
    run: Callable[[], Any] = tool.prepared(task)
    return run


PREPARATIONS: dict[str, Callable[..., Callable[[], Any]]] = {
    "eager": _eager,
    "replay": _replay,
    "batch": _batch,
    "training": _training,
    "gradbench": _gradbench,
    "prepared": _prepared,
}


def digest(result: Any) -> list[float]:
    """What is compared of a result: of an array its first and last row and the mean of all rows.

    A tuple holds the columns of the array.
    """
    if isinstance(result, list):
        return [float(x) for x in result]
    if isinstance(result, tuple):
        import numpy as np

        result = np.column_stack(result)
    return [float(x) for row in (result[0], result[-1], result.mean(axis=0)) for x in row]


def resident() -> int:
    """The bytes of memory that this process holds now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def peak() -> int:
    """The most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    """What is sent back for a request."""
    try:
        answered: dict[str, Any] = getattr(worker, request.pop("do"))(**request)
        return answered
    except AttributeError as error:
        if error.obj is worker.tool:
            return {"problem": "does not offer this"}
        return {"problem": f"fails: {type(error).__name__}"}
    except Exception as error:
        return {"problem": f"fails: {type(error).__name__}"}


def main() -> None:
    """Answer requests until the input ends."""
    # What a tool prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    try:
        worker = Worker(sys.argv[1])
    except ImportError:
        worker = None  # type: ignore[assignment]
    for line in sys.stdin:
        reply = answer(worker, json.loads(line)) if worker else {"problem": "not installed"}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
