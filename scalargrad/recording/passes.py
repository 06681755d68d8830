"""Passes over the steps of a recording: what is needed, which mapped steps are one, how values are numbered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .program import Guard, Instruction, Mapped, Operand, Program, Step

if TYPE_CHECKING:
    from .recorder import Recording

__all__ = ["constant_key", "is_needed", "joined", "merged", "renumbered"]


def constant_key(operand: Operand) -> Operand | str:
    """What tells operands apart that compare equal: the value 1 and the constant 1.0, 0.0 and −0.0."""
    return operand if type(operand) is int else float.hex(operand)


def is_needed(step: Instruction | Mapped, needed: set[int]) -> bool:
    if isinstance(step, Instruction) and step.refuses:
        return True
    if isinstance(step, Mapped) and any(program.guarded or _refuses(program) for program in step.programs):
        return True
    return not needed.isdisjoint(range(step.result, step.result + step.width))


def _refuses(program: Program) -> bool:
    return any(isinstance(step, Instruction) and step.refuses for step in program.steps)


def renumbered(
    inputs: int,
    captured: Sequence[int],
    steps: Sequence[Step],
    outputs: Sequence[Operand],
    moved: Mapping[int, int] | None = None,
) -> Program:
    moved = moved or {}
    numbers: dict[Operand, Operand] = {i: i for i in range(inputs)}
    numbers |= {at: inputs + i for i, at in enumerate(captured)}
    size = inputs + len(captured)

    def new(operands: Sequence[Operand]) -> tuple[Operand, ...]:
        return tuple([numbers[moved.get(x, x)] if type(x) is int else x for x in operands])

    renumbered: list[Step] = []
    for step in steps:
        if isinstance(step, Guard):
            renumbered.append(Guard(numbers[moved.get(step.condition, step.condition)], step.holds))  # type: ignore[arg-type]
            continue
        if isinstance(step, Instruction):
            renumbered.append(step._replace(operands=new(step.operands), result=size))
        else:
            renumbered.append(step._replace(broadcast=new(step.broadcast), result=size))
        for i in range(step.width):
            numbers[step.result + i] = size + i
        size += step.width
    return Program(inputs, len(captured), tuple(renumbered), new(outputs))


def merged(
    steps: Sequence[Step], size: int, join: Callable[[Sequence[Program]], Program]
) -> tuple[list[Step], dict[int, int]]:
    """The steps with those joined that map over the same lanes, and where the values went that this moved.

    A loss and its gradient are such steps: joined, they share what both compute.
    """
    groups: dict[Any, list[Mapped]] = {}
    for step in steps:
        if isinstance(step, Mapped):
            groups.setdefault(_lanes_key(step), []).append(step)
    moved: dict[int, int] = {}
    joined: list[Step] = []
    for step in steps:
        if not isinstance(step, Mapped) or len(group := groups[_lanes_key(step)]) == 1:
            joined.append(step)
        elif step is group[0]:
            programs = tuple([join(parts) for parts in zip(*[member.programs for member in group], strict=True)])
            summed = tuple([s for member in group for s in member.summed])
            joined.append(step._replace(programs=programs, summed=summed, result=size))
            for member in group:
                for i in range(member.width):
                    moved[member.result + i] = size + i
                size += member.width
    return joined, moved


def _lanes_key(step: Mapped) -> Any:
    return step.lanes, tuple(map(constant_key, step.broadcast)), repr(step.columns), len(step.programs)


def joined(programs: Sequence[Program], recording: Recording) -> Program:
    """One program with the outputs of all of them, for the same inputs; the recording is a fresh one of these."""
    outputs: list[Operand] = []
    for program in programs:
        cells: list[Operand] = list(range(len(recording.inputs)))
        for step in program.steps:
            if isinstance(step, Guard):
                recording.guard(Guard(cast(int, cells[step.condition]), step.holds))
            elif isinstance(step, Instruction):
                operands = [cells[x] if type(x) is int else x for x in step.operands]
                cells += recording.instruct(step.row, operands, [0.0] * step.width, step.refuses)
        outputs += [cells[x] if type(x) is int else x for x in program.outputs]
    found = renumbered(len(recording.inputs), [], recording.steps, outputs)
    return Program(programs[0].inputs, programs[0].captured, found.steps, found.outputs)
