"""The text of a lowered program as LLVM IR: scalar code, and SIMD code over the turns of maps.

There are no fast-math flags, so scalar code gives the results of eager code, to the last bit. If eager code would
refuse an operand, the result here is not finite. Such a number turns an accumulator into nan, and the function then
returns another status.

A loop with an order is a loop over scalars. A map takes as many turns at once as a register has lanes, and the turns
that are left one by one. Loops inside a map run in all lanes together. If a loop has several bodies, all lanes compute
each body that some lane needs, and each lane takes the results of its own body.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from .memory import Memory, Place

__all__ = ["GUARD_FAILED", "HEAD", "REFUSED", "Counter", "Function", "Lanes", "Module"]

GUARD_FAILED, REFUSED = 1, 2
"""Statuses that a function returns: a guard failed, or a result is not finite, so that eager code may refuse."""

INFIX = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
INTRINSICS = {"abs": "fabs", "floor": "floor", "ceil": "ceil", "round": "rint", "sqrt": "sqrt"}
HELPED = ("mod", "floordiv")
"""Python's operators % and //, written with the C library's fmod."""

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
"""
HEAD = "ptr %scratch, ptr %lanes, i64 %n, ptr %columns, ptr %strides"


class Module:
    """A piece of IR, with the parts that its functions share."""

    def __init__(self, memory: Memory, width: int, vector_symbol: Callable[[str], str | None]) -> None:
        self.memory = memory
        self.width = width
        self.vector_symbol = vector_symbol
        self.symbols: set[str] = set()
        self.declarations: set[str] = set()
        self.texts: list[str] = []
        self.tables = 0

    def table(self, numbers: Sequence[int]) -> str:
        """Return the name of a table of places."""
        self.tables += 1
        entries = ", ".join(f"i64 {x}" for x in numbers)
        self.texts.append(f"@table{self.tables} = internal constant [{len(numbers)} x i64] [{entries}]\n")
        return f"@table{self.tables}"

    def text(self) -> str:
        """Return the whole text, with the declarations."""
        declarations = set(self.declarations)
        helped = {f"declare double @sg_{name}(double, double)" for name in HELPED}
        helpers = ""
        if declarations & helped:
            declarations -= helped
            declarations |= {
                "declare double @sg_fmod(double, double)",
                "declare double @llvm.copysign.f64(double, double)",
                "declare double @llvm.floor.f64(double)",
            }
            helpers = HELPERS
        return "\n".join([*sorted(declarations), helpers, *self.texts])

    def linked(self) -> set[str]:
        """Return the functions that a linker must know."""
        return {"sg_fmod" if symbol[3:] in HELPED else symbol for symbol in self.symbols}


class Function:
    """A function being written: the lines so far, and their state."""

    def __init__(self, module: Module, name: str) -> None:
        self.module = module
        self.name = name
        self.lines: list[str] = []
        self.count = 0
        self.block = "entry"
        self.poison = "0.0"  # the scalar accumulator, nan after a refusal
        self.lanes: Lanes | None = None  # in a loop over SIMD lanes
        self.fail: Callable[[], None] = self._fail

    # Text.

    def add(self, text: str) -> str:
        """Return a new name for the result of an instruction."""
        self.count += 1
        self.lines.append(f"  %t{self.count} = {text}")
        return f"%t{self.count}"

    def label(self) -> str:
        """Return a new label."""
        self.count += 1
        return f"b{self.count}"

    def start(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str) -> None:
        """End a block."""
        self.lines.append(f"  br label %{label}")

    def branch(self, condition: str, yes: str, no: str) -> None:
        """End a block by a condition."""
        self.lines.append(f"  br i1 {condition}, label %{yes}, label %{no}")

    def finished(self) -> str:
        """Return the text of the function, which returns its status."""
        suspect = self.add(f"fcmp uno double {self.poison}, 0.0")
        status = self.add(f"select i1 {suspect}, i32 {REFUSED}, i32 0")
        self.lines.append(f"  ret i32 {status}")
        body = "\n".join(self.lines)
        return f'define i32 @{self.name}({HEAD}) "stackrealign" {{\nentry:\n{body}\n}}\n'

    def _fail(self) -> None:
        suspect = self.add(f"fcmp uno double {self.poison}, 0.0")
        status = self.add(f"select i1 {suspect}, i32 {REFUSED}, i32 {GUARD_FAILED}")
        self.lines.append(f"  ret i32 {status}")

    # Numbers.

    @property
    def width(self) -> int:
        """The number of lanes of a value."""
        return 1 if self.lanes is None else self.module.width

    @property
    def kind(self) -> str:
        """The type of a value."""
        return "double" if self.lanes is None else f"<{self.module.width} x double>"

    @property
    def flag(self) -> str:
        """The type of a truth value."""
        return "i1" if self.lanes is None else f"<{self.module.width} x i1>"

    def number(self, x: float) -> str:
        """Return a constant, exactly."""
        return bits(x) if self.lanes is None else "<" + ", ".join([f"double {bits(x)}"] * self.width) + ">"

    def scalar(self, x: float) -> str:
        """Return a scalar constant, exactly."""
        return bits(x)

    def index(self, place: Place) -> str:
        """Return the index of a place in its array."""
        text = str(place.at)
        for counter, stride in place.counters:
            product = counter if stride == 1 else self.add(f"mul i64 {counter}, {stride}")
            text = product if text == "0" else self.add(f"add i64 {product}, {text}")
        return text

    def address(self, place: Place, lane: int = 0) -> str:
        """Return the address of a place, for one of the lanes."""
        if place.array == "wide":
            (turn, _), *counters = place.counters
            column = self.index(Place("wide", place.at, tuple(counters)))
            at = self.add(f"getelementptr ptr, ptr %columns, i64 {column}")
            start = self.add(f"load ptr, ptr {at}, align 8")
            at = self.add(f"getelementptr i64, ptr %strides, i64 {column}")
            stride = self.add(f"load i64, ptr {at}, align 8")
            turn = self.add(f"add i64 {turn}, {lane}") if lane else turn
            return self.add(f"getelementptr i8, ptr {start}, i64 {self.add(f'mul i64 {turn}, {stride}')}")
        element = "double" if place.array == "scratch" else f"<{self.module.width} x double>"
        index = self.index(place.moved(lane * place.step))
        return self.add(f"getelementptr inbounds {element}, ptr %{place.array}, i64 {index}")

    def load(self, place: Place) -> str:
        """Load the value at a place: in SIMD code, one number for all lanes, or one for each."""
        if self.lanes is None or place.array == "lanes":
            return self.add(f"load {self.kind}, ptr {self.address(place)}, align 8")
        if not place.step:
            return self.splat(self.add(f"load double, ptr {self.address(place)}, align 8"))
        if place.array == "scratch" and place.step == 1:
            return self.add(f"load {self.kind}, ptr {self.address(place)}, align 8")
        gathered = "poison"
        for lane in range(self.width):
            number = self.add(f"load double, ptr {self.address(place, lane)}, align 8")
            gathered = self.add(f"insertelement {self.kind} {gathered}, double {number}, i32 {lane}")
        return gathered

    def splat(self, number: str) -> str:
        """Return a scalar in all lanes."""
        first = self.add(f"insertelement {self.kind} poison, double {number}, i32 0")
        return self.add(f"shufflevector {self.kind} {first}, {self.kind} poison, <{self.width} x i32> zeroinitializer")

    def store(self, text: str, place: Place) -> None:
        """Store a value at a place."""
        if self.lanes is None or place.array == "lanes" or (place.array == "scratch" and place.step == 1):
            self.lines.append(f"  store {self.kind} {text}, ptr {self.address(place)}, align 8")
            return
        for lane in range(self.width):
            part = self.add(f"extractelement {self.kind} {text}, i32 {lane}")
            self.lines.append(f"  store double {part}, ptr {self.address(place, lane)}, align 8")

    def copy(self, source: Place, stride: int, target: Place, count: int) -> None:
        """Copy equally spaced numbers to places one after the other."""
        if stride != 1:
            counter = Counter(self, str(count), "0")
            self.store(self.load(source.counted(counter.name, stride)), target.counted(counter.name, 1))
            counter.close([])
            return
        self.module.declarations.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        to, start = self.address(target), self.address(source)
        self.lines.append(f"  call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {start}, i64 {8 * count}, i1 false)")

    # Operations.

    def operation(self, name: str, operands: Sequence[str], squared: bool = False) -> str:
        """Return the name of an operation's result: an instruction, an intrinsic, or the call of a function."""
        if name in INFIX:
            return self.add(f"{INFIX[name]} {self.kind} {', '.join(operands)}")
        if name == "neg":
            return self.add(f"fneg {self.kind} {operands[0]}")
        if squared and self.lanes is not None:
            return self.add(f"fmul {self.kind} {operands[0]}, {operands[0]}")
        return self.add(self._call(name, operands))

    def _call(self, name: str, operands: Sequence[str]) -> str:
        module = self.module
        arguments = ", ".join(f"{self.kind} {x}" for x in operands)
        if name in INTRINSICS:
            function = f"llvm.{INTRINSICS[name]}.{'f64' if self.lanes is None else f'v{self.width}f64'}"
        elif self.lanes is None:
            function = f"sg_{name}"
            module.symbols.add(function)
        elif symbol := module.vector_symbol(name):
            function = symbol
            module.symbols.add(function)
        else:
            return self._each_lane(name, operands)
        module.declarations.add(f"declare {self.kind} @{function}({', '.join([self.kind] * len(operands))})")
        return f"call {self.kind} @{function}({arguments})"

    def _each_lane(self, name: str, operands: Sequence[str]) -> str:
        """Call the scalar function in each lane. Return the last instruction, without its name."""
        self.module.symbols.add(f"sg_{name}")
        self.module.declarations.add(f"declare double @sg_{name}({', '.join(['double'] * len(operands))})")
        gathered = "poison"
        for lane in range(self.width):
            parts = [self.add(f"extractelement {self.kind} {x}, i32 {lane}") for x in operands]
            number = self.add(f"call double @sg_{name}({', '.join(f'double {part}' for part in parts)})")
            text = f"insertelement {self.kind} {gathered}, double {number}, i32 {lane}"
            if lane < self.width - 1:
                gathered = self.add(text)
        return text

    def refuse(self, result: str) -> None:
        """Check the result of an operation that may refuse: 0 times it, which is 0 or nan, goes to the accumulator."""
        zero = self.number(0.0)
        product = self.add(f"fmul {self.kind} {result}, {zero}")
        if self.lanes is None:
            self.poison = self.add(f"fadd double {self.poison}, {product}")
        else:
            self.lanes.poison = self.add(f"fadd {self.kind} {self.lanes.poison}, {product}")

    def mark(self, condition: str, holds: bool) -> None:
        """Leave out the lanes in which a guard fails, unless something was refused there before."""
        lanes = self.lanes
        assert lanes is not None  # noqa: S101 (for the type checker)
        if not holds:
            ones = "<" + ", ".join(["i1 true"] * self.width) + ">"
            condition = self.add(f"xor {self.flag} {condition}, {ones}")
        refused = self.add(f"fcmp uno {self.kind} {lanes.poison}, {self.number(0.0)}")
        passing = self.add(f"or {self.flag} {condition}, {refused}")
        lanes.sound = self.add(f"and {self.flag} {lanes.sound}, {passing}")

    def any(self, flags: str) -> str:
        """Return a truth value that is true if one holds in any lane."""
        whole = self.add(f"bitcast {self.flag} {flags} to i{self.width}")
        return self.add(f"icmp ne i{self.width} {whole}, 0")

    def none_of(self, flags: str) -> str:
        """Return the negation of a truth value."""
        ones = "true" if self.lanes is None else "<" + ", ".join(["i1 true"] * self.width) + ">"
        return self.add(f"xor {self.flag} {flags}, {ones}")


class Counter:
    """A loop of LLVM: its counter, its carries and the accumulators."""

    def __init__(self, function: Function, turns: str, first: str, stride: int = 1) -> None:
        self.f = f = function
        self.turns, self.stride = turns, stride
        self.before = f.block
        self.head, self.exit = f.label(), f.label()
        f.jump(self.head)
        f.start(self.head)
        self.carried: list[tuple[int, str, str, str]] = []  # the line, the name, its kind, its first value
        self.name = self.carry("i64", first)
        self.results: list[str] = []
        self.states: list[str] = []
        if f.lanes is None:
            f.poison = self.carry("double", f.poison)
        else:
            f.lanes.poison = self.carry(f.kind, f.lanes.poison)
            f.lanes.sound = self.carry(f.flag, f.lanes.sound)

    def carry(self, kind: str, first: str) -> str:
        """Return the name of a value that each turn gives to the next."""
        name = self.f.add("")
        self.carried.append((len(self.f.lines) - 1, name, kind, first))
        return name

    def close(self, ends: Sequence[str]) -> None:
        """End the turn with the values for the next one, in the order of the calls of `carry`."""
        f = self.f
        following = f.add(f"add i64 {self.name}, {self.stride}")
        more = f.add(f"icmp slt i64 {following}, {self.turns}")
        states = [f.poison] if f.lanes is None else [f.lanes.poison, f.lanes.sound]
        for (line, name, kind, first), end in zip(self.carried, [following, *states, *ends], strict=True):
            f.lines[line] = f"  {name} = phi {kind} [ {first}, %{self.before} ], [ {end}, %{f.block} ]"
        f.branch(more, self.head, self.exit)
        f.start(self.exit)
        self.results = list(ends)
        self.last = following


class Lanes:
    """The state of SIMD code: the lanes with a refusal, and the lanes in which all guards so far hold."""

    def __init__(self, width: int) -> None:
        self.poison = "zeroinitializer"
        self.sound = "<" + ", ".join(["i1 true"] * width) + ">"


def bits(x: float) -> str:
    """Return a number as LLVM writes it exactly."""
    (whole,) = struct.unpack("<Q", struct.pack("<d", x))
    return f"0x{whole:016X}"
