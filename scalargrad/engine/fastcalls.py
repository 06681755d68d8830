"""The calls of rows and the operators of `Value`, compiled from the table.

At a row's first use, the source interpreter writes its common calls as Python source. They are as fast as code
written by hand, and give the same results as `evaluate`. A pattern says which operands are Values. All names that
this module adds to the source begin with an underscore.
"""

from __future__ import annotations

import inspect
import itertools
import linecache
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..interpreters import source
from ..interpreters.namespace import NUMPY_NAMES
from ..rows import TABLE, Output, Primitive, Vector
from .evaluation import OPERATORS, REFUSALS, call, evaluate, fallback
from .value import Value, next_serial, slots

SCOPE: dict[str, Any] = {
    **source.LIBRARY_FUNCTIONS,
    "pow": math.pow,
    "inf": math.inf,
    "nan": math.nan,
    "_refusals": REFUSALS,
    "_Value": Value,
    "_new": object.__new__,
    "_next_serial": next_serial,
    "_evaluate": evaluate,
    "_call": call,
    "_fallback": fallback,
}


def _case(
    primitive: Primitive,
    pattern: Sequence[bool],
    names: Sequence[str],
    args: str = "",
    known: Mapping[int, float] | None = None,
) -> list[str]:
    """Return the body of a call whose operands are Values or floats, as the pattern says.

    `args` is the text of the tuple of all operands, if there is one already. `known` has the numbers of the operands
    that are known.
    """
    writer = source.Writer()
    operands: list[Any] = [(known or {}).get(i, source.Name(writer, f"_x{i}")) for i in range(len(names))]
    args = args or f"({', '.join(names)},)"
    out = primitive.forward(writer, *operands)
    outs = out if isinstance(primitive, Vector) else [out]
    if not any(pattern):
        partials, results = [], [source.text(o) for o in outs]
    else:
        if isinstance(primitive, Vector):
            partials = [Output(primitive, j).derivatives(writer, outs, operands) for j in range(len(outs))]
        else:
            partials = [primitive.derivatives(writer, out, operands, pattern)]
        results = [f"_v{j}" for j in range(len(outs))]
    lines = writer.lines([*outs, *itertools.chain(*partials)])
    return [
        *(f"_x{i} = {name}{'._data' if w else ''}" for i, (name, w) in enumerate(zip(names, pattern, strict=True))),
        "try:",
        *_indent(lines or ["pass"]),
        "except _refusals:",
        f"    return _evaluate(_primitive, {args})",
        *(
            line
            for j, by in enumerate(partials)
            for line in _node_lines(primitive, j, outs[j], by, pattern, names, args)
        ),
        f"return [{', '.join(results)}]" if isinstance(primitive, Vector) else f"return {results[0]}",
    ]


def _node_lines(
    primitive: Primitive,
    j: int,
    out: Any,
    partials: Sequence[Any],
    pattern: Sequence[bool],
    names: Sequence[str],
    args: str,
) -> list[str]:
    texts = [
        source.text(partial) if w and partial is not None else "None"
        for partial, w in zip(partials, pattern, strict=True)
    ]
    of_parents = [text for text, w in zip(texts, pattern, strict=True) if w]
    wide = None
    if len(names) > 2 or "None" in of_parents:
        chosen = "".join(f"{name}, " for name, w in zip(names, pattern, strict=True) if w)
        parents = f"_v{j}.first" if all(pattern) else "_v0.second" if j else f"({chosen})"
        wide = args, parents, f"({', '.join(of_parents)},)"
    first, second, partial_first, partial_second = slots(names, texts, wide, "None")
    return [
        f"_v{j} = _new(_Value)",
        f"_v{j}._data = {source.text(out)}",
        f"_v{j}._grad = 0.0",
        f"_v{j}.first = {first}",
        f"_v{j}.second = {second}",
        f"_v{j}.partial_first = {partial_first}",
        f"_v{j}.partial_second = {partial_second}",
        f"_v{j}.primitive = {f'_outputs[{j}]' if isinstance(primitive, Vector) else '_primitive'}",
        f'_v{j}._label = ""',
        f"_v{j}.serial = _next_serial()",
        f"_v{j}.mark = None",
    ]


def _indent(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _compile(primitive: Primitive, name: str, header: str, body: Sequence[str]) -> Callable[..., Any]:
    """Return the function with that text. Keep the text where tracebacks, debuggers and `inspect` look for it."""
    # The text is made from the table alone; the only parts of it that a user wrote are identifiers.
    text = "\n".join([f"def {name}({header}):", *_indent(body)]) + "\n"
    file = f"<scalargrad {primitive.name}.{name} {next(_numbers)}>"
    outputs = [Output(primitive, j) for j in range(WIDEST_VECTOR)] if isinstance(primitive, Vector) else []
    scope = {**SCOPE, "_primitive": primitive, "_outputs": outputs}
    exec(compile(text, file, "exec"), scope)  # noqa: S102 (see above)
    if len(text) <= LONGEST_KEPT:
        linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    function: Callable[..., Any] = scope[name]
    function.__qualname__ = f"{primitive.name}.{name}"
    return function


_numbers = itertools.count(1)

LONGEST_KEPT = 20_000
"""The longest text, in characters, that is kept for tracebacks; a call with hundreds of operands is longer."""


def compile_operator(primitive: Primitive, reflected: bool = False) -> Callable[..., Any]:
    """Return the method of `Value` for an operator, such as `__mul__`, or the reflected one, `__rmul__`."""
    name = f"__{'r' if reflected else ''}{OPERATORS[primitive.name]}__"
    if len(primitive.parameters) == 1:
        return _compile(primitive, name, "self", _case(primitive, (True,), ("self",)))
    names = ("other", "self") if reflected else ("self", "other")
    both = [] if reflected else ["if _kind is _Value:", *_indent(_case(primitive, (True, True), names))]
    pattern = [name == "self" for name in names]
    # The square is the most common power, and its derivative needs no second call of `pow`.
    squared = primitive.name == "pow" and not reflected
    square = ["if other == 2.0:", *_indent(_case(primitive, pattern, names, known={1: 2.0}))] if squared else []
    body = [
        "_kind = type(other)",
        *both,
        "if _kind is int:",
        "    other = float(other)",
        "elif _kind is not float:",
        f"    return _fallback(_primitive, other, ({', '.join(names)}))",
        *square,
        *_case(primitive, pattern, names),
    ]
    return _compile(primitive, name, "self, other", body)


def compile_call(primitive: Primitive) -> Callable[..., Any]:
    """Return the row's `__call__`: its common patterns as source, all others by `call`."""
    if primitive.opaque:
        return lambda self, *args, **named: call(self, self.pack(*args, **named))
    if primitive.variadic:
        return _call_by_kinds(primitive)
    names = primitive.parameters
    patterns = [(True,) + (False,) * (len(names) - 1)]
    if len(names) == 2 and not primitive.defaults:
        patterns += [(True, True), (False, True)]
    patterns.append((False,) * len(names))
    body = []
    for pattern in patterns:
        tests = [f"type({n}) is {'_Value' if w else 'float'}" for n, w in zip(names, pattern, strict=True)]
        body += [f"if {' and '.join(tests)}:", *_indent(_case(primitive, pattern, names))]
    body.append(f"return _call(_primitive, ({', '.join(names)},))")
    return _compile(primitive, "__call__", f"self, {_signature(primitive)}", body)


def _signature(primitive: Primitive) -> str:
    required = len(primitive.parameters) - len(primitive.defaults)
    defaults = zip(primitive.parameters[required:], primitive.defaults, strict=True)
    return ", ".join([*primitive.parameters[:required], *(f"{name}={default!r}" for name, default in defaults)])


def compile_plain(primitive: Primitive) -> Callable[..., Any]:
    """Return the row as a function of floats, which it does not check. Rows of any number of arguments have none."""
    body = _case(primitive, (False,) * len(primitive.parameters), primitive.parameters)
    return _compile(primitive, "on_floats", _signature(primitive), body)


COMMON = 128
"""The number of calls after which a pattern of operands is compiled."""
MOST = 256
"""The largest number of patterns of a row that are counted at a time."""
MOST_OPERANDS = 4096
"""The largest number of operands in all compiled patterns of a row together; each takes about 200 bytes."""
WIDEST = 2048
WIDEST_VECTOR = 32
"""The largest number of operands of a compiled pattern; the lines of a vector row grow with its square."""


def _call_by_kinds(primitive: Primitive) -> Callable[..., Any]:
    """Return the call of a row of any number of arguments. It compiles each pattern of kinds that becomes common."""
    cases: dict[tuple[type, ...], Callable[[tuple[Any, ...]], Any]] = {}
    counts: dict[tuple[type, ...], int] = {}
    widest = WIDEST_VECTOR if isinstance(primitive, Vector) else WIDEST

    def function(self: Primitive, *args: Any, **named: Any) -> Any:
        operands = self.pack(*args, **named)
        kinds = tuple(map(type, operands))
        case = cases.get(kinds)
        return case(operands) if case else uncommon(kinds, operands)

    def uncommon(kinds: tuple[type, ...], operands: tuple[Any, ...]) -> Any:
        if len(kinds) <= widest and {*kinds} <= {Value, float}:
            if len(counts) >= MOST:
                counts.clear()
            counts[kinds] = counts.get(kinds, 0) + 1
            if counts[kinds] == COMMON:
                del counts[kinds]
                names = [f"_a{i}" for i in range(len(kinds))]
                unpacked = [f"{', '.join(names)}, = args"] if names else []
                body = [*unpacked, *_case(primitive, [k is Value for k in kinds], names, "args")]
                cases[kinds] = _compile(primitive, "call", "args", body)
                while sum(map(len, list(cases))) > MOST_OPERANDS:
                    _forget(cases.pop(next(iter(cases))))
        return call(primitive, operands)

    return function


def _forget(function: Callable[..., Any]) -> None:
    linecache.cache.pop(function.__code__.co_filename, None)


ADVICE = "write forward(m, x, …) and partials (m, out, x, …), or say opaque=True for plain functions of floats"


def compile_check(primitive: Primitive) -> None:
    """Raise `TypeError` if a primitive's functions can't be written as source: they must compute with `m` alone.

    Raise `ValueError` if an argument has a name that the source uses itself.
    """
    if len(primitive.partials) != len(primitive.parameters):
        raise TypeError(
            f"primitive {primitive.name}: {len(primitive.parameters)} arguments ({', '.join(primitive.parameters)}) "
            f"need as many partials, got {len(primitive.partials)}; {ADVICE}"
        )
    for name in primitive.parameters:
        if name in SCOPE or name == "self" or name.startswith("_"):
            raise ValueError(f"primitive {primitive.name}: its argument {name!r} needs another name, such as x")
    try:
        _case(primitive, (True,) * len(primitive.parameters), primitive.parameters)
    except Exception as error:
        raise TypeError(
            f"primitive {primitive.name}: its functions must compute with + - * and the functions of m alone, "
            f"but they raised {type(error).__name__}: {error}; {ADVICE}"
        ) from error


def _first_call(self: Primitive, *args: Any, **named: Any) -> Any:
    setattr(type(self), "__call__", compile_call(self))  # noqa: B010 (a primitive has a class of its own)
    return self(*args, **named)  # type: ignore[operator]


def _source(self: Primitive) -> str:
    """Return the Python text that runs when the primitive is called; the operators' methods come first.

    >>> from scalargrad.primitives import neg
    >>> print(neg.source().split("\\n\\n")[0])
    def __neg__(self):
        _x0 = self._data
        try:
            _t0 = -_x0
        except _refusals:
            return _evaluate(_primitive, (self,))
        _v0 = _new(_Value)
        _v0._data = _t0
        _v0._grad = 0.0
        _v0.first = self
        _v0.second = None
        _v0.partial_first = -1.0
        _v0.partial_second = None
        _v0.primitive = _primitive
        _v0._label = ""
        _v0.serial = _next_serial()
        _v0.mark = None
        return _v0
    """
    operator = OPERATORS.get(self.name)
    names = [] if operator is None else [f"__{operator}__", f"__r{operator}__"]
    functions = [getattr(Value, name) for name in names if hasattr(Value, name)]
    return "\n".join(inspect.getsource(function) for function in [*functions, compile_call(self)])


def _method(primitive: Primitive) -> Callable[..., Any]:
    def method(self: Value, *args: Any, **named: Any) -> Any:
        return primitive(self, *args, **named)  # type: ignore[operator]

    method.__name__ = primitive.name
    method.__doc__ = primitive.__doc__
    return method


def install() -> None:
    """Give the rows their calls and `Value` its operators.

    NumPy computes on an array of objects through their methods: `np.sin` calls `v.sin()`. So the rows are methods too,
    under their own names and under NumPy's. (A `__getattr__` would make every attribute slower.)
    """
    setattr(Primitive, "__call__", _first_call)  # noqa: B010
    setattr(Primitive, "source", _source)  # noqa: B010
    for own_name, name in OPERATORS.items():
        primitive = TABLE[own_name]
        setattr(Value, f"__{name}__", compile_operator(primitive))
        if len(primitive.parameters) == 2:
            setattr(Value, f"__r{name}__", compile_operator(primitive, reflected=True))
    for primitive in [primitive for primitive in TABLE.values() if not primitive.variadic]:
        for name in {primitive.name, NUMPY_NAMES.get(primitive.name, primitive.name)}:
            setattr(Value, name, _method(primitive))


install()
