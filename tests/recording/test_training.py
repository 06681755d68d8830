"""Networks of `nn` train through recorded programs as they do in eager code."""

from __future__ import annotations

import random
from typing import Any

import pytest

import scalargrad as sg
from scalargrad import nn, optim, training

from .helpers import BACKENDS

RNG = random.Random(0)
POINTS = [[RNG.uniform(-1, 1), RNG.uniform(-1, 1)] for _ in range(20)]
TARGETS = [1.0 if x * y > 0 else -1.0 for x, y in POINTS]


def fresh() -> Any:
    model = nn.MLP(2, [6, 1])
    rng = random.Random(5)
    for parameter in model.parameters():
        parameter.data = rng.uniform(-1, 1)
    return model


def eager_losses() -> list[float]:
    model = fresh()
    data = list(zip(POINTS, TARGETS, strict=True))
    return training.train(model, nn.quadratic, data, optim.SGD(model.parameters(), lr=0.1), epochs=8).losses


@pytest.mark.parametrize("backend", BACKENDS)
def test_train_takes_a_jitted_model(backend: str) -> None:
    model = fresh()
    data = list(zip(POINTS, TARGETS, strict=True))
    jitted = sg.jit(model, backend=backend)
    history = training.train(jitted, nn.quadratic, data, optim.SGD(model.parameters(), lr=0.1), epochs=8)
    assert history.losses == pytest.approx(eager_losses(), rel=1e-12)
    assert jitted.stats["eager_runs"] == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recorded_loss_of_a_whole_batch_trains_the_model_that_it_closes_over(backend: str) -> None:
    model = fresh()
    loss = sg.jit(sg.batch_mean(lambda x, t: nn.quadratic(model(x), t)), backend=backend)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(8):
        for parameter in model.parameters():
            parameter.grad = 0.0
        out = loss(POINTS, TARGETS)
        out.backward()
        losses.append(out.data)
        optimizer.step()
    assert losses == pytest.approx(eager_losses(), rel=1e-12)
    assert loss.stats == {"recordings": 1, "runs": 8, "guard_failures": 0, "eager_runs": 0}
