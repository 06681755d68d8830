"""The eval `ode`: y₀′ = x₀ and yᵢ′ = xᵢ yᵢ₋₁ from y(0) = 0 to t = 2, by the classical Runge–Kutta method.

The README writes a sum over j for yᵢ′; the answers that the eval expects, and the original documentation at
https://cmpad.readthedocs.io/an_ode.html, have the one term.
"""

import scalargrad as sg

from .recorded import prepared

END = 2.0


def solution(steps):
    """The function of x: y at the end, after that many steps."""
    h = END / steps

    def solve(x):
        y = [0.0] * len(x)
        for _ in range(steps):
            k1 = slope(x, y)
            k2 = slope(x, along(y, k1, 0.5 * h))
            k3 = slope(x, along(y, k2, 0.5 * h))
            k4 = slope(x, along(y, k3, h))
            y = [
                a + h / 6.0 * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
                for a, b1, b2, b3, b4 in zip(y, k1, k2, k3, k4, strict=True)
            ]
        return y

    return solve


def slope(x, y):
    """The derivative y′."""
    return [x[0], *(a * b for a, b in zip(x[1:], y, strict=False))]


def along(y, direction, step):
    """y + step · direction."""
    return [a + step * b for a, b in zip(y, direction, strict=True)]


def last(steps):
    """The function of x: the last number of y at the end."""
    solve = solution(steps)
    return lambda x: solve(x)[-1]


FUNCTIONS = {
    "primal": lambda given: prepared(solution(given["s"]), given["x"]),
    "gradient": lambda given: prepared(sg.grad(last(given["s"])), given["x"]),
}
