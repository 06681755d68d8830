"""The entry into native code from Python: a function of Python's C interface, written as LLVM IR.

It takes the tuple of a call's arguments, reads their floats, runs the code on a scratch array on the stack and nests
the results. It returns None if the arguments are anything but floats in lists and tuples of the known lengths, if a
guard fails, or if a result is not finite; the caller then takes the general way. No Python code can run while it reads
the arguments, so a list cannot change meanwhile. It uses only functions of Python's stable ABI. Like all extension
modules of that ABI, it reads an object's type behind its reference count.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from .llvm import bits
from .machine import MachineCode, machine
from .memory import Memory

__all__ = ["Shape", "entry", "is_possible", "shape"]

Shape: TypeAlias = "tuple[type, tuple[Any, ...]]"
"""The nesting of floats: `float` without parts, or a list or tuple with the shapes of its items."""

NUMBER: Shape = (float, ())
KINDS: dict[type, str] = {list: "List", tuple: "Tuple"}
PLAIN_OBJECTS = 16
"""The bytes of an object without contents if it has a reference count and a type, as in the stable ABI."""
ONE_ARGUMENT = 8
"""Python's METH_O."""
MOST = 4096
"""The largest size of the arrays on the stack, in numbers."""
MOST_INITIAL = 64
"""The largest number of initial numbers in the scratch array."""


def shape(x: Any, leaf: type) -> Shape | None:
    """Return the nesting of leaves of one type in lists and tuples, or None if there is anything else.

    >>> shape((1.0, [2.0, 3.0]), float)
    (<class 'tuple'>, ((<class 'float'>, ()), (<class 'list'>, ((<class 'float'>, ()), (<class 'float'>, ())))))
    """
    kind = type(x)
    if kind is leaf:
        return NUMBER
    if kind not in KINDS or not x:
        return None
    parts = [shape(item, leaf) for item in x]
    return None if None in parts else (kind, tuple(parts))


class _Method(ctypes.Structure):
    """Python's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def is_possible(memory: Memory) -> bool:
    """Return True if there can be an entry to code that needs that memory.

    There can't be one if the layout of Python's objects differs from the stable ABI's, as in a build without the global
    lock, or if the arrays are too large for the stack.
    """
    size = memory.sizes["scratch"] + memory.sizes["lanes"] * machine().width
    return object.__basicsize__ == PLAIN_OBJECTS and size <= MOST and len(memory.initial) <= MOST_INITIAL


def entry(
    code: MachineCode, name: str, address: int, memory: Memory, arguments: Shape, results: Shape
) -> Callable[[Any], Any]:
    """Return the function from the tuple of the arguments to the nested results, or to None.

    It calls the machine code at the `address`, which needs that memory, and is added to that code under its name.
    """
    machine().link(FUNCTIONS)
    (own,) = code.add(_text(name, address, memory, arguments, results), 0, [name])
    method = _Method(b"program", own, ONE_ARGUMENT, None)
    kinds = (ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    new = ctypes.PYFUNCTYPE(*kinds)(("PyCFunction_NewEx", ctypes.pythonapi))
    # A function owns the object that it is bound to, so its code lives as long as it does.
    made: Callable[[Any], Any] = new(ctypes.addressof(method), (method, code), None)
    return made


def _text(name: str, address: int, memory: Memory, arguments: Shape, results: Shape) -> str:
    lines: list[str] = []
    size, lanes = max(memory.sizes["scratch"], 1), memory.sizes["lanes"] * machine().width + 8
    initial = "".join(
        f"  %initial{place} = getelementptr double, ptr %to, i64 {place}\n"
        f"  store double {bits(number)}, ptr %initial{place}, align 8\n"
        for place, number in memory.initial.items()
    )
    take, make = _taker(arguments, lines), _maker(results, lines)
    return (
        DECLARATIONS
        + "".join(FOR_EACH_KIND.replace("KIND", kind).replace("TYPE", _object(t)) for t, kind in KINDS.items())
        + "\n".join(lines)
        + f"""
define ptr @{name}(ptr %self, ptr %x) {{
  %to = alloca double, i64 {size}, align 8
  %lanes = alloca double, i64 {lanes}, align 64
{initial}  %fits = {take}
  br i1 %fits, label %run, label %no
run:
  %status = call i32 inttoptr (i64 {address} to ptr)(ptr %to, ptr %lanes, i64 0, ptr null, ptr null)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %done, label %no
done:
  %from = getelementptr double, ptr %to, i64 {_count(arguments)}
  %made = {make}
  ret ptr %made
no:
  call void @Py_IncRef(ptr {_object(None)})
  ret ptr {_object(None)}
}}
"""
    )


def _object(x: object) -> str:
    return f"inttoptr (i64 {id(x)} to ptr)"


def _count(nested: Shape) -> int:
    return 1 if nested == NUMBER else sum(map(_count, nested[1]))


def _starts(parts: Sequence[Shape]) -> list[int]:
    return [sum(map(_count, parts[:i])) for i in range(len(parts))]


def _taker(nested: Shape, lines: list[str]) -> str:
    """Return the call that reads the floats of %x into %to, and returns true if they have that nesting."""
    kind, parts = nested
    if nested == NUMBER:
        return "call i1 @take(ptr %x, ptr %to)"
    if set(parts) == {NUMBER}:
        return f"call i1 @take{KINDS[kind]}(ptr %x, i64 {len(parts)}, ptr %to)"
    body = ""
    for i, (part, start) in enumerate(zip(parts, _starts(parts), strict=True)):
        call = _taker(part, lines).replace("%x", f"%x{i}").replace("%to", f"%to{i}")
        body += f"""item{i}:
  %x{i} = call ptr @Py{KINDS[kind]}_GetItem(ptr %x, i64 {i})
  %to{i} = getelementptr double, ptr %to, i64 {start}
  %fits{i} = {call}
  br i1 %fits{i}, label %item{i + 1}, label %no
"""
    name = f"@take{len(lines)}"
    lines.append(f"""
define internal i1 {name}(ptr %x, ptr %to) {{
  %fits = call i1 @is{KINDS[kind]}(ptr %x, i64 {len(parts)})
  br i1 %fits, label %item0, label %no
{body}item{len(parts)}:
  ret i1 true
no:
  ret i1 false
}}""")
    return f"call i1 {name}(ptr %x, ptr %to)"


def _maker(nested: Shape, lines: list[str]) -> str:
    """Return the call that nests the numbers from %from on; it returns null if no memory is left."""
    kind, parts = nested
    if nested == NUMBER:
        return "call ptr @make(ptr %from)"
    if set(parts) == {NUMBER}:
        return f"call ptr @make{KINDS[kind]}(i64 {len(parts)}, ptr %from)"
    body = ""
    for i, (part, start) in enumerate(zip(parts, _starts(parts), strict=True)):
        call = _maker(part, lines).replace("%from", f"%from{i}")
        body += f"""item{i}:
  %from{i} = getelementptr double, ptr %from, i64 {start}
  %made{i} = {call}
  %set{i} = call i32 @Py{KINDS[kind]}_SetItem(ptr %x, i64 {i}, ptr %made{i})
  %null{i} = icmp eq ptr %made{i}, null
  br i1 %null{i}, label %drop, label %item{i + 1}
"""
    name = f"@make{len(lines)}"
    lines.append(f"""
define internal ptr {name}(ptr %from) {{
  %x = call ptr @Py{KINDS[kind]}_New(i64 {len(parts)})
  %null = icmp eq ptr %x, null
  br i1 %null, label %no, label %item0
{body}item{len(parts)}:
  ret ptr %x
drop:
  call void @Py_DecRef(ptr %x)
  br label %no
no:
  ret ptr null
}}""")
    return f"call ptr {name}(ptr %from)"


OF_EACH_KIND = [f"Py{kind}_{name}" for kind in KINDS.values() for name in ("New", "Size", "GetItem", "SetItem")]
FUNCTIONS = ("Py_IncRef", "Py_DecRef", "PyFloat_AsDouble", "PyFloat_FromDouble", *OF_EACH_KIND)

DECLARATIONS = f"""
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare double @PyFloat_AsDouble(ptr)
declare ptr @PyFloat_FromDouble(double)
define internal i1 @isFloat(ptr %x) {{
  %p = getelementptr ptr, ptr %x, i64 1
  %type = load ptr, ptr %p, align 8
  %same = icmp eq ptr %type, {_object(float)}
  ret i1 %same
}}
define internal i1 @take(ptr %x, ptr %to) {{
  %fits = call i1 @isFloat(ptr %x)
  br i1 %fits, label %yes, label %no
yes:
  %number = call double @PyFloat_AsDouble(ptr %x)
  store double %number, ptr %to, align 8
  ret i1 true
no:
  ret i1 false
}}
define internal ptr @make(ptr %from) {{
  %number = load double, ptr %from, align 8
  %x = call ptr @PyFloat_FromDouble(double %number)
  ret ptr %x
}}
"""

FOR_EACH_KIND = """
declare ptr @PyKIND_New(i64)
declare i64 @PyKIND_Size(ptr)
declare ptr @PyKIND_GetItem(ptr, i64)
declare i32 @PyKIND_SetItem(ptr, i64, ptr)
define internal i1 @isKIND(ptr %x, i64 %n) {
  %p = getelementptr ptr, ptr %x, i64 1
  %type = load ptr, ptr %p, align 8
  %same = icmp eq ptr %type, TYPE
  br i1 %same, label %yes, label %no
yes:
  %size = call i64 @PyKIND_Size(ptr %x)
  %fits = icmp eq i64 %size, %n
  ret i1 %fits
no:
  ret i1 false
}
define internal i1 @takeKIND(ptr %x, i64 %n, ptr %to) {
entry:
  %fits = call i1 @isKIND(ptr %x, i64 %n)
  br i1 %fits, label %loop, label %no
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %yes ]
  %item = call ptr @PyKIND_GetItem(ptr %x, i64 %i)
  %p = getelementptr double, ptr %to, i64 %i
  %taken = call i1 @take(ptr %item, ptr %p)
  br i1 %taken, label %yes, label %no
yes:
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret i1 true
no:
  ret i1 false
}
define internal ptr @makeKIND(i64 %n, ptr %from) {
entry:
  %x = call ptr @PyKIND_New(i64 %n)
  %null = icmp eq ptr %x, null
  br i1 %null, label %no, label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %yes ]
  %p = getelementptr double, ptr %from, i64 %i
  %item = call ptr @make(ptr %p)
  %set = call i32 @PyKIND_SetItem(ptr %x, i64 %i, ptr %item)
  %empty = icmp eq ptr %item, null
  br i1 %empty, label %drop, label %yes
yes:
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret ptr %x
drop:
  call void @Py_DecRef(ptr %x)
  br label %no
no:
  ret ptr null
}
"""
