"""The recorder: it runs a function on `Recorded` Values, and writes each operation and each branch to a tape."""

from __future__ import annotations

import contextvars
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..engine.evaluation import REFUSALS, _number, evaluate, refusal
from ..engine.graph import explored
from ..engine.linearization import Linearization
from ..engine.observer import OBSERVER, RecordingError
from ..engine.structures import is_array
from ..engine.value import Value, next_serial
from ..interpreters.floats import FLOATS, IEEE
from ..primitives import pos
from ..rows import Functions, Output, Primitive, Vector, as_float
from . import stepwise
from .basis import CHOOSE, EQUAL, LESS, can_refuse
from .batches import Rows, TouchedError
from .builder import Builder
from .program import Const, Instruction, Operand, Program
from .recorded import Column, Recorded, new_node, new_step

__all__ = ["Recording", "RefusalCaughtError"]

T = TypeVar("T")
ZERO, ONE = Const(0.0), Const(1.0)


class RefusalCaughtError(BaseException):
    """The function caught an operation's error: a branch without a comparison. It runs eagerly instead.

    It is not an `Exception`, so that the function does not catch it too.
    """


class Recording:
    """The recording of one run of a function; it is the `Observer` of that run.

    `numbers` and `columns` are its inputs. `tape` has the steps in the order of the run: nothing is shared or
    simplified, so that derivatives add up in the order of eager code. `data` has the number of each value, or None for
    a result of a derivative that was not read yet. A `permissive` recording refuses no operand.
    """

    def __init__(
        self,
        numbers: Sequence[float],
        columns: Sequence[Any] = (),
        parent: Recording | None = None,
        permissive: bool = False,
    ) -> None:
        count = len(numbers)
        self.parent = parent
        self.root: Recording = self if parent is None else parent.root
        self.permissive = permissive
        self.m: Functions = IEEE if permissive else FLOATS
        self.tape = Builder(count + len(columns), range(count, count + len(columns)), share=False)
        self.data: list[Any] = [*numbers, *columns]
        self.inputs = [self.node(i, number) for i, number in enumerate(numbers)]
        self.columns = [Column(self, count + k) for k in range(len(columns))]
        self.captured: list[Any] = []  # Values from outside and from enclosing recordings
        self.captured_at: list[int] = []
        self.error: RecordingError | None = None
        self.caught = False
        self.over = False
        self._start = next_serial()
        self._known: dict[int, int] = {}  # the places of other Values on the tape, by id
        self._alive: list[Any] = []  # the objects whose ids `_known` has
        self._pending = 0  # the steps before this one have numbers
        self.count: Recorded | None = None  # the length of all wide values

    # The run.

    def run(self, f: Callable[..., T], *args: Any) -> T:
        """Return f's result.

        Raises `RecordingError`, even if f caught it, if a program can't follow f, and `RefusalCaughtError` if f caught
        an operation's error.
        """
        # In a context of its own: the recording ends in every case, even at an interrupt.
        before = None if self.parent is not None else _random_state()
        try:
            result = contextvars.copy_context().run(self._observed, f, args)
        finally:
            self.over = True
        if self.error is not None:
            raise self.error
        if self.caught:
            raise RefusalCaughtError
        if before is not None and before != _random_state():
            raise RecordingError(
                "the recorded function drew a random number, which would be the same at every run; "
                "draw it outside and pass it as an argument"
            )
        return result

    def _observed(self, f: Callable[..., T], args: Sequence[Any]) -> T:
        OBSERVER.set(self)
        return f(*args)

    def check_seen(self) -> None:
        """Raise `RecordingError` unless this recording, or one within it, is under way in this thread."""
        observing: Any = OBSERVER.get()
        while observing is not None and observing is not self:
            observing = getattr(observing, "parent", None)
        if observing is None:
            if self.over:
                raise RecordingError("a recorded Value outlived its recording: return it instead of storing it")
            raise self.refusal(
                "a recorded Value was used in another thread", "compute in the thread that calls the function"
            )

    def refusal(self, what: str, advice: str) -> RecordingError:
        """Return the error for an operation that a recording can't follow; the run raises it even if f catches it."""
        error = RecordingError(f"{what} while a program is recorded: the program could not follow it; {advice}")
        self.root.error = self.root.error or error
        return error

    def refused(self) -> None:
        """Note that an operation raised an error for a bad operand. If f returns nevertheless, it caught the error."""
        recording: Recording | None = self
        while recording is not None:
            recording.caught, recording = True, recording.parent

    # Calls of the engine.

    def evaluated(self, primitive: Primitive, args: tuple[Any, ...], m: Functions) -> Any:
        """Return the result of `evaluate` as recorded Values; `NotImplemented` if no argument is recorded."""
        operands: list[Operand] = []
        data: list[float] = []
        for arg in args:
            kind = type(arg)
            if kind is Recorded and arg.recording is self:
                operands.append(arg.ref)
                data.append(arg.number)
            elif kind is float:
                operands.append(Const(arg))
                data.append(arg)
            else:
                break
        if len(data) < len(args):
            operands, data = self._read(primitive, args)
        if not any(type(x) is int for x in operands):
            arrays = any(is_array(arg) for arg in args)
            return evaluate(primitive, args, IEEE) if self.permissive and m is FLOATS and not arrays else NotImplemented
        if primitive.opaque:
            raise self.refusal(
                f"{primitive.name} is opaque, made of plain float functions, and was called",
                "write its forward and partials against m, as in lambda m, x: m.sin(x)",
            )
        if len(args) < len(primitive.parameters) and not primitive.variadic:
            data += primitive.filled(tuple(data))[len(data) :]
            operands += map(Const, data[len(operands) :])
        if m is FLOATS:
            m = self.m
        try:
            out = primitive.forward(m, *data)
        except REFUSALS as error:
            self.refused()
            raise refusal(primitive, error, args, data) from None
        refuses = m is FLOATS and can_refuse(primitive, len(data))
        if isinstance(primitive, Vector):
            return self.nodes(self.added(primitive, operands, [float(y) for y in out], refuses), len(out))
        # The tape grows by one step: what `added` does, in place.
        tape = self.tape
        node = new_node(Recorded)
        node.ref = ref = tape.size
        node.number = number = float(out)
        node.recording = self
        tape.steps.append(new_step(Instruction, (primitive, tuple(operands), refuses)))
        tape.starts.append(ref)
        tape.size = ref + 1
        self.data.append(number)
        return node

    def _read(self, primitive: Primitive, args: Sequence[Any]) -> tuple[list[Operand], list[float]]:
        """Return the operands and numbers of arguments; no operands if none is a Value, or if one is an array."""
        if not any(type(arg) is Recorded for arg in args) or any(is_array(arg) for arg in args):
            return [], []
        numbers = [
            arg.number
            if type(arg) is Recorded
            else arg._data
            if isinstance(arg, Value)
            else _number(primitive, index, arg)
            for index, arg in enumerate(args)
        ]
        pairs = zip(args, numbers, strict=True)
        return [self.ref(arg) if isinstance(arg, Value) else Const(number) for arg, number in pairs], numbers

    def decided(self, relation: str, x: Any, y: Any, outcome: bool) -> bool:
        """Add a guard: the program is valid only if the comparison has the same outcome."""
        left, right = self.operand(x), self.operand(y)
        holds = outcome
        if relation == "true":
            condition, holds = self._condition(EQUAL, left, ZERO), not outcome
        elif relation == "equal":
            condition = self._condition(EQUAL, left, right)
        elif relation == "less":
            condition = self._condition(LESS, left, right)
        elif relation == "greater":
            condition = self._condition(LESS, right, left)
        else:
            pair = (left, right) if relation == "less_equal" else (right, left)
            less, equal = self._condition(LESS, *pair), self._condition(EQUAL, left, right)
            condition = self.added(CHOOSE, (less, ONE, equal), (float(outcome),))
        self.tape.guard(condition, holds)
        return outcome

    def linearization(self, leaves: Sequence[Value], roots: Sequence[Value]) -> Any:
        """Return the derivative of the roots, for `grad` and the other transforms."""
        from .linearized import Linearized

        if not any(type(v) is Recorded for v in (*leaves, *roots)):
            plain = Linearization(leaves, roots, as_nodes=None)
            if not plain.as_nodes:
                return plain  # the derivative of numbers that are the same at every run
        return Linearized(self, leaves, roots)

    # Values and their places on the tape.

    def node(self, ref: int, number: float) -> Recorded:
        """Return a recorded Value for a place on the tape."""
        node = Recorded.__new__(Recorded)
        node.ref = ref
        node.number = number
        node.recording = self
        return node

    def nodes(self, first: int, count: int) -> list[Recorded]:
        """Return recorded Values for consecutive places; their numbers are found at first use."""
        return [self.result(ref) for ref in range(first, first + count)]

    def result(self, operand: Operand) -> Any:
        """Return an operand in the form that functions get: a recorded Value, or a float."""
        if type(operand) is not int:
            return float(operand)
        node = Recorded.__new__(Recorded)
        node.ref = operand
        node.recording = self
        return node

    def operand(self, x: Any) -> Operand:
        """Return the operand for a Value or a number."""
        if isinstance(x, (Value, Column)):
            return self.ref(x)
        number = as_float(x)
        if number is None:
            raise TypeError(f"{x!r} is not a number or a Value")
        return Const(number)

    def ref(self, x: Value | Column) -> int:
        """Return the place of a Value on the tape. A Value from outside or from a parent becomes an input."""
        if isinstance(x, (Recorded, Column)) and x.recording is self:
            return x.ref
        known = self._known.get(id(x))
        if known is not None:
            return known
        if isinstance(x, (Recorded, Column)):
            x.recording.check_seen()
            return self._capture(x)
        if x.serial < self._start:
            return self._capture(x)
        for node in explored([x], self._start)[0]:
            if id(node) not in self._known:
                self._adopt(node)
        return self._known[id(x)]

    def _adopt(self, node: Value) -> None:
        # The node was made during the run by eager code, from Values outside alone or from none.
        primitive = node.primitive
        if primitive is None:
            self._know(node, self.added(pos, (Const(node._data),), (node._data,)))
            return
        operands = [self.operand(arg) for arg in node.args]
        if isinstance(primitive, Output):
            key = id(node.args)  # all outputs of a call share it
            if key not in self._known:
                first = self.tape.size
                out = primitive.vector.forward(IEEE, *map(self.value, operands))
                self.added(primitive.vector, operands, [float(y) for y in out], True)
                self._known[key] = first
                self._alive.append(node.args)
            self._know(node, self._known[key] + primitive.index)
        elif primitive.opaque:
            raise self.refusal(f"{primitive.name}, an opaque primitive, was called", "write it against m")
        else:
            operands = list(primitive.filled(tuple(operands)))
            operands = [x if type(x) is int else Const(x) for x in operands]
            refuses = self.m is FLOATS and can_refuse(primitive, len(operands))
            self._know(node, self.added(primitive, operands, (node._data,), refuses))

    def _capture(self, x: Any) -> int:
        number = x._data if isinstance(x, Value) else x.recording.number_of(x.ref)
        ref = self.added(pos, (ZERO,), (number,))  # a placeholder, which becomes an input
        if isinstance(x, Column):
            self.tape.wide.add(ref)
        self.captured.append(x)
        self.captured_at.append(ref)
        self._know(x, ref)
        return ref

    def _know(self, x: Any, ref: int) -> None:
        self._known[id(x)] = ref
        self._alive.append(x)

    # Steps.

    def added(
        self, primitive: Primitive, operands: Sequence[Operand], numbers: Sequence[Any], refuses: bool = False
    ) -> int:
        """Add an instruction with the numbers of its results. Return the place of its first result."""
        self.data += numbers
        return self.tape._append(Instruction(primitive, tuple(operands), refuses))

    def _condition(self, primitive: Primitive, x: Operand, y: Operand) -> Operand:
        a, b = self.value(x), self.value(y)
        outcome = float(a < b if primitive is LESS else a == b)
        if type(x) is not int and type(y) is not int:
            return Const(outcome)
        return self.added(primitive, (x, y), (outcome,))

    def written(self) -> None:
        """Note that steps were written to the tape without numbers, which are computed at first use."""
        self.data += [None] * (self.tape.size - len(self.data))

    def value(self, x: Operand) -> Any:
        """Return the number of an operand at the recorded point."""
        return self.number_of(x) if type(x) is int else float(x)

    def number_of(self, ref: int) -> Any:
        """Return the number at a place; it is computed if necessary."""
        if self.data[ref] is None:
            steps, starts, data = self.tape.steps, self.tape.starts, self.data

            def value(x: Operand) -> Any:
                return data[x] if type(x) is int else float(x)

            while data[ref] is None:
                index = self._pending
                start, width = starts[index], steps[index].width
                if width and data[start] is None:
                    found = stepwise.results(steps[index], value)
                    if found is None:
                        raise RecordingError("a function took other branches when it was differentiated; is it random?")
                    data[start : start + width] = found
                self._pending += 1
        return self.data[ref]

    # Batches.

    def column(self, operand: Operand) -> Column:
        """Return a wide value as a column."""
        if type(operand) is not int:
            raise TypeError("a column can't be a constant; give a value of the recording")
        return Column(self, operand)

    def count_of(self, rows: Rows) -> Recorded:
        """Return the length of all batches, as a number of the program. A batch of another length is spelled out."""
        root = self.root
        if root.count is None or root.data[root.count.ref] not in (0.0, float(rows._count)):
            raise TouchedError(rows._index)
        root.data[root.count.ref] = root.count.number = float(rows._count)
        return root.count

    # The program.

    def program(self, outputs: Sequence[Operand], inputs: Sequence[int], captured: int = 0) -> Program:
        """Return the recording as a program whose inputs are the values at these places."""
        return self.tape.program(outputs, captured, inputs)


def _random_state() -> Any:
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is None:
        return random.getstate()
    kind, keys, *rest = numpy_random.get_state()
    return random.getstate(), kind, keys.tobytes(), rest
