"""`Recorded`: the Values of a recording, whose operators hand what they compute straight to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from ..engine.evaluation import OPERATORS, evaluate, fallback
from ..engine.observer import OBSERVER, RecordingError
from ..engine.value import Value
from ..interpreters.floats import FLOATS
from ..rows import TABLE, Primitive

__all__ = ["Recorded"]

observer = OBSERVER.get


class Recorded(Value):
    """A Value of a recording: an input, or what was computed while it was under way.

    No sweep over floats meets it, so it keeps its operand in `grad`, and its recording's mark in `mark`.
    """

    __slots__ = ()

    __hash__ = Value.__hash__

    def _refuse_copy(self, *args: Any) -> NoReturn:
        raise RecordingError("a copy of a recorded Value would be cut off from its recording; use the Value itself")

    __copy__ = __deepcopy__ = __reduce__ = _refuse_copy  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Recorded(data={self._data!r})"


def _operator(row: Primitive, reflected: bool) -> Callable[..., Any]:
    def unary(self: Recorded) -> Any:
        recording = observer()
        return evaluate(row, (self,)) if recording is None else recording.applied(row, (self,), FLOATS)

    def binary(self: Recorded, other: Any) -> Any:
        if type(other) is int:
            other = float(other)
        args = (other, self) if reflected else (self, other)
        recording = observer()
        if recording is None or type(other) not in COMMON:
            return fallback(row, other, args)
        return recording.applied(row, args, FLOATS)

    return unary if len(row.parameters) == 1 else binary


COMMON = {Recorded, float}

for _name, _python_name in OPERATORS.items():
    setattr(Recorded, f"__{_python_name}__", _operator(TABLE[_name], False))
    if len(TABLE[_name].parameters) == 2:
        setattr(Recorded, f"__r{_python_name}__", _operator(TABLE[_name], True))
