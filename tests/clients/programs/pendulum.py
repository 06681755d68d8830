"""A double pendulum by a Runge–Kutta method whose stages are rows of a buffer."""

import numpy as np

START = [[0.9, -0.4, 1.3, 0.7], [2.0, 1.0, 0.8, 1.2]]
TABLEAU = np.array([[0, 0, 0, 0], [0.5, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 1, 0]])
WEIGHTS = np.array([1, 2, 2, 1]) / 6


def rate(state, length, mass):
    a, b, wa, wb = state
    d = a - b
    den = 1 + mass * np.sin(d) ** 2
    out = np.empty(4)
    out[0], out[1] = wa, wb
    out[2] = (
        mass * np.sin(d) * (9.81 * np.cos(b) - length * wb**2 - wa**2 * np.cos(d)) - 9.81 * (1 + mass) * np.sin(a)
    ) / den
    out[3] = ((1 + mass) * (wa**2 - 9.81 * np.cos(a)) * np.sin(d) + mass * wb**2 * length * np.sin(d) * np.cos(d)) / den
    return out


def run(parameters):
    state = np.zeros(4)
    state[:2] = parameters[:2]
    length, mass = parameters[2:]
    path = np.zeros((6, 4))
    for n in range(6):
        stages = np.zeros((4, 4))
        for i in range(4):
            stages[i] = rate(state + 0.02 * np.dot(TABLEAU[i], stages), length, mass)
        state += 0.02 * WEIGHTS @ stages
        path[n] = state
    return np.sum(path[:, :2] ** 2) + np.max(np.abs(path[:, 2]))
