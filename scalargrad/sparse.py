"""Sparse derivatives, as SciPy's matrices: a few passes of the recorded program find all the entries.

The pattern, which outputs depend on which inputs, is read from the program. Columns that share no row get one colour.
One forward pass, with the tangents of all columns of a colour set to 1, finds all their entries. So a banded matrix
takes as many passes as its band is wide, whatever its size.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from .engine.evaluation import REFUSALS
from .engine.observer import RecordingError
from .engine.structures import Tree, flatten
from .engine.value import Value
from .recording import jit
from .recording.compressed import Plan
from .recording.derivatives import vjp
from .recording.identities import ONE
from .recording.program import Program
from .recording.roll import roll
from .recording.simplify import simplified
from .rows import as_float

__all__ = ["SparseDerivative", "sparse_hessian", "sparse_jacobian"]

KEPT = 32
"""The number of prepared branches that are kept for one nesting of the arguments."""


class SparseDerivative:
    """A function that returns a sparse matrix; `sparse_jacobian` and `sparse_hessian` make it.

    `stats` counts the `recordings`, one for each way through the branches, and the `passes` that ran.
    """

    def __init__(self, f: Callable[..., Any], argnums: int, is_hessian: bool) -> None:
        self._name = "sparse_hessian" if is_hessian else "sparse_jacobian"
        try:
            self._matrix = importlib.import_module("scipy.sparse").csr_array
        except ImportError:
            raise ImportError(f"{self._name} needs SciPy: pip install scipy") from None
        self.f = f
        self.argnums = argnums
        self.stats = {"recordings": 0, "passes": 0}
        self._is_hessian = is_hessian
        self._kept: dict[Tree, tuple[Any, list[Plan]]] = {}

    def __call__(self, *args: Any) -> Any:
        """Return the matrix at these arguments. Raises what f raises."""
        numbers, tree = self._numbers(args)
        jitted, plans = self._kept.setdefault(tree, (jit(self._flat(tree), backend="python"), []))
        try:
            for plan in plans:
                data = plan(numbers)
                if data is not None:
                    break
            else:
                plan = self._prepared(jitted.program(*numbers, after="record"), args)
                plans[:] = [plan, *plans[: KEPT - 1]]
                data = plan(numbers)
        except REFUSALS:
            self.f(*tree.unflatten([Value(x) for x in numbers]))  # which tells the operation and the value
            raise
        if data is None:
            raise RecordingError(f"{self._name}: the function took another branch when it ran again")
        self.stats["passes"] += len(plan.passes)
        return self._matrix((data, plan.indices, plan.indptr), shape=plan.shape)

    def _numbers(self, args: tuple[Any, ...]) -> tuple[list[float], Tree]:
        if not -len(args) <= self.argnums < len(args):
            raise TypeError(f"{self._name}: argnums is {self.argnums}, but {len(args)} arguments are given")
        leaves, tree = flatten(args)
        if {*map(type, leaves)} <= {float}:
            return leaves, tree
        for index, leaf in enumerate(leaves):
            if isinstance(leaf, Value) or as_float(leaf) is None:
                raise TypeError(
                    f"{self._name}: args{tree.paths()[index]} is {leaf!r}, a {type(leaf).__name__}; give numbers, in "
                    "lists, tuples, dicts or arrays"
                )
        return [float(x) for x in leaves], tree

    def _flat(self, tree: Tree) -> Callable[..., list[Any]]:
        def flat(*numbers: Any) -> list[Any]:
            leaves, _ = flatten(self.f(*tree.unflatten(numbers)))
            found = [x if isinstance(x, Value) else as_float(x) for x in leaves]
            if None in found:
                bad = leaves[found.index(None)]
                raise TypeError(f"{self._name}: f returned {bad!r}, a {type(bad).__name__}; return numbers")
            return found

        return flat

    def _prepared(self, program: Program, args: tuple[Any, ...]) -> Plan:
        if program.captured:
            raise RecordingError(f"{self._name}: f uses a Value from outside; hand it in as an argument")
        self.stats["recordings"] += 1
        sizes = [len(flatten(arg)[0]) for arg in args]
        at = sum(sizes[: self.argnums % len(args)])
        inputs = range(at, at + sizes[self.argnums])
        if not self._is_hessian:
            return Plan(program, inputs, False)
        if len(program.outputs) != 1:
            raise TypeError(f"sparse_hessian: f returned {len(program.outputs)} numbers; return one")
        return Plan(simplified(roll(vjp(program, [0], inputs, [ONE]))), inputs, True)


def sparse_jacobian(f: Callable[..., Any], argnums: int = 0) -> SparseDerivative:
    """Return the function that gives the Jacobian of f as a `scipy.sparse.csr_array`, for sparse solvers.

    It takes the arguments of f. Row i is output i of f and column j is number j of the argument `argnums`, each counted
    through lists, tuples, dicts and arrays in order. The pattern has an entry wherever the output depends on the number
    in the program, even if the derivative is 0 here. The passes run forward or backward, whichever takes fewer.
    A few dense rows or columns cost a pass each.

    Raises `ImportError` without SciPy, `TypeError` for arguments or results that are not numbers, `RecordingError` if f
    can't be recorded, and what f raises. Source: A. Gebremedhin, F. Manne, A. Pothen, "What color is your Jacobian?",
    SIAM Review 47, 2005.

    >>> jacobian = sparse_jacobian(lambda x: [x[0] * x[1], x[1] ** 2, x[2]])
    >>> jacobian([1.0, 2.0, 3.0]).toarray().tolist()
    [[2.0, 1.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 1.0]]
    >>> jacobian.stats["passes"]
    2
    """
    return SparseDerivative(f, argnums, is_hessian=False)


def sparse_hessian(f: Callable[..., Any], argnums: int = 0) -> SparseDerivative:
    """Return the function that gives the Hessian of f, of one output, as a `scipy.sparse.csr_array`.

    Rows and columns are the numbers of the argument `argnums`, counted as `sparse_jacobian` counts them; it raises the
    same errors. A dense row, such as that of a parameter that all terms share, costs one pass.

    >>> hessian = sparse_hessian(lambda x: sum((b - a * a) ** 2 for a, b in zip(x, x[1:])))
    >>> hessian([1.0, 2.0, 3.0]).toarray().tolist()
    [[4.0, -4.0, 0.0], [-4.0, 38.0, -8.0], [0.0, -8.0, 2.0]]
    """
    return SparseDerivative(f, argnums, is_hessian=True)
