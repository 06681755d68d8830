"""The Python printer: a lowered program as the text of a function, loops as loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from ..interpreters.floats import IEEE
from ..interpreters.source import INFIX, LIBRARY_FUNCTIONS
from .basis import CHOOSE, EQUAL, LESS, REFUSING
from .program import Column, Const, Guard, Instruction, Loop, Operand, Program, Ref, operands_of

__all__ = ["Printer", "Runner", "Text", "compiled", "conditions", "source"]

Runner: TypeAlias = "Callable[..., list[Any] | None]"
"""A program ready to run: a function from numbers and wide columns to the outputs, or None if a guard fails."""

TEMPLATES = INFIX | {"choose": "{1} if {0} else {2}"}
SCOPE = (
    LIBRARY_FUNCTIONS | {f"ieee_{name}": getattr(IEEE, name) for name in REFUSING} | {"inf": math.inf, "nan": math.nan}
)
INDENT = "    "


def compiled(program: Program) -> Runner:
    """Return the function of a lowered program.

    Instructions that refuse raise the errors of floats; all others follow IEEE.
    """
    scope = dict(SCOPE)
    # The text is made of operations and numbers alone; no text of a user gets into it.
    exec(compile(source(program), "<scalargrad program>", "exec"), scope)  # noqa: S102 (see above)
    run: Runner = scope["program"]
    return run


def source(program: Program) -> str:
    """Return the text of the function `program(numbers, columns=())`, after those of bodies with guards."""
    printer = Printer()
    return printer.function("program", program, main=True)


def conditions(program: Program) -> set[Ref]:
    """Return the comparisons that only choices and guards read: a printer may keep them as truth values."""
    found = {start for start, step in program.numbered() if isinstance(step, Instruction) and _compares(step)}
    for step in program.steps:
        if isinstance(step, Instruction) and step.primitive is CHOOSE:
            found.difference_update(x for x in step.operands[1:] if type(x) is int)
        elif not isinstance(step, Guard):
            found.difference_update(x for x in operands_of(step) if type(x) is int)
    return found.difference(x for x in program.outputs if type(x) is int)


def _compares(step: Instruction) -> bool:
    return step.primitive is LESS or step.primitive is EQUAL


class Text:
    """The text of a value, and its place in a list, if it is in one."""

    __slots__ = ("index", "list", "text")

    def __init__(self, text: str, in_list: str = "", index: int = 0) -> None:
        self.text = text
        self.list = in_list
        self.index = index


class Printer:
    """Writes programs as functions. The bodies that a function calls come before it."""

    def __init__(self) -> None:
        self.functions: list[str] = []

    def function(self, name: str, program: Program, main: bool = False) -> str:
        """Return the text of the function of a program, after the text of the functions that it calls."""
        names = [f"v{i}" for i in range(program.inputs)]
        if main:
            numbers = [i for i in range(program.inputs) if i not in set(program.wide)]
            places = {i: k for k, i in enumerate(numbers)}
            values = [Text(n, "numbers" * (i in places), places.get(i, 0)) for i, n in enumerate(names)]
            lines = [f"def {name}(numbers, columns=()):"]
            lines += [
                f"{INDENT}{''.join(f'v{i}, ' for i in part)}= {what}"
                for part, what in ((numbers, "numbers"), (program.wide, "columns"))
                if part
            ]
        else:
            values = [Text(n) for n in names]
            lines = [f"def {name}({', '.join(names)}):"]
        body, results = self.steps(program, values, 0)
        lines += [INDENT + line for line in body]
        lines.append(f"{INDENT}return [{', '.join(results)}]")
        text = "\n".join([*lines, ""])
        return "\n".join([*self.functions, text]) if main else text

    def steps(self, program: Program, values: list[Text], depth: int) -> tuple[list[str], list[str]]:
        """Return the lines of a program's steps, and the text of its outputs."""
        letter = "vuwxyz"[depth] if depth < 6 else f"v{depth}_"
        kept = conditions(program)
        lines: list[str] = []
        for start, step in program.numbered():
            if isinstance(step, Instruction):
                name = f"{letter}{start}"
                lines += self.instruction(step, name, [text_of(x, values) for x in step.operands], start in kept)
                values.append(Text(name))
            elif isinstance(step, Guard):
                lines.append(self.guard(text_of(step.condition, values), step.holds))
            else:
                lines += self.loop(step, start, letter, values, depth)
        return lines, [text_of(x, values) for x in program.outputs]

    def instruction(self, step: Instruction, name: str, operands: Sequence[str], as_truth: bool) -> list[str]:
        """Return the lines of an instruction; `as_truth` keeps a comparison as a truth value."""
        text = _instruction(step, operands)
        return [f"{name} = {text if as_truth or not _compares(step) else f'float({text})'}"]

    def guard(self, condition: str, holds: bool) -> str:
        """Return the line of a guard."""
        return f"if {'not ' if holds else ''}{condition}: return None"

    def loop(self, loop: Loop, start: Ref, letter: str, values: list[Text], depth: int) -> Iterator[str]:
        """Yield the lines of a loop, and add its results to the values."""
        inner = "vuwxyz"[depth + 1] if depth < 5 else f"v{depth + 1}_"
        at, carries = len(loop.consts), len(loop.init)
        names = [f"{inner}{at + k}" for k in range(carries + len(loop.columns))]
        given = [values[x] if type(x) is int else Text(text_of(x, values)) for x in loop.consts]
        given += map(Text, names)
        stack = f"{letter}s{start}"
        if carries:
            yield f"{', '.join(names[:carries])}, = {''.join(f'{text_of(x, values)}, ' for x in loop.init)}"
        stacked = [stack] if loop.turns is not None else [f"{stack}_{k}" for k in range(loop.stacks)]
        if loop.stacks:
            yield from (f"{name} = []" for name in stacked)
        columns = [column_of(column, values) for column in loop.columns]
        if not columns:
            yield f"for _ in range({loop.turns}):"
        elif len(columns) == 1:
            yield f"for {names[-1]} in {columns[0]}:"
        else:
            yield f"for {', '.join(names[carries:])} in zip({', '.join(columns)}):"
        if len(loop.bodies) == 1:
            lines, results = self.steps(loop.bodies[0], given, depth + 1)
        else:
            lines, results = self.calls(loop, [value.text for value in given])
        lines += _stacks(loop, stacked, results[carries:])
        if carries:
            lines.append(f"{', '.join(names[:carries])}, = {''.join(f'{x}, ' for x in results[:carries])}")
        yield from (INDENT + line for line in lines or ["pass"])
        for k in range(carries):
            yield f"{letter}{start + k} = {names[k]}"
            values.append(Text(f"{letter}{start + k}"))
        if loop.turns is None:
            values += map(Text, stacked if loop.stacks else [])
        else:
            values += [Text(f"{stack}[{i}]", stack, i) for i in range(loop.turns * loop.stacks)]

    def calls(self, loop: Loop, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the lines that try one body, a function, after the other, and the text of the outputs."""
        lines = []
        for k, body in enumerate(loop.bodies):
            name = f"body{len(self.functions)}"
            self.functions.append("")
            self.functions[int(name[4:])] = self.function(name, body)
            lines.append(f"{'if found is None: ' if k else ''}found = {name}({', '.join(arguments)})")
        return [*lines, "if found is None: return None"], [f"found[{i}]" for i in range(len(loop.bodies[0].outputs))]


def _stacks(loop: Loop, stacked: Sequence[str], results: Sequence[str]) -> list[str]:
    if loop.turns is None:
        return [f"{name}.append({x})" for name, x in zip(stacked, results, strict=True)]
    if len(results) == 1:
        return [f"{stacked[0]}.append({results[0]})"]
    return [f"{stacked[0]} += {', '.join(results)}"] if results else []


def _instruction(step: Instruction, texts: Sequence[str]) -> str:
    name = step.primitive.name
    if name in REFUSING and not step.refuses and not (name == "div" and _is_divisor(step.operands[1])):
        return f"ieee_{name}({', '.join(texts)})"
    template = TEMPLATES.get(name)
    return template.format(*texts) if template else f"{name}({', '.join(texts)})"


def _is_divisor(x: Operand) -> bool:
    return type(x) is Const and float(x) != 0.0


def text_of(x: Operand, values: Sequence[Text]) -> str:
    return values[x].text if type(x) is int else repr(float(x))


def column_of(column: Column, values: Sequence[Text]) -> str:
    if isinstance(column, int):
        return values[column].text
    if isinstance(column, range) or all(type(x) is int for x in column):
        first, last = values[column[0]], values[column[-1]]  # type: ignore[index]
        stride = (last.index - first.index) // max(len(column) - 1, 1)
        if (
            first.list
            and stride
            and all(
                v.list == first.list and v.index == first.index + k * stride
                for k, v in enumerate(values[x] for x in column)  # type: ignore[index]
            )
        ):
            stop = last.index + stride
            return f"{first.list}[{first.index}:{'' if stop < 0 else stop}:{stride}]"
    return f"({''.join(f'{text_of(x, values)}, ' for x in column)})"
