"""`verify` checks that a program is well formed. The tests call it after each pass."""

from __future__ import annotations

from ..rows import Vector
from .program import Column, Const, Guard, Instruction, Loop, Operand, Program, accumulators

__all__ = ["verify"]


def verify(program: Program, path: str = "program") -> Program:
    """Return the program. Raises `AssertionError`, naming the step, if it is not well formed.

    Each operand is a `Const` or an earlier value. A wide value is a const or a column of a loop, or an output, and
    nothing else. The inputs and outputs of bodies match their loop. A loop has at least one turn.
    """
    wide = set(program.wide)
    _check(all(0 <= x < program.inputs for x in wide), path, "a wide input is none of its inputs")
    _check(program.captured <= program.inputs - len(wide), path, "more is captured than there are inputs")
    for start, step in program.numbered():
        where = f"{path}, v{start}"
        if isinstance(step, Instruction):
            _number(step.operands, start, wide, where)
            _check(
                step.primitive.variadic or len(step.operands) == len(step.primitive.parameters),
                where,
                f"{step.primitive.name} of {len(step.operands)} operands",
            )
            _check(not step.primitive.opaque, where, f"{step.primitive.name} is opaque")
            _check(not isinstance(step.primitive, Vector) or bool(step.operands), where, "a vector of nothing")
        elif isinstance(step, Guard):
            _number((step.condition,), start, wide, where)
        else:
            wide |= _loop(step, start, wide, where)
    for x in program.outputs:
        _operand(x, program.size, path)
    return program


def _loop(loop: Loop, start: int, wide: set[int], where: str) -> set[int]:
    _check(bool(loop.bodies), where, "a loop without a body")
    for x in loop.consts:
        _operand(x, start, where)
    _number(loop.init, start, wide, where)
    for column in loop.columns:
        _column(loop, column, start, wide, where)
    wide_consts = tuple(k for k, x in enumerate(loop.consts) if type(x) is int and x in wide)
    for k, body in enumerate(loop.bodies):
        inside = f"{where}, body {k}"
        expected = len(loop.consts) + len(loop.init) + len(loop.columns)
        _check(body.inputs == expected, inside, f"it has {body.inputs} inputs for {expected}")
        _check(body.wide == wide_consts, inside, f"its wide inputs are {body.wide} for {wide_consts}")
        _check(len(body.outputs) == len(loop.bodies[0].outputs), inside, "the bodies have different outputs")
        _check(k == len(loop.bodies) - 1 or body.guarded, inside, "only the last body may be without guards")
        verify(body, inside)
        _number(body.outputs, body.size, _wide_values(body), inside)
    _check(loop.stacks >= 0, where, "fewer outputs than carries")
    if not loop.ordered:
        _check(len(accumulators(loop)) == len(loop.init), where, "without an order, a carry is not only added to")
    if loop.turns is None:
        _check(not loop.ordered, where, "a loop of any length must not have an order")
        first = start + len(loop.init)
        return set(range(first, first + loop.stacks))
    _check(loop.turns >= 1, where, "a loop without a turn")
    return set()


def _column(loop: Loop, column: Column, start: int, wide: set[int], where: str) -> None:
    if loop.turns is None:
        _check(type(column) is int and column in wide and column < start, where, f"the column {column} is not wide")
        return
    _check(isinstance(column, (range, tuple)), where, f"the column {column} is wide, but the turns are {loop.turns}")
    assert not isinstance(column, int)  # noqa: S101 (for the type checker)
    _check(len(column) == loop.turns, where, f"a column of {len(column)} for {loop.turns} turns")
    _number((column[0], column[-1]) if isinstance(column, range) else column, start, wide, where)


def _wide_values(program: Program) -> set[int]:
    wide = set(program.wide)
    for start, step in program.numbered():
        if isinstance(step, Loop) and step.count is None:
            first = start + len(step.init)
            wide.update(range(first, first + step.stacks))
    return wide


def _number(operands: tuple[Operand, ...], before: int, wide: set[int], where: str) -> None:
    for x in operands:
        _operand(x, before, where)
        _check(x not in wide, where, f"v{x} is wide and can't be an operand")


def _operand(x: Operand, before: int, where: str) -> None:
    _check(type(x) is Const or (type(x) is int and 0 <= x < before), where, f"{x!r} is not an earlier value or Const")


def _check(holds: bool, where: str, message: str) -> None:
    if not holds:
        raise AssertionError(f"{where}: {message}")
