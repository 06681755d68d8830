"""The steps of a program as LLVM IR: operations, guards, and loops, over scalars or over SIMD lanes."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Sequence
from typing import cast

from .basis import ADD, CHOOSE, EQUAL, LESS
from .llvm import Counter, Function, Lanes
from .memory import Place, Register, Where, home_of, in_step
from .program import Column, Const, Guard, Instruction, Loop, Operand, Program, Ref, Step, operands_of
from .python import conditions

__all__ = ["Emitter"]

MOST_REGISTERS = 12
"""A loop with more carries or consts than these leaves them in memory."""
COPIED = 16
"""From so many on, additions of numbers that stand in a row are a loop."""


class Emitter:
    """A program's steps being written into a function, and the places of its values."""

    def __init__(
        self, function: Function, program: Program, given: Sequence[Where], flags: set[Ref] | None = None
    ) -> None:
        self.f = function
        self.program = program
        self.where: list[Where] = list(given)
        self.loaded: list[Ref] = []  # the values in memory that are in registers now
        self.flags = conditions(program) if flags is None else flags

    def run(self) -> list[Where]:
        """Write all steps. Return the places of the outputs."""
        sums = _Sums(self)
        for index, (start, step) in enumerate(self.program.numbered()):
            if not sums.written(index):
                self.step(start, step)
        return [self.place_of(x) for x in self.program.outputs]

    def step(self, start: Ref, step: Instruction | Guard | Loop) -> None:
        """Write a step, and note the places of its results."""
        if isinstance(step, Instruction):
            self.where.append(self.operation(start, step))
        elif isinstance(step, Guard):
            self.guard(step)
        else:
            LoopEmitter(self, step).run()

    # Operands.

    def place_of(self, x: Operand) -> Where:
        """Return the place of an operand: a register, a place in memory or a constant."""
        return self.where[x] if type(x) is int else cast(Const, x)

    def text(self, x: Operand) -> str:
        """Return an operand as a number. An operand in memory is loaded once."""
        where = self.place_of(x)
        text = self.read(where)
        if isinstance(where, Place):
            self.where[cast(Ref, x)] = Register(text, home=where)
            self.loaded.append(cast(Ref, x))
        return text

    def read(self, where: Where) -> str:
        """Return the value at a place as a number."""
        f = self.f
        if isinstance(where, Place):
            return f.load(where)
        if isinstance(where, Register):
            if not where.flag:
                return where.name
            return f.add(f"select {f.flag} {where.name}, {f.kind} {f.number(1.0)}, {f.kind} {f.number(0.0)}")
        return f.number(where)

    def truth(self, x: Operand) -> str:
        """Return an operand as a truth value."""
        where = self.place_of(x)
        if isinstance(where, Register) and where.flag:
            return where.name
        return self.f.add(f"fcmp une {self.f.kind} {self.text(x)}, {self.f.number(0.0)}")

    # Steps.

    def operation(self, start: Ref, step: Instruction) -> Register:
        """Write an operation and, if eager code may refuse, a check of its result."""
        f, name = self.f, step.primitive.name
        if step.primitive in (LESS, EQUAL):
            relation = "olt" if step.primitive is LESS else "oeq"
            x, y = map(self.text, step.operands)
            flag = Register(f.add(f"fcmp {relation} {f.kind} {x}, {y}"), flag=True)
            return flag if start in self.flags else Register(self.read(flag))
        if step.primitive is CHOOSE:
            condition = self.truth(step.operands[0])
            x, y = map(self.text, step.operands[1:])
            return Register(f.add(f"select {f.flag} {condition}, {f.kind} {x}, {f.kind} {y}"))
        texts = [*map(self.text, step.operands)]
        result = Register(f.operation(name, texts, squared=name == "pow" and step.operands[1] == Const(2.0)))
        if step.refuses:
            f.refuse(result.name)
        return result

    def guard(self, step: Guard) -> None:
        """Write a guard. If it fails, scalar code returns and SIMD code marks the lanes."""
        f = self.f
        condition = self.truth(step.condition)
        if f.lanes is not None:
            f.mark(condition, step.holds)
            return
        on, off = f.label(), f.label()
        f.branch(condition, *((on, off) if step.holds else (off, on)))
        f.start(off)
        f.fail()
        f.start(on)


class _Sums:
    """Additions to sums that stand in memory: each is added to in its place, and rows of them are loops.

    A sum is an input that nothing else reads. The additions are steps, one after the other, or a loop of nothing else.
    """

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter
        self.steps = emitter.program.steps
        self.uses: dict[Operand, int] | None = None
        self.done = 0

    def written(self, index: int) -> bool:
        """Write the additions if some begin at that step, and tell whether the step is written already."""
        if index < self.done:
            return True
        step = self.steps[index]
        if isinstance(step, Loop):
            pairs = _added(step)
            count = 1
        elif index + COPIED <= len(self.steps) and _adds(step) and _adds(self.steps[index + COPIED - 1]):
            adds = itertools.takewhile(_adds, self.steps[index:])
            pairs = [cast("tuple[Operand, Operand]", cast(Instruction, add).operands) for add in adds]
            count = len(pairs)
        else:
            return False
        places = [self._places(*pair) for pair in pairs]
        known = [place for place in itertools.takewhile(bool, places) if place]
        if len(known) < COPIED or (isinstance(step, Loop) and len(known) < len(pairs)):
            return False
        self._write(known)
        self.emitter.where += [place for place, _ in known]
        self.done = index + (count if isinstance(step, Loop) else len(known))
        return True

    def _places(self, x: Operand, y: Operand) -> tuple[Place, Place] | None:
        known = len(self.emitter.where)
        if type(x) is not int or type(y) is not int or x >= known or y >= known:
            return None
        to, term = home_of(self.emitter.where[x]), home_of(self.emitter.where[y])
        if to is None or term is None or to.step or term.step or "wide" in (to.array, term.array):
            return None
        return (to, term) if self._is_sum(x) else None

    def _is_sum(self, x: Operand) -> bool:
        if self.uses is None:
            program = self.emitter.program
            read = [y for step in self.steps for y in operands_of(step)]
            self.uses = collections.Counter(y for y in (*read, *program.outputs) if type(y) is int)
        return type(x) is int and x < self.emitter.program.inputs and self.uses[x] == 1

    def _write(self, places: Sequence[tuple[Place, Place]]) -> None:
        f, start = self.emitter.f, 0
        while start < len(places):
            (to, term), end = places[start], start + 1
            following = places[min(end, len(places) - 1)]
            by, along = following[0].at - to.at, following[1].at - term.at
            while end < len(places) and places[end] == (
                to.moved((end - start) * by),
                term.moved((end - start) * along),
            ):
                end += 1
            if end - start > 1:
                counter = Counter(f, str(end - start), "0")
                self._add(to.counted(counter.name, by), term.counted(counter.name, along))
                counter.close([])
            else:
                self._add(to, term)
            start = end

    def _add(self, to: Place, term: Place) -> None:
        f = self.emitter.f
        f.store(f.operation("add", [f.load(to), f.load(term)]), to)


def _adds(step: Step) -> bool:
    return isinstance(step, Instruction) and step.primitive is ADD


def _added(loop: Loop) -> list[tuple[Operand, Operand]]:
    """Return the pairs that a loop adds, if that is all it does and it stacks the sums; else nothing."""
    body = loop.bodies[0]
    plain = loop.turns is not None and not loop.consts and not loop.init and len(loop.columns) == 2
    if not plain or len(body.steps) != 1 or not _adds(body.steps[0]) or body.outputs != (2,):
        return []
    first, second = cast(Instruction, body.steps[0]).operands
    if {first, second} != {0, 1}:
        return []
    return [(loop.entry(cast(int, first), t), loop.entry(cast(int, second), t)) for t in range(cast(int, loop.turns))]


class LoopEmitter:
    """A loop being written."""

    def __init__(self, outer: Emitter, loop: Loop) -> None:
        self.outer = outer
        self.f = outer.f
        self.loop = loop
        self.turns = "%n" if loop.turns is None else str(loop.turns)
        self.carries = len(loop.init)

    def run(self) -> None:
        """Write the loop, and note the places of its results."""
        loop, f = self.loop, self.f
        if not loop.ordered and f.lanes is None and (loop.turns is None or loop.turns >= f.module.width):
            self._map()
        else:
            self._sequence()

    # One turn after the other.

    def _sequence(self) -> None:
        """Write the turns one by one, over scalars or in all lanes."""
        loop, f, outer = self.loop, self.f, self.outer
        array = "scratch" if f.lanes is None else "lanes"
        rows = self._rows(array)
        columns = [self._column(column, array) for column in loop.columns]
        consts = self._consts()
        carried = self._carried(array)
        counter = Counter(f, self.turns, "0")
        carries: list[Where] = [*carried] if carried else []
        if not carried:
            carries += [Register(counter.carry(f.kind, text)) for text in self.init]
        outputs = self._bodies([*consts, *carries, *(column(counter.name, 0) for column in columns)])
        self._stack(outputs[self.carries :], rows, counter.name, 0)
        ends = [outer.read(x) for x in outputs[: self.carries]]
        if carried:
            for text, place in zip(ends, carried, strict=True):
                f.store(text, place)
            counter.close([])
            outer.where += carried
        else:
            counter.close(ends)
            outer.where += [Register(text) for text in counter.results]
        outer.where += self._stacked(rows)

    def _carried(self, array: str) -> list[Place]:
        """Return the places of the carries, with their first values stored, if they are in memory; else no places."""
        texts = [self.outer.text(x) for x in self.loop.init]
        self.init = texts
        if len(texts) <= MOST_REGISTERS:
            return []
        first = self.f.module.memory.reserve(len(texts), array)
        places = [first.moved(k) for k in range(len(texts))]
        for text, place in zip(texts, places, strict=True):
            self.f.store(text, place)
        return places

    def _consts(self) -> list[Where]:
        """Return the places of the consts. A few are loaded before the loop, but inner loops read them from memory."""
        outer = self.outer
        for x in self.loop.consts:
            where = outer.place_of(x)
            if len(self.loop.consts) <= MOST_REGISTERS and not _is_wide(where):
                outer.text(x)
            elif self.f.lanes is not None and isinstance(where, Place) and where.step:
                # What the lanes gather from places apart is put side by side once.
                home = self.f.module.memory.reserve(1, "lanes")
                self.f.store(self.f.load(where), home)
                outer.where[cast(Ref, x)] = home
        return [outer.place_of(x) for x in self.loop.consts]

    # Columns and stacks.

    def _column(self, column: Column, array: str) -> Callable[[str, int], Place]:
        """Return the function from a counter and the turns between lanes to the place of a column's entry."""
        outer, memory = self.outer, self.f.module.memory
        if isinstance(column, int):
            wide = cast(Place, outer.where[column])
            return lambda counter, lanes: Place("wide", wide.at, ((counter, 1), *wide.counters), step=lanes)
        places = [home_of(outer.place_of(x)) for x in column]
        found = in_step(places)
        if found is not None and not (found[0].array == "wide" or (found[0].step and self.f.lanes is None)):
            first, stride = found
            return lambda counter, lanes: _stepping(first.counted(counter, stride), stride * lanes)
        if all(p is not None and p.array == "scratch" and not p.counters and not p.step for p in places):
            table = self.f.module.table([cast(Place, p).at for p in places])
            return lambda counter, lanes: self._looked_up(table, len(places), counter, lanes)
        if all(type(x) is Const for x in column):
            array = "scratch"
        copied = memory.reserve(len(column), array)
        for k, x in enumerate(column):
            if type(x) is Const and array == "scratch":
                memory.initial[copied.at + k] = float(x)
                continue
            self.f.store(outer.text(x), copied.moved(k))
            if type(x) is int and isinstance(where := outer.where[x], Register) and where.home is None:
                outer.where[x] = Register(where.name, where.flag, copied.moved(k))
        return lambda counter, lanes: _stepping(copied.counted(counter, 1), lanes)

    def _looked_up(self, table: str, count: int, counter: str, lanes: int) -> Place:
        f = self.f
        if lanes:
            # The lanes' places are irregular: their numbers are copied side by side in memory.
            home = f.module.memory.reserve(f.width)
            for lane in range(f.width):
                at = f.add(f"add i64 {counter}, {lane}")
                number = f.add(f"load double, ptr {self._address(table, count, at)}, align 8")
                address = f.add(f"getelementptr inbounds double, ptr %scratch, i64 {home.at + lane}")
                f.lines.append(f"  store double {number}, ptr {address}, align 8")
            return Place("scratch", home.at, step=1)
        at = f.add(f"getelementptr [{count} x i64], ptr {table}, i64 0, i64 {counter}")
        return Place("scratch", 0, ((f.add(f"load i64, ptr {at}, align 8"), 1),))

    def _address(self, table: str, count: int, at: str) -> str:
        f = self.f
        entry = f.add(f"getelementptr [{count} x i64], ptr {table}, i64 0, i64 {at}")
        return f.add(f"getelementptr inbounds double, ptr %scratch, i64 {f.add(f'load i64, ptr {entry}, align 8')}")

    def _rows(self, array: str) -> Place:
        """Return the place of the stacked values: rows, or the first of some wide columns."""
        memory, stacks = self.f.module.memory, self.loop.stacks
        if self.loop.turns is not None:
            return memory.reserve(self.loop.turns * stacks, array)
        memory.wide += stacks
        return Place("wide", memory.wide - stacks)

    def _stack(self, outputs: Sequence[Where], rows: Place, counter: str, lanes: int) -> None:
        """Store the values that a turn stacks."""
        stacks = self.loop.stacks
        for k, output in enumerate(outputs):
            text = self.outer.read(output)
            if rows.array == "wide":
                self.f.store(text, Place("wide", rows.at + k, ((counter, 1),), step=lanes))
            else:
                self.f.store(text, _stepping(rows.moved(k).counted(counter, stacks), stacks * lanes))

    def _stacked(self, rows: Place) -> list[Where]:
        """Return the places of the stacked values, turn after turn."""
        turns = 1 if self.loop.turns is None else self.loop.turns
        return [rows.moved(k) for k in range(turns * self.loop.stacks)]

    # Bodies.

    def _bodies(self, given: Sequence[Where]) -> list[Where]:
        """Write the bodies for one turn. Return the places of the outputs."""
        if len(self.loop.bodies) == 1:
            return Emitter(self.f, self.loop.bodies[0], given).run()
        return self._first_that_fits(given) if self.f.lanes is None else self._blended(given)

    def _first_that_fits(self, given: Sequence[Where]) -> list[Where]:
        """Write the bodies one after the other: if a guard fails, the next body is tried."""
        f, bodies = self.f, self.loop.bodies
        poison, fail, end = f.poison, f.fail, f.label()
        ends: list[tuple[str, str, list[str]]] = []
        for k, body in enumerate(bodies):
            following = f.label()
            f.poison = poison
            f.fail = fail if k == len(bodies) - 1 else self._to_next(following)
            outputs = [self.outer.read(x) for x in Emitter(f, body, given).run()]
            ends.append((f.block, f.poison, outputs))
            f.jump(end)
            if k < len(bodies) - 1:
                f.start(following)
        f.fail = fail
        f.start(end)
        f.poison = f.add("phi double " + ", ".join(f"[ {poison}, %{block} ]" for block, poison, _ in ends))
        phis = []
        for k in range(len(ends[0][2])):
            parts = ", ".join(f"[ {outputs[k]}, %{block} ]" for block, _, outputs in ends)
            phis.append(Register(f.add(f"phi {f.kind} {parts}")))
        return [*phis]

    def _to_next(self, label: str) -> Callable[[], None]:
        f = self.f

        def fail() -> None:
            refused, next_ = f.label(), f.add(f"fcmp uno double {f.poison}, 0.0")
            f.branch(next_, refused, label)
            f.start(refused)
            f._fail()

        return fail

    def _blended(self, given: Sequence[Where]) -> list[Where]:
        """Write the bodies for all lanes: each lane takes the results of the first one whose guards hold in it."""
        f, lanes = self.f, cast(Lanes, self.f.lanes)
        left, poison, found = lanes.sound, lanes.poison, f.none_of(lanes.sound)
        found = f.add(f"and {f.flag} {found}, {left}")  # in no lane yet
        results: list[str] = []
        total = poison
        for k, body in enumerate(self.loop.bodies):
            lanes.sound, lanes.poison = left, poison
            outputs = [self.outer.read(x) for x in Emitter(f, body, given).run()]
            fits = lanes.sound
            if k:
                pairs = zip(outputs, results, strict=True)
                results = [f.add(f"select {f.flag} {fits}, {f.kind} {x}, {f.kind} {y}") for x, y in pairs]
            else:
                results = outputs
            total = f.add(f"select {f.flag} {fits}, {f.kind} {lanes.poison}, {f.kind} {total}")
            found = f.add(f"or {f.flag} {found}, {fits}")
            left = f.add(f"and {f.flag} {left}, {f.none_of(fits)}")
        lanes.sound, lanes.poison = found, total
        return [Register(text) for text in results]

    # Maps.

    def _map(self) -> None:
        """Write a map: as many turns at once as there are lanes, then the turns that are left one by one."""
        loop, f, outer = self.loop, self.f, self.outer
        width = f.module.width
        rows = self._rows("scratch")
        columns = [self._column(column, "scratch") for column in loop.columns]
        consts = self._consts()
        sums = self._sums(width)
        whole = f.add(f"sub i64 {self.turns}, {width - 1}")
        enter, rest = f.label(), f.label()
        some = f.add(f"icmp sgt i64 {whole}, 0")
        before = f.block
        f.branch(some, enter, rest)
        f.start(enter)
        f.lanes = Lanes(width)
        counter = Counter(f, whole, "0", stride=width)
        given = [*map(self._splat, consts), *sums, *(column(counter.name, 1) for column in columns)]
        outputs = self._bodies(given)
        for output, place in zip(outputs[: self.carries], sums, strict=True):
            if output != place:
                f.store(outer.read(output), place)
        self._stack(outputs[self.carries :], rows, counter.name, 1)
        counter.close([])
        poison = self._leave_lanes()
        after = f.block
        f.jump(rest)
        f.start(rest)
        f.poison = f.add(f"phi double [ {f.poison}, %{before} ], [ {poison}, %{after} ]")
        done = f.add(f"phi i64 [ 0, %{before} ], [ {counter.last}, %{after} ]")
        totals = self._added_up(sums, width)
        self._rest(done, consts, totals, columns, rows)
        outer.where += totals
        outer.where += self._stacked(rows)

    def _splat(self, where: Where) -> Where:
        """Return a const for SIMD code. A number in memory is loaded into all lanes at each use."""
        if isinstance(where, Register):
            name = where.name
            f = self.f
            number = f.add(f"select i1 {name}, double {f.scalar(1.0)}, double {f.scalar(0.0)}") if where.flag else name
            return Register(f.splat(number), home=where.home)
        return where

    def _sums(self, width: int) -> list[Place]:
        """Return the places of the sums of all lanes: the first starts as the carry does, the others as −0.0."""
        f = self.f
        first = f.module.memory.reserve(self.carries, "lanes")
        places = [first.moved(k) for k in range(self.carries)]
        if self.carries > MOST_REGISTERS and all(x == Const(-0.0) for x in self.loop.init):
            counter = Counter(f, str(self.carries), "0")
            f.lanes = Lanes(width)
            f.store(f.number(-0.0), first.counted(counter.name, 1))
            f.lanes = None
            counter.close([])
            return places
        texts = [self.outer.text(x) for x in self.loop.init]
        for k, text in enumerate(texts):
            f.lanes = Lanes(width)
            vector = f.add(f"insertelement {f.kind} {f.number(-0.0)}, double {text}, i32 0")
            f.store(vector, first.moved(k))
            f.lanes = None
        return places

    def _leave_lanes(self) -> str:
        """End SIMD code: fail if a guard failed in some lane. Return the accumulator."""
        f, lanes = self.f, cast(Lanes, self.f.lanes)
        failed = f.any(f.none_of(lanes.sound))
        parts = [f.add(f"extractelement {f.kind} {lanes.poison}, i32 {k}") for k in range(f.width)]
        f.lanes = None
        poison = f.poison
        for part in parts:
            poison = f.add(f"fadd double {poison}, {part}")
        f.poison, before = poison, f.poison
        on, off = f.label(), f.label()
        f.branch(failed, off, on)
        f.start(off)
        f.fail()
        f.start(on)
        f.poison = before
        return poison

    def _added_up(self, sums: Sequence[Place], width: int) -> list[Place]:
        """Add up the lanes of each sum. Return the places of the totals."""
        f = self.f
        home = f.module.memory.reserve(len(sums))
        if sums:
            counter = Counter(f, str(len(sums)), "0")
            f.lanes = Lanes(width)
            vector = f.load(sums[0].counted(counter.name, 1))
            parts = [f.add(f"extractelement {f.kind} {vector}, i32 {lane}") for lane in range(width)]
            f.lanes = None
            total = parts[0]
            for part in parts[1:]:
                total = f.add(f"fadd double {total}, {part}")
            f.store(total, home.counted(counter.name, 1))
            counter.close([])
        return [home.moved(k) for k in range(len(sums))]

    def _rest(
        self,
        done: str,
        consts: Sequence[Where],
        totals: Sequence[Place],
        columns: Sequence[Callable[[str, int], Place]],
        rows: Place,
    ) -> None:
        """Write the turns that do not fill a register."""
        f, outer = self.f, self.outer
        enter, end = f.label(), f.label()
        before, poison = f.block, f.poison
        f.branch(f.add(f"icmp slt i64 {done}, {self.turns}"), enter, end)
        f.start(enter)
        counter = Counter(f, self.turns, done)
        outputs = self._bodies([*consts, *totals, *(column(counter.name, 0) for column in columns)])
        self._stack(outputs[self.carries :], rows, counter.name, 0)
        moved = [(x, place) for x, place in zip(outputs, totals, strict=False) if x != place]
        for text, place in [(outer.read(x), place) for x, place in moved]:
            f.store(text, place)
        counter.close([])
        after = f.block
        f.jump(end)
        f.start(end)
        f.poison = f.add(f"phi double [ {poison}, %{before} ], [ {f.poison}, %{after} ]")


def _stepping(place: Place, step: int) -> Place:
    return Place(place.array, place.at, place.counters, step or place.step)


def _is_wide(where: Where) -> bool:
    return isinstance(where, Place) and where.array == "wide"
