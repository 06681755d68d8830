"""The eval `lse`: log Σ exp(xᵢ), with the largest x taken out of the sum."""

import scalargrad as sg

from .recorded import prepared, total


def lse(x):
    """max x + log Σ exp(xᵢ − max x)."""
    return shifted(x, sg.max(x))


def shifted(x, highest):
    """Compute the sum with any number in the place of max x: it cancels, and so do its derivatives."""
    return highest + sg.log(total(lambda a, h: sg.exp(a - h), in_axes=(0, None))(x, highest))


def gradient(x):
    """The derivatives by x."""
    return sg.grad(shifted)(x, sg.max(x))


FUNCTIONS = {
    "primal": lambda given: prepared(lse, given["x"]),
    "gradient": lambda given: prepared(gradient, given["x"]),
}
