"""The eval `saddle`: min over x of max over y of (x₁² + y₁²) − (x₂² + y₂²), by nested gradient descent."""

from .descent import argmax, argmin, variants
from .recorded import recorded


def height(x, y):
    """The function whose saddle point is sought."""
    return (x[0] * x[0] + x[1] * x[1]) - (y[0] * y[0] + y[1] * y[1])


def saddle(given, outer, inner):
    """The saddle point, x and y in one list: the search for x by `outer` holds one for y by `inner`."""
    start = given["start"]
    slope = recorded(lambda x, y: inner(lambda z: height(x, z))(y), (start, start))

    def top(x):
        return argmax(lambda y: height(x, y), lambda y: slope(x, y), start)

    def highest(x):
        return height(x, top(x))

    x = argmin(highest, outer(highest), start)
    return [*x, *top(x)]


FUNCTIONS = variants(saddle)
