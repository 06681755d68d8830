"""Record once, then values and gradients at many points in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .harness import compare
from .workloads import count_ops, make

POINTS = 100_000
TITLE = f"Batch: record once, then values and gradients at {POINTS:,} points in one call"


def measure(tools: Sequence[str]) -> dict[str, Any]:
    """A table per program."""
    tables = {}
    for name in ("dag", "helm"):
        ops = count_ops(make(name))
        tables[name] = {
            "title": f"{name}, {ops:,} ops",
            "unit": "ns/op/point",
            "scale": 1e9 / POINTS / ops,
            "tools": compare(tools, limit=300.0, mode="batch", workload=name, points=POINTS),
        }
    return {"tables": tables}
