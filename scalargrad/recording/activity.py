"""Activity: the values that depend on chosen inputs, and those that chosen outputs depend on."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from ..engine.evaluation import REFUSALS
from ..interpreters.floats import FLOATS, IEEE
from ..primitives import passed
from ..rows import Many, Output, Primitive, Vector
from .builder import has_effects
from .program import Const, Instruction, Loop, Operand, Program

__all__ = ["Activity", "active_values", "is_unbounded", "loop_activity", "loop_needs", "needed_values"]

Flags = tuple[bool, ...]


class Activity(NamedTuple):
    """Flags for the active consts, carries and columns of a loop, and for the active outputs of its bodies."""

    consts: Flags
    carries: Flags
    columns: Flags
    outputs: Flags


def active_values(program: Program, inputs: Sequence[bool]) -> bytearray:
    """Return 1 for each value that has a derivative with respect to the flagged inputs, else 0."""
    active = bytearray(program.size)
    active[: program.inputs] = bytes(inputs)
    for start, step in program.numbered():
        if isinstance(step, Instruction):
            if _passes(step, active):
                active[start : start + step.width] = b"\1" * step.width
        elif isinstance(step, Loop):
            outputs = loop_activity(step, active).outputs
            carries, stacks = outputs[: len(step.init)], outputs[len(step.init) :]
            turns = 1 if step.turns is None else step.turns
            active[start : start + step.width] = bytes(carries) + bytes(stacks) * turns
    return active


def _passes(step: Instruction, active: bytearray) -> bool:
    if isinstance(step.primitive, Many):
        return any(active[x] for x in step.operands if type(x) is int)
    pairs = zip(step.operands, step.primitive.partials, strict=True)
    return any(type(x) is int and active[x] and rule is not None for x, rule in pairs)


def loop_activity(loop: Loop, active: bytearray) -> Activity:
    """Return flags for the active parts of a loop, given the active values outside."""

    def is_active(x: Operand) -> bool:
        return type(x) is int and bool(active[x])

    consts = tuple(map(is_active, loop.consts))
    columns = tuple([is_active(c) if isinstance(c, int) else any(map(is_active, c)) for c in loop.columns])
    carries = tuple(map(is_active, loop.init))
    while True:
        found = [_active_outputs(body, (*consts, *carries, *columns)) for body in loop.bodies]
        outputs = tuple(map(any, zip(*found, strict=True)))
        more = tuple([a or b for a, b in zip(carries, outputs, strict=False)])
        if more == carries:
            # A carry is active after the loop if it was before it, or if a turn makes it so.
            return Activity(consts, carries, columns, (*carries, *outputs[len(carries) :]))
        carries = more


@functools.lru_cache(maxsize=4096)
def _active_outputs(body: Program, inputs: Flags) -> Flags:
    active = active_values(body, inputs)
    return tuple([type(x) is int and bool(active[x]) for x in body.outputs])


def needed_values(program: Program, outputs: Sequence[bool], effects: bool = False) -> bytearray:
    """Return 1 for each value that a flagged output depends on or, with `effects`, an effect, else 0."""
    needed = bytearray(program.size)
    for x, flag in zip(program.outputs, outputs, strict=True):
        if flag and type(x) is int:
            needed[x] = True
    for start, step in reversed([*program.numbered()]):
        effective = effects and has_effects(step)
        if not effective and not any(needed[start : start + step.width]):
            continue
        if isinstance(step, Instruction):
            reads = list(step.operands)
        elif isinstance(step, Loop):
            at, carries = len(step.consts), len(step.init)
            inputs, _ = loop_needs(step, needed[start : start + step.width], effects)
            reads = list(itertools.compress((*step.consts, *step.init), inputs))
            for column in itertools.compress(step.columns, inputs[at + carries :]):
                reads += [column] if isinstance(column, int) else column
        else:
            reads = [step.condition] if effects else []
        for x in reads:
            if type(x) is int:
                needed[x] = True
    return needed


def loop_needs(loop: Loop, results: Sequence[int], effects: bool = False) -> tuple[Flags, Flags]:
    """Return flags for the inputs and the outputs of a loop's bodies that flagged results depend on in any turn."""
    at, carries = len(loop.consts), len(loop.init)
    stacked = tuple([any(results[carries + k :: loop.stacks]) for k in range(loop.stacks)])
    kept = tuple(map(bool, results[:carries]))
    while True:
        found = [_needed_inputs(body, (*kept, *stacked), effects) for body in loop.bodies]
        inputs = tuple(map(any, zip(*found, strict=True))) if found[0] else ()
        more = tuple([a or b for a, b in zip(kept, inputs[at : at + carries], strict=True)])
        if more == kept:
            return inputs, (*kept, *stacked)
        kept = more


@functools.lru_cache(maxsize=4096)
def _needed_inputs(body: Program, outputs: Flags, effects: bool) -> Flags:
    return tuple(map(bool, needed_values(body, outputs, effects)[: body.inputs]))


SAMPLES = (0.0, -0.0, 1e-320, -1e-320, 0.5, -0.5, 1.0, -1.0, 2.0, -3.0, 1e308, -1e308, 1e-200, -1e-200)


def is_unbounded(step: Instruction, index: int) -> bool:
    """Return True if a partial of a step can be infinite or nan at finite operands with a finite result.

    Only such a partial needs a test for an adjoint of exactly 0: 0 times any other partial is 0.
    """
    if step.primitive is passed:  # its second operand is a partial that can be infinite
        return True
    consts = tuple([x if type(x) is Const else None for x in step.operands])
    if isinstance(step.primitive, Many):
        consts, index = (None,) * min(len(consts), 4 + len(consts) % 2), 0
    return _is_unbounded(step.primitive, consts, index)


@functools.lru_cache(maxsize=4096)
def _is_unbounded(primitive: Primitive, consts: tuple[Const | None, ...], index: int) -> bool:
    samples = SAMPLES if len(consts) <= 2 else SAMPLES[::2] if len(consts) == 3 else (0.0, 1.0, -1e308)
    for point in itertools.product(*[samples if x is None else (float(x),) for x in consts]):
        try:
            out = primitive.forward(FLOATS, *point)
        except REFUSALS:
            continue
        outs = out if isinstance(primitive, Vector) else (out,)
        if not all(map(math.isfinite, outs)):
            continue
        for k in range(len(outs)):
            if isinstance(primitive, Vector):
                partials = Output(primitive, k).derivatives(IEEE, outs, point)
            else:
                partials = primitive.derivatives(IEEE, out, point, [True] * len(point))
            chosen = partials if isinstance(primitive, Many) else partials[index : index + 1]
            if not all(partial is None or math.isfinite(partial) for partial in chosen):
                return True
    return False
