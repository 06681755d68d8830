"""Steps of gradient descent on a network's parameters: loss, gradient and update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .harness import compare
from .networks import NETWORKS
from .tools import OURS, ways

TITLE = "Training: steps of gradient descent, loss, gradient and update"
SHAPES = {
    "moons": "2 → 16 → 16 → 1 relu, 100 points a step",
    "digits": "64 → 32 → 10 tanh, 16 images a step",
}


def measure(tools: Sequence[str]) -> dict[str, Any]:
    """A table per network."""
    tables = {}
    for name, shape in SHAPES.items():
        tables[name] = {
            "title": f"{name}, {shape}",
            "unit": "ms/step",
            "scale": 1e3 / NETWORKS[name]().steps,
            "tools": compare(ways(tools, {OURS: ("eager", "jit")}), limit=60.0, mode="training", network=name),
        }
    return {"tables": tables}
