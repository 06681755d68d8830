"""The eval `llsq`: a polynomial is fitted to the sign function on [−1, 1] by least squares."""

import scalargrad as sg

from .recorded import prepared, total


def objective(count):
    """The function of the coefficients x: ½ Σ (sᵢ − Σ xⱼ tᵢʲ)², at that many points t from −1 to 1."""
    points = [-1.0 + 2.0 * i / (count - 1) for i in range(count)]

    return lambda x: 0.5 * total(squared_error, (0, None))(points, x)


def squared_error(t, x):
    """(s − Σ xⱼ tʲ)²."""
    difference = sg.sign(t) - sg.dot(x, powers(t, len(x)))
    return difference * difference


def powers(t, count):
    """1, t, t², …"""
    result = [1.0]
    while len(result) < count:
        result.append(result[-1] * t)
    return result


FUNCTIONS = {
    "primal": lambda given: prepared(objective(given["n"]), given["x"]),
    "gradient": lambda given: prepared(sg.grad(objective(given["n"])), given["x"]),
}
