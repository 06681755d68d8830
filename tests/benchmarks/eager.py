"""Build the graph and differentiate it, every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .harness import compare
from .workloads import count_ops, make

TITLE = "Eager: build the graph and differentiate it, every time"
UNITS = {"chain": "ns/op", "formula": "µs", "moons": "s"}


def measure(tools: Sequence[str]) -> dict[str, Any]:
    """A table per workload."""
    tables = {}
    for name, unit in UNITS.items():
        ops = count_ops(make(name))
        tables[name] = {
            "title": f"{name}, {ops:,} ops",
            "unit": unit,
            "scale": {"ns/op": 1e9 / ops, "µs": 1e6, "s": 1.0}[unit],
            "tools": compare(tools, mode="eager", workload=name),
        }
    return {"tables": tables}
