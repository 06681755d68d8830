"""The eval `lse`: log Σ exp(xᵢ), with the largest x taken out of the sum.

It runs eagerly: with a maximum over all x and a derivative by each of them, recording costs more than it saves.
"""

import scalargrad as sg


def lse(x):
    """max x + log Σ exp(xᵢ − max x): the maximum cancels, and so do its derivatives."""
    highest = sg.stop_gradient(sg.max(x))
    return highest + sg.log(sg.sum([sg.exp(a - highest) for a in x]))


FUNCTIONS = {
    "primal": lambda given: lambda: lse(given["x"]),
    "gradient": lambda given: lambda: sg.grad(lse)(given["x"]),
}
