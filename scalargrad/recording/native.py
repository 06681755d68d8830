"""The native back end for one point: a program as machine code, called with a list of floats."""

from __future__ import annotations

import ctypes
import itertools
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

from .chunks import Chunk, cut, plan, written
from .entry import Shape, entry, is_possible, shape
from .kernels import mapped_runner
from .layout import Layout
from .llvm import GUARD_FAILED, Writer, helpers
from .lowering import Code, MappedCall, lower
from .machine import Module, machine
from .program import Program
from .replay import replay

__all__ = ["NativeProgram", "compile_chunks", "text_of_program"]

STREAMED = 10
"""How many pieces of a large program are in one module: LLVM's own form of all at once would fill the memory."""


class NativeProgram:
    """A program to call with the values of its inputs and captured numbers, as one list of floats.

    It returns the outputs, or None where a guard fails, and raises what eager code raises.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        code = lower(program)
        layout = Layout(code)
        self.module = Module()
        self.steps = steps = _compile(code, layout, self.module)
        self.size = layout.size
        self.whole: Any = steps[0] if len(steps) == 1 else self._run
        self.entries: dict[Shape, Callable[[tuple[Any, ...]], Any]] = {}
        self.lock = threading.Lock()
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
        with self.lock:
            if nested not in self.entries:
                name, address = f"entry{len(self.entries)}", ctypes.cast(self.whole, ctypes.c_void_p).value or 0
                self.entries[nested] = entry(self.module, name, address, self.size, nested, results)
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
        import numpy as np

        self.call = call
        self.runner = mapped_runner(call.step.programs, call.step.summed, "native")
        self.places = np.array([layout.places[x] if type(x) is int else 0 for x in call.broadcast], dtype=int)
        self.constants = [(k, x) for k, x in enumerate(call.broadcast) if type(x) is not int]
        self.stacks = not all(call.step.summed)
        self.start = layout.places.get(call.result, 0)  # the results stand one after the other
        self.layout = layout

    def __call__(self, address: int) -> int:
        import numpy as np

        buffer = (ctypes.c_double * self.layout.size).from_address(address)
        numbers = np.frombuffer(memoryview(buffer).cast("B"))
        broadcast = numbers[self.places]
        for k, x in self.constants:
            broadcast[k] = x
        columns = [
            numbers[c.start : c.stop if c.stop >= 0 else None : c.step]
            if isinstance(c, range)
            else _gathered(c, numbers)
            for c in self.call.step.columns
        ]
        results = self.runner(columns, broadcast, self.call.step.lanes)
        if isinstance(results, int):
            return GUARD_FAILED
        if self.stacks:
            results = [x for r in results for x in (r.tolist() if isinstance(r, np.ndarray) else [r])]
        buffer[self.start : self.start + len(results)] = results
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


def _runs(code: Code, piece: int) -> tuple[list[Chunk], list[range | MappedCall]]:
    """The steps in pieces, and their order: ranges of pieces, and the mapped steps between them.

    The code loses its steps: those of a large program go as they are compiled.
    """
    chunks: list[Chunk] = []
    runs: list[range | MappedCall] = []
    for mapped, steps in itertools.groupby(code.steps, lambda step: isinstance(step, MappedCall)):
        if mapped:
            runs += steps  # type: ignore[arg-type]
        else:
            pieces = cut(list(steps), piece)  # type: ignore[arg-type]
            runs.append(range(len(chunks), len(chunks) + len(pieces)))
            chunks += pieces
    if not runs or isinstance(runs[-1], MappedCall):
        chunks.append([])  # which stores the outputs
        runs.append(range(len(chunks) - 1, len(chunks)))
    code.steps = []
    return chunks, runs


def _compile(code: Code, layout: Layout, module: Module) -> list[Any]:
    piece, level = plan(code)
    chunks, runs = _runs(code, piece)
    mapped = [run for run in runs if isinstance(run, MappedCall)]
    for call in mapped:
        layout.row(call.result, call.step.width)
    writer = Writer(layout)
    writer.refusing = code.refusing
    needed = [x for call in mapped for x in call.broadcast if type(x) is int]
    functions = compile_chunks(writer, chunks, code, needed, level, module)
    steps: list[Any] = []
    for run in runs:
        if isinstance(run, MappedCall):
            steps.append(_MappedStep(run, layout))
        elif len(run) == 1:
            steps.append(_scalar(functions[run[0]]))
        else:
            steps.append(_Sequence([functions[i] for i in run], module, f"run{len(steps)}"))
    return steps


def _scalar(address: int) -> Any:
    # One chunk is done in microseconds: it keeps the interpreter's lock, which takes longer to pass on.
    return ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(address)


class _Sequence:
    """Chunks that run one after the other."""

    def __init__(self, addresses: Sequence[int], module: Module, name: str) -> None:
        (address,) = module.add(RUN.replace("@run", f"@{name}"), 1, [name])
        kinds = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
        self.function = ctypes.CFUNCTYPE(ctypes.c_int, *kinds)(address)
        self.chunks = (ctypes.c_void_p * len(addresses))(*addresses)

    def __call__(self, address: int) -> int:
        status: int = self.function(self.chunks, len(self.chunks), address)
        return status


def compile_chunks(
    writer: Writer, chunks: list[Chunk], code: Code, needed: Sequence[int], level: int, module: Module
) -> list[int]:
    """The addresses of the chunks' functions, which become parts of the module; the list is emptied."""
    addresses: list[int] = []
    texts = written(writer, chunks, code, needed)
    for start in range(0, len(chunks), STREAMED):
        names = [f"chunk{i}" for i in range(start, min(start + STREAMED, len(chunks)))]
        writer.symbols.clear()
        writer.declarations.clear()
        text = "\n".join(itertools.islice(texts, len(names))) + helpers(writer)
        machine().link(_needed_symbols(writer))
        addresses += module.add(text, level, names)
    return addresses


def _needed_symbols(writer: Writer) -> set[str]:
    return {"sg_fmod" if symbol in ("sg_mod", "sg_floordiv") else symbol for symbol in writer.symbols}


def text_of_program(program: Program) -> str:
    """The IR of a program, its chunks one after the other."""
    code = lower(program)
    layout = Layout(code)
    chunks, runs = _runs(code, plan(code)[0])
    for run in runs:
        if isinstance(run, MappedCall):
            layout.row(run.result, run.step.width)
    writer = Writer(layout)
    writer.refusing = code.refusing
    return "\n".join(written(writer, chunks, code, ())) + helpers(writer)
