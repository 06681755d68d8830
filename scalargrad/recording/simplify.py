"""`simplified` makes a program smaller, with results equal to the last bit."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from .activity import loop_needs, needed_values
from .builder import Builder, has_effects, renamed
from .program import Column, Const, Guard, Loop, Operand, Program, Ref, Step, operands_of

__all__ = ["simplified"]

ROUNDS = 8
ZERO = Const(0.0)


def simplified(program: Program) -> Program:
    """Return the program with equal steps shared, constants folded, and unneeded steps left out.

    Steps of a loop that are the same in all turns move before it. Carries, stacks and columns that nothing reads are
    dropped, and equal ones are joined. A loop of one turn is replaced by its body.

    >>> from scalargrad.primitives import mul, sin
    >>> from .program import Instruction
    >>> body = Program(2, (Instruction(sin, (0,)), Instruction(mul, (2, 1))), (3,))
    >>> print(simplified(Program(3, (Loop(2, (body,), (0,), (), (range(1, 3),)),), (3, 4))))
    program of v0, v1, v2
    v3 = sin(v0)
    v4, v5 = for t in 2 turns:
        u0 = v3; u1 in v1, v2
        u2 = u0 · u1
        stack u2
    return v4, v5
    """
    b = Builder(program.inputs, program.wide)
    used = needed_values(program, [True] * len(program.outputs), effects=True)
    of: list[Operand] = list(range(program.inputs))
    for start, step in program.numbered():
        if not isinstance(step, Loop):
            of += b.copy(step, of)
        elif has_effects(step) or any(used[start : start + step.width]):
            consts, init, columns = renamed(step, of)
            loop = step._replace(consts=consts, init=init, columns=columns)
            of += _loop(b, loop, used[start : start + step.width])
        else:
            of += [ZERO] * step.width  # nothing reads it
    return b.program([of[x] if type(x) is int else x for x in program.outputs], program.captured)


_body = functools.lru_cache(maxsize=1024)(simplified)


class At(NamedTuple):
    """A place among the carries or the stacks of the simpler loop."""

    place: int


class Entry(NamedTuple):
    """A column, if each turn stacks its entry of it."""

    column: Column


Source: TypeAlias = "At | Entry | Operand"


def _loop(b: Builder, loop: Loop, used: Sequence[int]) -> list[Operand]:
    """Write a loop whose operands are values of `b`, and return the operands of its results."""
    carries: list[Source] = [At(k) for k in range(len(loop.init))]
    stacks: list[Source] = [At(k) for k in range(loop.stacks)]
    stacked = used[len(loop.init) :]
    needed = [bool(x) for x in used[: len(loop.init)]], [any(stacked[k :: loop.stacks]) for k in range(loop.stacks)]
    for _ in range(ROUNDS):
        before = loop
        loop, kept_carries, kept_stacks, needed = _round(b, loop, *needed)
        carries = [kept_carries[x.place] if isinstance(x, At) else x for x in carries]
        stacks = [kept_stacks[x.place] if isinstance(x, At) else x for x in stacks]
        if loop == before:
            break
    if loop.turns == 1 and len(loop.bodies) == 1:
        entries = [column[0] for column in loop.columns if not isinstance(column, int)]
        results = b.inline(loop.bodies[0], [*loop.consts, *loop.init, *entries])
    elif loop.init or loop.stacks or loop.has_effects:
        results = b.loop(loop.turns, loop.bodies, loop.consts, loop.init, loop.columns, loop.ordered)
    else:
        results = []
    rows, width = results[len(loop.init) :], loop.stacks

    def stacked_at(source: Source, turn: int) -> Operand:
        if isinstance(source, At):
            return rows[turn * width + source.place]
        if isinstance(source, Entry):
            return source.column if isinstance(source.column, int) else source.column[turn]
        return source

    ends = [results[x.place] if isinstance(x, At) else x for x in carries]
    turns = 1 if loop.turns is None else loop.turns
    return [*ends, *(stacked_at(x, turn) for turn in range(turns) for x in stacks)]  # type: ignore[list-item]


def _round(
    b: Builder, loop: Loop, used_carries: list[bool], used_stacks: list[bool]
) -> tuple[Loop, list[Source], list[Source], tuple[list[bool], list[bool]]]:
    """Return a simpler loop, where to find each carry and each stack of the old one, and which of the new are used."""
    inputs, moving, stacked, carries = _inputs(b, loop, used_carries, used_stacks)
    consts = list(dict.fromkeys(x for kind, x in inputs if kind == "const" and type(x) is int))
    columns = list(dict.fromkeys(x for kind, x in inputs if kind == "column"))
    order = [*(("const", x) for x in consts), *(("carry", k) for k in moving), *(("column", c) for c in columns)]
    place_of: dict[tuple[str, Any], int] = {x: place for place, x in enumerate(order)}
    places = [x if kind == "const" and type(x) is not int else place_of[kind, x] for kind, x in inputs]
    count = len(consts) + len(moving) + len(columns)
    bodies = []
    for body in loop.bodies:
        narrow = Builder(count, [i for i, x in enumerate(consts) if x in b.wide])
        out = narrow.inline(body, places)
        ends = [*(out[k] for k in moving), *(out[len(loop.init) + k] for k in stacked)]
        bodies.append(_body(narrow.program(ends)))
        if not bodies[-1].guarded:
            break  # the bodies after it are never tried
    bodies = [body for body in bodies if not any(_fails(step) for step in body.steps)] or bodies[-1:]
    hoisted, bodies = _hoisted(b, consts, bodies)
    init = tuple([loop.init[k] for k in moving])
    simple = Loop(loop.turns, tuple(bodies), tuple(hoisted), init, tuple(columns), loop.ordered)
    simple, left = _without_trivial_stacks(simple)
    stacks: list[Source] = [ZERO] * loop.stacks
    for place, k in enumerate(stacked):
        stacks[k] = left[place]
    used = [used_carries[k] for k in moving], [True] * simple.stacks
    return simple, carries, stacks, used


def _fails(step: Step) -> bool:
    return isinstance(step, Guard) and type(step.condition) is Const and has_effects(step)


def _inputs(
    b: Builder, loop: Loop, used_carries: list[bool], used_stacks: list[bool]
) -> tuple[list[tuple[str, Any]], list[int], list[int], list[Source]]:
    """Return the bodies' inputs, the carries that change, the stacks to keep, and where to find each carry."""
    results = [*used_carries, *(used_stacks * (1 if loop.turns is None else loop.turns))]
    needs, kept = loop_needs(loop, results, effects=True)
    at, count = len(loop.consts), len(loop.init)
    carried = [k for k in range(count) if kept[k] or needs[at + k]]
    steady = {k for k in carried if all(body.outputs[k] == at + k for body in loop.bodies)}
    moving = [k for k in carried if k not in steady]
    inputs: list[tuple[str, Any]] = [("const", x if needs[k] else ZERO) for k, x in enumerate(loop.consts)]
    moves = set(moving)
    for k, x in enumerate(loop.init):
        inputs.append(("carry", k) if k in moves else ("const", x if k in steady else ZERO))
    for k, column in enumerate(loop.columns):
        if not needs[at + count + k]:
            inputs.append(("const", ZERO))
        elif not isinstance(column, (int, range)) and all(x == column[0] for x in column):
            inputs.append(("const", column[0]))
        else:
            inputs.append(("column", column))
    carries: list[Source] = [loop.init[k] if k in steady else ZERO for k in range(count)]
    for place, k in enumerate(moving):
        carries[k] = At(place)
    return inputs, moving, [k for k, used in enumerate(used_stacks) if used], carries


def _hoisted(b: Builder, consts: list[Ref], bodies: list[Program]) -> tuple[list[Operand], list[Program]]:
    """Move the steps that depend on consts alone before the loop. Their results become consts of the bodies."""
    values: list[dict[Ref, Operand]] = []
    for body in bodies:
        of: dict[Ref, Operand] = dict(enumerate(consts))
        for start, step in body.numbered():
            reads = [x for x in operands_of(step) if type(x) is int]
            if reads and not has_effects(step) and all(x in of for x in reads):
                of.update({start + i: x for i, x in enumerate(b.copy(step, of))})
        values.append(of)
    if all(len(of) == len(consts) for of in values):
        return [*consts], bodies
    more = []
    for body, of in zip(bodies, values, strict=True):
        left = [step for start, step in body.numbered() if not step.width or start not in of]
        read = [x for step in left for x in operands_of(step)]
        more += [of[x] for x in (*read, *body.outputs) if type(x) is int and x >= body.inputs and x in of]
    all_consts: list[Operand] = list(dict.fromkeys([*consts, *(x for x in more if type(x) is int)]))
    added = len(all_consts) - len(consts)
    place_of = {x: i for i, x in enumerate(all_consts)}
    written = []
    for body, of in zip(bodies, values, strict=True):
        inner = Builder(body.inputs + added, [i for i, x in enumerate(all_consts) if x in b.wide])
        here: dict[Ref, Operand] = {x: x + added for x in range(len(consts), body.inputs)}
        here |= {x: place_of.get(y, ZERO) if type(y) is int else y for x, y in of.items()}
        for start, step in body.numbered():
            if not step.width or start not in of:
                here.update({start + i: x for i, x in enumerate(inner.copy(step, here))})
        written.append(inner.program([here[x] if type(x) is int else x for x in body.outputs]))
    return all_consts, written


def _without_trivial_stacks(loop: Loop) -> tuple[Loop, list[Source]]:
    """Leave out stacks that are a number, a const, an entry, or equal to another. Return where to find each stack."""
    at, carries = len(loop.consts), len(loop.init)
    sources: list[Source] = []
    kept: dict[tuple[Operand, ...], int] = {}
    for k in range(carries, carries + loop.stacks):
        outputs = tuple([body.outputs[k] for body in loop.bodies])
        x = outputs[0]
        same = all(y == x for y in outputs)
        if same and type(x) is Const and loop.turns is not None:
            sources.append(x)
        elif same and type(x) is int and x < at and loop.turns is not None:
            sources.append(loop.consts[x])
        elif same and type(x) is int and at + carries <= x < loop.bodies[0].inputs:
            sources.append(Entry(loop.columns[x - at - carries]))
        else:
            sources.append(At(kept.setdefault(outputs, len(kept))))
    if len(kept) == loop.stacks:
        return loop, sources
    bodies = [
        Program(b.inputs, b.steps, (*b.outputs[:carries], *(outputs[k] for outputs in kept)), b.wide)
        for k, b in enumerate(loop.bodies)
    ]
    return loop._replace(bodies=tuple(bodies)), sources
