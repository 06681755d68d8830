"""`Program`: the form of all recordings. It is plain data, in which a loop is a single step.

The values of a program are numbered: its inputs, then the results of each step, in order. An operand is a `Ref`,
the number of a value, or a `Const`.

A loop's body is a program of its own. Its inputs are, first, the loop's `consts`, the same in all turns; then the
carries, which begin as `init` and then come from the turn before; then one entry of each of the `columns`. Its outputs
are the next carries, then the values that the turn stacks. So

    total = 0.0                        carries: total, init 0.0
    for x in xs:                       columns: xs
        y = w * x                      consts:  w
        total = total + y              outputs: total + y, the next carry; y, stacked

is Loop(turns, (body,), consts=(w,), init=(Const(0.0),), columns=(xs,)). Its results are the last carries, then the
stacked values, turn after turn: the rows of an array.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..rows import Primitive, Vector

if TYPE_CHECKING:
    from ..diagrams.diagram import Diagram

__all__ = ["Column", "Const", "Guard", "Instruction", "Loop", "Operand", "Program", "Ref", "Step", "accumulators"]

Ref: TypeAlias = int
"""The number that identifies a value of a program."""


BACKENDS: dict[str, Callable[..., Any]] = {}
"""How to compile, print and draw a program; the modules that do so, which know programs, fill it."""


class Const(float):
    """A number in a program. Two are equal if their bits are: 0.0 is not −0.0, and nan is nan. None equals a `Ref`."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not Const:
            return False
        if math.isnan(self):
            return math.isnan(other)
        return float.__eq__(self, other) and math.copysign(1.0, self) == math.copysign(1.0, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(float.hex(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return Const, (float(self),)


Operand: TypeAlias = "Ref | Const"
Column: TypeAlias = "range | tuple[Operand, ...] | Ref"
"""The entries of a column, one for each turn: consecutive values, a table, or a wide value of any length."""

INFIX = {"add": "{} + {}", "sub": "{} − {}", "mul": "{} · {}", "div": "{} / {}", "pow": "{} ** {}", "neg": "−{}"}
INFIX |= {"less": "{} < {}", "equal": "{} = {}", "choose": "{1} if {0} else {2}"}


class Instruction(NamedTuple):
    """Apply a primitive to operands. It makes one value; a `Vector` row makes one for each operand.

    If it `refuses`, it raises the error of eager code for a bad operand. Instructions that were made while
    differentiating do not refuse: they follow IEEE.
    """

    primitive: Primitive
    operands: tuple[Operand, ...]
    refuses: bool = False

    @property
    def width(self) -> int:
        """The number of values it makes."""
        return len(self.operands) if isinstance(self.primitive, Vector) else 1

    def __str__(self) -> str:
        return step_text(self, LETTERS[0])


class Guard(NamedTuple):
    """Go on only if the condition is not 0 (`holds`), or only if it is 0 (not `holds`). It makes no value."""

    condition: Operand
    holds: bool

    @property
    def width(self) -> int:
        """The number of values it makes: none."""
        return 0

    def __str__(self) -> str:
        return step_text(self, LETTERS[0])


class Loop(NamedTuple):
    """Run a body once for each turn. If there are several, the first whose guards hold in the turn runs.

    `turns` is None if the columns are wide values, of any length. A loop that is not `ordered` (a map over lanes) may
    take its turns in any order. Its carries, if there are any, are `accumulators`, and may be added in another order.
    """

    turns: int | None
    bodies: tuple[Program, ...]
    consts: tuple[Operand, ...]
    init: tuple[Operand, ...]
    columns: tuple[Column, ...]
    ordered: bool = True

    @property
    def stacks(self) -> int:
        """The number of values that each turn stacks."""
        return len(self.bodies[0].outputs) - len(self.init)

    @property
    def width(self) -> int:
        """The number of values it makes. If the number of turns is unknown, each stack is one wide value."""
        return len(self.init) + self.stacks * (1 if self.turns is None else self.turns)

    @property
    def has_effects(self) -> bool:
        """True if a body has a guard or may refuse."""
        return any(body.has_effects for body in self.bodies)

    def entry(self, column: int, turn: int) -> Operand:
        """Return the operand that a column has for a turn."""
        entries = self.columns[column]
        if isinstance(entries, int):
            raise TypeError("a wide column has no operands as entries; give a column of known length")
        return entries[turn]

    def __str__(self) -> str:
        return f"for t in {'all' if self.turns is None else self.turns} turns" + ("" if self.ordered else ", any order")


Step: TypeAlias = "Instruction | Guard | Loop"


@dataclass(frozen=True, eq=False)
class Program:
    """A recorded function: numbers in, the steps, the `outputs` out.

    The first `inputs` values are its inputs. Those in `wide` are columns of numbers, all of one length that is known
    when the program runs. The columns of a loop without a count, and the values that it stacks, are wide too. All other
    values are numbers. `captured` is the number of inputs that come from Values outside; they are the last that are not
    wide.

    `len` counts the steps, `str` prints them, `cost()` counts operations. Equal recordings give equal programs.

    >>> from scalargrad.primitives import mul, sin
    >>> print(Program(1, (Instruction(sin, (0,), True), Instruction(mul, (1, 0))), (2,)))
    program of v0
    v1 = sin(v0)
    v2 = v1 · v0
    return v2
    """

    inputs: int
    steps: tuple[Step, ...]
    outputs: tuple[Operand, ...]
    wide: tuple[Ref, ...] = ()
    captured: int = 0

    def __len__(self) -> int:
        return len(self.steps)

    @functools.cached_property
    def _key(self) -> tuple[Any, ...]:
        return self.inputs, self.steps, self.outputs, self.wide, self.captured

    @functools.cached_property
    def _hash(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Program) and self._hash == other._hash and self._key == other._key

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return Program, (self.inputs, self.steps, self.outputs, self.wide, self.captured)

    def numbered(self) -> Iterator[tuple[Ref, Step]]:
        """Yield each step with the number of the first value that it makes."""
        size = self.inputs
        for step in self.steps:
            yield size, step
            size += step.width

    @functools.cached_property
    def size(self) -> int:
        """The number of values."""
        return self.inputs + sum(step.width for step in self.steps)

    @functools.cached_property
    def guarded(self) -> bool:
        """True if it has a guard, in a loop's body or outside."""
        return any(
            isinstance(s, Guard) or (isinstance(s, Loop) and any(b.guarded for b in s.bodies)) for s in self.steps
        )

    @functools.cached_property
    def has_effects(self) -> bool:
        """True if it has a guard or may refuse: then it runs even if nothing needs its results."""
        return any(s.refuses if isinstance(s, Instruction) else getattr(s, "has_effects", True) for s in self.steps)

    def cost(self) -> dict[str, int]:
        """Count the operations of each kind. A row of any number of arguments, such as a sum, counts once for each.

        A guard counts as "check". A loop counts its first body once for each turn, or once if their number is open.
        """
        counts: Counter[str] = Counter()
        for step in self.steps:
            if isinstance(step, Instruction):
                counts[step.primitive.name] += len(step.operands) if step.primitive.variadic else 1
            elif isinstance(step, Guard):
                counts["check"] += 1
            else:
                for name, count in step.bodies[0].cost().items():
                    counts[name] += count * (step.turns or 1)
        return dict(counts)

    def compile(self, backend: str = "auto") -> Callable[..., list[Any] | None]:
        """Return the program ready to run here: a function of its numbers, and of its columns if it has wide inputs.

        That function returns the list of the outputs, or None if a guard fails. So a program runs in another process
        without its Python function. It raises the errors of the steps that refuse, and `ValueError` if the number of
        numbers or columns is wrong. Raises `ImportError` if the back end needs a package that is missing.

        >>> import scalargrad as sg
        >>> sg.jit(lambda x: sg.sin(x) * x).program(1.0).compile("python")([0.0])
        [0.0]
        """
        run: Callable[..., list[Any] | None] = BACKENDS["compile"](self, backend)
        return run

    def source(self, language: str = "python", real: str = "double") -> str:
        """Return the program as text: "python", "c" (of `real` "double" or "float"), or "llvm", which needs llvmlite.

        Raises `ValueError` for another language.
        """
        text: str = BACKENDS["source"](self, language, real)
        return text

    def diagram(self, *, max_nodes: int | None = 200, size: str = "screen", palette: str = "light") -> Diagram:
        """Return the picture of the program: its operations and checks, and each loop as a box with its turns, "× 100".

        In a box, green nodes are what a turn begins with: a number from the turn before, to which a dashed edge leads,
        or an entry of a column. What is the same in all turns comes from outside. The options are those of
        `sg.derivative_diagram`. Raises `ValueError` for a bad option, and if more than `max_nodes` steps are written.

        >>> import scalargrad as sg
        >>> sg.jit(lambda x: sg.sin(x) * x).program(1.0).diagram()
        <Diagram of 4 edges; .svg(), .png(), .save(path), .source>
        """
        found: Diagram = BACKENDS["diagram"](self, max_nodes=max_nodes, size=size, palette=palette)
        return found

    def __str__(self) -> str:
        lines = [
            f"program of {_span(0, self.inputs, LETTERS[0])}" + (f", {self.captured} captured" if self.captured else "")
        ]
        lines += _lines(self)
        return "\n".join([*lines, f"return {listed(self.outputs)}"])

    def __repr__(self) -> str:
        return f"<program of {self.inputs} numbers, {len(self.steps)} steps, {len(self.outputs)} results>"


def operands_of(step: Step) -> Sequence[Operand]:
    """Return all the operands that a step reads."""
    if isinstance(step, Instruction):
        return step.operands
    if isinstance(step, Guard):
        return (step.condition,)
    found = [*step.consts, *step.init]
    for column in step.columns:
        if isinstance(column, int):
            found.append(column)
        else:
            found += column
    return found


def accumulators(loop: Loop) -> frozenset[int]:
    """Return the carries that are only added to: the next is the last plus or minus terms that do not depend on it.

    An inner loop that accumulates on such a carry counts as a sum of terms.
    """
    found = set(range(len(loop.init)))
    for body in loop.bodies:
        found &= {k for k in found if _accumulates(body, len(loop.consts) + k, k)}
    return frozenset(found)


def _accumulates(body: Program, carry: Ref, output: int) -> bool:
    at: Operand = carry
    uses: Counter[Operand] = Counter(x for step in body.steps for x in operands_of(step) if type(x) is int)
    uses.update(x for x in body.outputs if type(x) is int)
    for result, step in body.numbered():
        if at not in tuple(operands_of(step)):
            continue
        if uses[at] != 1:
            return False
        if isinstance(step, Instruction) and (step.primitive.name == "add" or _subtracts_from(step, at)):
            at = result
        elif isinstance(step, Loop) and at in step.init and step.init.index(at) in accumulators(step):
            at = result + step.init.index(at)
        else:
            return False
    return uses[at] == 1 and body.outputs[output] == at


def _subtracts_from(step: Instruction, x: Operand) -> bool:
    return step.primitive.name == "sub" and step.operands[0] == x


# Text. The values of a program are v0, v1, …; those of a loop's body u0, u1, …; those of an inner loop's w0, w1, ….

LETTERS = "vuwxyz"


def text_of(operand: Operand, letter: str = "v") -> str:
    """Return an operand as it is printed."""
    return f"{letter}{operand}" if type(operand) is int else repr(float(operand))


def listed(operands: Sequence[Operand], letter: str = "v") -> str:
    """Return operands as they are printed, consecutive values as v3…v9."""
    runs: list[list[Operand]] = []
    for x in operands:
        if runs and type(x) is int and type(runs[-1][-1]) is int and x == runs[-1][-1] + 1:
            runs[-1].append(x)
        else:
            runs.append([x])
    texts = []
    for run in runs:
        shown = (run[0], run[-1]) if len(run) > 3 else run
        texts.append(("…" if len(run) > 3 else ", ").join(text_of(x, letter) for x in shown))
    return ", ".join(texts)


def _span(start: int, count: int, letter: str) -> str:
    return listed(range(start, start + count), letter) or "nothing"


def column_text(column: Column, letter: str) -> str:
    """Return a column as it is printed: its first entries and the last."""
    if isinstance(column, int):
        return text_of(column, letter)
    if len(column) <= 3:
        return ", ".join(text_of(x, letter) for x in column)
    first, second, last = (text_of(column[i], letter) for i in (0, 1, -1))
    return f"{first}, {second} … {last}"


def step_text(step: Instruction | Guard, letter: str) -> str:
    """Return an instruction, without the values that it fills, or a guard as it is printed."""
    if isinstance(step, Guard):
        return f"check {'' if step.holds else 'not '}{text_of(step.condition, letter)}"
    names = [text_of(x, letter) for x in step.operands]
    template = INFIX.get(step.primitive.name)
    return template.format(*names) if template else f"{step.primitive.name}({', '.join(names)})"


def _lines(program: Program, depth: int = 0) -> Iterator[str]:
    letter = LETTERS[depth % len(LETTERS)]
    for start, step in program.numbered():
        if isinstance(step, Guard):
            yield step_text(step, letter)
        elif isinstance(step, Instruction):
            yield f"{_span(start, step.width, letter)} = {step_text(step, letter)}"
        else:
            yield f"{_span(start, step.width, letter)} = {step}:"
            for body in step.bodies:
                yield from (f"    {line}" for line in _body(step, body, depth + 1))


def _body(loop: Loop, body: Program, depth: int) -> Iterator[str]:
    outer, letter = LETTERS[(depth - 1) % len(LETTERS)], LETTERS[depth % len(LETTERS)]
    at, carries = len(loop.consts), len(loop.init)
    heads = [f"{_span(0, at, letter)} = {listed(loop.consts, outer)}"] if at else []
    if carries:
        heads.append(f"{_span(at, carries, letter)} from {listed(loop.init, outer)}")
    for k, column in enumerate(loop.columns):
        heads.append(f"{text_of(at + carries + k, letter)} in {column_text(column, outer)}")
    yield "; ".join(heads)
    yield from _lines(body, depth)
    ends = [f"next {listed(body.outputs[:carries], letter)}"] if carries else []
    ends += [f"stack {listed(body.outputs[carries:], letter)}"] if loop.stacks else []
    yield "; ".join(ends)
