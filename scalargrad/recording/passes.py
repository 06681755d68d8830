"""The passes that prepare a program for the next stage, and the pipeline of all passes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from ..rows import Functions, Vector
from .builder import Builder, renamed
from .fuse import fused
from .program import Guard, Instruction, Loop, Operand, Program
from .roll import roll
from .rules import Basis, unwrapped, wrapped
from .simplify import simplified

__all__ = ["lowered", "permissive", "prepared", "stages"]


def lowered(program: Program) -> Program:
    """Return the program in the primitives of the basis alone, which every printer can write."""
    b = Builder(program.inputs, program.wide)
    m = Basis(b)
    of: list[Operand] = list(range(program.inputs))
    for step in program.steps:
        if isinstance(step, Instruction):
            of += _expanded(b, m, step, [of[x] if type(x) is int else x for x in step.operands])
        elif isinstance(step, Guard):
            b.guard(of[step.condition] if type(step.condition) is int else step.condition, step.holds)
        else:
            bodies = tuple(map(_lowered_body, step.bodies))
            of += b.loop(step.turns, bodies, *renamed(step, of), step.ordered)
    return b.program([of[x] if type(x) is int else x for x in program.outputs], program.captured)


_lowered_body = functools.lru_cache(maxsize=256)(lowered)


def _expanded(b: Builder, m: Basis, step: Instruction, operands: Sequence[Operand]) -> list[Operand]:
    m.refuses = step.refuses
    out = step.primitive.forward(cast(Functions, m), *[wrapped(b, x) for x in operands])
    return [unwrapped(y) for y in (out if isinstance(step.primitive, Vector) else (out,))]


def permissive(program: Program) -> Program:
    """Return the program without refusals: it gives nan or inf in place of an error."""
    steps = [
        step._replace(refuses=False)
        if isinstance(step, Instruction)
        else step._replace(bodies=tuple(map(permissive, step.bodies)))
        if isinstance(step, Loop)
        else step
        for step in program.steps
    ]
    return Program(program.inputs, tuple(steps), program.outputs, program.wide, program.captured)


PIPELINE: tuple[tuple[str, Callable[[Program], Program]], ...] = (
    ("roll", roll),
    ("simplify", simplified),
    ("fuse", lambda program: simplified(fused(program))),
    ("lower", lambda program: simplified(lowered(program))),
)
"""The passes that run after a program was recorded, rolled and differentiated, and before it is printed."""


def stages(program: Program) -> Iterator[tuple[str, Program]]:
    """Yield the name of each stage of the pipeline and the program after it; the recorded program comes first."""
    yield "record", program
    for name, stage in PIPELINE:
        program = stage(program)
        yield name, program


def prepared(program: Program) -> Program:
    """Return the program in the form that printers take: simplified, and in the primitives of the basis alone."""
    *_, (_, last) = stages(program)
    return last
