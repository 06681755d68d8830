"""Linear algebra on Values: elimination with pivots, Cholesky's and orthogonal factors, norms."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

import scalargrad as sg

from .arrays import objects, returned
from .elementwise import SCALAR, divide
from .products import matmul
from .reductions import along, largest, smallest, total

__all__ = ["FUNCTIONS", "lstsq"]

SLOGDET: Any = type(np.linalg.slogdet(np.eye(1)))
QR: Any = type(np.linalg.qr(np.eye(1)))
Matrix = list[list[Any]]


def _stacked(function: Callable[..., Any], a: Any, *others: Any) -> Any:
    """Return the function of a square matrix, or of each matrix of a stack."""
    a = objects(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise LinAlgError(f"a square matrix is needed, or a stack of them; got the shape {a.shape}")
    if a.ndim == 2:
        return function(a.tolist(), *others)
    rest = [[objects(other)[i] for other in others] for i in range(len(a))]
    return returned(np.stack([objects(_stacked(function, part, *more)) for part, more in zip(a, rest, strict=True)]))


def _eliminated(matrix: Matrix, right: Matrix) -> tuple[Matrix, Matrix, float]:
    """Return the triangle that elimination leaves, the right sides, and the sign of the exchanges of rows."""
    rows, right, sign = [*map(list, matrix)], [*map(list, right)], 1.0
    for k in range(len(rows)):
        pivot = max(range(k, len(rows)), key=lambda i: abs(rows[i][k]))
        if pivot != k:
            rows[k], rows[pivot], right[k], right[pivot], sign = rows[pivot], rows[k], right[pivot], right[k], -sign
        if rows[k][k] == 0.0:
            continue
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / rows[k][k]
            rows[i] = [
                *rows[i][: k + 1],
                *(x - factor * y for x, y in zip(rows[i][k + 1 :], rows[k][k + 1 :], strict=True)),
            ]
            right[i] = [x - factor * y for x, y in zip(right[i], right[k], strict=True)]
    return rows, right, sign


def _back(rows: Matrix, right: Matrix) -> Matrix:
    """Return the solution of a system whose matrix is an upper triangle."""
    solved: Matrix = []
    for k in reversed(range(len(rows))):
        if rows[k][k] == 0.0:
            raise LinAlgError("Singular matrix")
        coefficients = rows[k][k + 1 :]
        solved.insert(
            0, [(r - _dot(coefficients, [*column])) / rows[k][k] for r, *column in zip(right[k], *solved, strict=True)]
        )
    return solved


def _dot(xs: list[Any], ys: list[Any]) -> Any:
    return sg.dot(xs, ys) if xs else 0.0


def solve(a: Any, b: Any) -> Any:
    """Return the solution of a x = b, for one right side or several. Raises `LinAlgError` for a singular matrix."""

    def function(matrix: Matrix, right: Any) -> Any:
        right = objects(right)
        columns = right[:, np.newaxis] if right.ndim == 1 else right
        if len(columns) != len(matrix):
            raise ValueError(f"solve: {len(matrix)} equations, but {len(columns)} right sides")
        rows, found, _ = _eliminated(matrix, columns.tolist())
        solved = np.array(_back(rows, found), dtype=object).reshape(columns.shape)
        return returned(solved[:, 0] if right.ndim == 1 else solved)

    return _stacked(function, a, b)


def inv(a: Any) -> Any:
    """Return the inverse of a square matrix, or of each of a stack."""
    return _stacked(lambda matrix: solve(np.array(matrix, dtype=object), np.eye(len(matrix))), a)


def det(a: Any) -> Any:
    """Return the determinant of a square matrix, or of each of a stack."""

    def function(matrix: Matrix) -> Any:
        rows, _, sign = _eliminated(matrix, [[] for _ in matrix])
        return sg.prod([sign, *(rows[k][k] for k in range(len(rows)))])

    return _stacked(function, a)


def slogdet(a: Any) -> Any:
    """Return the sign of a determinant and the logarithm of its size."""
    rows, _, sign = _eliminated(objects(a).tolist(), [[] for _ in objects(a)])
    diagonal = [rows[k][k] for k in range(len(rows))]
    for x in diagonal:
        sign = -sign if x < 0.0 else 0.0 if x == 0.0 else sign
    return SLOGDET(sign, total([SCALAR["log"](abs(x)) for x in diagonal]))


def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """Return the triangle L with L Lᵀ = a. Raises `LinAlgError` for a matrix that is not positive definite."""

    def function(matrix: Matrix) -> Any:
        found: Matrix = []
        for i, row in enumerate(matrix):
            new: list[Any] = []
            for j in range(i):
                new.append((row[j] - _dot(new, found[j][:j])) / found[j][j])
            square = row[i] - _dot(new, new)
            if not square > 0.0:
                raise LinAlgError("Matrix is not positive definite")
            found.append([*new, sg.sqrt(square), *[0.0] * (len(matrix) - i - 1)])
        array = np.array(found, dtype=object)
        return returned(array.T if upper else array)

    return _stacked(function, a)


def qr(a: Any, mode: str = "reduced") -> Any:
    """Return the factors Q and R of a matrix with at least as many rows as columns, of full rank.

    The diagonal of R is positive, where NumPy's may be negative.
    """
    if mode != "reduced":
        raise TypeError(f"qr of Values: mode {mode!r} is not here; use 'reduced'")
    columns = objects(a).T.tolist()
    q: Matrix = []
    r = np.zeros((len(columns), len(columns)), dtype=object)
    for j, column in enumerate(columns):
        for _ in range(2):  # twice is enough to be orthogonal to the last digits
            for i, unit in enumerate(q):
                share = sg.dot(unit, column)
                column = [x - share * u for x, u in zip(column, unit, strict=True)]  # noqa: PLW2901
                r[i, j] = r[i, j] + share
        r[j, j] = length(column)
        q.append([divide(x, r[j, j]) for x in column])
    return QR(returned(np.array(q, dtype=object).T), returned(r))


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Return the x that makes |a x − b| smallest, the sums of squares left, the rank and no singular values.

    The matrix needs full rank and at least as many rows as columns.
    """
    a, b = objects(a), objects(b)
    q, r = qr(a)
    right = objects(matmul(q.T, b))
    solved = _back(objects(r).tolist(), (right[:, np.newaxis] if b.ndim == 1 else right).tolist())
    x = np.array(solved, dtype=object)
    found = returned(x[:, 0] if b.ndim == 1 else x)
    rest = b - objects(matmul(a, found))
    squares = along(rest * rest, total, 0)
    return found, returned(np.atleast_1d(np.asarray(squares, dtype=object))), a.shape[1], np.empty(0)


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """Return the pseudo-inverse of a matrix of full rank."""
    a = objects(a)
    if a.shape[0] < a.shape[1]:
        return pinv(a.T).T
    return lstsq(a, np.eye(len(a)))[0]


def length(xs: list[Any]) -> Any:
    """Return the Euclidean length of a vector, which is flat at the origin."""
    squares = _dot(xs, xs)
    if 1e-290 < squares < 1e300:
        return sg.sqrt(squares)
    return functools.reduce(sg.hypot, xs, 0.0)


def _vector_norm(order: Any) -> Callable[[list[Any]], Any]:
    def norm_of(xs: list[Any]) -> Any:
        if order is None or order == 2:
            return length(xs)
        sizes = [abs(x) for x in xs]
        if order == np.inf:
            return largest(sizes)
        if order == -np.inf:
            return smallest(sizes)
        if order == 0:
            return float(sum(bool(x != 0) for x in xs))
        return total(sizes) if order == 1 else SCALAR["power"](total([x**order for x in sizes]), 1.0 / order)

    return norm_of


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the norm of a vector or matrix; of matrices there are Frobenius's, 1 and infinity."""
    array = objects(x)
    two = array.ndim == 2 if axis is None else isinstance(axis, tuple) and len(axis) == 2
    if ord is None or (ord in ("fro", "f") and two):
        return along(array, length, axis, keepdims)
    if not two:
        return along(array, _vector_norm(ord), axis, keepdims)
    rows, columns = axis if axis is not None else (0, 1)
    if ord not in (1, -1, np.inf, -np.inf):
        raise TypeError(f"norm of a matrix of Values: the order {ord!r} needs singular values, which are not here")
    sums = along(np.abs(returned(array)), total, rows if abs(ord) == 1 else columns, True)
    return along(sums, largest if ord > 0 else smallest, (rows, columns), keepdims)


def _missing(name: str, instead: str) -> Callable[..., Any]:
    def refused(*args: Any, **options: Any) -> Any:
        raise TypeError(f"numpy.linalg.{name} of Values is not here: {instead}")

    return refused


ITERATIVE = "it needs an iteration without a formula; for derivatives of eigenvalues use vᵀ (dA) v of plain vectors"
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "solve": solve,
    "inv": inv,
    "det": det,
    "slogdet": slogdet,
    "cholesky": cholesky,
    "qr": qr,
    "lstsq": lstsq,
    "pinv": pinv,
    "norm": norm,
    **{
        name: _missing(name, ITERATIVE) for name in ("eig", "eigh", "eigvals", "eigvalsh", "svd", "cond", "matrix_rank")
    },
}
