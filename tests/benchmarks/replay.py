"""Record once, then value and gradient at one point after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .harness import compare
from .workloads import count_ops, make

TITLE = "Replay: record once, then value and gradient at one point after another"


def measure(tools: Sequence[str]) -> dict[str, Any]:
    """A table per program."""
    tables = {}
    for name in ("dag", "helm"):
        found = compare(tools, limit=300.0, mode="replay", workload=name)
        tables[name] = {
            "title": f"{name}, {count_ops(make(name)):,} ops",
            "unit": "µs/point",
            "scale": 1e6,
            "tools": found,
        }
    return {"tables": tables}
