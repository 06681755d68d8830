"""The eval `det`: a determinant by its minors."""

import scalargrad as sg

from .recorded import prepared


def determinant(size):
    """The function of a square matrix of that size, as one list row by row: its determinant."""

    def expanded(a, row, columns):
        """The minor of the rows from `row` on and these columns, along its first row."""
        if not columns:
            return 1.0
        total = 0.0
        for i, column in enumerate(columns):
            term = a[row * size + column] * expanded(a, row + 1, columns[:i] + columns[i + 1 :])
            total = total - term if i % 2 else total + term
        return total

    return lambda a: expanded(a, 0, tuple(range(size)))


FUNCTIONS = {
    "primal": lambda given: prepared(determinant(given["ell"]), given["A"]),
    "gradient": lambda given: prepared(sg.grad(determinant(given["ell"])), given["A"]),
}
