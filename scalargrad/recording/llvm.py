"""The text of a program as LLVM IR: scalar code for one point, or SIMD code whose lanes are the points.

A chunk is a function over a scratch array: the inputs, then the outputs, then what one chunk hands to the next.
There are no fast-math flags, so scalar code computes what eager code computes, to the last bit. What eager
code would refuse shows as a number that is not finite: it poisons an accumulator, which the caller sees.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Mapping, Sequence

from .lowering import Check, Code, Operation
from .program import Operand

__all__ = ["GUARD_FAILED", "Layout", "Writer", "driver", "helpers", "scalar_symbols"]

GUARD_FAILED = 1
"""What a scalar chunk returns where a guard fails; 2 where something is not finite that eager code may refuse."""

INFIX = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
INTRINSICS = {"abs": "fabs", "floor": "floor", "ceil": "ceil", "round": "rint", "sqrt": "sqrt"}
COMPARISONS = {"less": "olt", "equal": "oeq"}
HELPED = ("mod", "floordiv")
"""What Python does with the operators % and // beyond the C library's fmod."""

HELPERS = """
define double @sg_mod(double %x, double %y) {
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
define double @sg_floordiv(double %x, double %y) {
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


class Layout:
    """Where the cells of a code stand in its scratch array: inputs, outputs, and what crosses the chunks."""

    def __init__(self, code: Code) -> None:
        self.inputs = code.inputs
        self.outputs = len(code.outputs)
        self.size = self.inputs + self.outputs
        self.places: dict[int, int] = {i: i for i in range(code.inputs)}

    def place(self, cell: int) -> int:
        """The place of a cell that outlives its chunk."""
        if cell not in self.places:
            self.places[cell] = self.size
            self.size += 1
        return self.places[cell]

    def reserve(self, count: int) -> int:
        """The first of so many further places."""
        self.size += count
        return self.size - count


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
        for place, operand in rest.items():
            self.store(self.operand(operand), place)
        if self.width == 1:
            suspect = self.add(f"fcmp uno double {self.accumulator}, 0.0")
            self.lines.append(f"  %status = select i1 {suspect}, i32 2, i32 0\n  ret i32 %status")
            return f"define i32 @{name}(ptr %scratch) {{\n" + "\n".join(self.lines) + "\n}\n"
        self.store(self.accumulator, self.poison)
        wide = self.add(f"zext {self.flag} {self.failures} to <{self.width} x i64>")
        self.store(wide, self.failed, f"<{self.width} x i64>")
        return f"define void @{name}(ptr %scratch) {{\n" + "\n".join(self.lines) + "\n  ret void\n}\n"

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
        (bits,) = struct.unpack("<Q", struct.pack("<d", x))
        text = f"0x{bits:016X}"
        return text if self.width == 1 else "<" + ", ".join([f"double {text}"] * self.width) + ">"

    def operand(self, x: Operand) -> str:
        """An operand, loaded just before its first use where it comes from outside of the chunk."""
        if type(x) is not int:
            return self.number(x)
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
            zero = self.add(f"fmul {self.kind} {result}, {self.number(0.0)}")
            self.accumulator = self.add(f"fadd {self.kind} {self.accumulator}, {zero}")

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


def driver(writer: Writer, chunks: int, columns: int, broadcast: int, summed: Sequence[bool]) -> str:
    """The loop over a batch, `width` lanes at a time.

    It takes the number of lanes; the addresses of the columns and their strides; the broadcast numbers; the
    addresses and strides of the stacked outputs; where the sums go; a byte for each turn of the loop, with a
    bit for each lane that is suspect and, above, for each whose guard failed; the scratch array; and the
    addresses of the chunks. The sums leave those lanes out. The last lanes are repeated where fewer than
    `width` are left, and not summed again.
    """
    kind, width = writer.kind, writer.width
    first = writer.layout.inputs
    sums = writer.layout.reserve(sum(summed))
    zeros = writer.number(0.0)
    lanes = range(width)
    parameters = "i64 %n, ptr %columns, ptr %strides, ptr %broadcast, ptr %outs, ptr %outstrides, ptr %sums, ptr %flags"
    lines = [
        f"define void @batch({parameters}, ptr %scratch, ptr %chunks) {{",
        "entry:\n  %last = sub i64 %n, 1\n  br label %splat",
        _loop("splat", "entry", "clear", broadcast, _splat(writer, columns)),
        _loop("clear", "splat", "start", sum(summed), _clear(writer, sums)),
        "start:\n  br label %loop\nloop:\n  %i = phi i64 [ 0, %start ], [ %next, %end ]",
    ]
    for lane in lanes:
        lines.append(f"  %at{lane} = add i64 %i, {lane}\n  %in{lane} = icmp slt i64 %at{lane}, %n")
        lines.append(f"  %lane{lane} = select i1 %in{lane}, i64 %at{lane}, i64 %last")
    lines += ["  br label %gather", _loop("gather", "loop", "body", columns, _gather(writer)), "body:"]
    for name, place in (("poison", writer.poison), ("failed", writer.failed)):
        lines.append(f"  %{name}.p = getelementptr {kind}, ptr %scratch, i64 {place}")
        lines.append(f"  store {kind} {zeros}, ptr %{name}.p, align 8")
    for index in range(chunks):
        lines.append(f"  %cp{index} = getelementptr ptr, ptr %chunks, i64 {index}")
        lines.append(f"  %c{index} = load ptr, ptr %cp{index}, align 8\n  call void %c{index}(ptr %scratch)")
    lines.append(_status(writer))
    before, at, counts = "body", 0, [0, 0]
    runs = [(is_sum, len(list(group))) for is_sum, group in itertools.groupby(summed)]
    lines.append(f"  br label %{'run0' if runs else 'end'}")
    for index, (is_sum, count) in enumerate(runs):
        after = f"run{index + 1}" if index + 1 < len(runs) else "end"
        body = (
            _add(writer, f"run{index}", first + at, sums + counts[1])
            if is_sum
            else _scatter(writer, f"run{index}", first + at, counts[0])
        )
        lines.append(_loop(f"run{index}", before, after, count, body))
        before, at = f"run{index}", at + count
        counts[is_sum] += count
    lines += [
        f"end:\n  %next = add i64 %i, {width}\n  %more = icmp slt i64 %next, %n",
        "  br i1 %more, label %loop, label %reduce",
        _loop("reduce", "end", "done", sum(summed), _reduce(writer, sums)),
        "done:\n  ret void\n}",
    ]
    return "\n".join(lines) + "\n"


def _splat(writer: Writer, columns: int) -> str:
    kind = writer.kind
    return f"""  %sp = getelementptr double, ptr %broadcast, i64 %splat.i
  %sx = load double, ptr %sp, align 8
  %sv0 = insertelement {kind} poison, double %sx, i32 0
  %sv = shufflevector {kind} %sv0, {kind} poison, <{writer.width} x i32> zeroinitializer
  %splat.k = add i64 %splat.i, {columns}
  %sq = getelementptr {kind}, ptr %scratch, i64 %splat.k
  store {kind} %sv, ptr %sq, align 8"""


def _clear(writer: Writer, sums: int) -> str:
    return f"""  %zk = add i64 %clear.i, {sums}
  %zp = getelementptr {writer.kind}, ptr %scratch, i64 %zk
  store {writer.kind} {writer.number(0.0)}, ptr %zp, align 8"""


def _gather(writer: Writer) -> str:
    lines = [
        "  %gp = getelementptr ptr, ptr %columns, i64 %gather.i\n  %base = load ptr, ptr %gp, align 8",
        "  %gs = getelementptr i64, ptr %strides, i64 %gather.i\n  %stride = load i64, ptr %gs, align 8",
    ]
    previous = "poison"
    for lane in range(writer.width):
        lines.append(
            f"  %go{lane} = mul i64 %lane{lane}, %stride\n  %ga{lane} = getelementptr i8, ptr %base, i64 %go{lane}"
        )
        lines.append(f"  %gx{lane} = load double, ptr %ga{lane}, align 8")
        lines.append(f"  %gv{lane} = insertelement {writer.kind} {previous}, double %gx{lane}, i32 {lane}")
        previous = f"%gv{lane}"
    lines.append(f"  %gq = getelementptr {writer.kind}, ptr %scratch, i64 %gather.i")
    lines.append(f"  store {writer.kind} {previous}, ptr %gq, align 8")
    return "\n".join(lines)


def _status(writer: Writer) -> str:
    kind, width = writer.kind, writer.width
    ones = "<" + ", ".join(["i1 true"] * width) + ">"
    text = f"""  %poison = load {kind}, ptr %poison.p, align 8
  %suspect = fcmp uno {kind} %poison, {writer.number(0.0)}
  %failed64 = load <{width} x i64>, ptr %failed.p, align 8
  %failed = trunc <{width} x i64> %failed64 to <{width} x i1>
  %s0 = bitcast <{width} x i1> %suspect to i{width}
  %s1 = zext i{width} %s0 to i8
  %f0 = bitcast <{width} x i1> %failed to i{width}
  %f1 = zext i{width} %f0 to i8
  %f2 = shl i8 %f1, {width}
  %bits = or i8 %s1, %f2
  %turn = udiv i64 %i, {width}
  %fp = getelementptr i8, ptr %flags, i64 %turn
  store i8 %bits, ptr %fp, align 1
  %wrong = or <{width} x i1> %failed, %suspect
  %right = xor <{width} x i1> %wrong, {ones}
"""
    previous = "poison"
    for lane in range(width):
        text += f"  %valid{lane} = insertelement <{width} x i1> {previous}, i1 %in{lane}, i32 {lane}\n"
        previous = f"%valid{lane}"
    return text + f"  %ok = and <{width} x i1> %right, {previous}"


def _add(writer: Writer, name: str, first: int, sums: int) -> str:
    kind = writer.kind
    return f"""  %{name}.k = add i64 %{name}.i, {first}
  %{name}.p = getelementptr {kind}, ptr %scratch, i64 %{name}.k
  %{name}.x = load {kind}, ptr %{name}.p, align 8
  %{name}.m = select <{writer.width} x i1> %ok, {kind} %{name}.x, {kind} {writer.number(0.0)}
  %{name}.s = add i64 %{name}.i, {sums}
  %{name}.q = getelementptr {kind}, ptr %scratch, i64 %{name}.s
  %{name}.a = load {kind}, ptr %{name}.q, align 8
  %{name}.t = fadd {kind} %{name}.a, %{name}.m
  store {kind} %{name}.t, ptr %{name}.q, align 8"""


def _scatter(writer: Writer, name: str, first: int, outs: int) -> str:
    kind = writer.kind
    text = f"""  %{name}.k = add i64 %{name}.i, {first}
  %{name}.p = getelementptr {kind}, ptr %scratch, i64 %{name}.k
  %{name}.x = load {kind}, ptr %{name}.p, align 8
  %{name}.o = add i64 %{name}.i, {outs}
  %{name}.bp = getelementptr ptr, ptr %outs, i64 %{name}.o
  %{name}.b = load ptr, ptr %{name}.bp, align 8
  %{name}.sp = getelementptr i64, ptr %outstrides, i64 %{name}.o
  %{name}.s = load i64, ptr %{name}.sp, align 8"""
    for lane in range(writer.width):
        text += f"""
  %{name}.x{lane} = extractelement {kind} %{name}.x, i32 {lane}
  %{name}.o{lane} = mul i64 %lane{lane}, %{name}.s
  %{name}.a{lane} = getelementptr i8, ptr %{name}.b, i64 %{name}.o{lane}
  store double %{name}.x{lane}, ptr %{name}.a{lane}, align 8"""
    return text


def _reduce(writer: Writer, sums: int) -> str:
    kind = writer.kind
    text = f"""  %rk = add i64 %reduce.i, {sums}
  %rp = getelementptr {kind}, ptr %scratch, i64 %rk
  %rv = load {kind}, ptr %rp, align 8
"""
    total = ""
    for lane in range(writer.width):
        text += f"  %rx{lane} = extractelement {kind} %rv, i32 {lane}\n"
        if lane:
            text += f"  %rt{lane} = fadd double {total}, %rx{lane}\n"
        total = f"%rt{lane}" if lane else "%rx0"
    return text + f"  %ro = getelementptr double, ptr %sums, i64 %reduce.i\n  store double {total}, ptr %ro, align 8"


def _loop(name: str, before: str, after: str, count: int, body: str) -> str:
    if not count:
        return f"{name}:\n  br label %{after}"
    return f"""{name}:
  %{name}.i = phi i64 [ 0, %{before} ], [ %{name}.next, %{name} ]
{body}
  %{name}.next = add i64 %{name}.i, 1
  %{name}.more = icmp slt i64 %{name}.next, {count}
  br i1 %{name}.more, label %{name}, label %{after}"""
