"""A natural cubic spline through a table: the tridiagonal system is solved in place, in lists."""

from bisect import bisect_right

START = [[0.3, 1.2, -0.4, 0.9, 2.0, 1.37], [1.0, 0.0, 1.5, -0.5, 0.2, 3.2]]
KNOTS = [0.0, 0.8, 1.7, 2.9, 4.0]


def moments(xs, ys):
    n = len(xs)
    upper, right = [0.0] * n, [0.0] * n
    for i in range(1, n - 1):
        h0, h1 = xs[i] - xs[i - 1], xs[i + 1] - xs[i]
        pivot = 2 * (h0 + h1) - h0 * upper[i - 1]
        upper[i] = h1 / pivot
        right[i] = (6 * ((ys[i + 1] - ys[i]) / h1 - (ys[i] - ys[i - 1]) / h0) - h0 * right[i - 1]) / pivot
    found = [0.0] * n
    for i in range(n - 2, 0, -1):
        found[i] = right[i] - upper[i] * found[i + 1]
    return found


def run(parameters):
    *ys, x = parameters
    ms = moments(KNOTS, ys)
    i = min(bisect_right(KNOTS, x), len(KNOTS) - 1) - 1
    h = KNOTS[i + 1] - KNOTS[i]
    a, b = (KNOTS[i + 1] - x) / h, (x - KNOTS[i]) / h
    return a * ys[i] + b * ys[i + 1] + ((a**3 - a) * ms[i] + (b**3 - b) * ms[i + 1]) * h**2 / 6
