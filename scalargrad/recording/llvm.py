"""The text of a program as LLVM IR: scalar code for one point, or SIMD code whose lanes are the points.

A chunk is a function over a scratch array: the inputs, then the outputs, then what one chunk hands to the next.
There are no fast-math flags, so scalar code computes what eager code computes, to the last bit. What eager
code would refuse shows as a number that is not finite: it poisons an accumulator, which the caller sees.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from .layout import Layout
from .lowering import Check, Operation
from .program import Operand

__all__ = ["GUARD_FAILED", "Writer", "helpers", "scalar_symbols"]

GUARD_FAILED = 1
"""What a scalar chunk returns where a guard fails; 2 where something is not finite that eager code may refuse."""

INFIX = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
INTRINSICS = {"abs": "fabs", "floor": "floor", "ceil": "ceil", "round": "rint", "sqrt": "sqrt"}
INTRINSICS |= {"fmuladd": "fmuladd"}
COMPARISONS = {"less": "olt", "equal": "oeq"}
COPIED = 16
"""From so many on, numbers that stand one after the other are copied by one instruction."""
HELPED = ("mod", "floordiv")
"""What Python does with the operators % and // beyond the C library's fmod."""

HELPERS = """
define internal double @sg_mod(double %x, double %y) {
  %r = call double @sg_fmod(double %x, double %y)
  %zero = fcmp oeq double %r, 0.0
  %signed = call double @llvm.copysign.f64(double 0.0, double %y)
  %a = fcmp olt double %r, 0.0
  %b = fcmp olt double %y, 0.0
  %differ = xor i1 %a, %b
  %moved = fadd double %r, %y
  %s = select i1 %differ, double %moved, double %r
  %t = select i1 %zero, double %signed, double %s
  ret double %t
}
define internal double @sg_floordiv(double %x, double %y) {
  %r = call double @sg_fmod(double %x, double %y)
  %rest = fsub double %x, %r
  %q = fdiv double %rest, %y
  %nonzero = fcmp une double %r, 0.0
  %a = fcmp olt double %r, 0.0
  %b = fcmp olt double %y, 0.0
  %differ = xor i1 %a, %b
  %lower = and i1 %nonzero, %differ
  %q1 = fsub double %q, 1.0
  %q2 = select i1 %lower, double %q1, double %q
  %whole = call double @llvm.floor.f64(double %q2)
  %gap = fsub double %q2, %whole
  %up = fcmp ogt double %gap, 0.5
  %whole1 = fadd double %whole, 1.0
  %whole2 = select i1 %up, double %whole1, double %whole
  %quotient = fdiv double %x, %y
  %signed = call double @llvm.copysign.f64(double 0.0, double %quotient)
  %zero = fcmp oeq double %q2, 0.0
  %t = select i1 %zero, double %signed, double %whole2
  ret double %t
}
declare double @sg_fmod(double, double)
declare double @llvm.copysign.f64(double, double)
"""


class Writer:
    """Writes chunks of a code as functions, all in one layout, for one lane or for `width` of them.

    `vector_symbol` gives the name of a SIMD function of the platform, or None. A SIMD chunk keeps the
    accumulator and the lanes whose guards failed at the places `poison` and `failed` of the scratch array.
    """

    def __init__(
        self, layout: Layout, width: int = 1, vector_symbol: Callable[[str], str | None] = lambda name: None
    ) -> None:
        self.layout = layout
        self.width = width
        self.vector_symbol = vector_symbol
        self.symbols: set[str] = set()
        self.declarations: set[str] = set()
        self.kind = "double" if width == 1 else f"<{width} x double>"
        self.flag = "i1" if width == 1 else f"<{width} x i1>"
        if width > 1:
            self.poison = layout.reserve(2)
            self.failed = self.poison + 1

    def chunk(
        self,
        name: str,
        steps: Sequence[Operation | Check],
        ends: Mapping[int, Sequence[int]],
        rest: Mapping[int, Operand],
    ) -> str:
        """The function of these steps; `ends` are the places of the cells that it hands on, as soon as it has them.

        The `rest` are places and operands to store at the end.
        """
        self.lines: list[str] = []
        self.constants: dict[float, int] = {}
        self.loaded: set[int] = set()
        self.local: set[int] = set()
        self.temporaries = 0
        self.blocks = 0
        first = "0.0" if self.width == 1 else self.load(self.poison)
        self.accumulator = self.number(0.0) if self.width == 1 else first
        if self.width > 1:
            self.failures = self.add(
                f"trunc <{self.width} x i64> {self.load(self.failed, f'<{self.width} x i64>')} to {self.flag}"
            )
        for step in steps:
            if isinstance(step, Check):
                self.check(step)
            else:
                self.operation(step)
                for place in ends.get(step.result, ()):
                    self.store(f"%v{step.result}", place)
        self.hand_out(rest)
        if self.width == 1:
            suspect = self.add(f"fcmp uno double {self.accumulator}, 0.0")
            self.lines.append(f"  %status = select i1 {suspect}, i32 2, i32 0\n  ret i32 %status")
            return self.function(f"i32 @{name}")
        self.store(self.accumulator, self.poison)
        wide = self.add(f"zext {self.flag} {self.failures} to <{self.width} x i64>")
        self.store(wide, self.failed, f"<{self.width} x i64>")
        self.lines.append("  ret void")
        return self.function(f"void @{name}")

    def function(self, name: str) -> str:
        """The function of the lines, with the table of its constants.

        Its stack is aligned: otherwise half of the vectors there would lie across two lines of the cache.
        """
        head, table = f'define {name}(ptr %scratch) "stackrealign" {{\n', name.partition(" ")[2]
        if self.constants:
            numbers = ", ".join(f"double {_bits(x)}" for x in self.constants)
            kind = f"[{len(self.constants)} x double]"
            head = f"{table}.table = internal constant {kind} [{numbers}]\n" + (
                f"{table}.at = internal global ptr {table}.table\n{head}"
            )
            head += f"  %constants = load ptr, ptr {table}.at, align 8\n"
        return head + "\n".join(self.lines) + "\n}\n"

    def hand_out(self, rest: Mapping[int, Operand]) -> None:
        """Store operands at places; where many stand one after the other in both, copy them at once."""
        runs: list[list[tuple[int, Operand, int]]] = []
        for place, operand in rest.items():
            source = self.layout.places.get(operand, -1) if type(operand) is int and operand not in self.local else -1
            if source >= 0 and runs and runs[-1][-1][0] == place - 1 and runs[-1][-1][2] == source - 1:
                runs[-1].append((place, operand, source))
            else:
                runs.append([(place, operand, source)])
        for run in runs:
            if len(run) < COPIED:
                for place, operand, _ in run:
                    self.store(self.operand(operand), place)
                continue
            self.declarations.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
            to, start = self.address(run[0][0]), self.address(run[0][2])
            size = 8 * self.width * len(run)
            self.lines.append(f"  call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {start}, i64 {size}, i1 false)")

    def add(self, text: str) -> str:
        """A temporary for the result of an instruction."""
        self.temporaries += 1
        name = f"%t{self.temporaries}"
        self.lines.append(f"  {name} = {text}")
        return name

    def address(self, place: int) -> str:
        """The address of a place in the scratch array."""
        return self.add(f"getelementptr inbounds {self.kind}, ptr %scratch, i64 {place}")

    def load(self, place: int, kind: str = "") -> str:
        """What stands at a place."""
        return self.add(f"load {kind or self.kind}, ptr {self.address(place)}, align 8")

    def store(self, text: str, place: int, kind: str = "") -> None:
        """Store at a place."""
        self.lines.append(f"  store {kind or self.kind} {text}, ptr {self.address(place)}, align 8")

    def number(self, x: float) -> str:
        """A constant, exactly."""
        return _bits(x) if self.width == 1 else "<" + ", ".join([f"double {_bits(x)}"] * self.width) + ">"

    def constant(self, x: float) -> str:
        """A constant, loaded from the table at each use, which is what "volatile" says.

        LLVM would load a literal once, by way of an address of its own, and keep it on the stack: that takes
        longer and fills the cache. To find out whether a plain load can be put off takes LLVM long.
        """
        index = self.constants.setdefault(x, len(self.constants))
        place = self.add(f"getelementptr double, ptr %constants, i64 {index}")
        number = self.add(f"load volatile double, ptr {place}, align 8 ; {x!r}")
        if self.width == 1:
            return number
        first = self.add(f"insertelement {self.kind} poison, double {number}, i32 0")
        return self.add(f"shufflevector {self.kind} {first}, {self.kind} poison, <{self.width} x i32> zeroinitializer")

    def operand(self, x: Operand) -> str:
        """An operand, loaded just before its first use where it comes from outside of the chunk."""
        if type(x) is not int:
            return self.number(x) if x == 0.0 else self.constant(x)
        if x not in self.local and x not in self.loaded:
            self.loaded.add(x)
            address = self.address(self.layout.places[x])
            self.lines.append(f"  %v{x} = load {self.kind}, ptr {address}, align 8")
        return f"%v{x}"

    def operation(self, step: Operation) -> None:
        """An operation, and, where eager code may refuse, a look at its result."""
        name = step.name
        operands = [self.operand(x) for x in step.operands]
        result = f"%v{step.result}"
        self.local.add(step.result)
        if name in COMPARISONS:
            text = f"fcmp {COMPARISONS[name]} {self.kind} {operands[0]}, {operands[1]}"
        elif name == "select":
            text = f"select {self.flag} {operands[0]}, {self.kind} {operands[1]}, {self.kind} {operands[2]}"
        elif name == "neg":
            text = f"fneg {self.kind} {operands[0]}"
        elif name in INFIX:
            text = f"{INFIX[name]} {self.kind} {operands[0]}, {operands[1]}"
        elif name == "pow" and self.width > 1 and step.operands[1] == 2.0 and type(step.operands[1]) is float:
            text = f"fmul {self.kind} {operands[0]}, {operands[0]}"
        else:
            text = self.call(name, operands)
        self.lines.append(f"  {result} = {text}")
        if step.result in self.refusing:
            # A zero is added, or a nan. Fused or not, the sum is the same.
            self.accumulator = self.add(self.call("fmuladd", (result, self.number(0.0), self.accumulator)))

    refusing: set[int] = set()  # noqa: RUF012 (each writer is given its code's)

    def call(self, name: str, operands: Sequence[str]) -> str:
        """The call of a function: an intrinsic, the platform's SIMD function, or the C library's in each lane."""
        arguments = ", ".join(f"{self.kind} {x}" for x in operands)
        kinds = ", ".join([self.kind] * len(operands))
        if name in INTRINSICS:
            suffix = "f64" if self.width == 1 else f"v{self.width}f64"
            function = f"llvm.{INTRINSICS[name]}.{suffix}"
        elif self.width == 1 or self.vector_symbol(name):
            function = f"sg_{name}" if self.width == 1 else str(self.vector_symbol(name))
            self.symbols.add(function)
        else:
            return self.each_lane(name, operands)
        self.declarations.add(f"declare {self.kind} @{function}({kinds})")
        return f"call {self.kind} @{function}({arguments})"

    def each_lane(self, name: str, operands: Sequence[str]) -> str:
        """The scalar function in each lane; returns the last instruction, without its name."""
        function = f"sg_{name}"
        self.symbols.add(function)
        self.declarations.add(f"declare double @{function}({', '.join(['double'] * len(operands))})")
        gathered = "poison"
        for lane in range(self.width):
            parts = [self.add(f"extractelement {self.kind} {x}, i32 {lane}") for x in operands]
            arguments = ", ".join(f"double {part}" for part in parts)
            number = self.add(f"call double @{function}({arguments})")
            text = f"insertelement {self.kind} {gathered}, double {number}, i32 {lane}"
            if lane < self.width - 1:
                gathered = self.add(text)
        return text

    def check(self, step: Check) -> None:
        """A guard: scalar code returns where it fails, SIMD code marks the lanes where it is the first to."""
        condition = self.operand(step.condition)
        if self.width == 1:
            self.blocks += 1
            yes, no = f"ok{self.blocks}", f"failed{self.blocks}"
            labels = (yes, no) if step.holds else (no, yes)
            suspect = self.add(f"fcmp uno double {self.accumulator}, 0.0")
            status = self.add(f"select i1 {suspect}, i32 2, i32 {GUARD_FAILED}")
            self.lines.append(f"  br i1 {condition}, label %{labels[0]}, label %{labels[1]}")
            self.lines.append(f"{no}:\n  ret i32 {status}\n{yes}:")
            return
        if step.holds:
            ones = "<" + ", ".join(["i1 true"] * self.width) + ">"
            condition = self.add(f"xor {self.flag} {condition}, {ones}")
        sound = self.add(f"fcmp ord {self.kind} {self.accumulator}, {self.number(0.0)}")
        failing = self.add(f"and {self.flag} {condition}, {sound}")
        self.failures = self.add(f"or {self.flag} {self.failures}, {failing}")


def _bits(x: float) -> str:
    (bits,) = struct.unpack("<Q", struct.pack("<d", x))
    return f"0x{bits:016X}"


def helpers(writer: Writer) -> str:
    """What a module needs beside its chunks."""
    used = [name for name in HELPED if f"sg_{name}" in writer.symbols]
    text = "\n".join(sorted(writer.declarations))
    if used:
        for name in HELPED:
            text = text.replace(f"declare double @sg_{name}(double, double)\n", "").replace(
                f"declare double @sg_{name}(double, double)", ""
            )
        text += HELPERS
        if "@llvm.floor.f64" not in text.replace(HELPERS, ""):
            text += "declare double @llvm.floor.f64(double)\n"
    return text + "\n"


def scalar_symbols(writer: Writer) -> set[str]:
    """The names of the C library's functions that the chunks call."""
    names = {symbol[3:] for symbol in writer.symbols if symbol.startswith("sg_")}
    return {"fmod" if name in HELPED else name for name in names}
