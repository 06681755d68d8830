"""The recorder: it runs a function on `Recorded` Values and keeps every operation and every branch.

A `Recorded` is a Value of a class of its own, so it leaves the fast paths of eager code: each row that it
goes through tells the recording (`observer`), or is left to it. Operations are simplified as they come in:
constants folded, equal ones shared, identities that hold in IEEE arithmetic applied.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

from ..engine.evaluation import REFUSALS, evaluate
from ..engine.graph import explored
from ..engine.observer import OBSERVER, RecordingError
from ..engine.value import Value, data_of, make_node, next_serial
from ..interpreters.floats import FLOATS, IEEE
from ..rows import Functions, Output, Primitive, Vector, as_float
from .choices import CHOOSE, EQUAL, LESS
from .lowering import ARITHMETIC, can_refuse
from .passes import is_needed, joined, merged, renumbered
from .program import Guard, Instruction, Mapped, Operand, Program, Step, operands_of
from .recorded import Recorded

__all__ = ["Recording"]


class Recording:
    """The record of one run of a function; it is the `Observer` of that run."""

    def __init__(self, inputs: Sequence[float], parent: Recording | None = None) -> None:
        self.parent = parent
        self.steps: list[Step] = []
        self.captured: list[Value] = []
        self.size = len(inputs)  # values so far, the captured ones among them
        self._captured_at: list[int] = []
        self._mark = object()  # a recorded Value of this recording has it, and its operand in `grad`
        self._foreign: dict[int, Operand] = {}  # the operands of other Values, by id
        self._alive: list[Value] = []  # what `_foreign` names
        self._shared: dict[Any, int] = {}
        self._refusing: dict[Any, int] = {}
        self._guards: set[Guard] = set()
        self._start = next_serial()
        self.inputs = list(map(Recorded, inputs))
        for index, leaf in enumerate(self.inputs):
            self.bind(leaf, index)

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """While this lasts, the recording observes what this thread computes."""
        token = OBSERVER.set(self)
        try:
            yield
        finally:
            OBSERVER.reset(token)

    # What the core tells.

    def applied(self, row: Primitive, args: tuple[Any, ...], m: Functions) -> Any:
        """What `record` gives, kept as an instruction, where the arguments are this recording's and floats.

        It leaves out the local derivatives: of what depends on an input, no sweep reads their numbers.
        """
        mark = self._mark
        operands: list[Operand] = []
        data: list[float] = []
        constants = 0
        for arg in args:
            if type(arg) is Recorded and arg.mark is mark:
                operands.append(arg._grad)
                data.append(arg._data)
                constants += type(arg._grad) is float
            elif type(arg) is float:
                operands.append(arg)
                data.append(arg)
                constants += 1
            else:
                return evaluate(row, args, m)
        if constants == len(args) or isinstance(row, Vector) or row.opaque or None in row.partials:
            return evaluate(row, args, m)
        try:
            number = row.forward(m, *data)
        except REFUSALS:
            return evaluate(row, args, m)  # which says what it refuses
        node = make_node(row, args, float(number), [math.nan for arg in args if type(arg) is not float])
        write = self._simplified if constants or len(args) == 1 else self._added
        self.bind(node, write(row, operands, m is FLOATS))
        return node

    def computed(self, row: Primitive, args: Sequence[Any], nodes: Sequence[Value], m: Functions) -> None:
        """Keep the row as an instruction, or as the constant or the equal instruction that it comes to."""
        operands = tuple([self.ref(arg) for arg in args])
        refs = self.instruct(row, operands, [node._data for node in nodes], m is FLOATS)
        for node, ref in zip(nodes, refs, strict=True):
            self.bind(node, ref)

    def decided(self, relation: str, x: Any, y: Any, outcome: bool) -> bool:
        """Keep a guard: the program holds where the comparison has the same outcome."""
        left, right = self._operand(x), self._operand(y)
        holds = outcome
        if relation == "true":
            condition, holds = self._condition(EQUAL, left, 0.0), not outcome
        elif relation == "equal":
            condition = self._condition(EQUAL, left, right)
        elif relation == "less":
            condition = self._condition(LESS, left, right)
        elif relation == "greater":
            condition = self._condition(LESS, right, left)
        else:
            pair = (left, right) if relation == "less_equal" else (right, left)
            less, equal = self._condition(LESS, *pair), self._condition(EQUAL, left, right)
            condition = self.instruct(CHOOSE, (less, 1.0, equal), [float(outcome)], False)[0]
        if type(condition) is int:
            self.guard(Guard(condition, holds))
        return outcome

    def less(self, x: Any, y: Any) -> Any:
        """The condition x < y as a Value, or as a bool where it is the same at every run."""
        return self._kept(LESS, x, y)

    def equal(self, x: Any, y: Any) -> Any:
        """The condition x = y as a Value, or as a bool where it is the same at every run."""
        return self._kept(EQUAL, x, y)

    def select(self, condition: Any, x: Any, y: Any) -> Any:
        """The choice as an instruction that keeps both sides."""
        return evaluate(CHOOSE, (condition, x, y), IEEE)

    def refusal(self, what: str, advice: str) -> Exception:
        """The error for what would leave the recording behind."""
        return RecordingError(f"{what} while a program is recorded: the program could not follow it; {advice}")

    # Values and their numbers.

    def ref(self, arg: Any) -> Operand:
        """The operand that a Value or number is in the program."""
        if not isinstance(arg, Value):
            return float(arg)
        if arg.mark is self._mark:
            return arg._grad
        known = self._foreign.get(id(arg))
        if known is not None:
            return known
        if arg.serial >= self._start and not isinstance(arg, Recorded):
            for node in explored([arg], self._start)[0]:
                if id(node) not in self._foreign:
                    self._know(node, self._adopt(node))
            return self._foreign[id(arg)]
        if isinstance(arg, Recorded) and not self._in_ancestor(arg):
            raise RecordingError("a recorded Value outlived its recording: return it instead of storing it")
        return self._capture(arg)

    def _adopt(self, node: Value) -> Operand:
        # Made since the start from Values outside alone, on the fast paths of eager code.
        if node.primitive is None:
            return node._data
        if isinstance(node.primitive, Output):
            raise RecordingError(f"{node.primitive.name} was recorded in another thread")
        return self.instruct(node.primitive, tuple(map(self.ref, node.args)), [node._data], True)[0]

    def _capture(self, node: Value) -> int:
        self.captured.append(node)
        self._captured_at.append(self.size)
        self._know(node, self.size)
        self.size += 1
        return self.size - 1

    def _in_ancestor(self, node: Value) -> bool:
        ancestor = self.parent
        while ancestor is not None:
            if node.mark is ancestor._mark:
                return True
            ancestor = ancestor.parent
        return False

    def _know(self, node: Value, ref: Operand) -> None:
        self._foreign[id(node)] = ref
        self._alive.append(node)

    def _operand(self, x: Any) -> Operand:
        number = None if isinstance(x, Value) else as_float(x)
        return self.ref(x) if number is None else number

    # Steps.

    def instruct(
        self, row: Primitive, operands: Sequence[Operand], data: Sequence[float], refuses: bool
    ) -> list[Operand]:
        """The operands that hold the results of an instruction, which is added where there is no equal one."""
        if row.opaque:
            if any(type(x) is int for x in operands):
                raise RecordingError(
                    f"{row.name} is opaque, made of plain float functions, and can't be recorded; write its "
                    "forward and partials against m, as in lambda m, x: m.sin(x)"
                )
            return list(data)
        if all(type(x) is float for x in operands):
            return list(data)
        if not isinstance(row, Vector):
            return [self._simplified(row, operands, refuses)]
        found = self._added(row, operands, refuses, len(data))
        return list(range(found, found + len(data)))

    def _simplified(self, row: Primitive, operands: Sequence[Operand], refuses: bool) -> Operand:
        name, first = row.name, operands[0]
        if name == "pos":
            return first
        if len(operands) == 2:
            second = operands[1]
            if type(second) is float and second == NEUTRAL.get(name):
                return first
            if name == "mul" and type(first) is float and first == 1.0:
                return second
        return self._added(row, operands, refuses)

    def _added(self, row: Primitive, operands: Sequence[Operand], refuses: bool, width: int = 1) -> int:
        name = row.name
        key = (name, *[x if type(x) is int else float.hex(x) for x in operands])
        found = self._shared.get(key)
        refuses = refuses and name not in ARITHMETIC and can_refuse(row, len(operands))
        if refuses and name in DIVISIONS and type(operands[1]) is float and operands[1] != 0.0:
            refuses = False
        if refuses or found is None:
            found = self._refusing.get(key)
        if found is None:
            found = self.size
            if refuses:
                self._refusing[key] = found
            else:
                self._shared[key] = found
            self.steps.append(Instruction(row, tuple(operands), found, width, refuses))
            self.size += width
        return found

    def guard(self, guard: Guard) -> None:
        """Add a guard where there is no equal one."""
        if guard not in self._guards:
            self._guards.add(guard)
            self.steps.append(guard)

    def _condition(self, row: Primitive, x: Operand, y: Operand) -> Operand:
        # The outcome of a comparison of constants is a constant too.
        data = 0.0
        if type(x) is float and type(y) is float:
            data = float(x < y if row is LESS else x == y)
        return self.instruct(row, (x, y), [data], False)[0]

    def _kept(self, row: Primitive, x: Any, y: Any) -> Any:
        if type(self._operand(x)) is float and type(self._operand(y)) is float:
            return bool(row.forward(IEEE, data_of(x), data_of(y)))
        return evaluate(row, (x, y), IEEE)

    def map(self, step: Mapped) -> list[Operand]:
        """Add a mapped step, which must begin at `self.size`; its results, as operands."""
        self.steps.append(step)
        self.size += step.width
        return list(range(step.result, step.result + step.width))

    def bind(self, node: Value, ref: Operand) -> None:
        """Let a node made elsewhere stand for an operand."""
        node.__class__ = Recorded
        node.mark = self._mark
        node._grad = ref

    # The program.

    def program(self, outputs: Sequence[Any], captured: Sequence[Value] | None = None) -> Program:
        """What was recorded, without the steps that no output, guard or refusal needs.

        `captured` says in which order the captured Values stand; others may be among them.
        """
        at = self._captured_at if captured is None else [cast(int, self.ref(node)) for node in captured]
        results = tuple([self.ref(out) for out in outputs])
        needed = {x for x in results if type(x) is int}
        kept: list[Step] = []
        for step in reversed(self.steps):
            if isinstance(step, Guard) or is_needed(step, needed):
                kept.append(step)
                needed.update([x for x in operands_of(step) if type(x) is int])
        steps, moved = merged(kept[::-1], self.size, _join)
        return renumbered(len(self.inputs), at, steps, results, moved)


DIVISIONS = {"div", "mod", "floordiv"}
"""What floats refuse for the second operand 0 alone."""

NEUTRAL = {"mul": 1.0, "div": 1.0, "pow": 1.0}
"""The constant second operands that leave the first one as it is."""


def _join(programs: Sequence[Program]) -> Program:
    return joined(programs, Recording([0.0] * (programs[0].inputs + programs[0].captured)))
