"""A program is plain data: the mean gradient of a loss over a data set, on a cluster of two processes.

Each worker loads its shards and runs the program; the cluster adds the sums up. A worker that dies in the
middle loses what it held, and the cluster computes it anew elsewhere.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import time
from typing import Any

import pytest

import scalargrad as sg
from scalargrad.recording.program import Program

pytest.importorskip("numpy")
distributed = pytest.importorskip("distributed")

SHARDS, ROWS, FEATURES = 8, 50, 3


def load(shard: int) -> tuple[list[list[float]], list[float]]:
    """A shard of the data set: here made up, elsewhere read from a file."""
    rng = random.Random(shard)
    X = [[rng.gauss(0, 1) for _ in range(FEATURES)] for _ in range(ROWS)]
    return X, [sum(x) + rng.gauss(0, 0.1) for x in X]


def loss(w: Any, X: Any, d: Any) -> Any:
    return sg.batch_mean(lambda w, x, t: sg.softplus((sg.affine(w, x, 0.1) - t) ** 2), in_axes=(None, 0, 0))(w, X, d)


@functools.cache
def ready(program: Program) -> Any:
    """The program, compiled once in each process."""
    return program.compile()


def shard_gradient(data: Any, program: Program, w: list[float], seconds: float) -> list[float]:
    X, d = data
    time.sleep(seconds)
    out = ready(program)([*w, *(x for row in X for x in row), *d])
    assert out is not None
    return out


def add(parts: list[list[float]]) -> list[float]:
    return [sum(column) for column in zip(*parts, strict=True)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_mean_gradient_on_a_cluster_equals_one_machine_s_though_a_worker_is_killed() -> None:
    w = [0.3, -0.2, 0.9]
    shards = [load(i) for i in range(SHARDS)]
    program = sg.jit(sg.value_and_grad(loss)).program(w, *shards[0])
    value, gradient = sg.value_and_grad(loss)(w, [x for X, _ in shards for x in X], [t for _, d in shards for t in d])
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        for kill in (False, True):
            data = client.map(load, range(SHARDS), pure=False)
            parts = client.map(shard_gradient, data, program=program, w=w, seconds=0.3 if kill else 0.0, pure=False)
            total = client.submit(add, parts, pure=False)
            if kill:
                time.sleep(0.7)
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
            found = [x / SHARDS for x in total.result(timeout=60)]
            assert found == pytest.approx([value, *gradient], rel=1e-12)
