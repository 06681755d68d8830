"""The tools that are compared: one module each, with what the tool offers of these functions.

- `VERSION_OF`: the name of its distribution;
- `record(workload)`: what the tool leaves behind after computing the function at its inputs, and
  `sweep(recorded)`: `[value, *gradient]`, from that;
- `compile(workload)`: a function from a point to `[value, *gradient]`;
- `compile_batch(workload, points)`: a function of nothing that gives a row `value, *gradient` per point;
- `train(...)`: see `training`.

A module is imported in a process of its own; where its import fails, the tool is missing.
"""

TOOLS = ("scalargrad", "gcc", "micrograd", "xad", "ddx", "casadi", "drjit", "autograd", "jax", "torch")
OURS = "scalargrad"
BASE = "micrograd"
"""The tool whose time is 1 in the ratios, where it takes part."""


class MissingError(Exception):
    """The tool is here, but it does not offer this, or not yet."""
