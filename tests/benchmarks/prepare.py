"""Preparation: the first call beside those that follow, in CPU time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .harness import compare
from .preparations import tasks
from .tools import OURS

TITLE = "Preparation: CPU seconds of the first call, and CPU time of those that follow"
ABOUT = """In brackets the CPU seconds of the first call: recording, differentiating, compiling and one run, of all
threads of the process. Before it the CPU time of one call more. The functions are plain Python with loops
(`tests/benchmarks/preparations.py`). Ours are recorded as they are written, by the best back end; CasADi's are graphs
of scalars (`SX`) that its virtual machine runs; JAX's are arrays, or `scan` for a loop over time. The results of a
row agree to 10⁻⁸ of the largest number.
"""
COMPARED = (OURS, "casadi", "jax")
LIMIT = 100.0


def measure(tools: Sequence[str], names: Sequence[str] | None = None) -> dict[str, Any]:
    """One table, with a row for each function and derivative."""
    rows = {
        name: compare(tools, limit=LIMIT, mode="prepared", name=name, clock="process_time") for name in names or tasks()
    }
    table = {"title": "function: derivative", "unit": "µs", "scale": 1e6, "columns": [*tools], "rows": rows}
    return {"tables": {"prepare": table}}
