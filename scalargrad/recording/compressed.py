"""The passes of a program's sparse Jacobian: a few runs of its derivative find all the entries.

Source: A. Gebremedhin, F. Manne, A. Pothen, "What color is your Jacobian?", SIAM Review 47, 2005.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from .backends import build, choose
from .derivatives import jvp, vjp
from .program import Program
from .python import Runner
from .sparsity import colours, dense, dependence, members

__all__ = ["Pass", "Plan"]


class Pass(NamedTuple):
    """A run, its seeds, and which of its results are which entries of the matrix."""

    run: Runner
    seeds: list[float]
    results: Any
    entries: Any


class Plan:
    """The Jacobian of one recorded program: its pattern and its passes.

    Dense rows take a backward pass each, so that the others need few forward ones. If the matrix is `symmetric`, a
    dense row is its column, and a forward pass finds both. Otherwise rows and columns change places if that is cheaper.
    """

    def __init__(self, program: Program, inputs: Sequence[int], symmetric: bool) -> None:
        import numpy as np

        sets = [0] * program.inputs
        for k, x in enumerate(inputs):
            sets[x] = 1 << k
        rows = [members(found) for found in dependence(program, sets)]
        self.shape = len(rows), len(inputs)
        self.indices = np.array([column for row in rows for column in row], dtype=np.int32)
        self.indptr = np.cumsum([0, *map(len, rows)], dtype=np.int32)
        at = np.repeat(np.arange(len(rows)), np.diff(self.indptr))
        chosen = _Colouring(rows, len(inputs), symmetric)
        forward = functools.cache(lambda: _built(jvp(program, inputs)))
        backward = functools.cache(lambda: _built(vjp(program, range(len(rows)), inputs)))
        if not symmetric:
            columns: list[list[int]] = [[] for _ in inputs]
            for row, column in zip(at.tolist(), self.indices.tolist(), strict=True):
                columns[column].append(row)
            turned = _Colouring(columns, len(rows), symmetric)
            if turned.passes < chosen.passes:
                self.passes = [*turned.split(at, self.indices, backward, forward)]
                return
        self.passes = [*chosen.split(self.indices, at, forward, forward if symmetric else backward)]

    def __call__(self, numbers: list[float]) -> Any:
        """Return the entries in the order of the pattern; None if a guard fails."""
        import numpy as np

        data = np.zeros(len(self.indices))
        for one in self.passes:
            found = one.run([*numbers, *one.seeds])
            if found is None:
                return None
            data[one.entries] = np.array(found)[one.results]
        return data


class _Colouring:
    """Which passes find which entries: one for each colour of the columns, and one for each dense row."""

    def __init__(self, rows: list[list[int]], columns: int, symmetric: bool) -> None:
        full = dense(rows)
        without = full if symmetric else ()
        others = [[] if row in full else [c for c in found if c not in without] for row, found in enumerate(rows)]
        self.rows = len(rows)
        self.full = sorted(full)
        self.groups = colours(others, columns)
        self.colours = max(self.groups, default=0) + 1
        self.passes = self.colours + len(full)
        self.symmetric = symmetric

    def split(
        self, columns: Any, rows: Any, along: Callable[[], Runner], across: Callable[[], Runner]
    ) -> Iterator[Pass]:
        """Yield the passes for entries at these columns and rows: `along` for each colour, `across` for each row."""
        import numpy as np

        groups = np.array(self.groups, dtype=int)
        if self.symmetric:
            groups[self.full] = -1  # no colour: it has a pass of its own
        own = np.full(self.rows, -1)  # the pass of each dense row
        own[self.full] = self.colours + np.arange(len(self.full))
        is_row = own[rows] >= 0
        number = np.where(is_row, own[rows], groups[columns])
        if self.symmetric:
            number = np.where(~is_row & (own[columns] >= 0), own[columns], number)
        places = np.where(is_row, columns, rows)
        order = np.argsort(number, kind="stable")
        for k, entries in enumerate(np.split(order, np.searchsorted(number[order], np.arange(1, self.passes)))):
            if k >= self.colours:
                seeds = np.arange(self.rows) == self.full[k - self.colours]
                yield Pass(across(), seeds.astype(float).tolist(), places[entries], entries)
            elif k == 0 or len(entries):  # one at least, which checks the guards
                yield Pass(along(), (groups == k).astype(float).tolist(), places[entries], entries)


def _built(program: Program) -> Runner:
    return build(program, choose("auto"))
