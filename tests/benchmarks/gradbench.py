"""GradBench's evals: ours, recorded, compared with array code of PyTorch and JAX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.gradbench.answers import error
from tests.gradbench.protocol import EVALS

from .harness import Answers, compare
from .tools import OURS

TITLE = "GradBench: its evals, ours recorded, PyTorch and JAX on arrays"
COMPARED = (OURS, "torch", "jax")
TOLERANCE = 1e-8
SIZES: dict[str, dict[str, int]] = {
    "lse": {"n": 10_000},
    "llsq": {"n": 1024, "m": 128},
    "det": {"ell": 6},
    "ode": {"n": 100, "s": 10},
    "kmeans": {"k": 5, "n": 500, "d": 4},
    "gmm": {"d": 10, "k": 5, "n": 1000},
    "ba": {"n": 49, "m": 7776, "p": 10_000},
    "ht": {"count": 20},
    "lstm": {"layers": 2, "length": 64},
}


def measure(tools: Sequence[str], sizes: dict[str, dict[str, int]] | None = None) -> dict[str, Any]:
    """One table, with a row for each function of each eval."""
    rows = {}
    for module, size in (sizes or SIZES).items():
        text = ", ".join(f"{name}={number:,}" for name, number in size.items())
        for function in EVALS[module]:
            rows[f"{module} {function}, {text}"] = compare(
                tools, limit=300.0, judge=agreement, mode="gradbench", module=module, function=function, size=size
            )
    return {"tables": {"gradbench": {"title": "eval", "unit": "ms", "scale": 1e3, "columns": [*tools], "rows": rows}}}


def agreement(found: Answers) -> None:
    """Turn into a problem every answer that differs from ours by the suite's measure."""
    expected = next((answer["result"] for answer in found.values() if "result" in answer), [])
    for answer in found.values():
        result = answer.get("result", expected)
        if len(result) != len(expected) or not error(result, expected) <= TOLERANCE:
            answer["problem"] = "disagrees"
