"""The native back end for one point: a program as machine code, called with a list of floats."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from typing import Any

from .chunks import Chunk, cut, ends, plan
from .entry import Shape, entry, is_possible, shape
from .kernels import mapped_runner
from .llvm import GUARD_FAILED, Layout, Writer, helpers
from .lowering import Code, MappedCall, lower
from .machine import Module, machine
from .program import Program
from .replay import replay

__all__ = ["NativeProgram", "compile_chunks", "text_of_program"]

STREAMED = 10
"""How many pieces of a large program are in one module: LLVM's own form of all at once would fill the memory."""


def _segments(code: Code) -> list[list[Any]]:
    """The steps between mapped ones, and those, in order."""
    segments: list[list[Any]] = [[]]
    for step in code.steps:
        if isinstance(step, MappedCall):
            segments += [[step], []]
        else:
            segments[-1].append(step)
    return segments


class NativeProgram:
    """A program to call with the values of its inputs and captured numbers, as one list of floats.

    It returns the outputs, or None where a guard fails, and raises what eager code raises.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        code = lower(program)
        layout = Layout(code)
        steps, self.modules = _compile(code, layout)
        self.steps = steps
        self.size = layout.size
        self.whole: Any = steps[0] if len(steps) == 1 else self._run
        self.entries: dict[Shape, Callable[[tuple[Any, ...]], Any]] = {}
        self.call = _caller(program, self.whole, code.inputs, len(code.outputs), layout.size)
        self.call.__dict__["native"] = self  # the machine code lives as long as what calls it

    def __call__(self, values: Sequence[float]) -> list[float] | None:
        """The outputs, or None."""
        return self.call(values)

    def entry(self, arguments: tuple[Any, ...], template: Any) -> Callable[[tuple[Any, ...]], Any] | None:
        """The whole call for arguments nested like these, whose results nest like the template.

        It returns None for other arguments, and where the result takes a closer look. It is None where the
        arguments or the template are more than numbers in lists and tuples, and for a program of several pieces.
        """
        if len(self.steps) > 1 or isinstance(self.whole, (_MappedStep, _Sequence)) or not is_possible(self.size):
            return None
        nested, results = shape(arguments, float), shape(template, int)
        if nested is None or results is None:
            return None
        if nested not in self.entries:
            address = ctypes.cast(self.whole, ctypes.c_void_p).value or 0
            self.entries[nested] = entry(address, self.size, nested, results, self.modules)
        return self.entries[nested]

    def _run(self, address: int) -> int:
        for step in self.steps:
            status: int = step(address)
            if status:
                return status
        return 0


def _caller(
    program: Program, whole: Callable[[int], int], inputs: int, outputs: int, size: int
) -> Callable[[Sequence[float]], list[float] | None]:
    """The call of a program whose code takes the address of its scratch array."""
    pack_into = struct.Struct(f"{inputs}d").pack_into
    kind = ctypes.c_double * size
    free: list[tuple[Any, int]] = []  # one for each thread that was at work
    results = slice(inputs, inputs + outputs)

    def call(values: Sequence[float]) -> list[float] | None:
        try:
            pair = free.pop()
        except IndexError:
            scratch = kind()
            pair = scratch, ctypes.addressof(scratch)
        buffer, address = pair
        pack_into(buffer, 0, *values)
        status = whole(address)
        found: list[float] = buffer[results]
        free.append(pair)
        if status:
            return None if status == GUARD_FAILED else replay(program, values)
        return found

    return call


class _MappedStep:
    """A mapped step of a native program: it reads its operands in the scratch array and leaves its results there."""

    def __init__(self, call: MappedCall, layout: Layout) -> None:
        self.call = call
        self.runner = mapped_runner(call.step.programs, call.step.summed, "native")
        self.places = [layout.places[x] if type(x) is int else None for x in call.broadcast]
        self.start = layout.place(call.result)  # the results stand one after the other
        self.layout = layout

    def __call__(self, address: int) -> int:
        import numpy as np

        buffer = (ctypes.c_double * self.layout.size).from_address(address)
        numbers = np.frombuffer(memoryview(buffer).cast("B"))
        broadcast = [
            x if place is None else buffer[place] for x, place in zip(self.call.broadcast, self.places, strict=True)
        ]
        columns = [
            numbers[c.start : c.stop if c.stop >= 0 else None : c.step]
            if isinstance(c, range)
            else _gathered(c, numbers)
            for c in self.call.step.columns
        ]
        results = self.runner(columns, broadcast, self.call.step.lanes)
        if isinstance(results, int):
            return GUARD_FAILED
        flat = [x for r in results for x in (r.tolist() if isinstance(r, np.ndarray) else [r])]
        buffer[self.start : self.start + len(flat)] = flat
        return 0


def _gathered(column: Sequence[Any], numbers: Any) -> Any:
    import numpy as np

    return np.array([numbers[x] if type(x) is int else x for x in column], dtype=float)


RUN = """
define i32 @run(ptr %chunks, i64 %n, ptr %scratch) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %on ]
  %p = getelementptr ptr, ptr %chunks, i64 %i
  %chunk = load ptr, ptr %p, align 8
  %status = call i32 %chunk(ptr %scratch)
  %bad = icmp ne i32 %status, 0
  br i1 %bad, label %stop, label %on
on:
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
stop:
  ret i32 %status
done:
  ret i32 0
}
"""


def _compile(code: Code, layout: Layout) -> tuple[list[Any], list[Module]]:
    piece, level = plan(code)
    segments = _segments(code)
    chunks: list[Chunk] = []
    runs: list[Any] = []  # for each segment, a range of chunks, or a mapped call
    needed: list[int] = []
    for segment in segments:
        if segment and isinstance(segment[0], MappedCall):
            needed += [x for x in segment[0].broadcast if type(x) is int]
            runs.append(segment[0])
        else:
            pieces = cut(segment, piece)
            runs.append(range(len(chunks), len(chunks) + len(pieces)))
            chunks += pieces
    for run in runs:
        if isinstance(run, MappedCall):
            for i in range(run.step.width):
                layout.place(run.result + i)
    writer = Writer(layout)
    writer.refusing = code.refusing
    functions, modules = compile_chunks(writer, chunks, code, needed, level)
    steps: list[Any] = []
    for run in runs:
        if isinstance(run, MappedCall):
            steps.append(_MappedStep(run, layout))
        elif len(run) == 1:
            steps.append(_scalar(functions[run[0]]))
        else:
            steps.append(_Sequence([functions[i] for i in run], modules))
    return steps, modules


def _scalar(address: int) -> Any:
    # One chunk is done in microseconds: it keeps the interpreter's lock, which takes longer to pass on.
    return ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(address)


class _Sequence:
    """Chunks that run one after the other."""

    def __init__(self, addresses: Sequence[int], modules: list[Module]) -> None:
        module = machine().compile(RUN, 1, ["run"])
        modules.append(module)
        kinds = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
        self.function = ctypes.CFUNCTYPE(ctypes.c_int, *kinds)(module.addresses["run"])
        self.chunks = (ctypes.c_void_p * len(addresses))(*addresses)

    def __call__(self, address: int) -> int:
        status: int = self.function(self.chunks, len(self.chunks), address)
        return status


def compile_chunks(
    writer: Writer, chunks: Sequence[Chunk], code: Code, needed: Sequence[int], level: int
) -> tuple[list[int], list[Module]]:
    """The addresses of the chunks' functions, and the modules that they live in."""
    places, rest = ends(chunks, writer.layout, code.outputs, needed)
    addresses: list[int] = []
    modules: list[Module] = []
    for start in range(0, len(chunks), STREAMED):
        writer.symbols.clear()
        writer.declarations.clear()
        names, texts = [], []
        for index in range(start, min(start + STREAMED, len(chunks))):
            last = index == len(chunks) - 1
            texts.append(writer.chunk(f"chunk{index}", chunks[index], places[index], rest if last else {}))
            names.append(f"chunk{index}")
        text = "\n".join(texts) + helpers(writer)
        machine().link(_needed_symbols(writer))
        module = machine().compile(text, level, names)
        modules.append(module)
        addresses += [module.addresses[name] for name in names]
    return addresses, modules


def _needed_symbols(writer: Writer) -> set[str]:
    return {"sg_fmod" if symbol in ("sg_mod", "sg_floordiv") else symbol for symbol in writer.symbols}


def text_of_program(program: Program) -> str:
    """The IR of a program, its chunks one after the other."""
    code = lower(program)
    layout = Layout(code)
    steps = [step for step in code.steps if not isinstance(step, MappedCall)]
    for step in code.steps:
        if isinstance(step, MappedCall):
            for i in range(step.step.width):
                layout.place(step.result + i)
    chunks = cut(steps, plan(code)[0])
    places, rest = ends(chunks, layout, code.outputs, ())
    writer = Writer(layout)
    writer.refusing = code.refusing
    texts = [
        writer.chunk(f"chunk{i}", chunk, places[i], rest if i == len(chunks) - 1 else {})
        for i, chunk in enumerate(chunks)
    ]
    return "\n".join(texts) + helpers(writer)
