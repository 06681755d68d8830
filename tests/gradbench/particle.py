"""The eval `particle`: a charge is steered to the origin by moving another one.

Its path is integrated by Euler's method until it crosses the x axis, a number of steps that depends on the
data; its acceleration is a gradient, and the steering another one around it.
"""

import scalargrad as sg

from .descent import argmin, variants
from .recorded import recorded

START = [0.0, 8.0]
STEP = 0.1


def potential(x, w):
    """The potential at x of the charges at (10, 0) and (10, 10 − w)."""
    return 1.0 / sg.hypot(x[0] - 10.0, x[1] - 10.0 + w) + 1.0 / sg.hypot(x[0] - 10.0, x[1])


def miss(w, slope):
    """The square of where the particle crosses the x axis; `slope(x, w)` is the potential's gradient."""
    position, velocity = START, [0.75, 0.0]
    while True:
        moved = along(position, velocity, STEP)
        if moved[1] <= 0:
            break
        velocity = along(velocity, slope(position, w), -STEP)
        position = moved
    crossing = along(position, velocity, -position[1] / velocity[1])
    return crossing[0] * crossing[0]


def along(x, direction, step):
    """x + step · direction."""
    return [a + step * b for a, b in zip(x, direction, strict=True)]


def steer(given, outer, inner):
    """The w for which the particle crosses the axis at the origin."""
    slope = recorded(lambda x, w: inner(lambda y: potential(y, w))(x), (START, given["w"]))
    missed = lambda ws: miss(ws[0], slope)
    (w,) = argmin(missed, outer(missed), [given["w"]])
    return w


FUNCTIONS = variants(steer)
