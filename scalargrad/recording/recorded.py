"""`Recorded`: the Values that a function gets while it is recorded. Their operators write to the tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from ..engine.evaluation import OPERATORS, REFUSALS, fallback
from ..engine.observer import OBSERVER
from ..engine.value import Value
from ..interpreters.floats import FLOATS
from ..rows import TABLE, Primitive
from .basis import can_refuse
from .identities import DIVISIONS
from .program import Const, Instruction

if TYPE_CHECKING:
    from .recorder import Recording

__all__ = ["Column", "Recorded"]

observer: Callable[[], Any] = OBSERVER.get
new_node = object.__new__
new_step: Callable[..., Instruction] = tuple.__new__  # an `Instruction`, without checks


class Recorded(Value):
    """A Value of a recording: an input, or a result computed in it.

    `ref` is its place on the tape, and `number` its value at the recorded point; for a result of a derivative, the
    number is computed at first use. Reading the number outside the recording (in another thread, in a later call, as
    text, as a hash) is refused.
    """

    __slots__ = ("number", "recording", "ref")

    ref: int
    number: float
    recording: Recording

    # It is not in a graph: it has no parents and is older than every node, so derivatives treat it as a constant.
    primitive = first = second = partial_first = partial_second = mark = None
    serial = 0
    _label = ""

    @property
    def label(self) -> str:
        """The name is always empty: only graphs of eager code have equations."""
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        pass

    def __getattr__(self, name: str) -> float:
        if name != "number":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self.number = self.recording.number_of(self.ref)
        return self.number

    @property
    def _data(self) -> float:  # type: ignore[override]
        self.recording.check_seen()
        return self.number

    def _refuse(self, what: str, advice: str) -> NoReturn:
        raise self.recording.refusal(what, advice)

    @property
    def grad(self) -> float:
        """Raise `RecordingError`: a recorded Value has no gradient."""
        self._refuse("the grad of a recorded Value", "use sg.grad or sg.value_and_grad")

    @grad.setter
    def grad(self, number: float) -> None:
        self._refuse("the grad of a recorded Value", "use sg.grad or sg.value_and_grad")

    def backward(self, seed: float = 1.0) -> None:
        """Raise `RecordingError`: use `sg.grad`."""
        self._refuse("backward()", "use sg.grad or sg.value_and_grad")

    def __hash__(self) -> int:  # noqa: PLE0309 (it raises)
        self._refuse("the hash of a Value, for a set, a dict or a cache", "compare with ==, which is a branch")

    def __format__(self, specification: str) -> str:
        self._refuse("the text of a Value", "print outside of the recorded function")

    def __repr__(self) -> str:
        return f"<recorded v{self.ref}>"

    __str__ = __repr__


class Column:
    """A wide value of a recording: a column of numbers, one for each lane of a batch of any length."""

    __slots__ = ("recording", "ref")

    def __init__(self, recording: Recording, ref: int) -> None:
        self.recording = recording
        self.ref = ref


def _binary(primitive: Primitive, reflected: bool) -> Callable[..., Any]:
    forward = primitive.forward
    refuses, divides = can_refuse(primitive, 2), primitive.name in DIVISIONS and not reflected

    def operator(self: Recorded, other: Any) -> Any:
        recording = self.recording
        kind = type(other)
        if kind is int:
            other, kind = float(other), float
        if observer() is recording:
            operand: Any
            refusing = refuses
            if kind is float:
                number, operand = other, Const(other)
                if divides and other:
                    refusing = False
            elif kind is Recorded and other.recording is recording:
                number, operand = other.number, other.ref
            else:
                return fallback(primitive, other, (other, self) if reflected else (self, other))
            try:
                if reflected:
                    out = forward(recording.m, number, self.number)
                else:
                    out = forward(recording.m, self.number, number)
            except REFUSALS:
                return fallback(primitive, other, (other, self) if reflected else (self, other))
            operands = (operand, self.ref) if reflected else (self.ref, operand)
            # The tape grows by one step: what `Recording.added` does, in place.
            tape = recording.tape
            node = new_node(Recorded)
            node.ref = ref = tape.size
            node.number = out
            node.recording = recording
            tape.steps.append(new_step(Instruction, (primitive, operands, refusing and recording.m is FLOATS)))
            tape.starts.append(ref)
            tape.size = ref + 1
            recording.data.append(out)
            return node
        return fallback(primitive, other, (other, self) if reflected else (self, other))

    return operator


def _unary(primitive: Primitive) -> Callable[..., Any]:
    return lambda self: fallback(primitive, self, (self,))


for _name, _python_name in OPERATORS.items():
    if len(TABLE[_name].parameters) == 2:
        setattr(Recorded, f"__{_python_name}__", _binary(TABLE[_name], False))
        setattr(Recorded, f"__r{_python_name}__", _binary(TABLE[_name], True))
    else:
        setattr(Recorded, f"__{_python_name}__", _unary(TABLE[_name]))
