"""A ridge regression on features made with NumPy, scored on the points that it was not fitted to."""

import numpy as np

START = [[0.4, 1.2, 0.3], [0.9, 0.5, -0.6]]
X = np.linspace(-1.5, 1.5, 9)
Y = np.sin(2 * X) + 0.1 * np.cos(7 * X)


def features(x, width, shift):
    columns = [np.ones_like(x), x, np.exp(-((x - shift) ** 2) / width), np.where(x > shift, x - shift, 0.0)]
    return np.column_stack(columns)


def run(parameters):
    penalty, width, shift = parameters
    A = features(X[::2], width, shift)
    weights = np.linalg.solve(A.T @ A + penalty * np.eye(4), A.T @ Y[::2])
    error = Y[1::2] - features(X[1::2], width, shift) @ weights
    return np.sqrt(np.mean(error**2)) + 0.01 * np.abs(weights).sum() + np.interp(shift, X, Y)
