"""Derivatives of programs: `vjp` and `jvp` make programs from programs, of any order. Loops remain loops.

The reverse of a loop is a loop, with the turns in reverse order. The adjoint of a const is a running total, the
adjoints of a column's entries are a stack, and the adjoint of a carry is a carry. The values of the forward loop that
the reverse loop reads, its residuals, are stacked by the forward loop.

Nothing is shared or simplified here. The terms of an adjoint add up one by one in the order of eager code, which is the
reverse order of the steps, so that the results are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ..primitives import kinked, passed
from ..rows import Output, Vector
from .activity import active_values, is_unbounded, loop_activity, needed_values
from .basis import ADD, CHOOSE, MUL
from .builder import Builder, renamed
from .identities import ONE, ZEROS
from .program import Const, Instruction, Loop, Operand, Program, Ref
from .reverse import ReverseLoop
from .rules import Rows, unwrapped, wrapped

__all__ = ["Sweep", "jvp", "needed_and_active", "vjp"]


def vjp(
    program: Program,
    outputs: Sequence[int],
    inputs: Sequence[int],
    seeds: Sequence[Const | None] | None = None,
    keep: bool = False,
) -> Program:
    """Return the program of the reverse derivative of some outputs, by their places, with respect to some inputs.

    Its inputs are those of the program, then one for each chosen output whose seed is None: the output's adjoint,
    wide if the output is wide. Its outputs are those of the program, with `keep`, then the adjoint of each chosen
    input.

    >>> from scalargrad.primitives import mul
    >>> print(vjp(Program(2, (Instruction(mul, (0, 1)),), (2,)), [0], [0, 1]))
    program of v0, v1, v2
    v3 = v2 · v1
    v4 = v2 · v0
    return v3, v4
    """
    fixed = list(seeds) if seeds is not None else [None] * len(outputs)
    wide = [*program.wide]
    given: dict[int, Operand] = {}
    count = program.inputs
    of_program = needed_and_active(program, inputs, outputs)
    for place, seed in zip(outputs, fixed, strict=True):
        if seed is None:
            if program.outputs[place] in of_program.wide:
                wide.append(count)
            given[place], count = count, count + 1
        else:
            given[place] = seed
    b = Builder(count, wide, share=False)
    sweep = Sweep(b, program, [*range(program.inputs)], of_program.live)
    adjoints = sweep.reverse(given, {})
    results = [adjoints.get(x, ZEROS[0]) for x in inputs]
    own = [sweep.of[x] if type(x) is int else x for x in program.outputs] if keep else []
    return b.program([*own, *results], program.captured)


def jvp(
    program: Program, inputs: Sequence[int], tangents: Sequence[Const | None] | None = None, keep: bool = False
) -> Program:
    """Return the program of the forward derivative of all outputs, for tangents of some inputs.

    Its inputs are those of the program, then one for each chosen input whose tangent is None. Its outputs are those
    of the program, with `keep`, then the tangents of all outputs.

    >>> from scalargrad.primitives import sin
    >>> print(jvp(Program(1, (Instruction(sin, (0,)),), (1,)), [0]))
    program of v0, v1
    v2 = cos(v0)
    v3 = v1 · v2
    return v3
    """
    fixed = list(tangents) if tangents is not None else [None] * len(inputs)
    wide, count = [*program.wide], program.inputs
    given: dict[Ref, Operand] = {}
    for x, tangent in zip(inputs, fixed, strict=True):
        if tangent is None:
            if x in program.wide:
                wide.append(count)
            given[x], count = count, count + 1
        else:
            given[x] = tangent
    b = Builder(count, wide, share=False)
    active = active_values(program, [x in given for x in range(program.inputs)])
    sweep = Sweep(b, program, [*range(program.inputs)], active)
    found = sweep.forward(given)
    results = [found.get(x, ZEROS[0]) if type(x) is int else ZEROS[0] for x in program.outputs]
    own = [sweep.of[x] if type(x) is int else x for x in program.outputs] if keep else []
    return b.program([*own, *results], program.captured)


@dataclass
class _Live:
    live: bytearray
    wide: set[Ref]


def needed_and_active(program: Program, inputs: Sequence[int], outputs: Sequence[int]) -> _Live:
    """Return the values that lie between the chosen inputs and outputs, and those that are wide."""
    chosen, wanted = set(inputs), set(outputs)
    active = active_values(program, [x in chosen for x in range(program.inputs)])
    needed = needed_values(program, [place in wanted for place in range(len(program.outputs))])
    wide = set(program.wide)
    for start, step in program.numbered():
        if isinstance(step, Loop) and step.turns is None:
            wide.update(range(start + len(step.init), start + step.width))
    return _Live(bytearray(a & n for a, n in zip(active, needed, strict=True)), wide)


SUM = Program(2, (Instruction(ADD, (0, 1)),), (2,))
"""The body of a loop that adds two columns."""


class Sweep:
    """A program written on a builder, with the derivatives of its live values beside it."""

    def __init__(
        self, b: Builder, program: Program, operands: Sequence[Operand], live: bytearray, exact: bool = True
    ) -> None:
        self.b = b
        self.m = Rows(b)
        self.program = program
        self.of = list(operands)
        self.live = live
        self.exact = exact
        self.loops: dict[Ref, ReverseLoop] = {}
        self.edges: dict[Ref, list[list[tuple[Ref, Operand, bool]]]] = {}

    # Reverse.

    def reverse(self, seeds: Mapping[int, Operand], totals: Mapping[Ref, Operand]) -> dict[Ref, Operand]:
        """Write the steps, their partials, then the reverse sweep. Return the adjoints of the inputs.

        `seeds` has the adjoints of outputs, by place; `totals` has the adjoints that inputs have before the sweep.
        """
        self.begin()
        return self.back(seeds, totals)

    def begin(self) -> None:
        """Write the steps and their partials."""
        for start, step in self.program.numbered():
            if isinstance(step, Loop) and any(self.live[start : start + step.width]):
                self.loops[start] = ReverseLoop(self, step, start)
                self.of += self.loops[start].forward()
            else:
                self.of += self.b.copy(step, self.of)
        self.edges = {
            start: self._edges(start, step)
            for start, step in self.program.numbered()
            if isinstance(step, Instruction) and any(self.live[start : start + step.width])
        }

    def back(self, seeds: Mapping[int, Operand], totals: Mapping[Ref, Operand]) -> dict[Ref, Operand]:
        """Write one reverse sweep after `begin`; there may be several."""
        found: dict[Ref, Operand] = dict(totals)
        for place, seed in seeds.items():
            x = self.program.outputs[place]
            if type(x) is int and self.live[x]:
                self.add(found, x, seed)
        for start, step in reversed([*self.program.numbered()]):
            if start in self.loops:
                if totals or any(x in found for x in range(start, start + step.width)):
                    self.loops[start].reverse(found)
                continue
            for k in reversed(range(len(self.edges.get(start, ())))):
                adjoint = found.pop(start + k, None)
                if adjoint is not None and adjoint not in ZEROS:
                    for x, partial, gated in self.edges[start][k]:
                        term = self._product(cast(Instruction, step), adjoint, partial, gated)
                        self.add(found, x, self._kinked(cast(Instruction, step), start, term))
        return found

    def add(self, found: dict[Ref, Operand], x: Ref, term: Operand) -> None:
        """Add a term to the adjoint or the tangent of a value."""
        before = found.get(x)
        if before is None:
            found[x] = term
        elif type(before) is int and before in self.b.wide:
            (found[x],) = self.b.loop(None, (SUM,), (), (), (before, cast(Ref, term)), ordered=False)
        else:
            found[x] = self.b.write(ADD, (before, term))

    def _edges(self, start: Ref, step: Instruction) -> list[list[tuple[Ref, Operand, bool]]]:
        """Return, for each result, its live operands, their partials, and if an adjoint of 0 must be tested for."""
        args = [wrapped(self.b, self.of[x] if type(x) is int else x) for x in step.operands]
        wanted = [type(x) is int and bool(self.live[x]) for x in step.operands]
        if step.primitive is CHOOSE:
            sides = [(x, Const(k), False) for k, x in enumerate(step.operands) if type(x) is int and wanted[k] and k]
            return [cast(list[tuple[Ref, Operand, bool]], sides)]
        if isinstance(step.primitive, Vector):
            outs = [wrapped(self.b, x) for x in self.of[start : start + step.width]]
            rows = [Output(step.primitive, k).derivatives(self.m, outs, args) for k in range(step.width)]
        else:
            rows = [step.primitive.derivatives(self.m, wrapped(self.b, self.of[start]), args, wanted)]
        return [
            [
                (x, unwrapped(partial), is_unbounded(step, i))
                for i, (x, partial, w) in enumerate(zip(step.operands, partials, wanted, strict=True))
                if type(x) is int and w and partial is not None
            ]
            for partials in rows
        ]

    def _product(self, step: Instruction, adjoint: Operand, partial: Operand, gated: bool) -> Operand:
        if step.primitive is CHOOSE:
            condition = step.operands[0]
            sides = (adjoint, ZEROS[0]) if partial == ONE else (ZEROS[0], adjoint)
            return self.b.write(CHOOSE, (self.of[condition] if type(condition) is int else condition, *sides))
        if partial == ONE:
            return adjoint
        if adjoint == ONE:
            return partial
        return self.b.write(passed if gated else MUL, (adjoint, partial))

    def _kinked(self, step: Instruction, start: Ref, term: Operand) -> Operand:
        """Write a term as a number that has no derivative at points where the step has no second one."""
        if (rule := getattr(step.primitive, "smooth", None)) is None:
            return term
        args = [self.of[x] if type(x) is int else x for x in step.operands]
        smooth = unwrapped(rule(self.m, wrapped(self.b, self.of[start]), *[wrapped(self.b, x) for x in args]))
        for x, arg in zip(step.operands, args, strict=True):
            if type(x) is int and self.live[x]:
                term = self.b.write(kinked, (term, arg, smooth))
        return term

    # Forward.

    def forward(self, tangents: Mapping[Ref, Operand]) -> dict[Ref, Operand]:
        """Write the steps, each with its tangent. Return the tangents, by value."""
        found = dict(tangents)
        for start, step in self.program.numbered():
            if isinstance(step, Loop) and any(self.live[start : start + step.width]):
                self._forward_loop(step, start, found)
                continue
            self.of += self.b.copy(step, self.of)
            if isinstance(step, Instruction) and any(self.live[start : start + step.width]):
                for k, pairs in enumerate(self._edges(start, step)):
                    for x, partial, gated in pairs:
                        tangent = found.get(x)
                        if tangent is not None and tangent not in ZEROS:
                            term = self._product(step, tangent, partial, gated)
                            self.add(found, start + k, self._kinked(step, start, term))
        return found

    def _forward_loop(self, loop: Loop, start: Ref, found: dict[Ref, Operand]) -> None:
        """Write a loop that also carries, reads and stacks tangents."""
        activity = loop_activity(loop, self.live)
        flags = (*activity.consts, *activity.carries, *activity.columns)
        at, carries = len(loop.consts), len(loop.init)
        bodies = []
        for body in loop.bodies:
            # The inputs of the new body: consts, their tangents, carries, their tangents, entries, their tangents.
            places: list[Ref] = []
            tangents: dict[Ref, Operand] = {}
            count = 0
            for first, last in ((0, at), (at, at + carries), (at + carries, body.inputs)):
                places += range(count, count + last - first)
                count += last - first
                for x in range(first, last):
                    if flags[x]:
                        tangents[x], count = count, count + 1
            wide = [places[x] for x in body.wide] + [cast(Ref, tangents[x]) for x in body.wide if x in tangents]
            b = Builder(count, wide, share=False)
            sweep = Sweep(b, body, places, active_values(body, flags))
            ends = sweep.forward(tangents)
            own = [sweep.of[x] if type(x) is int else x for x in body.outputs]
            moved = [ends.get(x, ZEROS[0]) if type(x) is int else ZEROS[0] for x in body.outputs]
            next_ = [m for m, flag in zip(moved[:carries], activity.carries, strict=True) if flag]
            stacked = [m for m, flag in zip(moved[carries:], activity.outputs[carries:], strict=True) if flag]
            bodies.append(b.program([*own[:carries], *next_, *own[carries:], *stacked]))
        consts, init, columns = renamed(loop, self.of)

        def tangent_of(x: Operand) -> Operand:
            return found.get(x, ZEROS[0]) if type(x) is int else ZEROS[0]

        consts = (*consts, *(tangent_of(x) for x, flag in zip(loop.consts, activity.consts, strict=True) if flag))
        init = (*init, *(tangent_of(x) for x, flag in zip(loop.init, activity.carries, strict=True) if flag))
        more: list[Any] = [
            tangent_of(c) if isinstance(c, int) else [*map(tangent_of, c)]
            for c, flag in zip(loop.columns, activity.columns, strict=True)
            if flag
        ]
        results = self.b.loop(loop.turns, bodies, consts, init, [*columns, *more], loop.ordered)
        moving = sum(activity.carries)
        self.of += results[:carries]
        for k, (x, flag) in enumerate(zip(range(start, start + carries), activity.carries, strict=True)):
            if flag:
                found[x] = results[carries + sum(activity.carries[:k])]
        stacks, moved_stacks = loop.stacks, sum(activity.outputs[carries:])
        rest = results[carries + moving :]
        if loop.turns is None:
            rows = [rest]
        else:
            width = stacks + moved_stacks
            rows = [rest[t * width : (t + 1) * width] for t in range(loop.turns)]
        for t, row in enumerate(rows):
            self.of += row[:stacks]
            where = iter(row[stacks:])
            for k, flag in enumerate(activity.outputs[carries:]):
                if flag:
                    found[start + carries + t * stacks + k] = next(where)
