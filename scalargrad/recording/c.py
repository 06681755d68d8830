"""The C printer: a lowered program as one self-contained C99 function, loops as loops.

    int program(const double *numbers, double *outputs)

It returns 0 for success; 1 if a guard failed, since the numbers take other branches than the recording did; or 2 if
eager code may refuse, since a result that was computed from finite numbers is not finite. A program with columns of any
length takes `long n, const double *const *columns` after the numbers, and writes its wide outputs to
`double *const *stacks`. For results equal to eager code to the last bit, compile it with -ffp-contract=off and without
-ffast-math.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from .basis import CHOOSE, EQUAL, LESS
from .program import Column, Const, Guard, Instruction, Loop, Operand, Program, Ref
from .python import conditions

__all__ = ["source"]

INFIX = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}"}
NAMES = {"abs": "fabs", "round": "rint", "gamma": "tgamma"}
HELPERS = {
    "mod": """static {real} sg_mod({real} x, {real} y) {{
    {real} r = fmod{f}(x, y);
    if (r == 0) return copysign{f}(0, y);
    return (r < 0) != (y < 0) ? r + y : r;
}}
""",
    "floordiv": """static {real} sg_floordiv({real} x, {real} y) {{
    {real} r = fmod{f}(x, y), q = (x - r) / y, whole;
    if (r != 0 && (r < 0) != (y < 0)) q -= 1;
    if (q == 0) return copysign{f}(0, x / y);
    whole = floor{f}(q);
    return q - whole > ({real})0.5 ? whole + 1 : whole;
}}
""",
}


def source(program: Program, real: str = "double") -> str:
    """Return the C text of a lowered program, in `double` or `float`.

    Raises `ValueError` for another type, and for a function that C99's library does not have.
    """
    if real not in ("double", "float"):
        raise ValueError(f"source: real is {real!r}; choose 'double' or 'float'")
    return _Printer(real).whole(program)


class _Printer:
    def __init__(self, real: str) -> None:
        self.real = real
        self.suffix = "f" if real == "float" else ""
        self.helpers: set[str] = set()
        self.count = 0

    def whole(self, program: Program) -> str:
        """Return the text of the file: the includes, the helpers, the function."""
        values, numbers, columns = [], 0, 0
        for i in range(program.inputs):
            if i in program.wide:
                values.append(f"columns[{columns}]")
                columns += 1
            else:
                values.append(f"numbers[{numbers}]")
                numbers += 1
        body = [*self.steps(program, values, "return {status};")]
        wide = _wide(program)
        numbered = iter(range(len(program.outputs)))
        stacks = iter(range(len(program.outputs)))
        for x in program.outputs:
            text = self.operand(x, values)
            if type(x) is int and x in wide:
                k = next(stacks)
                body.append(f"for (long t = 0; t < n; t++) stacks[{k}][t] = {text}[t];")
            else:
                body.append(f"outputs[{next(numbered)}] = {text};")
        arguments = f"const {self.real} *numbers, {self.real} *outputs"
        if program.wide:
            arguments = (
                f"const {self.real} *numbers, long n, const {self.real} *const *columns, "
                f"{self.real} *outputs, {self.real} *const *stacks"
            )
        lines = [f"    {line}" for line in (f"{self.real} poison = 0;", *body, "return poison == poison ? 0 : 2;")]
        helpers = [HELPERS[name].format(real=self.real, f=self.suffix) for name in sorted(self.helpers)]
        head = ["#include <math.h>", "#include <stdlib.h>", "", *helpers, f"int program({arguments}) {{"]
        return "\n".join([*head, *lines, "}", ""])

    def steps(self, program: Program, values: list[str], leave: str) -> Iterator[str]:
        """Yield the lines of a program's steps; `leave` is the code to run if a guard fails."""
        kept = conditions(program)
        for start, step in program.numbered():
            if isinstance(step, Guard):
                test = f"{self.operand(step.condition, values)} {'==' if step.holds else '!='} 0"
                yield f"if ({test}) " + leave.format(status="poison == poison ? 1 : 2")
            elif isinstance(step, Instruction):
                self.count += 1
                name = f"v{self.count}"
                kind = "int" if start in kept else self.real
                operands = [self.operand(x, values) for x in step.operands]
                yield f"const {kind} {name} = {self.instruction(step, operands)};"
                if step.refuses:
                    yield f"poison += {name} * 0;"
                values.append(name)
            else:
                yield from self.loop(step, values, leave)

    def operand(self, x: Operand, values: Sequence[str]) -> str:
        """Return the text of an operand."""
        if type(x) is int:
            return values[x]
        number = float(x)
        if math.isnan(number):
            return "NAN"
        if math.isinf(number):
            return "INFINITY" if number > 0 else "(-INFINITY)"
        text = f"{number!r}{self.suffix}"
        return f"({text})" if math.copysign(1.0, number) < 0 else text

    def instruction(self, step: Instruction, operands: Sequence[str]) -> str:
        """Return an instruction as an expression."""
        name = step.primitive.name
        if step.primitive in (LESS, EQUAL):
            return f"{operands[0]} {'<' if step.primitive is LESS else '=='} {operands[1]}"
        if step.primitive is CHOOSE:
            return f"{operands[0]} != 0 ? {operands[1]} : {operands[2]}"
        if name in INFIX:
            return INFIX[name].format(*operands)
        if name in HELPERS:
            self.helpers.add(name)
            return f"sg_{name}({', '.join(operands)})"
        if getattr(step.primitive, "foreign", False):
            raise ValueError(f"source: C99's library has no {name}; use another language, or a formula in its place")
        return f"{NAMES.get(name, name)}{self.suffix}({', '.join(operands)})"

    def loop(self, loop: Loop, values: list[str], leave: str) -> Iterator[str]:
        """Yield the lines of a loop, and add its results to the values."""
        self.count += 1
        own, turn, turns = f"s{self.count}", f"t{self.count}", "n" if loop.turns is None else str(loop.turns)
        columns = [self.column(column, values, f"{own}_{k}", turn) for k, column in enumerate(loop.columns)]
        for lines, _ in columns:
            yield from lines
        wide = loop.turns is None
        stacks = [f"{own}_stack{k}" for k in range(loop.stacks)] if wide else [own] * bool(loop.stacks)
        for name in stacks:
            if wide:
                yield f"{self.real} *{name} = malloc(n * sizeof({self.real}));"
            else:
                yield f"{self.real} {name}[{(loop.turns or 0) * loop.stacks}];"
        carries = [f"{own}_carry{k}" for k in range(len(loop.init))]
        for name, x in zip(carries, loop.init, strict=True):
            yield f"{self.real} {name} = {self.operand(x, values)};"
        yield f"for (long {turn} = 0; {turn} < {turns}; {turn}++) {{"
        given = [*(self.operand(x, values) for x in loop.consts), *carries, *(entry for _, entry in columns)]
        outputs = [f"{own}_out{k}" for k in range(len(loop.bodies[0].outputs))]
        for line in self.bodies(loop, given, outputs, own, leave):
            yield f"    {line}"
        for name, out in zip(carries, outputs, strict=False):
            yield f"    {name} = {out};"
        for k, out in enumerate(outputs[len(carries) :]):
            where = f"{stacks[k]}[{turn}]" if wide else f"{own}[{turn} * {loop.stacks} + {k}]"
            yield f"    {where} = {out};"
        yield "}"
        values += carries
        values += stacks if wide else [f"{own}[{i}]" for i in range((loop.turns or 0) * loop.stacks)]

    def bodies(self, loop: Loop, given: Sequence[str], outputs: Sequence[str], own: str, leave: str) -> Iterator[str]:
        """Yield the lines of one turn: each body in a block, which is left for the next if a guard fails."""
        for out in outputs:
            yield f"{self.real} {out};"
        for k, body in enumerate(loop.bodies):
            last = k == len(loop.bodies) - 1
            yield "{"
            inner = [*given]
            following = f"goto {own}_body{k + 1};"
            skip = leave if last else f"{{{{ if (poison != poison) return 2; {following} }}}}"
            for line in self.steps(body, inner, skip):
                yield f"    {line}"
            for out, x in zip(outputs, body.outputs, strict=True):
                yield f"    {out} = {self.operand(x, inner)};"
            yield "}"
            if not last:
                yield f"goto {own}_done;"
                yield f"{own}_body{k + 1}:;"
        if len(loop.bodies) > 1:
            yield f"{own}_done:;"

    def column(self, column: Column, values: Sequence[str], name: str, turn: str) -> tuple[list[str], str]:
        """Return the lines that lay out a column, and the text of its entry for a turn."""
        if isinstance(column, int):
            return [], f"{values[column]}[{turn}]"
        texts = [self.operand(x, values) for x in column]
        found = _strided(texts)
        if found is not None:
            array, first, stride = found
            step = f"{turn} * {stride}" if stride != 1 else turn
            return [], f"{array}[{first} + {step}]"
        constant = "static const " * all(type(x) is Const for x in column)
        return [f"{constant}{self.real} {name}[{len(column)}] = {{{', '.join(texts)}}};"], f"{name}[{turn}]"


def _strided(texts: Sequence[str]) -> tuple[str, int, int] | None:
    """Return the array, the first index and the stride of equally spaced elements, or None."""
    parts = [text[:-1].rsplit("[", 1) for text in texts if text.endswith("]")]
    if len(parts) < len(texts) or not all(index.isdigit() for _, index in parts):
        return None
    array, first = parts[0][0], int(parts[0][1])
    stride = int(parts[1][1]) - first if len(parts) > 1 else 1
    alike = all(a == array and int(i) == first + k * stride for k, (a, i) in enumerate(parts))
    return (array, first, stride) if alike else None


def _wide(program: Program) -> set[Ref]:
    found = set(program.wide)
    for start, step in program.numbered():
        if isinstance(step, Loop) and step.turns is None:
            found.update(range(start + len(step.init), start + step.width))
    return found
