"""`Value`: a number that remembers how it was computed, a node of the graph of a computation."""

from __future__ import annotations

import itertools
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .doors import checked_label, checked_number
from .graph import backward, topological_order
from .handed import HANDED_IN, depends_on_argument
from .observer import OBSERVER
from .real import RealNumber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..rows import Output, Primitive

__all__ = ["Value"]

next_serial = itertools.count(1).__next__
observer = OBSERVER.get


class Value(RealNumber):
    """A number that remembers how it was computed.

    It stores what the lecture says that a node stores: the quantity of the forward pass (`data`) and the
    partial derivative of the goal with respect to it (`grad`, 0.0 before any `backward()`); its `parents` and its
    local derivative with respect to each of them (`partials`); the `primitive` that computed it and all of its
    `args`, constants included. A leaf has no primitive. `label` names it in equations and diagrams.

    `data`, `grad` and `label` may be assigned. What the constructor refuses, an assignment refuses too.

    Raises `TypeError` for data that is not a real number: a string, bool, complex, None or another Value.

    Source: 10-601 Backpropagation, "instantiate the computation as a directed acyclic graph".

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    __slots__ = (
        "_data",
        "_grad",
        "_label",
        "first",
        "mark",
        "partial_first",
        "partial_second",
        "primitive",
        "second",
        "serial",
    )

    # The library itself reads and writes these slots behind `data`, `grad` and `label`.
    _data: float
    _grad: float
    _label: str
    # The function `slots` defines the contents of these four.
    first: Any
    second: Any
    partial_first: Any
    partial_second: float | None
    primitive: Primitive | Output | None
    serial: int  # the creation number: a node is made after its parents, so it sorts the graph
    mark: object  # the last sweep that reached the node; None before any

    def __init__(self, data: float, label: str = "") -> None:
        self._data = data if type(data) is float else checked_number("data", data)
        self._grad = 0.0
        self._label = label if type(label) is str else checked_label(label)
        self.first = self.second = self.partial_first = self.partial_second = None
        self.primitive = None
        self.serial = next_serial()
        self.mark = None

    @property
    def data(self) -> float:
        """The quantity of the forward pass. That of a leaf may be assigned."""
        if (recording := observer()) is not None:
            raise recording.refusal("v.data", "compute with v itself, or hand the number in as an argument")
        return self._data

    @data.setter
    def data(self, number: float) -> None:
        if (recording := observer()) is not None:
            raise recording.refusal("an assignment to v.data", "assign outside of the recorded function")
        self._data = number if type(number) is float else checked_number("data", number)

    @property
    def grad(self) -> float:
        """The partial derivative of the goal with respect to this value, as the last `backward()` left it."""
        if (recording := observer()) is not None:
            raise recording.refusal("v.grad", "use sg.grad, or hand the number in as an argument")
        return self._grad

    @grad.setter
    def grad(self, number: float) -> None:
        if (recording := observer()) is not None:
            raise recording.refusal("an assignment to v.grad", "assign outside of the recorded function")
        self._grad = number if type(number) is float else checked_number("grad", number)

    @property
    def label(self) -> str:
        """The name in equations and diagrams; empty for none."""
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        self._label = label if type(label) is str else checked_label(label)

    @property
    def args(self) -> tuple[Value | float, ...]:
        """All operands in their order, Values and constants; empty for a leaf."""
        if type(self.partial_first) is tuple:
            args: tuple[Value | float, ...] = self.first
            return args
        if self.primitive is None:
            return ()
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def parents(self) -> tuple[Value, ...]:
        """The operands that are Values, in their order; one that is used twice is there twice."""
        partial_first = self.partial_first
        if type(partial_first) is tuple:
            parents: tuple[Value, ...] = self.second
            return parents
        if partial_first is None:
            return () if self.partial_second is None else (self.second,)
        return (self.first,) if self.partial_second is None else (self.first, self.second)

    @property
    def partials_or_none(self) -> tuple[float | None, ...]:
        """The partial derivative for each parent. None marks a structural zero: no adjoint passes it, not even inf."""
        if type(self.partial_first) is tuple:
            return self.partial_first
        return tuple([partial for partial in (self.partial_first, self.partial_second) if partial is not None])

    @property
    def partials(self) -> tuple[float, ...]:
        """The local derivative with respect to each of the parents."""
        return tuple([0.0 if partial is None else partial for partial in self.partials_or_none])

    def edges(self) -> Iterable[tuple[Value, float]]:
        """Return the parents, each with the local derivative with respect to it, without structural zeros.

        >>> x = Value(3.0)
        >>> [(parent is x, partial) for parent, partial in (x * x).edges()]
        [(True, 3.0), (True, 3.0)]
        """
        partial_first, partial_second = self.partial_first, self.partial_second
        if partial_second is not None:
            second = self.second, partial_second
            return (second,) if partial_first is None else ((self.first, partial_first), second)
        if type(partial_first) is tuple:
            return [(p, partial) for p, partial in zip(self.second, partial_first, strict=True) if partial is not None]
        return () if partial_first is None else ((self.first, partial_first),)

    # micrograd's names for the operands and the operation, for notebooks that draw a graph by themselves.
    @property
    def _prev(self) -> set[Value]:
        return set(self.parents)

    @property
    def _op(self) -> str:
        if self.primitive is None:
            return ""
        exponent = f"{self.second:g}" if self.primitive.name == "pow" and type(self.second) is float else ""
        return MICROGRAD.get(self.primitive.name, self.primitive.name) + exponent

    def backward(self, seed: float = 1.0) -> None:
        """Add the derivative of `seed` times this value into the `grad` of every node that it was computed from.

        Interior nodes start afresh, leaves add up over calls until `zero_grad()`. Raises `TypeError` for a
        seed that is not a number. Source: 10-601 Backpropagation, "Backpropagation" in four steps.

        >>> x = Value(2.0)
        >>> (x * x).backward()
        >>> x.grad
        4.0
        """
        backward([self], [seed])

    def zero_grad(self) -> None:
        """Set the `grad` of all the leaves under this value to 0.0.

        >>> x = Value(2.0)
        >>> y = x * x
        >>> y.backward(); y.zero_grad(); x.grad
        0.0
        """
        for node in topological_order(self):
            if node.primitive is None:
                node._grad = 0.0
                node.mark = None

    def __repr__(self) -> str:
        label = f", label={self._label!r}" if self._label else ""
        return f"Value(data={self._data!r}, grad={self._grad!r}{label})"

    # Copying and pickling never recurse along the graph. A number that a derivative handed to its function, and what
    # depends on it, stays itself: a copy would be a constant of the derivative.
    def __copy__(self) -> Value:
        if observer() is not None or id(self) in HANDED_IN:
            return self
        return rebuild(self.primitive, self.args, self.state())

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        if observer() is not None:
            return self
        for node in topological_order(self):
            if id(node) not in memo:
                args = tuple([memo[id(arg)] if isinstance(arg, Value) else arg for arg in node.args])
                stays = id(node) in HANDED_IN or any(memo[id(parent)] is parent for parent in node.parents)
                memo[id(node)] = node if stays else rebuild(node.primitive, args, node.state())
        copied: Value = memo[id(self)]
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        if (recording := observer()) is not None:
            raise recording.refusal("a pickled Value", "pickle it outside of the recorded function")
        if HANDED_IN and depends_on_argument(self):
            raise TypeError(
                f"{self!r} can't be pickled inside a derivative: its copy would have no gradient; use v.data"
            )
        # Pickled in the order of creation, as records that name their parents' records: so a reader meets
        # a node's parents first. One record a node, so two Values of one pickle share their graph.
        records = [_record(node) for node in topological_order(self)]
        return _last, (records,)

    def state(self) -> tuple[Any, ...]:
        """Return the parts that a copy keeps, apart from its place in the graph; the mark of a sweep becomes True."""
        return self._data, self.partials_or_none, self._grad, self._label, None if self.mark is None else True


MICROGRAD = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "neg": "-", "relu": "ReLU"}
"""The operations for which micrograd does not write the primitive's name."""


def slots(operands: Sequence[Any], partials: Sequence[Any], wide: tuple[Any, Any, Any] | None, none: Any = None) -> Any:
    """Return the contents of a node's slots `first`, `second`, `partial_first` and `partial_second`.

    One or two operands are stored in the node itself, each with the local derivative with respect to it, which is
    `none` for a constant: so a node is one object for Python's collector. If a node has more operands, or a local
    derivative that is 0 by structure, its slots are `wide`: the tuples of its args, its parents, and the parents'
    partials. `fastcalls` calls this with text in place of objects.

    >>> slots(("x", 2.0), (6.0, None), None)
    ('x', 2.0, 6.0, None)
    """
    if wide is not None:
        return (*wide, none)
    first, second = operands if len(operands) == 2 else (operands[0], none)
    partial_first, partial_second = partials if len(partials) == 2 else (partials[0], none)
    return first, second, partial_first, partial_second


def make_node(
    primitive: Any,
    args: tuple[Value | float, ...],
    data: float,
    partials: Sequence[float | None],
    parents: tuple[Value, ...] | None = None,
) -> Value:
    """Return a new node. `partials` has an entry for each parent; `parents` may be given, to be shared by many."""
    node = Value.__new__(Value)
    node._data = data
    node._grad = 0.0
    node._label = ""
    if not args:
        node.first = node.second = node.partial_first = node.partial_second = None
    else:
        wide = None
        by_operand: Sequence[float | None] = partials
        if len(args) > 2 or None in partials:
            if parents is None:
                parents = tuple([arg for arg in args if isinstance(arg, Value)])
            wide = args, parents if len(parents) < len(args) else args, tuple(partials)  # one tuple if they are equal
        elif len(partials) < len(args):
            by_operand = [partials[0] if isinstance(arg, Value) else None for arg in args]
        node.first, node.second, node.partial_first, node.partial_second = slots(args, by_operand, wide)
    node.primitive = primitive
    node.serial = next_serial()
    node.mark = None
    return node


def rebuild(primitive: Primitive | Output | None, args: tuple[Value | float, ...], state: tuple[Any, ...]) -> Value:
    """Return a node like another one, with a creation number of its own."""
    data, partials, *rest = state
    node = make_node(primitive, args, data, partials)
    node._grad, node._label, node.mark = rest
    return node


class _Record:
    """A node within a pickle: it becomes the node itself when it is read."""

    __slots__ = ("__weakref__", "node")

    def __init__(self, node: Value) -> None:
        self.node = node

    def __reduce__(self) -> tuple[Callable[..., Value], tuple[Any, ...]]:
        node = self.node
        args = tuple([_record(arg) if isinstance(arg, Value) else arg for arg in node.args])
        return rebuild, (node.primitive, args, node.state())


_records: weakref.WeakValueDictionary[int, _Record] = weakref.WeakValueDictionary()
_records_lock = threading.Lock()


def _record(node: Value) -> _Record:
    # Two threads may pickle one graph at a time: both must find one record a node.
    with _records_lock:
        record = _records.get(id(node))
        if record is None:
            record = _records[id(node)] = _Record(node)
        return record


def _last(nodes: list[Value]) -> Value:
    return nodes[-1]


def data_of(x: Any) -> float:
    """Return the number of a Value, or the plain number itself."""
    number: float = x._data if isinstance(x, Value) else float(x)
    return number
