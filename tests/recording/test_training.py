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


@pytest.mark.parametrize("batch_size", [None, 8])
def test_train_records_model_and_loss(batch_size: int | None) -> None:
    losses = []
    for recorded in (False, True):
        model = fresh()
        data = list(zip(POINTS, TARGETS, strict=True))
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        penalty = lambda model=model: 1e-3 * sg.dot([*model.parameters()], [*model.parameters()])
        history = training.train(
            model, nn.quadratic, data, optimizer, batch_size, epochs=8, penalty=penalty, jit=recorded
        )
        losses.append(history.losses)
    assert losses[1] == pytest.approx(losses[0], rel=1e-12)


def test_train_names_the_instance_that_a_recorded_loss_fails_at() -> None:
    model = fresh()
    data = [*zip(POINTS[:3], TARGETS[:3], strict=True), ([1e300, -1e300], 1.0)]
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(training.NotFiniteError, match=r"the loss turned (inf|nan) at step 1, instance 3"):
        training.train(model, nn.quadratic, data, optimizer, jit=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recorded_loss_refuses_the_targets_that_eager_code_refuses(backend: str) -> None:
    outputs = [[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]]
    for loss, good, bad, message in [
        (nn.cross_entropy, [2, 1], [2, 3], "not a class of 3"),
        (nn.kl_divergence, [0, 1], [0, 0.5], "not a class of 3"),
        (nn.cross_entropy, [[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]], [[0.0, 1.0, 0.0], [0.5, 0.25, 0.0]], "add up to 0.75"),
        (nn.max_margin, [[1.0, -1.0, 1.0]] * 2, [[1.0, -1.0, 1.0], [1.0, 0.0, 1.0]], "must be -1 or 1"),
    ]:
        mean = sg.batch_mean(loss)
        recorded = sg.jit(mean, backend=backend)
        assert recorded(outputs, good) == pytest.approx(mean(outputs, good), rel=1e-14)
        assert recorded.stats == {"recordings": 1, "runs": 1, "guard_failures": 0, "eager_runs": 0}
        with pytest.raises(ValueError, match=message):
            mean(outputs, bad)
        with pytest.raises(ValueError, match=message):
            recorded(outputs, bad)


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


def trained(seen: Any, epochs: int, recorded: bool) -> tuple[Any, list[float]]:
    """The network of notebooks/train_digits.py and the losses of its epochs."""
    model = nn.MLP(64, [32, 10], activation=sg.tanh, output=sg.softmax, init=nn.glorot(), rng=0)
    optimizer = optim.Adam(model.parameters(), lr=optim.cosine(0.01, epochs * (len(seen) // 16 + 1), 0.0005))
    data = [(image.pixels, image.number) for image in seen]
    return model, training.train(model, nn.kl_divergence, data, optimizer, 16, epochs, jit=recorded).losses


@pytest.mark.slow
def test_ten_digits_are_learnt_through_a_recorded_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("llvmlite")
    digits = digits_script("digits.py", monkeypatch)
    seen, unseen = digits["split"](digits["load"]())
    assert trained(seen[:158], 3, True)[1] == pytest.approx(trained(seen[:158], 3, False)[1], rel=1e-9)
    model, losses = trained(seen, 20, True)
    frozen = model.frozen()
    assert losses[-1] < 0.05
    assert digits["accuracy"](lambda pixels: (p := frozen(pixels)).index(max(p)), unseen) >= 0.98
