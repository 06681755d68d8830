"""`fused` joins two maps over the same lanes, so that values that one hands to the other need not be stored."""

from __future__ import annotations

from collections.abc import Sequence

from .builder import Builder, renamed
from .program import Column, Const, Loop, Operand, Program, Ref, Step, operands_of

__all__ = ["fused"]


def fused(program: Program) -> Program:
    """Return the program with maps over equally many lanes joined, if neither needs the other's sums.

    A value and its gradient are such maps: the second reads the values that the first stacked for the same lane. The
    order of a map's turns is free, so sums may differ in their last bits.
    """
    while (pair := _pair(program)) is not None:
        program = _joined(program, *pair)
    return program


def _pair(program: Program) -> tuple[int, int] | None:
    """Return the places of two loops that can be joined."""
    steps = [*program.numbered()]
    maps = [i for i, (_, step) in enumerate(steps) if isinstance(step, Loop) and not step.ordered]
    for i in maps:
        start, first = steps[i]
        assert isinstance(first, Loop)  # noqa: S101 (for the type checker)
        depending = set(range(start, start + first.width))
        for j in range(i + 1, len(steps)):
            at, step = steps[j]
            if j in maps and isinstance(step, Loop) and _joins(first, start, step, depending):
                return i, j
            if any(x in depending for x in operands_of(step) if type(x) is int):
                depending.update(range(at, at + step.width))
    return None


def _joins(first: Loop, start: Ref, second: Loop, depending: set[Ref]) -> bool:
    if first.turns != second.turns or any(x in depending for x in (*second.consts, *second.init)):
        return False
    # If there are several bodies, the name of the first loop's body must choose the second loop's.
    if len(second.bodies) > 1 and (
        len(first.bodies) != len(second.bodies) or not _names_the_body(first, start, second)
    ):
        return False
    return all(_handed(first, start, c) is not None or not _reads(c, depending) for c in second.columns)


def _reads(column: Column, depending: set[Ref]) -> bool:
    return column in depending if isinstance(column, int) else any(x in depending for x in column)


def _handed(first: Loop, start: Ref, column: Column) -> int | None:
    """Return the stack of the first loop that equals a column, lane for lane, or None."""
    rows, width = start + len(first.init), first.stacks
    if first.turns is None:
        return column - rows if isinstance(column, int) and rows <= column < rows + width else None
    if isinstance(column, int) or type(column[0]) is not int or not rows <= column[0] < rows + width:
        return None
    k = column[0] - rows
    return k if all(x == rows + t * width + k for t, x in enumerate(column)) else None


def _names_the_body(first: Loop, start: Ref, second: Loop) -> bool:
    """Return True if a column of the second loop is the place of the body that the first loop ran."""
    places = [Const(float(k)) for k in range(len(first.bodies))]
    stacks = [_handed(first, start, column) for column in second.columns]
    return any(k is not None and [body.outputs[len(first.init) + k] for body in first.bodies] == places for k in stacks)


def _joined(program: Program, i: int, j: int) -> Program:
    """Return the program with two of its loops joined, at the place of the first."""
    steps = [*program.numbered()]
    (start, first), (at, second) = steps[i], steps[j]
    assert isinstance(first, Loop)  # noqa: S101 (for the type checker)
    assert isinstance(second, Loop)  # noqa: S101 (likewise)
    depending = set(range(start, start + first.width))
    early: list[tuple[Ref, Step]] = []
    late: list[tuple[Ref, Step]] = []
    for where, step in steps[i + 1 : j]:
        waits = any(x in depending for x in operands_of(step) if type(x) is int)
        (late if waits else early).append((where, step))
        if waits:
            depending.update(range(where, where + step.width))
    b = Builder(program.inputs, program.wide, share=False)
    of: dict[Ref, Operand] = {x: x for x in range(program.inputs)}

    def write(parts: Sequence[tuple[Ref, Step]]) -> None:
        for where, step in parts:
            of.update({where + k: x for k, x in enumerate(b.copy(step, of))})

    write([*steps[:i], *early])
    results = iter(_one_loop(b, first, start, second, of))
    carries = [next(results) for _ in (*first.init, *second.init)]
    of.update({start + k: x for k, x in enumerate(carries[: len(first.init)])})
    of.update({at + k: x for k, x in enumerate(carries[len(first.init) :])})
    for turn in range(1 if first.turns is None else first.turns):
        for where, loop in ((start, first), (at, second)):
            row = where + len(loop.init) + turn * loop.stacks
            of.update({row + k: next(results) for k in range(loop.stacks)})
    write([*late, *steps[j + 1 :]])
    return b.program([of[x] if type(x) is int else x for x in program.outputs], program.captured)


def _one_loop(b: Builder, first: Loop, start: Ref, second: Loop, of: dict[Ref, Operand]) -> list[Operand]:
    handed = [_handed(first, start, column) for column in second.columns]
    consts, init, columns = renamed(first, of)
    of = {**dict.fromkeys(range(start, start + first.width), Const(0.0)), **of}  # its stacks are not columns any more
    more_consts, more_init, more_columns = renamed(second._replace(columns=()), of)
    read = [c for c, k in zip(second.columns, handed, strict=True) if k is None]
    more_columns = renamed(second._replace(columns=tuple(read)), of)[2]
    sizes = [len(consts), len(more_consts), len(init), len(more_init), len(columns), len(more_columns)]
    ends = [sum(sizes[: k + 1]) for k in range(6)]
    bodies = []
    for k, body in enumerate(first.bodies):
        other = second.bodies[k if len(second.bodies) > 1 else 0]
        wide = [x for x, outer in enumerate((*consts, *more_consts)) if outer in b.wide]
        joined = Builder(ends[-1], wide, share=False)
        own = [*range(ends[0]), *range(ends[1], ends[2]), *range(ends[3], ends[4])]
        out = joined.inline(body, own)
        entries = iter(range(ends[4], ends[5]))
        given = [out[len(init) + k] if k is not None else next(entries) for k in handed]
        more = joined.inline(other, [*range(ends[0], ends[1]), *range(ends[2], ends[3]), *given])
        split, more_split = len(init), len(more_init)
        bodies.append(joined.program([*out[:split], *more[:more_split], *out[split:], *more[more_split:]]))
    return b.loop(
        first.turns, bodies, [*consts, *more_consts], [*init, *more_init], [*columns, *more_columns], ordered=False
    )
