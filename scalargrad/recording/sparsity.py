"""The pattern of a program's Jacobian, and the colours of its columns: those of one colour share no row.

Source: A. Curtis, M. Powell, J. Reid, "On the estimation of sparse Jacobian matrices", 1974; A. Gebremedhin,
F. Manne, A. Pothen, "What color is your Jacobian?", SIAM Review 47, 2005.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ..rows import Many
from .program import Instruction, Loop, Program

__all__ = ["colours", "dense", "dependence", "members"]

# A set of inputs is an int whose bit k stands for input k.


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
