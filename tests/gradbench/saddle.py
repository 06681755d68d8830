"""The eval `saddle`: min over x of max over y of (x₁² + y₁²) − (x₂² + y₂²), by nested gradient descent."""

from .descent import argmax, argmin, variants


def saddle(given, outer, inner):
    """The saddle point, x and y in one list: the search for x by `outer` holds one for y by `inner`."""
    start = given["start"]

    def height(x, y):
        return (x[0] * x[0] + x[1] * x[1]) - (y[0] * y[0] + y[1] * y[1])

    def highest(x):
        return height(x, argmax(lambda y: height(x, y), start, inner))

    x = argmin(highest, start, outer)
    return [*x, *argmax(lambda y: height(x, y), start, inner)]


FUNCTIONS = variants(saddle)
