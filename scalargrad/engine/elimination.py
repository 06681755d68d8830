"""Linear systems of floats or Values, solved by elimination."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .value import data_of

__all__ = ["is_positive", "quotient"]


def quotient(matrix: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return matrix⁻¹ · right, for floats or Values, by elimination with scaled pivots.

    Raises `ZeroDivisionError` if the matrix is singular within rounding errors.

    >>> quotient([[2.0, 0.0], [0.0, 4.0]], [[1.0], [1.0]])
    [[0.5], [0.25]]
    """
    n = len(matrix)
    rows = [[*left, *more] for left, more in zip(matrix, right, strict=True)]
    scales = [max(abs(data_of(x)) for x in row) for row in matrix]
    for k in range(n):
        sizes = [abs(data_of(rows[i][k])) / scales[i] if scales[i] else 0.0 for i in range(k, n)]
        if not max(sizes) > 1e-14:  # also nan
            raise ZeroDivisionError
        pivot = k + sizes.index(max(sizes))
        rows[k], rows[pivot], scales[k], scales[pivot] = rows[pivot], rows[k], scales[pivot], scales[k]
        rows[k] = [*rows[k][: k + 1], *(x / rows[k][k] for x in rows[k][k + 1 :])]
        for i in range(n):
            factor = rows[i][k]
            if i != k and not (isinstance(factor, float) and factor == 0.0):
                rest = zip(rows[i][k + 1 :], rows[k][k + 1 :], strict=True)
                rows[i] = [*rows[i][: k + 1], *(x - factor * y for x, y in rest)]
    return [row[n:] for row in rows]


def is_positive(matrix: list[list[float]]) -> bool:
    """Return True if a symmetric matrix is positive definite: all pivots of its elimination are positive."""
    while matrix:
        first, *others = matrix
        if not first[0] > 0.0:
            return False
        matrix = [[x - row[0] / first[0] * y for x, y in zip(row[1:], first[1:], strict=True)] for row in others]
    return True
