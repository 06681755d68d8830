"""Products of vectors and matrices: each entry is one node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import scalargrad as sg

from .arrays import objects, returned

__all__ = ["FUNCTIONS", "PRODUCTS"]


def _dot(xs: Any, ys: Any) -> Any:
    xs, ys = xs.tolist(), ys.tolist()
    return sg.dot(xs, ys) if xs else 0.0


def matmul(a: Any, b: Any, /, **_: Any) -> Any:
    """Return the product of two matrices or vectors, or of stacks of them."""
    a, b = objects(a), objects(b)
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError("matmul: an operand is a number; write a * b")
    left = a[np.newaxis] if a.ndim == 1 else a
    right = b[:, np.newaxis] if b.ndim == 1 else b
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape} do not fit: {a.shape[-1]} against {right.shape[-2]}")
    stack = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, stack + left.shape[-2:])
    columns = np.broadcast_to(right, stack + right.shape[-2:]).swapaxes(-1, -2)
    found = np.empty((*stack, left.shape[-2], columns.shape[-2]), dtype=object)
    for *outer, i, j in np.ndindex(*found.shape):
        found[(*outer, i, j)] = _dot(left[(*outer, i)], columns[(*outer, j)])
    found = found[..., 0, :] if a.ndim == 1 else found
    return returned(found[..., 0] if b.ndim == 1 else found)


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """Return the scalar product, the product of matrices, or the sum over the last and the last but one axis."""
    a, b = objects(a), objects(b)
    if a.ndim == 0 or b.ndim == 0:
        found = returned(np.asarray(a * b, dtype=object))
    elif a.ndim <= 2 and b.ndim <= 2:
        found = matmul(a, b)
    else:
        found = _inner(a, b if b.ndim == 1 else b.swapaxes(-1, -2))
    if out is None:
        return found
    out[...] = found
    return out


def _inner(a: Any, b: Any) -> Any:
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"shapes {a.shape} and {b.shape} do not fit: {a.shape[-1]} against {b.shape[-1]}")
    lead = a.shape[:-1]
    found = np.empty(lead + b.shape[:-1], dtype=object)
    for index in np.ndindex(*found.shape):
        found[index] = _dot(a[index[: len(lead)]], b[index[len(lead) :]])
    return returned(found)


def inner(a: Any, b: Any, /) -> Any:
    """Return the sum of the products over the last axes."""
    a, b = objects(a), objects(b)
    return returned(np.asarray(a * b, dtype=object)) if a.ndim == 0 or b.ndim == 0 else _inner(a, b)


def vdot(a: Any, b: Any, /) -> Any:
    """Return the scalar product of all the numbers of two arrays."""
    return _inner(objects(a).ravel(), objects(b).ravel())


def vecdot(a: Any, b: Any, /, axis: int = -1) -> Any:
    """Return the scalar products of stacks of vectors."""
    a, b = np.broadcast_arrays(objects(a), objects(b))
    a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    found = np.empty(a.shape[:-1], dtype=object)
    for index in np.ndindex(*found.shape):
        found[index] = _dot(a[index], b[index])
    return returned(found)


PRODUCTS: dict[str, Callable[..., Any]] = {
    "matmul": matmul,
    "vecdot": vecdot,
    "matvec": lambda a, b: returned(objects(matmul(a, objects(b)[..., np.newaxis]))[..., 0]),
    "vecmat": lambda a, b: returned(objects(matmul(objects(a)[..., np.newaxis, :], b))[..., 0, :]),
}
"""The generalised ufuncs."""
FUNCTIONS: dict[str, Callable[..., Any]] = {"dot": dot, "inner": inner, "vdot": vdot}
