"""The eval `lse`: log Σ exp(xᵢ), with the largest x taken out of the sum."""

import scalargrad as sg

from .recorded import prepared


def lse(x):
    """max x + log Σ exp(xᵢ − max x)."""
    highest = sg.max(x)
    return highest + sg.log(sg.sum([sg.exp(a - highest) for a in x]))


FUNCTIONS = {
    "primal": lambda given: prepared(lse, given["x"]),
    "gradient": lambda given: prepared(sg.grad(lse), given["x"]),
}
