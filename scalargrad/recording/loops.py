"""The loop of SIMD code over a batch, as LLVM IR: it gathers lanes, runs the chunks, adds up or hands out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from .llvm import Writer

__all__ = ["driver"]


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
