"""The reverse of a loop: the forward loop stacks the values that the reverse loop reads."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .activity import active_values, loop_activity, loop_needs, needed_values
from .basis import ADD, EQUAL
from .builder import Builder, renamed
from .identities import ZEROS
from .program import Const, Instruction, Loop, Operand, Program, Ref, accumulators, operands_of

if TYPE_CHECKING:
    from .derivatives import Sweep

__all__ = ["ReverseLoop"]

NOTHING = Const(-0.0)
"""The start of a sum: −0.0 + x is x to the last bit, for each x."""


class ReverseLoop:
    """A loop in a reverse sweep. `forward` writes it with stacked residuals; `reverse` writes its derivative."""

    def __init__(self, sweep: Sweep, loop: Loop, start: Ref) -> None:
        self.sweep = sweep
        self.loop = loop
        self.start = start
        self.at, self.carries = len(loop.consts), len(loop.init)
        activity = loop_activity(loop, sweep.live)
        needs, kept = loop_needs(loop, sweep.live[start : start + loop.width])
        active = (*activity.consts, *activity.carries, *activity.columns)
        self.wanted = tuple([a and n for a, n in zip(active, needs, strict=True)])
        self.given = tuple([a and n for a, n in zip(activity.outputs, kept, strict=True)])
        self.consts = [x for x in range(self.at) if self.wanted[x]]
        self.entries = [x for x in range(self.at + self.carries, len(self.wanted)) if self.wanted[x]]
        # In a map over lanes, sums add up in any order. Elsewhere an entry's sum continues in the order of eager code.
        self.exact = sweep.exact and loop.ordered
        self.runs = self.exact and loop.turns is not None
        sums = accumulators(loop)
        self.running = [k for k in range(self.carries) if self.runs and self.wanted[self.at + k] and k not in sums]
        self.shared = {k: place for k in self.running if (place := self._stacked_too(k)) is not None}
        self.halves = [Halves(self, body) for body in loop.bodies]
        self.residuals = max(len(half.residuals) for half in self.halves)

    def forward(self) -> list[Operand]:
        """Write the forward loop with stacked residuals. Return the operands of the loop's own results."""
        loop, several = self.loop, len(self.loop.bodies) > 1
        names = [Const(float(k)) if several else None for k in range(len(self.halves))]
        bodies = [half.forward(self.residuals, name) for half, name in zip(self.halves, names, strict=True)]
        results = self.sweep.b.loop(loop.turns, bodies, *renamed(loop, self.sweep.of), loop.ordered)
        own, rows = results[: self.carries], results[self.carries :]
        width = loop.stacks + self.residuals + several
        self.stacked: list[Any] = [rows[k] if loop.turns is None else rows[k::width] for k in range(loop.stacks, width)]
        for t in range(1 if loop.turns is None else loop.turns):
            own += rows[t * width : t * width + loop.stacks]
        return own

    def reverse(self, found: dict[Ref, Operand]) -> None:
        """Write the reverse loop, and add its results to the adjoints found."""
        loop, sweep = self.loop, self.sweep
        back = -1 if loop.ordered else 1
        consts, _, columns = renamed(loop, sweep.of)
        carries = [k for k in range(self.carries) if self.given[k]]
        steady = [k for k in carries if all(half.is_steady(k) for half in self.halves)]
        moving = [k for k in carries if k not in steady]
        stacks = [k for k in range(self.carries, len(self.given)) if self.given[k] and k not in self.shared.values()]
        ends: dict[int, Operand] = {}
        for k in carries:
            ends[k] = found.pop(self.start + k, ZEROS[0])
        rows = [self._row(found, k) for k in stacks]
        seen: set[Operand] = set()
        totals = [self._total(found, loop.consts[x], seen) for x in self.consts]
        running = self._starts(found, ends, seen) + self._running(found, seen, back)
        bodies = [half.reverse(self, steady, moving, stacks, k) for k, half in enumerate(self.halves)]
        read = [c if isinstance(c, int) else c[::back] for c in (*columns, *self.stacked, *rows)] + running
        inits = [*(ends[k] for k in moving), *totals]
        results = sweep.b.loop(loop.turns, bodies, [*consts, *(ends[k] for k in steady)], inits, read, loop.ordered)
        ends.update(zip(moving, results, strict=False))
        seen.clear()
        for x, result in zip(self.consts, results[len(moving) :], strict=False):
            self._replace(found, loop.consts[x], result, seen)
        self._entry_adjoints(found, results[len(inits) :], seen, back)
        for k in carries:
            first = loop.init[k]
            if k in self.running:
                self._replace(found, first, ends[k], seen)
            elif type(first) is int and sweep.live[first] and ends[k] not in ZEROS:
                sweep.add(found, first, ends[k])

    def _stacked_too(self, carry: int) -> int | None:
        """Return the place of an output that is stacked and is also the next of that carry, in all bodies."""
        for place in range(self.carries, len(self.given)):
            if self.given[place] and all(b.outputs[place] == b.outputs[carry] for b in self.loop.bodies):
                return place
        return None

    def _starts(self, found: dict[Ref, Operand], ends: dict[int, Operand], seen: set[Operand]) -> list[Any]:
        """Return the columns of the adjoints that the carries have before a turn adds to them.

        A turn's carry is the one before the loop, or comes from the turn before, which may have stacked it too.
        """
        columns = []
        for k in self.running:
            row = [NOTHING] * cast(int, self.loop.turns)
            if k in self.shared:
                row = self._row(found, self.shared[k])
                ends[k] = self.sweep.b.write(ADD, (row[-1], ends[k])) if ends[k] not in ZEROS else row[-1]
            columns.append([*reversed(row[:-1]), self._total(found, self.loop.init[k], seen)])
        return columns

    def _row(self, found: dict[Ref, Operand], k: int) -> Any:
        """Return the adjoints of the values that the turns stacked at a place, in the order of the turns."""
        loop = self.loop
        first = self.start + k
        if loop.turns is not None:
            return [found.pop(first + t * loop.stacks, ZEROS[0]) for t in range(loop.turns)]
        if first in found:
            return found.pop(first)
        zero = Program(1, (), (ZEROS[0],))
        like = self.sweep.of[cast(Ref, loop.columns[0])]
        return self.sweep.b.loop(None, (zero,), (), (), (cast(Ref, like),), ordered=False)[0]

    def _total(self, found: Mapping[Ref, Operand], x: Operand, seen: set[Operand]) -> Operand:
        """Return the adjoint that a value has before the loop. Its sum continues at the first place of the value."""
        if type(x) is not int or x in seen:
            return NOTHING
        seen.add(x)
        return found.get(x, NOTHING)

    def _replace(self, found: dict[Ref, Operand], x: Operand, total: Operand, seen: set[Operand]) -> None:
        """Set the adjoint of a value to the total that began with it, or add the total if the value is in `seen`."""
        if type(x) is not int or not self.sweep.live[x]:
            return
        if x in seen:
            self.sweep.add(found, x, total)
        else:
            found[x] = total
        seen.add(x)

    def _running(self, found: Mapping[Ref, Operand], seen: set[Operand], back: int) -> list[Any]:
        """Return the columns of the adjoints that the wanted entries have before the loop."""
        if not self.runs:
            return []
        columns = [self.loop.columns[x - self.at - self.carries] for x in self.entries]
        rows = [[self._total(found, x, seen) for x in row] for row in zip(*(c[::back] for c in columns), strict=True)]  # type: ignore[index]
        return [*map(list, zip(*rows, strict=True))]

    def _entry_adjoints(
        self, found: dict[Ref, Operand], stacked: Sequence[Operand], seen: set[Operand], back: int
    ) -> None:
        results = iter(stacked)
        for t in range(1 if self.loop.turns is None else self.loop.turns):
            for x in self.entries:
                column = self.loop.columns[x - self.at - self.carries]
                outer, result = column if isinstance(column, int) else column[::back][t], next(results)
                if self.runs:
                    self._replace(found, outer, result, seen)
                elif type(outer) is int and self.sweep.live[outer]:
                    self.sweep.add(found, outer, result)


class Halves:
    """A body with its derivative, split into the steps of the forward loop and those of the reverse loop."""

    def __init__(self, owner: ReverseLoop, body: Program) -> None:
        self.body = body
        self.at, self.carries = owner.at, owner.carries
        seeds = [k for k, flag in enumerate(owner.given) if flag and k not in owner.shared.values()]
        self.seeds = {k: body.inputs + i for i, k in enumerate(seeds)}
        totals = [*owner.consts, *(owner.at + k for k in owner.running), *(owner.entries if owner.runs else ())]
        self.totals = {x: body.inputs + len(seeds) + i for i, x in enumerate(totals)}
        wide = [*body.wide, *(self.totals[x] for x in body.wide if x in self.totals)]
        self.b = Builder(body.inputs + len(seeds) + len(totals), wide, share=False)
        active, needed = active_values(body, owner.wanted), needed_values(body, owner.given)
        live = bytearray([a & n for a, n in zip(active, needed, strict=True)])
        sweep = type(owner.sweep)(self.b, body, [*range(body.inputs)], live, owner.exact)
        found = sweep.reverse(self.seeds, self.totals)
        self.own = [sweep.of[x] if type(x) is int else x for x in body.outputs]
        self.adjoints = {x: found.get(x, ZEROS[0]) for x, flag in enumerate(owner.wanted) if flag}
        self.linear = self._linear()
        self.back = self.b.kept([*self.adjoints.values()], sorted(self.linear), effects=False)
        read = {x for x in self.adjoints.values() if type(x) is int}
        read.update(x for index in self.back for x in operands_of(self.b.steps[index]) if type(x) is int)
        made = {x for i in self.linear for x in range(self.b.starts[i], self.b.starts[i] + self.b.steps[i].width)}
        first_entry = self.at + self.carries
        reads = [x for x in sorted(read - made) if self.at <= x < first_entry or body.inputs <= x]
        reads = [x for x in reads if not body.inputs <= x < self.b.inputs]
        self.repeated = self._repeated(reads)
        self.residuals = [x for x in reads if x not in self.repeated]

    def is_steady(self, carry: int) -> bool:
        """Return True if no turn changes the adjoint of a carry."""
        return self.adjoints.get(self.at + carry) == self.seeds[carry]

    def _linear(self) -> set[int]:
        """Return the steps that depend on an adjoint."""
        return self._depending(range(self.body.inputs, self.b.inputs), any)

    def _depending(self, inputs: range, how: Any) -> set[int]:
        b = self.b
        marked = bytearray(b.size)
        marked[inputs.start : inputs.stop] = b"\1" * len(inputs)
        found = set()
        for index, (start, step) in enumerate(zip(b.starts, b.steps, strict=True)):
            depends = how(marked[x] for x in operands_of(step) if type(x) is int)
            if depends and (how is any or isinstance(step, Instruction)):
                marked[start : start + step.width] = b"\1" * step.width
                found.add(index)
        return found

    def _repeated(self, reads: Sequence[Ref]) -> dict[Ref, list[int]]:
        """Return the values that the reverse loop computes again from consts alone, and the steps for each."""
        b = self.b
        again = self._depending(range(self.at), all)  # only instructions: a loop is not run again
        makers = {x: i for i in again for x in range(b.starts[i], b.starts[i] + b.steps[i].width)}
        found = {}
        for x in reads:
            if x in makers:
                steps, waiting = set(), [makers[x]]
                while waiting:
                    index = waiting.pop()
                    if index not in steps:
                        steps.add(index)
                        waiting += [makers[y] for y in operands_of(b.steps[index]) if type(y) is int and y in makers]
                found[x] = sorted(steps)
        return found

    def forward(self, count: int, name: Const | None) -> Program:
        """Return the body that also stacks `count` residuals and, if it is one of several, its name."""
        b = self.b
        padding = [ZEROS[0]] * (count - len(self.residuals))
        outputs = [*self.own, *self.residuals, *padding, *([] if name is None else [name])]
        kept = b.kept(outputs, [i for i in range(len(b.steps)) if i not in self.linear])
        return b._subprogram(kept, range(self.body.inputs), outputs)[0]

    def reverse(
        self, owner: ReverseLoop, steady: Sequence[int], moving: Sequence[int], stacks: Sequence[int], place: int
    ) -> Program:
        """Return the body of the reverse loop. If there are several, it begins with a check of the name."""
        body = self.body
        unread = itertools.count(-1, -1)
        columns = [*range(self.at + self.carries, body.inputs), *self.residuals]
        columns += [next(unread) for _ in range(len(owner.stacked) - len(self.residuals))]
        name = columns[-1] if columns else None  # if there are several bodies, the last column names the one that ran
        columns += [self.seeds[k] for k in stacks]
        columns += [self.totals[owner.at + k] for k in owner.running]
        columns += [self.totals[x] for x in owner.entries if x in self.totals]
        carried = [*(self.seeds[k] for k in moving), *(self.totals[x] for x in owner.consts)]
        given = [*range(self.at), *(self.seeds[k] for k in steady), *carried, *columns]
        outputs: list[Operand] = [self.adjoints.get(self.at + k, ZEROS[0]) for k in moving]
        outputs += [self.adjoints[x] for x in (*owner.consts, *owner.entries)]
        indices = {*self.back, *(i for steps in self.repeated.values() for i in steps)}
        program = self.b._subprogram(sorted(indices), given, outputs)[0]
        if place == len(owner.halves) - 1:
            return program
        guarded = Builder(program.inputs, program.wide, share=False)
        guarded.guard(guarded.write(EQUAL, (given.index(cast(Ref, name)), Const(float(place)))), True)
        return guarded.program(guarded.inline(program, range(program.inputs)))
