"""`Builder` writes programs. The recorder, the passes and the derivatives use it.

With `share`, equal steps are written once and the identities below apply. All identities are exact in IEEE arithmetic,
to the last bit. Without `share`, each step stays as it was written, so that a derivative adds up in the order of eager
code.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterable, Sequence
from typing import Any, cast

from ..engine.evaluation import REFUSALS
from ..interpreters.floats import FLOATS, IEEE
from ..rows import Primitive, Vector
from .basis import ADD, EQUAL, LESS, MUL, NEG, can_refuse
from .identities import DIVISIONS, IDENTITIES, ONE, ZEROS
from .program import Column, Const, Guard, Instruction, Loop, Operand, Program, Ref, Step, operands_of

__all__ = ["Builder", "has_effects", "packed", "renamed"]


class Builder:
    """A program being written. Its first `inputs` values are its inputs; `wide` says which of them are columns."""

    def __init__(self, inputs: int, wide: Iterable[Ref] = (), share: bool = True) -> None:
        self.inputs = inputs
        self.wide = set(wide)
        self.share = share
        self.steps: list[Step] = []
        self.starts: list[Ref] = []
        self.size = inputs
        self._known: dict[Any, int] = {}  # the index of a step
        self._step_of: dict[Ref, Instruction] = {}

    # Steps.

    def write(self, primitive: Primitive, operands: Sequence[Operand], refuses: bool = False) -> Operand:
        """Return the operand for an instruction's result: a constant, an earlier value, or the value of a new step."""
        operands = tuple(operands)
        if all(type(x) is Const for x in operands) and (folded := _folded(primitive, operands, refuses)) is not None:
            return folded[0]
        if self.share and (simpler := self._simpler(primitive.name, operands, refuses)) is not None:
            return simpler
        return self._added(primitive, operands, refuses)

    def write_vector(self, primitive: Vector, operands: Sequence[Operand], refuses: bool = False) -> list[Operand]:
        """Return the operands for all results of a vector row."""
        operands = tuple(operands)
        if all(type(x) is Const for x in operands) and (folded := _folded(primitive, operands, refuses)) is not None:
            return folded
        first = self._added(primitive, operands, refuses)
        return list(range(first, first + len(operands)))

    def _added(self, primitive: Primitive, operands: tuple[Operand, ...], refuses: bool) -> Ref:
        refuses = refuses and can_refuse(primitive, len(operands))
        if refuses and primitive.name in DIVISIONS and type(operands[1]) is Const:
            refuses = operands[1] in ZEROS
        if not self.share:
            return self._append(Instruction(primitive, operands, refuses))
        key = primitive, operands
        if primitive is ADD or primitive is MUL:
            x, y = operands
            if type(y) is int and (type(x) is not int or y < x):
                key = primitive, (y, x)
        index = self._known.get(key)
        if index is None:
            self._known[key] = len(self.steps)
            step = Instruction(primitive, operands, refuses)
            self._step_of[self.size] = step
            return self._append(step)
        if refuses:
            self.steps[index] = cast(Instruction, self.steps[index])._replace(refuses=True)
        return self.starts[index]

    def guard(self, condition: Operand, holds: bool) -> None:
        """Add a guard. If its condition is a constant, it is dropped if it holds; otherwise the program gives None."""
        step = self.instruction(condition)
        while step is not None and step.primitive is EQUAL and step.operands[1] in ZEROS:
            inner = self.instruction(step.operands[0])  # for a c that is 1 or 0, c = 0 is "not c"
            if inner is None or inner.primitive not in (LESS, EQUAL):
                break
            condition, holds, step = step.operands[0], not holds, inner
        guard = Guard(condition, holds)
        if has_effects(guard) and not (self.share and guard in self._known):
            self._known[guard] = len(self.steps)
            self._append(guard)

    def loop(
        self,
        turns: int | None,
        bodies: Sequence[Program],
        consts: Sequence[Operand],
        init: Sequence[Operand],
        columns: Sequence[Column | Sequence[Operand]],
        ordered: bool = True,
    ) -> list[Operand]:
        """Write a loop and return its results: the last carries, then the stacked values, turn after turn."""
        packed_columns = tuple([x if isinstance(x, (int, range)) else packed(x) for x in columns])
        step = Loop(turns, tuple(bodies), tuple(consts), tuple(init), packed_columns, ordered)
        index = self._known.get(step) if self.share else None
        start = self.starts[index] if index is not None else self._append(step)
        if self.share and index is None:
            self._known[step] = len(self.steps) - 1
        if turns is None:
            self.wide.update(range(start + len(init), start + step.width))
        return list(range(start, start + step.width))

    def _append(self, step: Step) -> Ref:
        start = self.size
        self.steps.append(step)
        self.starts.append(start)
        self.size = start + step.width
        return start

    def inline(self, program: Program, operands: Sequence[Operand]) -> list[Operand]:
        """Write the steps of a program, with these operands as its inputs. Return the operands of its outputs."""
        of: list[Operand] = list(operands)
        for step in program.steps:
            of += self.copy(step, of)
        return [of[x] if type(x) is int else x for x in program.outputs]

    def copy(self, step: Step, of: Any) -> list[Operand]:
        """Write a step with other operands; `of` maps the values that it reads. Return the operands of its results."""
        if isinstance(step, Instruction):
            operands = [of[x] if type(x) is int else x for x in step.operands]
            if isinstance(step.primitive, Vector):
                return self.write_vector(step.primitive, operands, step.refuses)
            return [self.write(step.primitive, operands, step.refuses)]
        if isinstance(step, Guard):
            condition = step.condition
            self.guard(of[condition] if type(condition) is int else condition, step.holds)
            return []
        consts, init, columns = renamed(step, of)
        return self.loop(step.turns, step.bodies, consts, init, columns, step.ordered)

    # Programs.

    def program(self, outputs: Sequence[Operand], captured: int = 0, inputs: Sequence[Ref] | None = None) -> Program:
        """Return the program written so far, without the steps that no output, guard or refusal needs.

        If `inputs` is given, these values become the program's inputs, and the steps that made them are left out.
        """
        given = range(self.inputs) if inputs is None else inputs
        made = set(given)
        kept = self.kept(
            outputs, [i for i, start in enumerate(self.starts) if start not in made or not self.steps[i].width]
        )
        return self._subprogram(kept, given, outputs, captured)[0]

    def kept(self, outputs: Sequence[Operand], indices: Sequence[int], effects: bool = True) -> list[int]:
        """Return the indices, in order, of the steps that an output needs or, with `effects`, that an effect needs."""
        needed = bytearray(self.size)
        for x in outputs:
            if type(x) is int:
                needed[x] = True
        return self._needed(needed, indices, effects)

    def _needed(self, needed: bytearray, indices: Sequence[int], effects: bool) -> list[int]:
        found: list[int] = []
        steps, starts = self.steps, self.starts
        for index in reversed(indices):
            step, start = steps[index], starts[index]
            if type(step) is Instruction:
                wanted = needed[start] or (effects and step.refuses) or any(needed[start : start + step.width])
            else:
                wanted = (effects and has_effects(step)) or any(needed[start : start + step.width])
            if wanted:
                found.append(index)
                for x in operands_of(step):
                    if type(x) is int:
                        needed[x] = True
        return found[::-1]

    def extract(self, leaves: Sequence[Ref], roots: Sequence[Operand]) -> tuple[Program, list[Ref]]:
        """Move the steps that lead from the leaves to the roots into a program of its own.

        Return the program and its other inputs: values that do not depend on the leaves. Guards and refusals that
        depend on the leaves move along. The steps also stay here, without guards and refusals, as others may read them.
        """
        active = bytearray(self.size)
        for leaf in leaves:
            active[leaf] = True
        steps, starts = self.steps, self.starts
        found: list[int] = []
        for index in range(bisect.bisect_left(starts, min(leaves, default=self.size)), len(steps)):
            step = steps[index]
            for x in operands_of(step):
                if type(x) is int and active[x]:
                    found.append(index)
                    for place in range(starts[index], starts[index] + step.width):
                        active[place] = True
                    break
        needed = bytearray(self.size)
        for root in roots:
            if type(root) is int:
                needed[root] = True
        kept = self._needed(needed, found, effects=True)
        program, consts = self._subprogram(kept, leaves, roots)
        for index in kept:
            steps[index] = _without_effects(steps[index])
        return program, consts

    def _subprogram(
        self, indices: Sequence[int], inputs: Sequence[Ref], outputs: Sequence[Operand], captured: int = 0
    ) -> tuple[Program, list[Ref]]:
        chosen = [(self.starts[index], self.steps[index]) for index in indices]
        inside = set(inputs)
        for start, step in chosen:
            if (width := step.width) == 1:
                inside.add(start)
            else:
                inside.update(range(start, start + width))
        consts: list[Ref] = []
        for operands in (*(operands_of(step) for _, step in chosen), outputs):
            for x in operands:
                if type(x) is int and x not in inside:
                    inside.add(x)
                    consts.append(x)
        of: dict[Ref, Operand] = {x: i for i, x in enumerate((*inputs, *consts))}
        wide = [i for i, x in enumerate((*inputs, *consts)) if x in self.wide]
        steps: list[Step] = []
        at = count = len(inputs) + len(consts)
        for start, step in chosen:
            if type(step) is Instruction:
                operands = tuple([of[x] if type(x) is int else x for x in step.operands])
                steps.append(Instruction(step.primitive, operands, step.refuses))
            elif isinstance(step, Guard):
                condition = step.condition
                steps.append(step._replace(condition=of[condition] if type(condition) is int else condition))
            else:
                consts_, init, columns = renamed(cast(Loop, step), of)
                steps.append(cast(Loop, step)._replace(consts=consts_, init=init, columns=columns))
            if (width := step.width) == 1:
                of[start] = at
            else:
                of.update(zip(range(start, start + width), range(at, at + width), strict=True))
            at += width
        results = tuple([of[x] if type(x) is int else x for x in outputs])
        return Program(count, tuple(steps), results, tuple(wide), captured), consts

    # Identities.

    def _simpler(self, name: str, operands: tuple[Operand, ...], refuses: bool) -> Operand | None:
        """Return an operand that equals the result to the last bit without a new step, or None."""
        rule = IDENTITIES.get(name)
        return None if rule is None else rule(self, operands, refuses)

    def instruction(self, x: Operand) -> Instruction | None:
        """Return the instruction whose result a value is, if steps are shared."""
        return self._step_of.get(x) if type(x) is int else None

    def negated(self, x: Operand) -> Operand | None:
        """Return y if x was written as −y, else None."""
        step = self.instruction(x)
        return step.operands[0] if step is not None and step.primitive is NEG else None


def packed(entries: Sequence[Operand]) -> Column:
    """Return the entries of a column as a range if they are equally spaced values, else as a table."""
    if len(entries) > 1 and type(entries[0]) is int and type(entries[1]) is int:
        first, stride = entries[0], entries[1] - entries[0]
        if stride:
            found = range(first, first + stride * len(entries), stride)
            if list(entries) == list(found):  # a Const is equal to no number of a value
                return found
    return tuple(entries)


def renamed(loop: Loop, of: Any) -> tuple[tuple[Operand, ...], tuple[Operand, ...], tuple[Column, ...]]:
    """Return the consts, the init and the columns of a loop, each value replaced by the operand in `of`."""

    def new(operands: Iterable[Operand]) -> tuple[Operand, ...]:
        return tuple([of[x] if type(x) is int else x for x in operands])

    columns = tuple([of[c] if isinstance(c, int) else packed(new(c)) for c in loop.columns])
    return new(loop.consts), new(loop.init), columns


def has_effects(step: Step) -> bool:
    """Return True if a step, or a step of its bodies, is a guard or may refuse."""
    if isinstance(step, Guard):
        # `extract` replaces a guard by a guard of a constant that holds.
        return type(step.condition) is int or (float(step.condition) != 0.0) is not step.holds
    return step.refuses if isinstance(step, Instruction) else step.has_effects


def _without_effects(step: Step) -> Step:
    if isinstance(step, Instruction):
        return step._replace(refuses=False)
    if isinstance(step, Guard):
        return Guard(ONE, True)
    # If there are several bodies, their guards choose between them.
    return step if len(step.bodies) > 1 else step._replace(bodies=(_quiet(step.bodies[0]),))


@functools.lru_cache(maxsize=256)
def _quiet(body: Program) -> Program:
    steps = tuple([_without_effects(step) for step in body.steps if not isinstance(step, Guard)])
    return Program(body.inputs, steps, body.outputs, body.wide, body.captured)


def _folded(primitive: Primitive, operands: Sequence[Operand], refuses: bool) -> list[Operand] | None:
    data = [float(x) for x in operands]
    try:
        out = primitive.forward(FLOATS if refuses else IEEE, *data)
    except REFUSALS:
        return None
    return [Const(y) for y in (out if isinstance(primitive, Vector) else (out,))]
