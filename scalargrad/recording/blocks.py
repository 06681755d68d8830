"""The NumPy printer: maps become array operations over blocks of lanes that fit the cache; the rest is Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..interpreters.arrays import ARRAYS
from ..interpreters.source import INFIX, LIBRARY_FUNCTIONS
from . import python
from .basis import CHOOSE, EQUAL, LESS
from .program import Instruction, Loop, Operand, Program, Ref
from .python import Printer, Text

__all__ = ["compiled", "source"]

BLOCK = 1024
Body = Callable[..., tuple[Any, Any, list[Any]]]
"""A body over lanes. It returns an accumulator, nan if it may refuse; the lanes with a failed guard; the outputs."""


class SuspectError(Exception):
    """Raised if a result is not finite in a lane in which eager code may refuse: Python's floats then decide."""


def compiled(program: Program) -> python.Runner:
    """Return the runner of a lowered program."""
    functions = {name: getattr(ARRAYS, name) for name in LIBRARY_FUNCTIONS}
    lanes = {f"{name}_of": function for name, function in functions.items()}
    scope = {**python.SCOPE, **lanes, "where": np.where, "mapped": mapped, "first_that_fits": first_that_fits}
    # The text is made of operations and numbers alone; no text of a user gets into it.
    exec(compile(source(program), "<scalargrad program>", "exec"), scope)  # noqa: S102 (see above)
    function: python.Runner = scope["program"]
    exact: list[python.Runner] = []

    def run(numbers: Sequence[float], columns: Sequence[Any] = ()) -> list[Any] | None:
        try:
            return function(numbers, [np.asarray(column, dtype=float) for column in columns])
        except SuspectError:
            if not exact:
                exact.append(python.compiled(program))
            found = exact[0](numbers, [list(map(float, column)) for column in columns])
            return found and [np.asarray(x) if isinstance(x, list) else x for x in found]

    return run


def source(program: Program) -> str:
    """Return the text of the function `program(numbers, columns=())`, after those of the bodies."""
    return BlockPrinter().function("program", program, main=True)


class BlockPrinter(Printer):
    """Writes a map as one call, and its bodies as functions of arrays."""

    def loop(self, loop: Loop, start: Ref, letter: str, values: list[Text], depth: int) -> Iterator[str]:
        """Yield the lines of a loop, and add its results to the values."""
        if loop.ordered:
            yield from super().loop(loop, start, letter, values, depth)
            return
        names = []
        for body in loop.bodies:
            names.append(f"body{len(self.functions)}")
            self.functions.append("")
            self.functions[int(names[-1][4:])] = LanePrinter(self.functions).function(names[-1], body)

        def listed(operands: Sequence[Operand]) -> str:
            return f"({''.join(f'{python.text_of(x, values)}, ' for x in operands)})"

        columns = "".join(f"{python.column_of(column, values)}, " for column in loop.columns)
        stack = f"{letter}s{start}"
        arguments = f"({', '.join(names)},), {listed(loop.consts)}, {listed(loop.init)}, ({columns}), {loop.stacks}"
        yield f"found = mapped({arguments}, {loop.turns})"
        yield "if found is None: return None"
        yield f"{stack}c, {stack} = found"
        values += [Text(f"{stack}c[{k}]") for k in range(len(loop.init))]
        count = loop.stacks if loop.turns is None else loop.turns * loop.stacks
        values += [Text(f"{stack}[{i}]", stack * (loop.turns is not None), i) for i in range(count)]


class LanePrinter(Printer):
    """Writes a body as a function. Its values are arrays with a number for each lane, or numbers for all lanes."""

    def __init__(self, functions: list[str]) -> None:
        self.functions = functions

    def function(self, name: str, program: Program, main: bool = False) -> str:
        """Return the text of a body's function."""
        given = [f"v{i}" for i in range(program.inputs)]
        lines, results = self.steps(program, [*map(Text, given)], 0)
        body = ["poison = 0.0", "failed = False", *lines, f"return poison, failed, [{', '.join(results)}]"]
        return "\n".join([f"def {name}({', '.join(given)}):", *(f"    {line}" for line in body), ""])

    def instruction(self, step: Instruction, name: str, operands: Sequence[str], as_truth: bool) -> list[str]:
        """Return the lines of an instruction and, if eager code may refuse, of a check of its result."""
        if step.primitive in (LESS, EQUAL):
            text = f"({operands[0]} {'<' if step.primitive is LESS else '=='} {operands[1]})"
            return [f"{name} = {text if as_truth else f'1.0 * {text}'}"]
        if step.primitive is CHOOSE:
            return [f"{name} = where({', '.join(operands)})"]
        own = step.primitive.name
        template = INFIX.get(own)
        text = template.format(*operands) if template else f"{own}_of({', '.join(operands)})"
        return [f"{name} = {text}", *([f"poison = poison + {name} * 0.0"] if step.refuses else [])]

    def guard(self, condition: str, holds: bool) -> str:
        """Return the line of a guard. It notes the lanes in which the guard fails, unless they were refused before."""
        return f"failed = failed | (({condition} {'==' if holds else '!='} 0.0) & (poison == poison))"

    def calls(self, loop: Loop, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the lines that choose between bodies in each lane, and the text of the outputs."""
        names = []
        for body in loop.bodies:
            names.append(f"body{len(self.functions)}")
            self.functions.append("")
            self.functions[int(names[-1][4:])] = self.function(names[-1], body)
        lines = [
            f"found = first_that_fits(({', '.join(names)},), ({', '.join(arguments)},))",
            "poison = poison + found[0]",
            "failed = failed | (found[1] & (poison == poison))",
        ]
        return lines, [f"found[2][{i}]" for i in range(len(loop.bodies[0].outputs))]


def first_that_fits(bodies: Sequence[Body], arguments: Sequence[Any]) -> tuple[Any, Any, list[Any]]:
    """Return, for each lane, the results of the first body whose guards hold there."""
    poison, failed, outputs = bodies[0](*arguments)
    for body in bodies[1:]:
        if not np.any(failed):
            break
        more_poison, more_failed, more = body(*arguments)
        poison = np.where(failed, more_poison, poison)
        outputs = [np.where(failed, x, y) for x, y in zip(more, outputs, strict=True)]
        failed = failed & more_failed
    return poison, failed, outputs


def mapped(
    bodies: Sequence[Body],
    consts: Sequence[float],
    init: Sequence[float],
    columns: Sequence[Any],
    stacks: int,
    turns: int | None,
) -> tuple[list[float], list[Any]] | None:
    """Run a map. Return its sums and its stacks, turn after turn or as arrays; None if no body fits."""
    arrays = [np.asarray(column, dtype=float) for column in columns]
    count = len(arrays[0]) if turns is None else turns
    rows = np.empty((stacks, count))
    fixed = [*map(np.float64, consts), *[np.float64(-0.0)] * len(init)]  # a plain float would refuse a division by 0
    totals = [*map(float, init)]
    with np.errstate(all="ignore"):
        for start in range(0, count, BLOCK):
            block = slice(start, min(start + BLOCK, count))
            size = block.stop - block.start
            entries = [np.ascontiguousarray(array[block]) for array in arrays]
            poison, failed, outputs = first_that_fits(bodies, [*fixed, *entries])
            if np.isnan(poison).any():
                raise SuspectError
            if np.any(failed):
                return None
            for k in range(len(init)):
                totals[k] += float(np.broadcast_to(outputs[k], size).sum())
            for k in range(stacks):
                rows[k, block] = outputs[len(init) + k]
    return totals, [*rows] if turns is None else rows.T.ravel().tolist()
