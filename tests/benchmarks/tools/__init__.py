"""The tools that are compared: one module each, with what the tool offers of these functions.

- `VERSION_OF`: the name of its distribution, or its `VERSION`;
- `record(workload)`: what the tool leaves behind after computing the function at its inputs, and
  `sweep(recorded)`: `[value, *gradient]`, from that;
- `compile(workload)`: a function from a point to `[value, *gradient]`;
- `compile_batch(workload, points)`: a function of nothing that gives a row `value, *gradient` per point;
- `train(network)`: a function of nothing that trains a network on arrays, and gives `[*losses, sum of parameters]`;
  where it is missing but `record` is there, a graph of numbers is recorded for each step;
- `gradbench(module, function, given)`: a function of nothing that gives the answer of a GradBench eval;
- `prepared(task)`: a function of nothing that gives the derivative that the task asks for, as a list, row after row.

A module is imported in a process of its own; where its import fails, the tool is missing.
"""

from collections.abc import Iterable, Sequence

TOOLS = ("scalargrad", "gcc", "micrograd", "xad", "ddx", "casadi", "drjit", "autograd", "jax", "torch")
OURS = "scalargrad"
BASE = "micrograd"
"""The tool whose time is 1 in the ratios, where it takes part."""


def ways(tools: Iterable[str], offered: dict[str, Sequence[str]]) -> list[str]:
    """The tools, and instead of one that offers several ways `"tool, way"` for each."""
    return [f"{tool}, {way}" if way else tool for tool in tools for way in offered.get(tool, ("",))]
