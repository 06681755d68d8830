"""The native back end: a lowered program as machine code, called with lists of floats and columns of any length."""

from __future__ import annotations

import ctypes
import functools
import itertools
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

from . import capi, python
from .emit import Emitter
from .llvm import GUARD_FAILED, Function, Module
from .machine import MachineCode, machine
from .memory import Memory, Place, Register, Where, home_of
from .program import Loop, Operand, Program, operands_of
from .python import conditions

__all__ = ["NativeProgram", "compiled", "source"]

WHOLE = 3_000
"""The longest program, in instructions, that is one function: compile time grows faster than a function's length."""
PIECE = 500
OPTIMIZED = 20_000
"""The longest program that is compiled with any optimization."""
STREAMED = 10
"""The number of pieces in one module: LLVM's own form of all pieces at once would fill the memory."""
SHORT = 20_000
"""A program of fewer operations keeps the interpreter's lock: releasing it would take longer than the program."""
COPIED = 16
"""The number of consecutive numbers from which on one instruction copies them all."""


def compiled(program: Program) -> NativeProgram:
    """Return the runner of a lowered program."""
    return NativeProgram(program)


def source(program: Program) -> str:
    """Return the text of a lowered program as LLVM IR."""
    return "\n".join(text for text, _, _ in _Pieces(program, Memory()).modules())


class NativeProgram:
    """A program to call with the numbers and the columns of its inputs.

    It returns the outputs, floats and arrays, or None if a guard fails. It raises the errors of eager code.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.memory = Memory()
        self.code = MachineCode()
        steps = []
        cost = _cost(program)
        kind = ctypes.PYFUNCTYPE if cost < SHORT and not program.wide else ctypes.CFUNCTYPE
        pointer = ctypes.c_void_p
        signature = kind(ctypes.c_int, pointer, pointer, ctypes.c_int64, pointer, pointer)
        pieces = _Pieces(program, self.memory)
        for text, names, level in pieces.modules():
            machine().link(pieces.module.linked())
            steps += [signature(address) for address in self.code.add(text, level, names)]
        self.steps = steps
        self.whole: Any = steps[0] if len(steps) == 1 else self._all
        self.inputs = program.inputs - len(program.wide)
        self.size = self.memory.sizes["scratch"]
        self.wide = pieces.wide_outputs
        self.entries: dict[capi.Shape, Callable[[tuple[Any, ...]], Any]] = {}
        self.lock = threading.Lock()
        self.free: list[Any] = []  # the arrays of a call, one set for each thread that called at the same time
        self.pack_into = struct.Struct(f"{self.inputs}d").pack_into
        count = len(program.outputs) - len(self.wide)
        self.results = slice(self.inputs, self.inputs + count)

    def entry(self, arguments: tuple[Any, ...], template: Any) -> Callable[[tuple[Any, ...]], Any] | None:
        """Return a function from arguments nested like these to results nested like the template, or None.

        The function returns None for other arguments, and if the general call must decide. There is no such function
        if the arguments or the template have more than numbers in lists and tuples, and none for a program of several
        pieces or with columns.
        """
        if len(self.steps) > 1 or self.memory.wide or not capi.is_possible(self.memory):
            return None
        nested, results = capi.shape(arguments, float), capi.shape(template, int)
        if nested is None or results is None:
            return None
        with self.lock:
            if nested not in self.entries:
                name, address = f"entry{len(self.entries)}", ctypes.cast(self.whole, ctypes.c_void_p).value or 0
                self.entries[nested] = capi.entry(self.code, name, address, self.memory, nested, results)
            return self.entries[nested]

    def bound(self, scratch: Any) -> Callable[[], int]:
        """Return a call on the caller's scratch array of `size` doubles: inputs, outputs, the code's own places."""
        own, address, lanes, at = self._arrays()
        del own, address
        for place, number in self.memory.initial.items():
            scratch[place] = number
        call = functools.partial(self.whole, ctypes.addressof(scratch), at, 0, None, None)
        call.__dict__["lanes"] = lanes  # they live as long as the call
        return call

    def _all(self, *arguments: Any) -> int:
        for step in self.steps:
            status: int = step(*arguments)
            if status:
                return status
        return 0

    def _arrays(self) -> tuple[Any, int, Any, int]:
        scratch = (ctypes.c_double * max(self.size, 1))()
        for place, number in self.memory.initial.items():
            scratch[place] = number
        lanes = (ctypes.c_double * (self.memory.sizes["lanes"] * machine().width + 8))()
        address = ctypes.addressof(lanes)
        return scratch, ctypes.addressof(scratch), lanes, address + -address % 64

    def __call__(self, numbers: Sequence[float], columns: Sequence[Any] = ()) -> list[Any] | None:
        """Return the outputs, or None if a guard fails."""
        try:
            arrays = self.free.pop()
        except IndexError:
            arrays = self._arrays()
        scratch, address, _, lanes = arrays
        self.pack_into(scratch, 0, *numbers)
        if columns or self.memory.wide:
            return self._run_wide(numbers, columns, arrays)
        status = self.whole(address, lanes, 0, None, None)
        found: list[Any] = scratch[self.results]
        self.free.append(arrays)
        return found if not status else self._other(status, numbers, columns)

    def _run_wide(self, numbers: Sequence[float], columns: Sequence[Any], arrays: Any) -> list[Any] | None:
        import numpy as np

        scratch, address, _, lanes = arrays
        given = [np.asarray(column, dtype=float) for column in columns]
        n = len(given[0])
        given += [np.empty(n) for _ in range(self.memory.wide - len(given))]
        starts = (ctypes.c_void_p * len(given))(*[x.__array_interface__["data"][0] for x in given])
        strides = (ctypes.c_int64 * len(given))(*[x.strides[0] for x in given])
        status = self.whole(address, lanes, n, starts, strides)
        found: list[Any] = scratch[self.results]
        self.free.append(arrays)
        if status:
            return self._other(status, numbers, columns)
        for place, column in self.wide:
            found.insert(place, given[column])
        return found

    def _other(self, status: int, numbers: Sequence[float], columns: Sequence[Any]) -> list[Any] | None:
        """Return the outcome if a guard failed or a result is not finite: then Python's floats decide."""
        if status == GUARD_FAILED:
            return None
        if not hasattr(self, "exact"):
            self.exact = python.compiled(self.program)
        found = self.exact(list(numbers), [list(map(float, column)) for column in columns])
        if found is None:
            return None
        import numpy as np

        return [np.asarray(x) if isinstance(x, list) else x for x in found]


def _goes_on(run: Sequence[tuple[int, Operand, Place | None]], home: Place | None) -> bool:
    """Return True if a place follows the places of a run at the same distance."""
    last = run[-1][2]
    if home is None or last is None or home.array != last.array:
        return False
    before = run[-2][2] if len(run) > 1 else None
    return before is None or home.at - last.at == last.at - before.at


def _cost(program: Program) -> int:
    """Return the approximate number of operations of a call."""
    loops = [step for step in program.steps if isinstance(step, Loop)]
    return len(program) + sum((loop.turns or SHORT) * sum(map(_cost, loop.bodies)) for loop in loops)


def _length(program: Program) -> int:
    return len(program) + sum(_length(body) for s in program.steps if isinstance(s, Loop) for body in s.bodies)


class _Pieces:
    """A program in pieces, each a function; values that a later piece needs are handed on in memory."""

    def __init__(self, program: Program, memory: Memory) -> None:
        self.program = program
        self.memory = memory
        wide = set(program.wide)
        numbers = memory.reserve(program.inputs - len(wide))
        places, columns = itertools.count(numbers.at), itertools.count()
        self.given: list[Where] = [
            Place("wide", next(columns)) if i in wide else Place("scratch", next(places)) for i in range(program.inputs)
        ]
        memory.wide = len(wide)
        self.outputs = memory.reserve(len(program.outputs))
        self.last = [0] * program.size
        for index, step in enumerate(program.steps):
            for x in operands_of(step):
                if type(x) is int:
                    self.last[x] = index
        for x in program.outputs:
            if type(x) is int:
                self.last[x] = len(program.steps)
        self.wide_outputs: list[tuple[int, int]] = []
        length = _length(program)
        self.piece = length if length <= WHOLE else PIECE
        maps = any(isinstance(step, Loop) and not step.ordered for step in program.steps)
        self.level = 0 if length > OPTIMIZED else 2 if maps else 1

    def modules(self) -> Any:
        """Yield the text of each module, the names of its functions, and the level of optimization."""
        functions = self._functions()
        while True:
            self.module = Module(self.memory, machine().width, machine().simd_symbol)
            names = []
            for name, text in itertools.islice(functions, STREAMED):
                names.append(name)
                self.module.texts.append(text)
            if not names:
                return
            yield self.module.text(), names, self.level

    def _functions(self) -> Any:
        program = self.program
        emitter: Emitter | None = None
        where = list(self.given)
        released: dict[int, list[int]] = {}
        flags = conditions(program)
        start, number = 0, 0
        steps = [*program.numbered()]
        while start < len(steps) or number == 0:
            function = Function(self.module, f"piece{number}")
            emitter = Emitter(function, program, [], flags)
            emitter.where = where
            length, known = 0, len(where)
            while start < len(steps) and length < self.piece:
                first, step = steps[start]
                emitter.step(first, step)
                length += 1 if not isinstance(step, Loop) else 1 + sum(map(_length, step.bodies))
                start += 1
            if start == len(steps):
                self._hand_out(emitter)
            else:
                self._hand_on(emitter, known, start, released)
            yield function.name, function.finished()
            number += 1

    def _hand_on(self, emitter: Emitter, known: int, start: int, released: dict[int, list[int]]) -> None:
        """Store values that later pieces need, as they can't see registers. The first `known` values are older."""
        where = emitter.where
        for x in (*emitter.loaded, *range(known, len(where))):
            at = where[x]
            if not isinstance(at, Register):
                continue
            place = at.home
            if place is None and self.last[x] >= start:
                place = self.memory.single()
                emitter.f.store(emitter.read(at), place)
                released.setdefault(self.last[x], []).append(place.at)
            if place is not None:
                where[x] = place
        for index in [index for index in released if index < start]:
            self.memory.free += released.pop(index)

    def _hand_out(self, emitter: Emitter) -> None:
        """Store the outputs at their places; consecutive ones are copied at once if they are many."""
        f = emitter.f
        runs: list[list[tuple[int, Operand, Place | None]]] = []
        place = self.outputs.at
        for k, x in enumerate(self.program.outputs):
            where = emitter.place_of(x)
            if isinstance(where, Place) and where.array == "wide":
                self.wide_outputs.append((k, where.at))
                continue
            home = home_of(where)
            if runs and _goes_on(runs[-1], home):
                runs[-1].append((place, x, home))
            else:
                runs.append([(place, x, home)])
            place += 1
        for run in runs:
            first, _, home = run[0]
            if len(run) < COPIED or home is None:
                for to, x, _ in run:
                    f.store(emitter.text(x), Place("scratch", to))
            else:
                stride = cast(Place, run[1][2]).at - home.at
                f.copy(home, stride, Place("scratch", first), len(run))
