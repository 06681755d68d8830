"""Speed through `nn`: a training step beside micrograd's in the same run, and frozen networks beside their models."""

import statistics
import time

import pytest

import scalargrad as sg
from scalargrad import nn

from .test_nn_tasks import moons

pytestmark = pytest.mark.slow


def seconds(*functions, times=5):
    """The median processor time of each, measured in turns."""
    spent = [[] for _ in functions]
    for _ in range(times):
        for function, times_of in zip(functions, spent, strict=True):
            start = time.process_time()
            function()
            times_of.append(time.process_time() - start)
    return [statistics.median(times_of) for times_of in spent]


def test_a_step_of_the_moons_takes_at_most_a_tenth_of_micrograds_and_gives_the_same_loss():
    micrograd = pytest.importorskip("micrograd.nn")
    from micrograd.engine import Value

    theirs, ours, data = micrograd.MLP(2, [16, 16, 1]), nn.MLP(2, [16, 16, 1]), moons()
    parameters = ours.parameters()
    for mine, other in zip(parameters, theirs.parameters(), strict=True):
        mine.data = other.data

    def their_step(rate=0.0):
        scores = [theirs([Value(x) for x in point]) for point, _ in data]
        losses = [(1 + -label * score).relu() for score, (_, label) in zip(scores, data, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in theirs.parameters())
        theirs.zero_grad()
        loss.backward()
        for p in theirs.parameters():
            p.data -= rate * p.grad
        return loss.data

    def our_step(rate=0.0):
        losses = [nn.max_margin(ours(point), label) for point, label in data]
        loss = sg.mean(losses) + 1e-4 * sg.dot(parameters, parameters)
        ours.zero_grad()
        loss.backward()
        for p in parameters:
            p.data -= rate * p.grad
        return loss.data

    for k in range(2):
        assert our_step(1.0 - 0.9 * k / 100) == pytest.approx(their_step(1.0 - 0.9 * k / 100), rel=1e-9)
    theirs_took, ours_took = seconds(their_step, our_step, times=3)
    print(f"moons: {ours_took:.4f} s a step, {ours_took / theirs_took:.3f} of micrograd's {theirs_took:.3f} s")
    assert ours_took / theirs_took <= 0.10


def test_frozen_networks_are_five_times_faster():
    model = nn.MLP(2, [16, 16, 1])
    frozen, points = model.frozen(), [point for point, _ in moons()]
    through_values, on_floats = seconds(
        lambda: [model(point) for point in points], lambda: [frozen(point) for point in points], times=15
    )
    print(f"frozen: {through_values / on_floats:.1f} times faster")
    assert through_values / on_floats >= 5.0
