"""The eval `hello`: a square and its derivative."""

import scalargrad as sg


def square(x):
    """x²."""
    return x * x


FUNCTIONS = {
    "square": lambda x: lambda: square(x),
    "double": lambda x: lambda: sg.grad(square)(x),
}
