"""`RealNumber`: a Value among Python's numbers, with its operators, comparisons and conversions."""

from __future__ import annotations

import math
import numbers
import operator
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeAlias

from ..rows import as_float
from .handed import HANDED_IN, HASHING, depends_on_argument, note_refusal
from .observer import OBSERVER
from .structures import load_arrays

if TYPE_CHECKING:
    from .methods import Methods
    from .value import Value

    Other: TypeAlias = "float | Value"
else:
    Methods = object

observer = OBSERVER.get


class RealNumber(Methods):
    """The part of a Value that makes it a number: like a float in arithmetic, and never silently one.

    Comparisons look at the data. If the derivative is 0 everywhere, as for `int(v)`, the result is a plain number; a
    recording keeps it as a branch. An operation that would silently lose a gradient raises `TypeError`.
    """

    __slots__ = ()

    _data: float

    # The table says what these compute: `fastcalls` writes them from its rows.
    if TYPE_CHECKING:

        def __add__(self, other: Other) -> Value: ...
        def __radd__(self, other: Other) -> Value: ...
        def __sub__(self, other: Other) -> Value: ...
        def __rsub__(self, other: Other) -> Value: ...
        def __mul__(self, other: Other) -> Value: ...
        def __rmul__(self, other: Other) -> Value: ...
        def __truediv__(self, other: Other) -> Value: ...
        def __rtruediv__(self, other: Other) -> Value: ...
        def __floordiv__(self, other: Other) -> Value: ...
        def __rfloordiv__(self, other: Other) -> Value: ...
        def __mod__(self, other: Other) -> Value: ...
        def __rmod__(self, other: Other) -> Value: ...
        def __pow__(self, other: Other) -> Value: ...
        def __rpow__(self, other: Other) -> Value: ...
        def __neg__(self) -> Value: ...
        def __pos__(self) -> Value: ...
        def __abs__(self) -> Value: ...

    def __divmod__(self, other: Other) -> tuple[Value, Value]:
        return self // other, self % other

    def __rdivmod__(self, other: Other) -> tuple[Value, Value]:
        return other // self, other % self

    # Comparisons look at the data, and a hash at the identity: equal numbers can be different nodes, and a set of
    # nodes must keep both. So `x in {1.25}` misses an equal number. Inside a derivative it would decide otherwise
    # than for the plain number, so it is refused there.
    def __hash__(self) -> int:
        if (recording := observer()) is not None:
            raise recording.refusal("the hash of a Value", HASHING)
        if HANDED_IN and depends_on_argument(self):
            raise TypeError(
                f"{self!r} can't be hashed inside a derivative: a set or dict finds it by identity; {HASHING}"
            )
        return object.__hash__(self)

    def __eq__(self, other: object) -> bool:
        number = comparable(other)
        if number is None:
            return NotImplemented
        outcome = self._data == number
        return outcome if (recording := observer()) is None else recording.decided("equal", self, other, outcome)

    def __lt__(self, other: Other) -> bool:
        number = comparable(other)
        if number is None:
            return NotImplemented
        outcome = self._data < number
        return outcome if (recording := observer()) is None else recording.decided("less", self, other, outcome)

    def __le__(self, other: Other) -> bool:
        number = comparable(other)
        if number is None:
            return NotImplemented
        outcome = self._data <= number
        return outcome if (recording := observer()) is None else recording.decided("less_equal", self, other, outcome)

    def __gt__(self, other: Other) -> bool:
        number = comparable(other)
        if number is None:
            return NotImplemented
        outcome = self._data > number
        return outcome if (recording := observer()) is None else recording.decided("greater", self, other, outcome)

    def __ge__(self, other: Other) -> bool:
        number = comparable(other)
        if number is None:
            return NotImplemented
        outcome = self._data >= number
        return (
            outcome if (recording := observer()) is None else recording.decided("greater_equal", self, other, outcome)
        )

    def __bool__(self) -> bool:
        outcome = self._data != 0.0
        return outcome if (recording := observer()) is None else recording.decided("true", self, 0.0, outcome)

    # A real number among Python's and NumPy's. If the derivative is 0 everywhere, the result is a plain number.
    def conjugate(self) -> Self:
        """Return the value itself, as every real number does; NumPy's `var`, `std` and `vdot` call it."""
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Return what a ufunc of NumPy gives for Values and numbers, such as `np.arctan2(1.0, v)`."""
        load_arrays()  # which brings the method that computes
        return getattr(ufunc, method)(*inputs, **options)

    def item(self) -> Self:
        """Return the value itself, as a number in an array of NumPy's returns its number."""
        return self

    @property
    def real(self) -> Self:
        """The value itself."""
        return self

    @property
    def imag(self) -> float:
        """The imaginary part of a real number, 0.0."""
        return 0.0

    def is_integer(self) -> bool:
        """Return True if the data is a whole number; a recording keeps the answer as a branch."""
        return self._data.is_integer() if observer() is None else bool(self.floor() == self)

    def __floor__(self) -> int:
        return self._whole(math.floor(self._data), "floor")

    def __ceil__(self) -> int:
        return self._whole(math.ceil(self._data), "ceil")

    def __trunc__(self) -> int:
        return self.__ceil__() if self < 0.0 else self.__floor__()

    __int__ = __trunc__

    def __round__(self, digits: int | None = None) -> Any:
        if digits is None:
            return self._whole(round(self._data), "round")
        return self.round_to(operator.index(digits))

    def _whole(self, number: int, rule: str) -> int:
        if observer() is not None:
            bool(getattr(self, rule)() == number)  # the branch that a recording keeps
        return number

    # A float would lose the gradient silently.
    def __float__(self) -> NoReturn:
        if (recording := observer()) is not None:
            raise recording.refusal("a float made of a Value", "use sg.sin, sg.exp, … for the functions of math")
        note_refusal(self)
        raise TypeError(
            f"{self!r} is not silently turned into a float: its gradient would be lost. Use sg.sin, sg.exp, … "
            "for the functions of math, an array with dtype=object, or v.data for the plain number"
        )

    __complex__ = __float__

    def __index__(self) -> NoReturn:
        if (recording := observer()) is not None:
            raise recording.refusal("an index made of a Value", "write int(v), or use static_argnums for an index")
        raise TypeError(f"{self!r} is not an index, as a float is not; write int(v)")

    def __format__(self, specification: str) -> str:
        if specification and (recording := observer()) is not None:
            raise recording.refusal("the text of a number", "print it outside of the recorded function")
        return format(self._data, specification) if specification else repr(self)


numbers.Real.register(RealNumber)


def comparable(other: object) -> float | None:
    """Return the number to compare with: a Value's data, a plain number or bool; None for anything else."""
    if isinstance(other, RealNumber):
        return other._data
    return float(other) if isinstance(other, bool) else as_float(other)
