"""Graphs that several tests look at."""

import scalargrad as sg


def lecture(x: float = 1.0) -> sg.Value:
    """cos(sin(x²) + 3x²), each quantity named as the slides name it."""
    x = sg.Value(x, label="x")
    u = x**2
    v = sg.sin(u)
    w = 3 * u
    s = v + w
    J = sg.cos(s)
    sg.label({"u": u, "v": v, "w": w, "s": s, "J": J})
    return J
