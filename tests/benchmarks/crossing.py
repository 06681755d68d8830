"""The width from which arrays are faster than scalars: training steps of networks of growing width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .harness import Answers, compare
from .networks import square
from .tools import OURS, ways

TITLE = "Crossing: the width of a network at which arrays pass our recorded program"
COMPARED = (OURS, "torch", "jax")
WIDTHS = (4, 8, 16, 32, 64, 128, 256)
BATCHES = (1, 100)


def measure(tools: Sequence[str], widths: Sequence[int] = WIDTHS, batches: Sequence[int] = BATCHES) -> dict[str, Any]:
    """A table per batch size, with a row for each width; its last row says where a peer passes ours."""
    compared = ways(tools, {OURS: ("jit",)})
    tables = {}
    for batch in batches:
        rows = {
            width: compare(compared, limit=300.0, mode="training", network="square", width=width, batch=batch)
            for width in widths
        }
        tables[f"batch {batch}"] = {
            "title": f"w → w → 1 tanh, batches of {batch:,}: width w",
            "unit": "µs/step",
            "scale": 1e6 / square(1, 1).steps,
            "columns": compared,
            "rows": {f"{width} ({width * width + 2 * width + 1:,} parameters)": found for width, found in rows.items()},
            "passes": {tool: passes(rows, compared[0], tool) for tool in compared[1:]},
        }
    return {"tables": tables}


def passes(rows: dict[int, Answers], ours: str, tool: str) -> float | None:
    """The width from which on the tool is faster than ours, on the line between two widths' logarithms."""
    found = None
    before: tuple[float, float] | None = None
    for width, answers in rows.items():
        if "problem" in answers[tool] or "problem" in answers[ours]:
            continue
        lead = math.log(answers[tool]["seconds"] / answers[ours]["seconds"])
        if lead >= 0:
            found = None
        elif found is None:
            share = before[1] / (before[1] - lead) if before else 1.0
            found = width * ((before[0] / width) ** (1 - share) if before else 1.0)
        before = (width, lead)
    return found
