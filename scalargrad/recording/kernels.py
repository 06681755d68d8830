"""Batches: sub-programs run over lanes, each lane by the first one whose guards hold for it.

A kernel runs one sub-program over all lanes that it is given, as machine code or on NumPy blocks. It tells
which lanes are suspect: not finite at an operation that eager code may refuse. Those are replayed exactly.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .blocks import BlockKernel
from .chunks import cut, plan
from .layout import Layout
from .llvm import Writer
from .loops import driver
from .lowering import lower
from .machine import Module, machine
from .program import Program
from .replay import in_lane, replay

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

__all__ = ["MappedRunner", "NativeKernel", "mapped_runner"]


class Kernel(Protocol):
    """A sub-program over lanes. It fills `outs`, one array for each stacked output, and returns the sums, the
    lanes that are suspect and the lanes whose guards failed; neither are in the sums."""

    def __call__(
        self, columns: Sequence[Array], broadcast: Sequence[float], lanes: int, outs: Sequence[Array]
    ) -> tuple[list[float], Array, Array]: ...


class MappedRunner:
    """A mapped step, ready to run."""

    def __init__(self, programs: Sequence[Program], summed: Sequence[bool], backend: str) -> None:
        self.programs = programs
        self.summed = tuple(summed)
        self.kernels: list[Kernel] = [_kernel(program, self.summed, backend) for program in programs]

    def __call__(
        self, columns: Sequence[Array], broadcast: Sequence[float], lanes: int, outs: Sequence[Array] | None = None
    ) -> list[Any] | int:
        """For each output its sum, or the array of its lanes; or the first lane for which no sub-program holds.

        `outs` are arrays to fill for the stacked outputs. Raises what eager code raises in the first lane that does.
        """
        import numpy as np

        if outs is None:
            outs = [np.empty(lanes) for summed in self.summed if not summed]
        totals, suspects, left = self.kernels[0](columns, broadcast, lanes, outs)
        for kernel in self.kernels[1:]:
            if not len(left):
                break
            parts = [np.empty(len(left)) for _ in outs]
            more, suspect, failed = kernel([column[left] for column in columns], broadcast, len(left), parts)
            totals = [x + y for x, y in zip(totals, more, strict=True)]
            for out, part in zip(outs, parts, strict=True):
                out[left] = part
            suspects = np.concatenate([suspects, left[suspect]])
            left = left[failed]
        if len(left):
            return int(left[0])
        for t in sorted(suspects.tolist()):
            numbers = self._replay([*(float(column[t]) for column in columns), *map(float, broadcast)], t)
            if numbers is None:
                return int(t)
            for out, x in zip(outs, [x for x, s in zip(numbers, self.summed, strict=True) if not s], strict=True):
                out[t] = x
            exact = [x for x, s in zip(numbers, self.summed, strict=True) if s]
            totals = [total + x for total, x in zip(totals, exact, strict=True)]
        if not outs:
            return totals
        stacked, sums = iter(outs), iter(totals)
        return [next(sums) if s else next(stacked) for s in self.summed]

    def _replay(self, inputs: list[float], lane: int) -> list[float] | None:
        with in_lane(lane):
            tried = (replay(program, inputs) for program in self.programs)
            return next((numbers for numbers in tried if numbers is not None), None)


@functools.lru_cache(maxsize=256)
def _kernel(program: Program, summed: tuple[bool, ...], backend: str) -> Kernel:
    return NativeKernel(program, summed) if backend == "native" else BlockKernel(program, summed)


@functools.lru_cache(maxsize=64)
def mapped_runner(programs: tuple[Program, ...], summed: tuple[bool, ...], backend: str) -> MappedRunner:
    """A mapped step, ready to run; what was compiled lately is kept."""
    return MappedRunner(programs, summed, backend)


class NativeKernel:
    """A sub-program as SIMD code over the lanes."""

    def __init__(self, program: Program, summed: Sequence[bool]) -> None:
        from .native import compile_chunks

        code = lower(program)
        self.machine = machine()
        self.width = self.machine.width
        layout = Layout(code)
        writer = Writer(layout, self.width, self.machine.simd_symbol)
        writer.refusing = code.refusing
        piece, level = plan(code)
        chunks = cut(code.steps, piece)  # type: ignore[arg-type]  # a sub-program has no mapped steps
        self.module = Module()
        level = min(2 * level, 2) if len(chunks) == 1 else level
        addresses = compile_chunks(writer, chunks, code, (), level, self.module)
        self.summed = sum(summed)
        text = driver(writer, len(addresses), program.inputs, program.captured, summed)
        (batch,) = self.module.add(text, 1, ["batch"])
        pointer, size = ctypes.c_void_p, ctypes.c_int64
        kinds = (size, *(pointer,) * 9)
        self.function = ctypes.CFUNCTYPE(None, *kinds)(batch)
        self.chunks = (pointer * len(addresses))(*addresses)
        self.size = layout.size * self.width

    def __call__(
        self, columns: Sequence[Array], broadcast: Sequence[float], lanes: int, outs: Sequence[Array]
    ) -> tuple[list[float], Array, Array]:
        """The sums, the suspect lanes, the failed lanes."""
        import numpy as np

        width = self.width
        addresses, strides = _addresses(columns)
        out_addresses, out_strides = _addresses(outs)
        flags = (ctypes.c_uint8 * (-(-lanes // width)))()
        sums = (ctypes.c_double * max(self.summed, 1))()
        fixed = np.ascontiguousarray(broadcast, dtype=float)
        scratch = (ctypes.c_double * self.size)()
        places = (addresses, strides, fixed.ctypes.data, out_addresses, out_strides, sums, flags, scratch, self.chunks)
        self.function(lanes, *places)
        found = np.frombuffer(memoryview(flags), dtype=np.uint8)
        if not found.any():
            none = np.empty(0, dtype=int)
            return sums[: self.summed], none, none
        bits = np.unpackbits(found[:, None], axis=1, bitorder="little")
        failed = bits[:, width : 2 * width].ravel()[:lanes].astype(bool)
        suspect = bits[:, :width].ravel()[:lanes].astype(bool) & ~failed
        return sums[: self.summed], np.flatnonzero(suspect), np.flatnonzero(failed)


def _addresses(arrays: Sequence[Array]) -> tuple[Any, Any]:
    count = max(len(arrays), 1)
    addresses = (ctypes.c_void_p * count)(*[array.__array_interface__["data"][0] for array in arrays])
    return addresses, (ctypes.c_int64 * count)(*[array.strides[0] for array in arrays])
