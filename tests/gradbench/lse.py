"""The eval `lse`: log Σ exp(xᵢ), with the largest x taken out of the sum."""

import scalargrad as sg

from .recorded import prepared, total


def lse(x):
    """max x + log Σ exp(xᵢ − max x): the maximum cancels, and so do its derivatives."""
    highest = sg.stop_gradient(sg.max(x))
    return highest + sg.log(total(lambda a, shift: sg.exp(a - shift), (0, None))(x, highest))


FUNCTIONS = {
    "primal": lambda given: prepared(lse, given["x"]),
    "gradient": lambda given: prepared(sg.grad(lse), given["x"]),
}
