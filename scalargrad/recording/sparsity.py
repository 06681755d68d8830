"""The sparse Jacobian of a program: its pattern, the colours of its columns, and the passes that find its entries.

Source: A. Curtis, M. Powell, J. Reid, "On the estimation of sparse Jacobian matrices", 1974; A. Gebremedhin,
F. Manne, A. Pothen, "What color is your Jacobian?", SIAM Review 47, 2005.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..rows import Many
from .backends import build, choose
from .derivatives import jvp, vjp
from .program import Instruction, Loop, Program
from .roll import roll

__all__ = ["Plan", "colours", "dense", "dependence", "members"]

# The pattern. A set of inputs is an int whose bit k stands for input k.


@functools.lru_cache(maxsize=256)
def _reads(program: Program) -> list[list[int]]:
    """Return, for each step, the values that its result has a derivative with respect to."""
    found: list[list[int]] = []
    for step in program.steps:
        if not isinstance(step, Instruction):
            found.append([])
        elif isinstance(step.primitive, Many):
            found.append([x for x in step.operands if type(x) is int])
        else:
            rules = zip(step.operands, step.primitive.partials, strict=True)
            found.append([x for x, rule in rules if type(x) is int and rule is not None])
    return found


def dependence(program: Program, inputs: Sequence[int]) -> list[int]:
    """Return the set of inputs that each output depends on, given the set that each input stands for.

    >>> from scalargrad.primitives import mul
    >>> dependence(Program(3, (Instruction(mul, (0, 2)),), (3, 1)), [0b001, 0b010, 0b100])
    [5, 2]
    """
    sets = list(inputs)
    for step, reads in zip(program.steps, _reads(program), strict=True):
        if isinstance(step, Loop):
            sets += _through_loop(step, sets)
        else:
            found = 0
            for x in reads:
                found |= sets[x]
            sets += [found] * step.width
    return [sets[x] if type(x) is int else 0 for x in program.outputs]


def _through_loop(loop: Loop, sets: list[int]) -> list[int]:
    consts = [sets[x] if type(x) is int else 0 for x in loop.consts]
    carries = [sets[x] if type(x) is int else 0 for x in loop.init]
    columns = [[sets[x] if type(x) is int else 0 for x in column] for column in loop.columns]  # type: ignore[union-attr]
    stacked: list[int] = []
    for turn in range(loop.turns or 0):
        given = [*consts, *carries, *[column[turn] for column in columns]]
        outputs = dependence(loop.bodies[0], given)
        for body in loop.bodies[1:]:
            outputs = [a | b for a, b in zip(outputs, dependence(body, given), strict=True)]
        carries = outputs[: len(carries)]
        stacked += outputs[len(carries) :]
    return [*carries, *stacked]


def members(found: int) -> list[int]:
    """Return the inputs in a set, in order.

    >>> members(0b10010)
    [1, 4]
    """
    import numpy as np

    data = np.frombuffer(found.to_bytes(found.bit_length() // 8 + 1, "little"), dtype=np.uint8)
    places = np.flatnonzero(data)  # only a few bytes are not 0
    bits = np.unpackbits(data[places, None], axis=1, bitorder="little")
    at, bit = np.nonzero(bits)
    inputs: list[int] = (8 * places[at] + bit).tolist()
    return inputs


# The colours.


def colours(rows: Sequence[Sequence[int]], columns: int) -> list[int]:
    """Return a colour for each column, greedily, so that no row has two columns of one colour.

    >>> colours([[0, 1], [1, 2], [2, 3]], 4)
    [0, 1, 0, 1]
    """
    rows_of: list[list[int]] = [[] for _ in range(columns)]
    for row, found in enumerate(rows):
        for column in found:
            rows_of[column].append(row)
    taken = [0] * len(rows)  # the set of colours in each row
    chosen = []
    for column in range(columns):
        avoid = 0
        for row in rows_of[column]:
            avoid |= taken[row]
        bit = ~avoid & (avoid + 1)  # the lowest that is free
        for row in rows_of[column]:
            taken[row] |= bit
        chosen.append(bit.bit_length() - 1)
    return chosen


def dense(rows: Sequence[Sequence[int]]) -> set[int]:
    """Return the rows so full that a colour for each of their own leaves fewer colours in all."""
    order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
    count = min(range(len(order)), key=lambda k: k + len(rows[order[k]]), default=0)
    return set(order[:count])


# The passes.


class Pass(NamedTuple):
    """Seeds of one run, and which of its results are which entries of the matrix."""

    seeds: list[float]
    results: Any
    entries: Any


class Plan:
    """The derivative of one recorded program: its pattern, its passes and what runs them."""

    def __init__(self, program: Program, inputs: Sequence[int], is_hessian: bool) -> None:
        import numpy as np

        sets = [0] * program.inputs
        for k, x in enumerate(inputs):
            sets[x] = 1 << k
        rows = [members(found) for found in dependence(program, sets)]
        self.shape = len(rows), len(inputs)
        self.indices = np.array([column for row in rows for column in row], dtype=np.int32)
        self.indptr = np.cumsum([0, *map(len, rows)], dtype=np.int32)
        at = np.repeat(np.arange(len(rows)), np.diff(self.indptr))
        if is_hessian:
            groups, sources, results = _symmetric(rows, at, self.indices)
            derived = jvp(program, inputs)
        else:
            columns: list[list[int]] = [[] for _ in inputs]
            for row, column in zip(at.tolist(), self.indices.tolist(), strict=True):
                columns[column].append(row)
            forward, reverse = colours(rows, len(inputs)), colours(columns, len(rows))
            if max(reverse, default=0) < max(forward, default=0):
                groups, sources, results = reverse, at, self.indices
                derived = vjp(program, range(len(rows)), inputs)
            else:
                groups, sources, results = forward, self.indices, at
                derived = jvp(program, inputs)
        self.run = build(roll(derived), choose("auto"))
        group = np.array(groups, dtype=int)
        self.passes = [
            Pass((group == k).astype(float).tolist(), results[chosen], chosen)
            for k in range(max(groups, default=-1) + 1)
            if len(chosen := np.flatnonzero(group[sources] == k))
        ]

    def __call__(self, numbers: list[float]) -> Any:
        """Return the entries in the order of the pattern; None if a guard fails."""
        import numpy as np

        data = np.zeros(len(self.indices))
        for one in self.passes:
            found = self.run([*numbers, *one.seeds])
            if found is None:
                return None
            data[one.entries] = np.array(found)[one.results]
        return data


def _symmetric(rows: list[list[int]], at: Any, indices: Any) -> tuple[list[int], Any, Any]:
    """Return the colours of a symmetric matrix; and of each entry, the column and the row that it is read from.

    A dense row is read as its column, which has a colour of its own.
    """
    import numpy as np

    full = dense(rows)
    others = [[] if row in full else [c for c in found if c not in full] for row, found in enumerate(rows)]
    groups = colours(others, len(rows))
    count = max([c for k, c in enumerate(groups) if k not in full], default=-1) + 1
    for k, column in enumerate(sorted(full)):
        groups[column] = count + k
    own = np.zeros(len(rows), dtype=bool)
    own[sorted(full)] = True
    turned = own[at]
    return groups, np.where(turned, at, indices), np.where(turned, indices, at)
