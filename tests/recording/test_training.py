"""Networks of `nn` train through recorded programs as they do in eager code."""

from __future__ import annotations

import random
import runpy
from pathlib import Path
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


def digits_script(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    notebooks = Path(__file__).parents[2] / "notebooks"
    monkeypatch.syspath_prepend(str(notebooks))
    return runpy.run_path(str(notebooks / name))


def trained(seen: Any, epochs: int, backend: str | None) -> tuple[Any, list[float]]:
    """The network of notebooks/train_digits.py and the losses of its epochs; without a back end in eager code."""
    model = nn.MLP(64, [32, 10], activation=sg.tanh, output=sg.softmax, init=nn.glorot(), rng=0)
    optimizer = optim.Adam(model.parameters(), lr=optim.cosine(0.01, epochs * (len(seen) // 16 + 1), 0.0005))
    X = [image.pixels for image in seen]
    D = [[float(image.number == k) for k in range(10)] for image in seen]
    loss = sg.batch_mean(lambda x, d: nn.kl_divergence(model(x), d))
    if backend is not None:
        loss = sg.jit(loss, backend=backend)
    rng = random.Random(0)
    losses = []
    for _ in range(epochs):
        order = list(range(len(seen)))
        rng.shuffle(order)
        total = 0.0
        for start in range(0, len(order), 16):
            batch = order[start : start + 16]
            optimizer.zero_grad()
            out = loss([X[i] for i in batch], [D[i] for i in batch])
            out.backward()
            optimizer.step()
            total += out.data * len(batch)
        losses.append(total / len(order))
    return model, losses


@pytest.mark.slow
def test_ten_digits_are_learnt_through_a_recorded_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("llvmlite")
    digits = digits_script("digits.py", monkeypatch)
    seen, unseen = digits["split"](digits["load"]())
    _, eager = trained(seen[:158], 3, None)
    _, recorded = trained(seen[:158], 3, "native")
    assert recorded == pytest.approx(eager, rel=1e-9)
    model, losses = trained(seen, 20, "native")
    frozen = model.frozen()
    assert losses[-1] < 0.05
    assert digits["accuracy"](lambda pixels: (p := frozen(pixels)).index(max(p)), unseen) >= 0.98
