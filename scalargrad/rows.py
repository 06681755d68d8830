"""Rows of the table: each states a primitive's output and its local derivatives.

A row is written against a namespace `m`. Each interpreter passes its own `m` and its own operands: floats, nodes,
arrays, symbols of an equation, lines of source.
"""

from __future__ import annotations

import inspect
import keyword
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, cast, overload

if TYPE_CHECKING:
    import numpy

    from .engine.value import Value

    NDArray: TypeAlias = "numpy.ndarray[Any, Any]"

__all__ = [
    "LIBRARY",
    "NONNEGATIVE",
    "NONZERO",
    "POSITIVE",
    "REAL",
    "SCIPY",
    "TABLE",
    "Affine",
    "Binary",
    "Dot",
    "Fixed",
    "Functions",
    "Interval",
    "Joint",
    "Many",
    "Opaque",
    "Operand",
    "Output",
    "Primitive",
    "Unary",
    "Variadic",
    "Vector",
    "as_float",
    "enter",
    "enter_all",
    "find",
]

Number: TypeAlias = "float | Value"
Operand: TypeAlias = Any


class Functions(Protocol):
    """The namespace `m`: the fixed basis that every interpreter supplies, then the other rows."""

    # The basis: arithmetic, comparisons and choices.
    def div(self, x: Operand, y: Operand) -> Operand: ...
    def pow(self, x: Operand, y: Operand) -> Operand: ...
    def mod(self, x: Operand, y: Operand) -> Operand: ...
    def floordiv(self, x: Operand, y: Operand) -> Operand: ...
    def less(self, x: Operand, y: Operand) -> Operand: ...
    def equal(self, x: Operand, y: Operand) -> Operand: ...
    def select(self, condition: Operand, x: Operand, y: Operand) -> Operand: ...
    def abs(self, x: Operand) -> Operand: ...
    def floor(self, x: Operand) -> Operand: ...
    def ceil(self, x: Operand) -> Operand: ...
    def round(self, x: Operand) -> Operand: ...

    # The basis: library functions.
    def exp(self, x: Operand) -> Operand: ...
    def expm1(self, x: Operand) -> Operand: ...
    def log(self, x: Operand) -> Operand: ...
    def log1p(self, x: Operand) -> Operand: ...
    def log2(self, x: Operand) -> Operand: ...
    def log10(self, x: Operand) -> Operand: ...
    def sqrt(self, x: Operand) -> Operand: ...
    def cbrt(self, x: Operand) -> Operand: ...
    def sin(self, x: Operand) -> Operand: ...
    def cos(self, x: Operand) -> Operand: ...
    def tan(self, x: Operand) -> Operand: ...
    def asin(self, x: Operand) -> Operand: ...
    def acos(self, x: Operand) -> Operand: ...
    def atan(self, x: Operand) -> Operand: ...
    def atan2(self, y: Operand, x: Operand) -> Operand: ...
    def sinh(self, x: Operand) -> Operand: ...
    def cosh(self, x: Operand) -> Operand: ...
    def tanh(self, x: Operand) -> Operand: ...
    def asinh(self, x: Operand) -> Operand: ...
    def acosh(self, x: Operand) -> Operand: ...
    def atanh(self, x: Operand) -> Operand: ...
    def hypot(self, x: Operand, y: Operand) -> Operand: ...
    def erf(self, x: Operand) -> Operand: ...
    def erfc(self, x: Operand) -> Operand: ...
    def gamma(self, x: Operand) -> Operand: ...
    def lgamma(self, x: Operand) -> Operand: ...

    # The basis: functions of SciPy, loaded at their first use.
    def erfinv(self, x: Operand) -> Operand: ...
    def erfcinv(self, x: Operand) -> Operand: ...
    def erfcx(self, x: Operand) -> Operand: ...
    def jv(self, order: Operand, x: Operand) -> Operand: ...
    def yv(self, order: Operand, x: Operand) -> Operand: ...
    def iv(self, order: Operand, x: Operand) -> Operand: ...
    def kv(self, order: Operand, x: Operand) -> Operand: ...
    def gammainc(self, a: Operand, x: Operand) -> Operand: ...
    def gammaincc(self, a: Operand, x: Operand) -> Operand: ...
    def betainc(self, a: Operand, b: Operand, x: Operand) -> Operand: ...
    def lambertw(self, x: Operand, branch: Operand) -> Operand: ...
    def expi(self, x: Operand) -> Operand: ...
    def exp1(self, x: Operand) -> Operand: ...
    def ellipk(self, x: Operand) -> Operand: ...
    def ellipe(self, x: Operand) -> Operand: ...
    def hyp2f1(self, a: Operand, b: Operand, c: Operand, x: Operand) -> Operand: ...

    # Rows that other rows use.
    def sign(self, x: Operand) -> Operand: ...
    def step(self, x: Operand, at_zero: Operand = 0.0) -> Operand: ...
    def sech2(self, x: Operand) -> Operand: ...
    def sigmoid(self, x: Operand) -> Operand: ...
    def stop_gradient(self, x: Operand) -> Operand: ...
    def kinked(self, x: Operand, y: Operand, smooth: Operand) -> Operand: ...
    def passed(self, x: Operand, y: Operand) -> Operand: ...
    def one_minus_square(self, x: Operand) -> Operand: ...
    def trunc(self, x: Operand) -> Operand: ...
    def copysign(self, x: Operand, y: Operand) -> Operand: ...
    def sinpi(self, x: Operand) -> Operand: ...
    def cospi(self, x: Operand) -> Operand: ...
    def csch(self, x: Operand) -> Operand: ...
    def digamma(self, x: Operand) -> Operand: ...
    def zeta(self, s: Operand, x: Operand) -> Operand: ...
    def max(self, *xs: Operand) -> Operand: ...
    def logsumexp(self, *xs: Operand) -> Operand: ...


BASIS = tuple(name for name in vars(Functions) if not name.startswith("_"))
"""Every name that `m` spells out; `LIBRARY` are those that an interpreter must supply itself."""
LIBRARY = BASIS[: BASIS.index("sign")]
SCIPY = LIBRARY[LIBRARY.index("erfinv") :]
"""The functions of the basis that come from `scipy.special`."""


@dataclass(frozen=True)
class Interval:
    """The numbers from `low` to `high`, as a domain. Square brackets include an end, round ones exclude it.

    >>> 0.0 in Interval(0.0, 1.0), 0.0 in Interval(0.0, 1.0, "[)")
    (False, True)
    """

    low: float
    high: float
    brackets: str = "()"
    without_zero: bool = False

    def __contains__(self, x: float) -> bool:
        above = x >= self.low if self.brackets[0] == "[" else x > self.low
        below = x <= self.high if self.brackets[1] == "]" else x < self.high
        return math.isnan(x) or (above and below and not (self.without_zero and x == 0))

    def __str__(self) -> str:
        left, right = self.brackets[0], self.brackets[1]
        if self.without_zero:
            return f"{left}{self.low:g}, 0) or (0, {self.high:g}{right}"
        return f"{left}{self.low:g}, {self.high:g}{right}"


REAL = Interval(-math.inf, math.inf)
NONZERO = Interval(-math.inf, math.inf, without_zero=True)
POSITIVE = Interval(0.0, math.inf)
NONNEGATIVE = Interval(0.0, math.inf, "[)")


@dataclass(frozen=True)
class Joint:
    """A domain that ties the arguments together: its text, and a test for a point."""

    text: str
    contains: Callable[..., bool]

    def __str__(self) -> str:
        return self.text


Ends: TypeAlias = "tuple[float, float]"
Domain: TypeAlias = "Interval | Ends | tuple[Interval | Ends, ...] | Joint"
"""A domain as users give it: one interval for all arguments, one for each, or a `Joint`. A pair is an open interval."""


def intervals_of(name: str, domain: Domain | None, count: int) -> tuple[Interval, ...] | Joint:
    """Return the domain of `count` arguments. Raises `ValueError` if the number of intervals is not `count`."""
    if isinstance(domain, Joint):
        return domain
    if domain is None or isinstance(domain, Interval) or all(isinstance(end, (int, float)) for end in domain):
        domain = (domain or REAL,) * count  # type: ignore[assignment]
    intervals = tuple([part if isinstance(part, Interval) else Interval(*part) for part in domain])  # type: ignore
    if len(intervals) != count:
        raise ValueError(f"primitive {name}: {len(intervals)} domains for {count} arguments; give one for each")
    return intervals


def as_float(x: Any) -> float | None:
    """Return a plain real number as a float, and None for anything else, such as a bool or a string."""
    kind = type(x)
    if kind is float:
        return cast(float, x)
    if kind is int:
        return float(x)
    return _float_of_foreign(x)


def _float_of_foreign(x: Any) -> float | None:
    from numbers import Real  # NumPy's scalars register themselves as such

    if isinstance(x, Real) and not isinstance(x, bool) and not hasattr(x, "backward"):  # a Value is one of them
        return float(x)
    return None


Rule: TypeAlias = Callable[..., Any]


class Primitive:
    """A row of the table, and the public function: `sg.sin(1.0)` is a float, `sg.sin(v)` a node.

    `forward(m, x, …)` computes the output. `partials` has one rule `(m, out, x, …)` for each argument, or `None` if
    the derivative is 0 by structure. Both call functions of `m` alone. `textbook` has the rules as a textbook prints
    them, if the exact ones read differently. `kinks` are the values of the first argument at which there is no
    derivative. `smooth` is a rule like the partials; it gives 0 at points that have first derivatives but no second
    ones. `ulps` are the error bounds that the tests check, for the value and for the partials. `home` is the module
    that added the primitive, or None for the table's own.
    """

    variadic = False
    opaque = False

    def __new__(cls, *args: Any, **options: Any) -> Self:
        # Each row has a class of its own: Python looks `__call__` up on the class, and each row gets the one that
        # was compiled from it.
        return super().__new__(type(cls.__name__, (cls,), {}))

    def __init__(
        self,
        name: str,
        forward: Rule,
        *partials: Rule | None,
        domain: Domain | None = None,
        textbook: tuple[Rule | None, ...] | None = None,
        kinks: tuple[float, ...] = (),
        smooth: Rule | None = None,
        ulps: tuple[float, float] = (4.0, 4.0),
        doc: str = "",
    ) -> None:
        parameters = [*inspect.signature(forward).parameters.values()][1:]
        self.name = self.__name__ = name
        self.forward = forward
        self.partials = partials
        self.textbook = textbook or partials
        self.parameters = tuple(parameter.name for parameter in parameters)
        self.defaults = tuple(p.default for p in parameters if p.default is not p.empty)
        self.domain = intervals_of(name, domain, len(parameters))
        self.home: str | None = None
        self.kinks = kinks
        self.smooth = smooth
        self.ulps = ulps
        self.summary = doc
        self.__doc__ = self._documentation()

    def _documentation(self) -> str:
        names = ", ".join(self.arguments())
        domain = str(self.domain) if isinstance(self.domain, Joint) else ", ".join(map(str, self.domain))
        return (
            f"{self.summary}\n\n{self.name}({names}) is a float for floats, and a Value if an argument is one.\n"
            f"Its domain is {domain}. Raises `ValueError`, `ZeroDivisionError` or `OverflowError`, as floats\n"
            "do, outside it or if the result is too large, and `TypeError` if an argument is not a number."
        )

    if TYPE_CHECKING:

        def source(self) -> str: ...

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return find, (self.name,)

    def pack(self, *args: Any, **named: Any) -> tuple[Any, ...]:
        """Return the arguments of a call as the flat tuple that `forward` takes."""
        if named or len(args) != len(self.parameters):
            names = ", ".join(self.parameters)
            raise TypeError(f"{self.name}({names}) was called with {len(args)} arguments{_named(named)}")
        return args

    def arguments(self) -> Sequence[str]:
        """Return the names of the arguments as the function is called: `x, y`, or `xs`."""
        if not self.variadic:
            return self.parameters
        return [name for name, p in inspect.signature(self.pack).parameters.items() if p.kind is not p.VAR_POSITIONAL]

    def names(self, count: int) -> Sequence[str]:
        """Return the names of `count` flat arguments, for messages: `x, y`, or `xs[0], xs[1]`."""
        return [f"{self.parameters[0]}[{i}]" for i in range(count)] if self.variadic else self.parameters

    def filled(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return flat arguments, with the defaults for the last ones if they are missing."""
        missing = len(self.parameters) - len(args)
        return args if self.variadic or missing <= 0 else args + self.defaults[-missing:]

    def derivatives(self, m: Functions, out: Any, args: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        """Return the partial derivative for each argument: None if it is 0 by structure or not wanted."""
        return [rule(m, out, *args) if w and rule else None for rule, w in zip(self.partials, wanted, strict=True)]

    def textbook_derivatives(self, m: Functions, out: Any, args: Sequence[Any]) -> list[Any]:
        """Return the partial derivative for each argument, as a textbook prints it."""
        return [rule and rule(m, out, *args) for rule in self.textbook]

    def domain_of(self, index: int) -> Interval:
        """Return the domain of one argument by itself."""
        if isinstance(self.domain, Joint):
            return REAL
        return self.domain[0 if self.variadic else index]

    def contains(self, values: Sequence[float]) -> bool:
        """Return True if a point lies in the domain."""
        if isinstance(self.domain, Joint):
            return self.domain.contains(*values)
        return all(value in self.domain_of(index) for index, value in enumerate(values))


def _named(named: dict[str, Any]) -> str:
    return f" and with {', '.join(named)} by name" if named else ""


class Opaque(Primitive):
    """A primitive whose forward is a plain float function, say SciPy's.

    Eager code differentiates it, equations print its name, and recordings refuse it by name. Partials written against
    `m` give derivatives of any order; `plain` partials, which are functions of floats too, give only the first.
    """

    opaque = True

    def __init__(
        self,
        name: str,
        function: Callable[..., float],
        *partials: Rule | None,
        plain: bool,
        domain: Domain | None = None,
        kinks: tuple[float, ...] = (),
        ulps: tuple[float, float] = (4.0, 4.0),
        doc: str = "",
    ) -> None:
        def on_floats(function: Callable[..., float], xs: Sequence[Any]) -> Any:
            if all(isinstance(x, float) for x in xs):
                return float(function(*xs))
            if not any(hasattr(x, "shape") for x in xs):
                raise TypeError(
                    f"{name} is opaque, with partials that are plain float functions: it has no derivative of higher "
                    'order. Write the partials against m and say opaque="forward"'
                )
            import numpy as np

            return np.vectorize(function, otypes=[float])(*xs)

        def rule(partial: Rule) -> Rule:
            return lambda m, out, *xs: on_floats(partial, xs)

        rules = [rule(partial) if partial and plain else partial for partial in partials]
        super().__init__(name, lambda m, *xs: on_floats(function, xs), *rules, kinks=kinks, ulps=ulps, doc=doc)
        count = len(partials)
        self.parameters = ("x", "y", "z")[:count] if count <= 3 else tuple(f"x{i}" for i in range(count))
        self.domain = intervals_of(name, domain, count)
        self.__doc__ = self._documentation()


class Unary(Primitive):
    """A row of one argument."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: float, /) -> float: ...
        @overload
        def __call__(self, x: Value, /) -> Value: ...
        @overload
        def __call__(self, x: Number, /) -> Number: ...
        @overload
        def __call__(self, x: NDArray, /) -> NDArray: ...
        def __call__(self, x: Any, /) -> Any: ...


class Binary(Primitive):
    """A row of two arguments."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: float, y: float, /) -> float: ...
        @overload
        def __call__(self, x: Value, y: Number, /) -> Value: ...
        @overload
        def __call__(self, x: Number, y: Value, /) -> Value: ...
        @overload
        def __call__(self, x: Number, y: Number, /) -> Number: ...
        @overload
        def __call__(self, x: NDArray, y: NDArray | Number, /) -> NDArray: ...
        @overload
        def __call__(self, x: NDArray | Number, y: NDArray, /) -> NDArray: ...
        def __call__(self, x: Any, y: Any, /) -> Any: ...


class Fixed(Primitive):
    """A row of a fixed number of arguments; the last ones may have defaults."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: float, /, *args: float, **named: float) -> float: ...
        @overload
        def __call__(self, x: Value, /, *args: Number, **named: Number) -> Value: ...
        @overload
        def __call__(self, x: Any, /, *args: Any, **named: Any) -> Any: ...
        def __call__(self, x: Any, /, *args: Any, **named: Any) -> Any: ...


class Many(Primitive):
    """A row of any number of arguments. Its one rule gives the list of all partials."""

    variadic = True
    each_row = "[sg.{}(row) for row in rows]"
    """The advice for an argument of two dimensions."""

    def derivatives(self, m: Functions, out: Any, args: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        (rule,) = self.partials
        return list(rule(m, out, *args)) if rule else [None] * len(args)

    def textbook_derivatives(self, m: Functions, out: Any, args: Sequence[Any]) -> list[Any]:
        (rule,) = self.textbook
        return list(rule(m, out, *args)) if rule else [None] * len(args)


class Variadic(Many):
    """A row of any number of arguments, called with one iterable. Its value for an empty one is `of_none`."""

    def __init__(self, *args: Any, of_none: float | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.of_none = of_none

    def pack(self, xs: Iterable[Any], /, *more: Any) -> tuple[Any, ...]:
        if more:
            other = f", or sg.{self.name}imum(x, y)" if self.name in ("max", "min") else ""
            raise TypeError(
                f"{self.name}: takes one iterable, got {1 + len(more)} arguments; write sg.{self.name}([x, y]){other}"
            )
        args = tuple(_sequence(self, xs))
        if not args and self.of_none is None:
            raise ValueError(f"{self.name}: needs at least one argument, got an empty {type(xs).__name__}")
        return args

    if TYPE_CHECKING:

        @overload
        def __call__(self, xs: Iterable[Value], /) -> Value: ...
        @overload
        def __call__(self, xs: Iterable[float], /) -> float: ...
        @overload
        def __call__(self, xs: Iterable[Number], /) -> Number: ...
        def __call__(self, xs: Iterable[Any], /) -> Any: ...


class Vector(Variadic):
    """A row with as many outputs as arguments. Its one rule takes all outputs and the index of one."""

    vector = True  # as an activation, it takes all z of a layer at once

    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def __call__(self, xs: Iterable[Value], /) -> list[Value]: ...
        @overload
        def __call__(self, xs: Iterable[float], /) -> list[float]: ...
        @overload
        def __call__(self, xs: Iterable[Number], /) -> list[Number]: ...
        def __call__(self, xs: Iterable[Any], /) -> Any: ...


@dataclass(frozen=True)
class Output:
    """One output of a vector row: the `primitive` of the node that holds it."""

    vector: Vector
    index: int

    @property
    def name(self) -> str:
        """Return the name of the primitive."""
        return self.vector.name

    def __repr__(self) -> str:
        return f"<output {self.index} of primitive {self.name}>"

    def derivatives(self, m: Functions, outs: Sequence[Any], args: Sequence[Any]) -> list[Any]:
        """Return the partial derivatives of this output with respect to each argument, given all outputs."""
        (rule,) = self.vector.partials
        return list(rule(m, outs, self.index, *args)) if rule else [None] * len(args)


class Dot(Many):
    """A row of two vectors of one length: `dot(xs, ys)`."""

    each_row = "[sg.{}(row, x) for row in rows]"

    def pack(self, xs: Iterable[Any], ys: Iterable[Any], /) -> tuple[Any, ...]:
        xs, ys = _vectors(self, xs, ys)
        return (*xs, *ys)

    if TYPE_CHECKING:

        @overload
        def __call__(self, xs: Iterable[Value], ys: Iterable[Number], /) -> Value: ...
        @overload
        def __call__(self, xs: Iterable[float], ys: Iterable[Value], /) -> Value: ...
        @overload
        def __call__(self, xs: Iterable[float], ys: Iterable[float], /) -> float: ...
        @overload
        def __call__(self, xs: Iterable[Number], ys: Iterable[Number], /) -> Number: ...
        def __call__(self, xs: Iterable[Any], ys: Iterable[Any], /) -> Any: ...


class Affine(Many):
    """A row of two vectors of one length and a number: `affine(weights, inputs, bias)`."""

    each_row = "[sg.{}(row, x, b) for row, b in zip(rows, biases)]"

    def pack(self, weights: Iterable[Any], inputs: Iterable[Any], bias: Any, /) -> tuple[Any, ...]:
        weights, inputs = _vectors(self, weights, inputs)
        return (*weights, *inputs, bias)

    if TYPE_CHECKING:

        @overload
        def __call__(self, weights: Iterable[Value], inputs: Iterable[Number], bias: Number, /) -> Value: ...
        @overload
        def __call__(self, weights: Iterable[float], inputs: Iterable[Value], bias: Number, /) -> Value: ...
        @overload
        def __call__(self, weights: Iterable[float], inputs: Iterable[float], bias: float, /) -> float: ...
        @overload
        def __call__(self, weights: Iterable[Number], inputs: Iterable[Number], bias: Number, /) -> Number: ...
        def __call__(self, weights: Iterable[Any], inputs: Iterable[Any], bias: Any, /) -> Any: ...


def _sequence(primitive: Many, xs: Iterable[Any]) -> Sequence[Any]:
    if type(xs) is list or type(xs) is tuple:
        return xs
    if isinstance(xs, (str, bytes)) or not isinstance(xs, Iterable):
        raise TypeError(
            f"{primitive.name}: needs an iterable of numbers or Values, got {type(xs).__name__}; "
            f"write {primitive.name}([x, y, …])"
        )
    if len(shape := getattr(xs, "shape", (0,))) != 1:
        advice = primitive.each_row.format(primitive.name)
        raise TypeError(f"{primitive.name}: needs numbers in one row, got an array of shape {shape}; write {advice}")
    return tuple(xs.tolist() if hasattr(xs, "tolist") else xs)


def _vectors(primitive: Many, xs: Iterable[Any], ys: Iterable[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    left, right = _sequence(primitive, xs), _sequence(primitive, ys)
    if len(left) != len(right):
        raise ValueError(f"{primitive.name}: needs two vectors of one length; got {len(left)} and {len(right)}")
    return left, right


TABLE: dict[str, Primitive] = {}
"""All rows by name. `primitives` fills this dict; `sg.primitive` adds to it."""


def enter(primitive: Primitive, home: str | None = None) -> None:
    """Add a primitive to the table. `home` is the module that adds it, or None for the table's own.

    If a module adds a name a second time, such as a notebook cell that is run twice, the new primitive replaces the
    old one. Raises `ValueError` if the name is taken, or is neither an identifier nor identifiers joined by dots.
    """
    name = primitive.name
    for part in name.split("."):
        if not part.isidentifier() or keyword.iskeyword(part) or part.startswith("_"):
            raise ValueError(f"primitive: the name {name!r} is not a public identifier; choose another")
    taken = TABLE.get(name)
    if taken is not None and (taken.home is None or taken.home != home):
        by = f" by {taken.home}" if taken.home else ""
        raise ValueError(f"primitive: the name {name!r} is taken{by}; choose another, such as 'mypackage.{name}'")
    primitive.home = home
    TABLE[name] = primitive


def enter_all(names: Mapping[str, object]) -> list[str]:
    """Add the rows among a module's names to the table. Return the names of those that are new."""
    new = [row for row in names.values() if isinstance(row, Primitive) and TABLE.get(row.name) is not row]
    for row in new:
        enter(row)
    return [row.name for row in new]


def find(name: str) -> Primitive:
    """Return the row of that name. Raises `LookupError` if there is none."""
    try:
        return TABLE[name]
    except KeyError:
        raise LookupError(f"no primitive is named {name!r}; one added by sg.primitive must be added again") from None
