"""Gradient descent by a derivative of either mode, for functions that contain such a descent themselves.

Source: Pearlmutter and Siskind, "Using Programming Language Theory to Make Automatic Differentiation Sound
and Efficient", 2008: its `multivariate-argmin`, with the same tolerances and steps.
"""

import scalargrad as sg


def reverse(f):
    """The gradient of a function of a list, by the reverse sweep."""
    return sg.grad(f)


def forward(f):
    """The gradient of a function of a list, by one forward sweep for each number of the list."""
    return lambda x: [sg.jvp(f, (x,), ([float(i == j) for j in range(len(x))],))[1] for i in range(len(x))]


MODES = {"f": forward, "r": reverse}


def variants(solve):
    """The functions ff, fr, rf and rr of an eval, from `solve(input, outer, inner)` with its two gradients."""

    def variant(outer, inner):
        return lambda given: lambda: solve(given, MODES[outer], MODES[inner])

    return {outer + inner: variant(outer, inner) for outer in MODES for inner in MODES}


def argmin(f, slope, x, tolerance=1e-5):
    """The list at which f, whose gradient is `slope`, is smallest, searched from x.

    The rate starts at 1e-5, doubles after ten steps in a row that went down, and is halved when one does not.
    The search ends where the slope, or the next step, is no longer than the tolerance.
    """
    value, direction, rate, successes = f(x), slope(x), 1e-5, 0
    while (size := length(direction)) > tolerance:
        if successes == 10:
            rate, successes = 2.0 * rate, 0
        if rate * size <= tolerance:
            break
        moved = [a - rate * b for a, b in zip(x, direction, strict=True)]
        below = f(moved)
        if below < value:
            x, value, direction, successes = moved, below, slope(moved), successes + 1
        else:
            rate, successes = 0.5 * rate, 0
    return x


def argmax(f, slope, x):
    """The list at which f is largest."""
    return argmin(lambda y: -f(y), lambda y: [-d for d in slope(y)], x)


def length(x):
    """The Euclidean length of a list."""
    return sg.sqrt(sg.dot(x, x))
