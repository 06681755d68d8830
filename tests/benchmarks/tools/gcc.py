"""The recorded program as C, called through ctypes: a compiler's code for the same operations.

One point: -O3, lists in and out. A batch: vectors of four and libmvec, -O3 -ffast-math.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import scalargrad as sg
from scalargrad.recording.passes import lowered
from scalargrad.recording.program import Const, Instruction, Program
from scalargrad.recording.simplify import simplified

from ..workloads import Workload

VERSION_OF = "gcc"

GCC = shutil.which("gcc")
if sys.platform != "linux" or GCC is None:
    raise ImportError("there is no gcc with libmvec")

WIDTH = 4
INFIX = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}"}
HEAD = "#include <math.h>\ntypedef double V __attribute__((vector_size(32)));\n"
for _name, _arguments, _text in (
    ("equal", "x, y", "x == y"),
    ("less", "x, y", "x < y"),
    ("choose", "c, x, y", "c != 0 ? x : y"),
):
    # What compares and chooses, for numbers and, lane by lane, for vectors.
    _lanes = _text
    for _letter in _arguments.split(", "):
        _lanes = _lanes.replace(_letter, f"{_letter}[i]")
    HEAD += f"static double {_name}(double {_arguments.replace(', ', ', double ')}) {{ return {_text}; }}\n"
    HEAD += f"static V _ZGVdN4v_{_name}(V {_arguments.replace(', ', ', V ')}) {{\n"
    HEAD += f"    V r; for (int i = 0; i < 4; i++) r[i] = {_lanes}; return r;\n}}\n"


def _lowered(workload: Workload) -> Program:
    """The operations one by one, without loops."""
    f = sg.jit(sg.value_and_grad(lambda xs: workload.function(sg, xs)), backend="python")
    flat = {"roll": lambda program: program}
    with (
        mock.patch.multiple("scalargrad.recording.variants", **flat),
        mock.patch.multiple("scalargrad.recording.linearized", **flat),
    ):
        return simplified(lowered(f.program(list(workload.inputs), after="record")))


def _operand(x: int | Const, kind: str) -> str:
    if type(x) is int:
        return f"v{x}"
    number = repr(float(x))
    return f"({number})" if kind == "double" else f"(V){{{', '.join([number] * WIDTH)}}}"


def _lines(code: Program, kind: str) -> list[str]:
    prefix = "" if kind == "double" else f"_ZGVdN{WIDTH}v_"
    lines = []
    for result, step in code.numbered():
        if not isinstance(step, Instruction):
            raise TypeError(f"{type(step).__name__}: the workload is no straight line")
        name, operands = step.primitive.name, [_operand(x, kind) for x in step.operands]
        template = INFIX.get(name)
        text = template.format(*operands) if template else f"{prefix}{name}({', '.join(operands)})"
        lines.append(f"{kind} v{result} = {text};")
    return lines


def _compiled(lines: Sequence[str], *options: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        source, unit, library = (Path(folder, name) for name in ("f.c", "f.o", "f.so"))
        source.write_text(HEAD + "\n".join(lines))
        subprocess.run([GCC, "-O3", "-march=native", "-fPIC", *options, "-c", source, "-o", unit], check=True)
        # Linked without the options: -ffast-math would make the whole process take tiny numbers for zero.
        subprocess.run([GCC, "-shared", unit, "-o", library, "-lmvec", "-lm"], check=True)
        return ctypes.CDLL(str(library)).f


def compile(workload: Workload) -> Callable[[Sequence[float]], Any]:
    code = _lowered(workload)
    lines = ["void f(const double *x, double *out) {"]
    lines += [f"double v{i} = x[{i}];" for i in range(code.inputs)] + _lines(code, "double")
    lines += [f"out[{k}] = {_operand(x, 'double')};" for k, x in enumerate(code.outputs)] + ["}"]
    f = _compiled(lines)
    x, out = (ctypes.c_double * code.inputs)(), (ctypes.c_double * len(code.outputs))()

    def run(point: Sequence[float]) -> list[float]:
        x[:] = point
        f(x, out)
        value, gradient = out[0], out[1:]
        return [value, *gradient]

    return run


def compile_batch(workload: Workload, points: Any) -> Callable[[], Any]:
    import numpy as np

    count = len(points)
    if count % WIDTH:
        raise ValueError(f"{count} points are no multiple of {WIDTH}")
    code = _lowered(workload)
    n, m = code.inputs, len(code.outputs)
    lines = [f"V _ZGVdN{WIDTH}v_{name}(V);" for name in ("sin", "cos", "exp", "log")]
    lines += ["void f(long count, const double *x, double *out) {", f"for (long i = 0; i < count; i += {WIDTH}) {{"]
    for k in range(n):
        gathered = ", ".join(f"x[(i + {lane}) * {n} + {k}]" for lane in range(WIDTH))
        lines.append(f"V v{k} = {{{gathered}}};")
    lines += _lines(code, "V")
    for k, x in enumerate(code.outputs):
        scattered = " ".join(f"out[(i + {lane}) * {m} + {k}] = r[{lane}];" for lane in range(WIDTH))
        lines.append(f"{{ V r = {_operand(x, 'V')}; {scattered} }}")
    f = _compiled([*lines, "}}"], "-ffast-math", "-mavx2", "-mfma")
    f.argtypes = (ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    out = np.empty((count, m))

    def run() -> Any:
        f(count, points.ctypes.data, out.ctypes.data)
        return out

    return run
