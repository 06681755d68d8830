"""The memory of a graph, and the growth of time and memory with its size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .harness import Process, alone, disagreements
from .tools import BASE, OURS

TITLE = "Memory, and growth with the size of the graph"
STEPS = 100_000
SIZES = tuple(10**k for k in range(2, 8))
GROWN = (OURS, BASE, "xad")
PATIENCE = 4.0
"""The seconds that a tool may take for one size; it is not asked for a larger one after that."""


def measure(tools: Sequence[str]) -> dict[str, Any]:
    """A table of bytes, and a curve per tool."""
    found = {tool: alone(tool, 12.0, do="memory", workload="chain", size=STEPS) for tool in tools}
    disagreements(found)
    for answer in found.values():
        answer.pop("result", None)
    table = {"title": f"chain, {3 * STEPS:,} ops", "unit": "bytes/node", "tools": found}
    curves = {tool: growth(tool) for tool in tools if tool in GROWN}
    curves |= {f"{tool}, collector paused": growth(tool, paused=True) for tool in tools if tool == OURS}
    return {"tables": {"memory": table}, "curves": curves}


def growth(tool: str, paused: bool = False) -> list[dict[str, float]]:
    """The seconds and bytes of a chain of each size, as far as the tool gets."""
    points: list[dict[str, float]] = []
    for size in SIZES:
        steps = round(size / 3)
        with _process(tool, paused) as process:
            held = process.ask(20 * PATIENCE, do="memory", workload="chain", size=steps)
        if "problem" in held:
            break
        seconds = held["seconds"] if held["seconds"] > 2.0 else _fastest(tool, paused, steps)
        ops = held["ops"]
        points.append({"ops": ops, "seconds": seconds, "bytes": held["after"] * ops, "peak": held["peak"] * ops})
        if seconds > PATIENCE:
            break
    return points


def _process(tool: str, paused: bool) -> Process:
    process = Process(tool)
    if paused:
        process.ask(60.0, do="pause_collector")
    return process


def _fastest(tool: str, paused: bool, steps: int) -> float:
    with _process(tool, paused) as process:
        seconds: float = process.ask(60.0, do="prepare", mode="eager", workload="chain", size=steps)["seconds"]
        repeats = max(1, round(0.1 / seconds))
        return min(process.ask(60.0, do="time", repeats=repeats)["seconds"] for _ in range(5))


def exponent(points: Sequence[dict[str, float]], key: str) -> float:
    """The p of the power law c·nᵖ that fits the points best, by least squares of logarithms."""
    xs = [math.log(point["ops"]) for point in points]
    ys = [math.log(point[key]) for point in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return covariance / sum((x - mean_x) ** 2 for x in xs)


def evenness(points: Sequence[dict[str, float]], low: float = 900.0, high: float = 1.1e6) -> float:
    """The largest time per op over the smallest, for sizes from 10³ to 10⁶."""
    each = [point["seconds"] / point["ops"] for point in points if low < point["ops"] < high]
    return max(each) / min(each)
