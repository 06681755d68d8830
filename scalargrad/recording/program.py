"""`Program`: what was recorded, as plain data. A flat list of instructions over numbered values.

The values 0, 1, … are the inputs, then those captured from Values outside, then each step's results. An
operand is the number of a value, or a float, a constant.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ..rows import Primitive

__all__ = ["Guard", "Instruction", "Mapped", "Program", "Step"]

Operand: TypeAlias = "int | float"
Runner: TypeAlias = "Callable[[Sequence[float]], list[float] | None]"

INFIX = {"add": "{} + {}", "sub": "{} − {}", "mul": "{} · {}", "div": "{} / {}", "pow": "{} ** {}", "neg": "−{}"}
INFIX |= {"less": "{} < {}", "equal": "{} = {}", "choose": "{1} if {0} else {2}"}


class Instruction(NamedTuple):
    """One row applied to operands. It fills the values from `result` on: one, or a vector row's several.

    `refuses` tells that it raises what eager code raises for a bad operand; what was made while
    differentiating follows IEEE instead.
    """

    row: Primitive
    operands: tuple[Operand, ...]
    result: int
    width: int
    refuses: bool

    def __str__(self) -> str:
        names = [_text(x) for x in self.operands]
        template = INFIX.get(self.row.name)
        return template.format(*names) if template else f"{self.row.name}({', '.join(names)})"


class Guard(NamedTuple):
    """A Python branch that the function took: the program is for points where the condition `holds`, or not."""

    condition: int
    holds: bool

    def __str__(self) -> str:
        return f"check {'' if self.holds else 'not '}{_text(self.condition)}"


class Mapped(NamedTuple):
    """Sub-programs run over lanes, each lane by the first one whose guards hold for it.

    A sub-program's inputs are one operand of each of the `columns`, which have one entry per lane; what it
    captured are the `broadcast` operands, the same for all lanes. An output is `summed` over the lanes into one
    value, or stacked into one value per lane.
    """

    programs: tuple[Program, ...]
    lanes: int
    broadcast: tuple[Operand, ...]
    columns: tuple[range | tuple[Operand, ...], ...]
    summed: tuple[bool, ...]
    result: int

    @property
    def width(self) -> int:
        """How many values it fills."""
        return sum(1 if summed else self.lanes for summed in self.summed)

    @property
    def guarded(self) -> bool:
        """Whether a sub-program depends on a Python branch."""
        return any(program.guarded for program in self.programs)

    def __str__(self) -> str:
        columns = [
            f"v{c[0]}…v{c[-1]}" if isinstance(c, range) and len(c) > 1 else f"{_text(c[0])}…{_text(c[-1])}"
            for c in self.columns
        ]
        operands = ", ".join([*map(_text, self.broadcast), *columns])
        bodies = "\n".join(_indent(str(program)) for program in self.programs)
        outputs = ", ".join("sum" if summed else "stack" for summed in self.summed)
        return f"map over {self.lanes} lanes of ({operands}), {outputs}:\n{bodies}"


Step: TypeAlias = "Instruction | Guard | Mapped"


@dataclass(frozen=True, eq=False)
class Program:
    """A recorded function: `inputs` numbers and `captured` ones in, the `outputs` out, by way of the `steps`.

    `len` counts the steps, `str` prints them numbered, `cost()` counts operations; equal recordings give
    equal programs, and a program can be pickled and sent elsewhere.

    >>> import scalargrad as sg
    >>> print(sg.jit(lambda x: sg.sin(x) * x).program(1.0))
    program of v0
    v1 = sin(v0)
    v2 = v1 · v0
    return v2
    """

    inputs: int
    captured: int
    steps: tuple[Step, ...]
    outputs: tuple[Operand, ...]

    def __len__(self) -> int:
        return len(self.steps)

    @functools.cached_property
    def _key(self) -> str:
        # As text: the value 1 and the constant 1.0, or 0.0 and −0.0, would compare equal.
        return repr((self.inputs, self.captured, self.steps, self.outputs))

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Program) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Program({self._key})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Program, (self.inputs, self.captured, self.steps, self.outputs)

    @property
    def size(self) -> int:
        """How many values it has."""
        return self.inputs + self.captured + sum(step.width for step in self.steps if not isinstance(step, Guard))

    @property
    def guarded(self) -> bool:
        """Whether it depends on a Python branch."""
        return any(isinstance(step, Guard) or (isinstance(step, Mapped) and step.guarded) for step in self.steps)

    def cost(self) -> dict[str, int]:
        """How many operations there are of each kind; one of any number of arguments counts by their number.

        A guard counts as "check", and the operations of a mapped sub-program once for each lane.

        >>> import scalargrad as sg
        >>> sg.jit(lambda x: sg.sin(x) * x).program(1.0).cost()
        {'sin': 1, 'mul': 1}
        """
        counts: Counter[str] = Counter()
        for step in self.steps:
            if isinstance(step, Instruction):
                counts[step.row.name] += len(step.operands) if step.row.variadic else 1
            elif isinstance(step, Guard):
                counts["check"] += 1
            else:
                for name, count in step.programs[0].cost().items():
                    counts[name] += count * step.lanes
        return dict(counts)

    def compile(self, backend: str = "auto") -> Callable[[Sequence[float]], list[float] | None]:
        """The program ready to run here: from the list of its inputs and captured numbers to that of its outputs.

        It returns None where a guard fails. So a program that was sent elsewhere runs without its function.
        Raises `ImportError` where the back end needs a package that is missing.

        >>> import scalargrad as sg
        >>> sg.jit(lambda x: sg.sin(x) * x).program(1.0).compile("python")([0.0])
        [0.0]
        """
        from . import backends

        return backends.build(self, backends.choose(backend))

    def source(self, language: str = "python") -> str:
        """The program as text: "python", or "llvm", which needs llvmlite. Raises `ValueError` for another one."""
        from . import backends

        return backends.source(self, language)

    def __str__(self) -> str:
        names = ", ".join(f"v{i}" for i in range(min(self.inputs, 8)))
        names += f", … v{self.inputs - 1}" if self.inputs > 8 else ""
        captured = f", {self.captured} captured" if self.captured else ""
        lines = [f"program of {names or 'nothing'}{captured}"]
        for step in self.steps:
            lines.append(str(step) if isinstance(step, Guard) else f"{_results(step)} = {step}")
        return "\n".join([*lines, f"return {', '.join(map(_text, self.outputs))}"])


def operands_of(step: Step) -> Sequence[Operand]:
    """All the operands that a step reads."""
    if isinstance(step, Instruction):
        return step.operands
    if isinstance(step, Guard):
        return (step.condition,)
    return (*step.broadcast, *(operand for column in step.columns for operand in column))


def _results(step: Instruction | Mapped) -> str:
    return f"v{step.result}" if step.width == 1 else f"v{step.result}…v{step.result + step.width - 1}"


def _text(operand: Operand) -> str:
    return f"v{operand}" if isinstance(operand, int) else f"{operand!r}"


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
