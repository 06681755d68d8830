"""`roll` finds loops in the recording of a plain Python function.

A loop in Python records equal pieces of a program, one after the other. `roll` compares steps by their operations; a
stretch that repeats with some period is a candidate. From turn to turn, each operand must then move in one of four
ways. It is the same value (a const), a value of the same turn, a value of the turn before (a carry), or another value
from before the loop (an entry of a column). The turns whose operands all do so become a loop.

Inner loops are found first. In the next round they are single steps, so that the turns of outer loops are alike.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, cast

from .builder import packed, renamed
from .program import Const, Guard, Instruction, Loop, Operand, Program, Ref, Step, operands_of

__all__ = ["roll"]

SHORT = 128
"""A program of fewer steps stays flat: it is as fast, and compiles quickly."""
WIDE = 8
"""It may read that many operands a step: wide rows, such as dot, are written out as many operations."""
LEAST_TURNS = 4
LEAST_STEPS = 8
"""A stretch of fewer steps than these stays flat: a loop around it would cost more."""
GRAM = 3
NEAR = 8
ROUNDS = 8


def roll(program: Program, short: int = SHORT) -> Program:
    """Return a program with repeated pieces as loops, which may be nested; its results are equal to the last bit.

    A program of fewer than `short` steps stays flat. The time is linear in the number of operands.

    >>> from scalargrad.primitives import add, mul
    >>> steps = [s for k in range(4) for s in (Instruction(mul, (0, k + 1)), Instruction(add, (5 + 2 * k, 4 + 2 * k)))]
    >>> steps[1] = Instruction(add, (5, 0))
    >>> print(roll(Program(5, tuple(steps), (12,)), short=0))
    program of v0…v4
    v5 = for t in 4 turns:
        u0 = v0; u1 from v0; u2 in v1, v2 … v4
        u3 = u0 · u2
        u4 = u3 + u1
        next u4
    return v5
    """
    steps = tuple([_with_rolled_bodies(step, short) for step in program.steps])
    rolled = Program(program.inputs, steps, program.outputs, program.wide, program.captured)
    if len(program) < short and _reads(program) < WIDE * short:
        return rolled
    for _ in range(ROUNDS):
        program, rolled = rolled, _Rolling(rolled).run()
        if rolled is program:
            break
    return rolled


_body = functools.lru_cache(maxsize=256)(roll)


def _reads(program: Program) -> int:
    return sum(len(step.operands) if isinstance(step, Instruction) else 1 for step in program.steps)


def _with_rolled_bodies(step: Step, short: int) -> Step:
    return step._replace(bodies=tuple([_body(body, short) for body in step.bodies])) if isinstance(step, Loop) else step


def _alike(step: Step) -> Any:
    """Return a key that is equal for two steps if they do the same with different operands."""
    if isinstance(step, Instruction):
        return step.primitive, step.refuses, len(step.operands)
    if isinstance(step, Guard):
        return step.holds
    if step.turns is None:
        return id(step)  # a wide value can't be an entry of a column, so this loop is not rolled
    return step.turns, step.bodies, step.ordered, len(step.consts), len(step.init)


class _Rolling:
    """One round over a program, which finds loops in its steps."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.steps = program.steps
        numbers: dict[Any, int] = {}
        self.kinds = [numbers.setdefault((type(step), _alike(step)), len(numbers)) for step in self.steps]
        self.starts = [*itertools.accumulate((step.width for step in self.steps), initial=program.inputs)]
        self.reads = [tuple(operands_of(step)) for step in self.steps]
        # A stretch may repeat if steps do the same and read steps at the same small distances.
        marks: dict[Any, int] = {}
        self.marks = []
        for kind, start, read in zip(self.kinds, self.starts, self.reads, strict=False):
            near = [start - x if type(x) is int and program.inputs <= x >= start - NEAR else 0 for x in read]
            self.marks.append(marks.setdefault((kind, *near), len(marks)))
        self.last_use = [-1] * program.size
        for index, read in enumerate(self.reads):
            for x in read:
                if type(x) is int:
                    self.last_use[x] = index
        for x in program.outputs:
            if type(x) is int:
                self.last_use[x] = len(self.steps)

    def run(self) -> Program:
        """Return the program with the loops that were found."""
        found: list[_Turns] = []
        end = 0  # of the last loop
        seen: dict[tuple[int, ...], int] = {}
        tried: dict[int, int] = {}
        index = 0
        while index + GRAM <= len(self.kinds):
            gram = tuple(self.marks[index : index + GRAM])
            before = seen.get(gram)
            seen[gram] = index
            if before is not None and end <= before < index and tried.get(index - before, -1) < index:
                turns, tried[index - before] = self._turns(before, index - before, end)
                if turns is not None:
                    found.append(turns)
                    index = end = turns.end
                    continue
            index += 1
        return self._written(found) if found else self.program

    def _turns(self, at: int, period: int, end: int) -> tuple[_Turns | None, int]:
        """Return the loop, if any, in the stretch that repeats around a place, and the end of the search."""
        kinds = self.kinds
        first, last = at, at + period
        while first > end and kinds[first - 1] == kinds[first - 1 + period]:
            first -= 1
        while last < len(kinds) and kinds[last] == kinds[last - period]:
            last += 1
        while last - first >= max(LEAST_TURNS * period, LEAST_STEPS):
            turns = _Turns(self, first, period, (last - first) // period)
            if turns.count >= LEAST_TURNS and turns.count * period >= LEAST_STEPS:
                return turns, turns.end
            first += (turns.count - 1) * period + turns.broken + 1
        return None, last

    def _written(self, found: Sequence[_Turns]) -> Program:
        """Return the program with these loops in the places of their turns."""
        of: list[Operand] = list(range(self.program.inputs))
        size = self.program.inputs
        steps: list[Step] = []
        index = 0
        for turns in (*found, None):
            for step in self.steps[index : len(self.steps) if turns is None else turns.first]:
                steps.append(_moved(step, of))
                of += range(size, size + step.width)
                size += step.width
            if turns is not None:
                loop, results = turns.loop(of, size)
                steps.append(loop)
                of += results
                size += loop.width
                index = turns.end
        outputs = tuple([of[x] if type(x) is int else x for x in self.program.outputs])
        return Program(self.program.inputs, tuple(steps), outputs, self.program.wide, self.program.captured)


def _moved(step: Step, of: Sequence[Operand]) -> Step:
    if isinstance(step, Instruction):
        return step._replace(operands=tuple([of[x] if type(x) is int else x for x in step.operands]))
    if isinstance(step, Guard):
        condition = step.condition
        return step._replace(condition=of[condition] if type(condition) is int else condition)
    consts, init, columns = renamed(step, of)
    return step._replace(consts=consts, init=init, columns=columns)


class _Turns:
    """Turns of a loop: steps that repeat, and how each of their operands moves.

    `count` turns fit. `broken` is the place, within a turn, of the step whose operand moves differently.
    """

    def __init__(self, rolling: _Rolling, first: int, period: int, most: int) -> None:
        self.rolling = rolling
        self.first, self.period = first, period
        self.base = rolling.starts[first]
        self.size = rolling.starts[first + period] - self.base
        self.slots = [_Slot(x, self.base) for index in range(first, first + period) for x in rolling.reads[index]]
        self.broken = 0
        self.count = 1
        while self.count < most and self._fits(self.count):
            self.count += 1

    @property
    def end(self) -> int:
        """The index of the step after the last turn."""
        return self.first + self.count * self.period

    def _operands(self, turn: int) -> Iterator[tuple[int, Operand]]:
        """Yield the operands of a turn, each with the place of its step within the turn."""
        at = self.first + turn * self.period
        for place in range(self.period):
            for x in self.rolling.reads[at + place]:
                yield place, x

    def _fits(self, turn: int) -> bool:
        """Add one more turn and return True, if all its operands move like those before."""
        base = self.base + turn * self.size
        for (place, x), slot in zip(self._operands(turn), self.slots, strict=True):
            if not slot.fits(x, self.base, base, self.size):
                self.broken = place
                return False
        for (_, x), slot in zip(self._operands(turn), self.slots, strict=True):
            slot.take(x, self.base)
        return True

    def loop(self, of: Sequence[Operand], start: Ref) -> tuple[Loop, list[Operand]]:
        """Return the loop and the operands of all values of its turns, for results that begin at number `start`."""
        consts: dict[Operand, int] = {}
        carries: dict[tuple[int, Operand], int] = {}
        columns: dict[tuple[Operand, ...], int] = {}
        tables: dict[str, dict[Any, int]] = {"const": consts, "carry": carries, "column": columns}
        kinds: list[tuple[dict[Any, int] | None, Any]] = []
        for slot in self.slots:
            kind, key = slot.meaning(self.count)
            table = tables.get(kind)
            if table is not None:
                table.setdefault(key, len(table))
            kinds.append((table, key))
        lasting, stacked = self._results({offset for offset, _ in carries})
        for offset in lasting:
            carries[offset, Const(0.0)] = len(carries)  # a value of the last turn alone; nothing reads its init
        shift = {id(consts): 0, id(carries): len(consts), id(columns): len(consts) + len(carries)}
        inputs = len(consts) + len(carries) + len(columns)
        places = [
            (key if type(key) is Const else inputs + key) if table is None else shift[id(table)] + table[key]
            for table, key in kinds
        ]
        body = self._body(inputs, places, [inputs + o for o, _ in carries], [inputs + o for o in stacked])
        init = [x for _, x in carries]
        loop = Loop(
            self.count,
            (body,),
            tuple(_renamed(consts, of)),
            tuple(_renamed(init, of)),
            tuple([packed(_renamed(column, of)) for column in columns]),
        )
        return loop, self._values(start, [offset for offset, _ in carries], stacked)

    def _results(self, carried: set[int]) -> tuple[list[int], list[int]]:
        """Return the values that are read after the loop from the last turn alone, and those from other turns too."""
        last_use, end = self.rolling.last_use, self.end
        lasting, stacked = [], []
        for offset in range(self.size):
            uses = [last_use[self.base + turn * self.size + offset] >= end for turn in range(self.count)]
            if any(uses[:-1]):
                stacked.append(offset)
            elif uses[-1] and offset not in carried:
                lasting.append(offset)
        return lasting, stacked

    def _body(self, inputs: int, places: Sequence[Operand], next_: list[Operand], stacked: list[Operand]) -> Program:
        given = iter(places)
        steps: list[Step] = []
        for step in self.rolling.steps[self.first : self.first + self.period]:
            if isinstance(step, Instruction):
                steps.append(step._replace(operands=tuple(itertools.islice(given, len(step.operands)))))
            elif isinstance(step, Guard):
                steps.append(step._replace(condition=next(given)))
            else:
                consts = tuple(itertools.islice(given, len(step.consts)))
                init = tuple(itertools.islice(given, len(step.init)))
                columns = [packed([*itertools.islice(given, cast(int, step.turns))]) for _ in step.columns]
                steps.append(step._replace(consts=consts, init=init, columns=tuple(columns)))
        return Program(inputs, tuple(steps), (*next_, *stacked))

    def _values(self, start: Ref, carried: Sequence[int], stacked: Sequence[int]) -> list[Operand]:
        """Return the operands of all values of the turns that are stacked or last carries; the others are 0."""
        values: list[Operand] = [Const(0.0)] * (self.count * self.size)  # the values that nothing reads
        rows = start + len(carried)
        for turn in range(self.count):
            for k, offset in enumerate(stacked):
                values[turn * self.size + offset] = rows + turn * len(stacked) + k
        for k, offset in enumerate(carried):
            values[(self.count - 1) * self.size + offset] = start + k
        return values


def _renamed(operands: Any, of: Sequence[Operand]) -> list[Operand]:
    return [of[x] if type(x) is int else x for x in operands]


class _Slot:
    """An operand of a turn, and how it moves. `entries` has one for each turn so far; a carry has only its init."""

    __slots__ = ("carried", "entries", "offset", "same")

    def __init__(self, x: Operand, first: Ref) -> None:
        self.entries: list[Operand] = [x]
        self.offset = x - first if type(x) is int and x >= first else -1
        self.carried = False  # if True, the offset is in the turn before
        self.same = True

    def fits(self, x: Operand, first: Ref, base: Ref, size: int) -> bool:
        """Return True if the operand of one more turn moves like those before. The loop's values begin at `first`."""
        if self.offset >= 0:
            return type(x) is int and x == base + self.offset - (size if self.carried else 0)
        if type(x) is int and x >= first:
            return len(self.entries) == 1 and x < base  # the second turn decides
        return True

    def take(self, x: Operand, first: Ref) -> None:
        """Add the operand of one more turn."""
        if self.offset >= 0:
            return
        if type(x) is int and x >= first:
            self.offset, self.carried = x - first, True
            return
        self.same = self.same and x == self.entries[0]
        self.entries.append(x)

    def meaning(self, count: int) -> tuple[str, Any]:
        """Return how the operand moves, and its const, its offset and init, or its entries."""
        if self.carried:
            return "carry", (self.offset, self.entries[0])
        if self.offset >= 0:
            return "internal", self.offset
        x = self.entries[0]
        if self.same:
            return ("internal", x) if type(x) is Const else ("const", x)
        return "column", tuple(self.entries[:count])
