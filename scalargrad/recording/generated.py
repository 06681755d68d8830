"""The python back end: a program as generated Python source, which needs nothing but the interpreter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..engine.evaluation import REFUSALS
from ..interpreters.source import INFIX, LIBRARY_FUNCTIONS
from .lowering import Check, Code, MappedCall, Operation, lower
from .program import Mapped, Operand, Program
from .replay import in_lane, lane_inputs, replay

__all__ = ["GeneratedProgram", "expression", "text_of", "written"]


class GeneratedProgram:
    """A program to call with the values of its inputs and captured numbers, as one list of floats.

    It returns the list of the outputs, or None where a guard fails, and raises what eager code raises.
    """

    def __init__(self, program: Program, backend: str = "python") -> None:
        self.program = program
        self.text = written(lower(program))
        kind = _MappedLoop if backend == "python" else _MappedBlocks
        maps = [kind(step) for step in program.steps if isinstance(step, Mapped)]
        scope = {**LIBRARY_FUNCTIONS, "inf": math.inf, "nan": math.nan, "maps": maps}
        # The text is made of operations and numbers alone; nothing that a user wrote gets into it.
        exec(compile(self.text, "<scalargrad program>", "exec"), scope)  # noqa: S102 (see above)
        self.function: Callable[[Sequence[float]], list[float] | None] = scope["program"]

    def __call__(self, values: Sequence[float]) -> list[float] | None:
        """The outputs, or None."""
        try:
            return self.function(values)
        except REFUSALS:
            return replay(self.program, values)


class _MappedLoop:
    """A mapped step as a loop over its lanes."""

    def __init__(self, step: Mapped) -> None:
        self.step = step
        self.programs = [GeneratedProgram(program) for program in step.programs]

    def __call__(self, values: Sequence[float], broadcast: Sequence[float]) -> list[float] | None:
        sums: list[Any] = [None if summed else [] for summed in self.step.summed]
        for lane in range(self.step.lanes):
            inputs = [*lane_inputs(self.step, lane, values), *broadcast]
            with in_lane(lane):
                outputs = next((out for run in self.programs if (out := run(inputs)) is not None), None)
            if outputs is None:
                return None
            for i, (number, summed) in enumerate(zip(outputs, self.step.summed, strict=True)):
                if summed:
                    sums[i] = number if sums[i] is None else sums[i] + number
                else:
                    sums[i].append(number)
        results: list[float] = []
        for total in sums:
            results.extend(total if isinstance(total, list) else [total])
        return results


class _MappedBlocks:
    """A mapped step on NumPy blocks."""

    def __init__(self, step: Mapped) -> None:
        from .kernels import mapped_runner

        self.step = step
        self.runner = mapped_runner(step.programs, step.summed, "numpy")

    def __call__(self, values: Sequence[float], broadcast: Sequence[float]) -> list[float] | None:
        import numpy as np

        columns = [
            np.array([values[x] if type(x) is int else x for x in column], dtype=float) for column in self.step.columns
        ]
        results = self.runner(columns, broadcast, self.step.lanes)
        if isinstance(results, int):
            return None
        return [x for r in results for x in (r.tolist() if isinstance(r, np.ndarray) else [r])]


def text_of(operand: Operand) -> str:
    """An operand as it is written."""
    return f"v{operand}" if type(operand) is int else repr(operand)


def expression(name: str, operands: Sequence[str], templates: Mapping[str, str]) -> str:
    """An operation as it is written: by its template, or as a call."""
    template = templates.get(name)
    return template.format(*operands) if template else f"{name}({', '.join(operands)})"


def written(code: Code) -> str:
    """The text of the function `program(values)`."""
    lines = ["def program(values):"]
    if code.inputs:
        lines.append(f"    {', '.join(f'v{i}' for i in range(code.inputs))}, = values")
    calls = 0
    for step in code.steps:
        if isinstance(step, Operation):
            lines.append(f"    v{step.result} = {expression(step.name, [*map(text_of, step.operands)], INFIX)}")
        elif isinstance(step, Check):
            lines.append(f"    if {'not ' if step.holds else ''}v{step.condition}: return None")
        else:
            lines += _call(step, calls)
            calls += 1
    lines.append(f"    return [{', '.join(map(text_of, code.outputs))}]")
    return "\n".join(lines) + "\n"


def _call(call: MappedCall, index: int) -> list[str]:
    results = ", ".join(f"v{call.result + i}" for i in range(call.step.width))
    broadcast = ", ".join(map(text_of, call.broadcast))
    return [
        f"    results = maps[{index}](values, [{broadcast}])",
        "    if results is None: return None",
        f"    {results}, = results",
    ]
