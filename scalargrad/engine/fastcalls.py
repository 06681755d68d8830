"""The calls of rows and the operators of `Value`, compiled from the table.

The common calls are written as source from the rows, at their first use, by the source interpreter: as fast as
if they had been written by hand, and equal to `evaluate`. A pattern says which operands are Values. All
names of ours begin with an underscore.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..interpreters import source
from ..interpreters.namespace import NUMPY_NAMES
from ..rows import TABLE, Output, Primitive, Vector
from .evaluation import OPERATORS, REFUSALS, call, evaluate, fallback
from .value import Value, next_serial

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
    row: Primitive,
    pattern: Sequence[bool],
    names: Sequence[str],
    args: str = "",
    known: Mapping[int, float] | None = None,
) -> list[str]:
    """The body of a call whose operands are Values where the pattern says so, else floats.

    `args` is the text of the tuple of all the operands, where there is one already; the `known` operands are
    these numbers.
    """
    writer = source.Writer()
    operands: list[Any] = [(known or {}).get(i, source.Name(writer, f"_x{i}")) for i in range(len(names))]
    args = args or f"({', '.join(names)},)"
    out = row.forward(writer, *operands)
    outs = out if isinstance(row, Vector) else [out]
    if not any(pattern):
        partials, results = [], [source.text(o) for o in outs]
    else:
        if isinstance(row, Vector):
            partials = [Output(row, j).derivatives(writer, outs, operands) for j in range(len(outs))]
        else:
            partials = [row.derivatives(writer, out, operands, pattern)]
        results = [f"_v{j}" for j in range(len(outs))]
    lines = writer.lines([*outs, *itertools.chain(*partials)])
    return [
        *(f"_x{i} = {name}{'._data' if w else ''}" for i, (name, w) in enumerate(zip(names, pattern, strict=True))),
        "try:",
        *_indent(lines or ["pass"]),
        "except _refusals:",
        f"    return _evaluate(_row, {args})",
        *(line for j, by in enumerate(partials) for line in _node_lines(row, j, outs[j], by, pattern, names, args)),
        f"return [{', '.join(results)}]" if isinstance(row, Vector) else f"return {results[0]}",
    ]


def _node_lines(
    row: Primitive, j: int, out: Any, partials: Sequence[Any], pattern: Sequence[bool], names: Sequence[str], args: str
) -> list[str]:
    by_parent = ["None" if p is None else source.text(p) for p, w in zip(partials, pattern, strict=True) if w]
    if len(names) > 2 or "None" in by_parent:
        chosen = "".join(f"{name}, " for name, w in zip(names, pattern, strict=True) if w)
        parents = f"_v{j}.first" if all(pattern) else "_v0.second" if j else f"({chosen})"
        first, second, partial_first, partial_second = args, parents, f"({', '.join(by_parent)},)", "None"
    else:
        remaining = iter(by_parent)
        partial_first, partial_second, *_ = [*(next(remaining) if w else "None" for w in pattern), "None"]
        first, second, *_ = [*names, "None"]
    return [
        f"_v{j} = _new(_Value)",
        f"_v{j}._data = {source.text(out)}",
        f"_v{j}.grad = 0.0",
        f"_v{j}.first = {first}",
        f"_v{j}.second = {second}",
        f"_v{j}.partial_first = {partial_first}",
        f"_v{j}.partial_second = {partial_second}",
        f"_v{j}.primitive = {f'_outputs[{j}]' if isinstance(row, Vector) else '_row'}",
        f'_v{j}.label = ""',
        f"_v{j}.serial = _next_serial()",
        f"_v{j}.mark = None",
    ]


def _indent(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _compile(row: Primitive, header: str, body: Sequence[str]) -> Callable[..., Any]:
    # The text is made from rows alone; nothing that a user wrote gets into it but identifiers.
    text = "\n".join([header, *_indent(body)])
    outputs = [Output(row, j) for j in range(WIDEST_VECTOR)] if isinstance(row, Vector) else []
    scope = {**SCOPE, "_row": row, "_outputs": outputs}
    exec(compile(text, f"<scalargrad {row.name}>", "exec"), scope)  # noqa: S102 (see above)
    function: Callable[..., Any] = scope["_function"]
    function.__name__ = function.__qualname__ = row.name
    return function


def compile_operator(row: Primitive, reflected: bool = False) -> Callable[..., Any]:
    """The method of `Value` for an operator, such as `__mul__`, or the reflected one, `__rmul__`."""
    if len(row.parameters) == 1:
        return _compile(row, "def _function(self):", _case(row, (True,), ("self",)))
    names = ("other", "self") if reflected else ("self", "other")
    both = [] if reflected else ["if _kind is _Value:", *_indent(_case(row, (True, True), names))]
    pattern = [name == "self" for name in names]
    # A square is the commonest power, and its derivative needs no second power.
    squared = row.name == "pow" and not reflected
    square = ["if other == 2.0:", *_indent(_case(row, pattern, names, known={1: 2.0}))] if squared else []
    body = [
        "_kind = type(other)",
        *both,
        "if _kind is int:",
        "    other = float(other)",
        "elif _kind is not float:",
        f"    return _fallback(_row, other, ({', '.join(names)}))",
        *square,
        *_case(row, pattern, names),
    ]
    return _compile(row, "def _function(self, other):", body)


def compile_call(row: Primitive) -> Callable[..., Any]:
    """The row's `__call__`: its common patterns as source, all the others by `call`."""
    if row.opaque:
        return lambda self, *args, **named: call(self, self.pack(*args, **named))
    if row.variadic:
        return _call_by_kinds(row)
    names = row.parameters
    patterns = [(True,) + (False,) * (len(names) - 1)]
    if len(names) == 2 and not row.defaults:
        patterns += [(True, True), (False, True)]
    patterns.append((False,) * len(names))
    body = []
    for pattern in patterns:
        tests = [f"type({n}) is {'_Value' if w else 'float'}" for n, w in zip(names, pattern, strict=True)]
        body += [f"if {' and '.join(tests)}:", *_indent(_case(row, pattern, names))]
    body.append(f"return _call(_row, ({', '.join(names)},))")
    return _compile(row, f"def _function(self, {_signature(row)}):", body)


def _signature(row: Primitive) -> str:
    required = len(row.parameters) - len(row.defaults)
    defaults = zip(row.parameters[required:], row.defaults, strict=True)
    return ", ".join([*row.parameters[:required], *(f"{name}={default!r}" for name, default in defaults)])


def compile_plain(row: Primitive) -> Callable[..., Any]:
    """The row as a function of floats alone, which it does not check; not for rows of any number of arguments."""
    body = _case(row, (False,) * len(row.parameters), row.parameters)
    return _compile(row, f"def _function({_signature(row)}):", body)


COMMON = 128
"""The calls of one pattern of operands that are worth compiling it."""
MOST = 256
"""The most patterns of a row that are compiled, and that are counted at a time."""
WIDEST = 2048
WIDEST_VECTOR = 32
"""The most operands that are compiled; a vector row writes as many lines as the square of them."""


def _call_by_kinds(row: Primitive) -> Callable[..., Any]:
    """The call of a row of any number of arguments: compiled for each pattern of kinds that becomes common."""
    cases: dict[tuple[type, ...], Callable[[tuple[Any, ...]], Any]] = {}
    counts: dict[tuple[type, ...], int] = {}
    widest = WIDEST_VECTOR if row.vector else WIDEST

    def function(self: Primitive, *args: Any, **named: Any) -> Any:
        operands = self.pack(*args, **named)
        kinds = tuple(map(type, operands))
        case = cases.get(kinds)
        return case(operands) if case else uncommon(kinds, operands)

    def uncommon(kinds: tuple[type, ...], operands: tuple[Any, ...]) -> Any:
        if len(kinds) <= widest and len(cases) < MOST and {*kinds} <= {Value, float}:
            if len(counts) == MOST:
                counts.clear()
            counts[kinds] = counts.get(kinds, 0) + 1
            if counts[kinds] == COMMON:
                names = [f"_a{i}" for i in range(len(kinds))]
                body = [f"{', '.join(names)}, = args", *_case(row, [k is Value for k in kinds], names, "args")]
                cases[kinds] = _compile(row, "def _function(args):", body)
        return call(row, operands)

    return function


def compile_check(row: Primitive) -> None:
    """Raise `TypeError` where a row's functions can't be written as source: they must call nothing but `m`.

    And `ValueError` for an argument whose name the source uses itself.
    """
    for name in row.parameters:
        if name in SCOPE or name == "self" or name.startswith("_"):
            raise ValueError(f"primitive {row.name}: its argument {name!r} needs another name, such as x")
    try:
        _case(row, (True,) * len(row.parameters), row.parameters)
    except Exception as error:
        raise TypeError(
            f"primitive {row.name}: its functions must compute with + - * and the functions of m alone, "
            f"but they raised {type(error).__name__}: {error}"
        ) from error


def _first_call(self: Primitive, *args: Any, **named: Any) -> Any:
    setattr(type(self), "__call__", compile_call(self))  # noqa: B010 (a row has a class of its own)
    return self(*args, **named)  # type: ignore[operator]


def _method(row: Primitive) -> Callable[..., Any]:
    def method(self: Value, *args: Any, **named: Any) -> Any:
        return row(self, *args, **named)  # type: ignore[operator]

    method.__name__ = row.name
    method.__doc__ = row.__doc__
    return method


def install() -> None:
    """Give the rows their calls and `Value` its operators.

    NumPy computes with an array of objects by the objects' methods: `np.sin` calls `v.sin()`, so the rows are
    methods too, by their own names and by NumPy's. (A `__getattr__` would make every attribute slower.)
    """
    setattr(Primitive, "__call__", _first_call)  # noqa: B010
    for row_name, name in OPERATORS.items():
        row = TABLE[row_name]
        setattr(Value, f"__{name}__", compile_operator(row))
        if len(row.parameters) == 2:
            setattr(Value, f"__r{name}__", compile_operator(row, reflected=True))
    for row in [row for row in TABLE.values() if not row.variadic]:
        for name in {row.name, NUMPY_NAMES.get(row.name, row.name)}:
            setattr(Value, name, _method(row))


install()
