"""Programs as C: compiled if there is a compiler, and compared with the steps one by one, to the last bit."""

import ctypes
import math
import random
import shutil
import subprocess
from pathlib import Path

import pytest

import scalargrad as sg
from scalargrad.engine.evaluation import REFUSALS
from scalargrad.recording.builder import Builder
from scalargrad.recording.c import source
from scalargrad.recording.derivatives import vjp
from scalargrad.recording.passes import lowered, prepared
from scalargrad.recording.program import Const
from scalargrad.recording.simplify import simplified

from . import reference
from .generator import random_program
from .test_derivatives import points, recurrence, same
from .test_passes import mean_loss

compiler = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
needs_compiler = pytest.mark.skipif(compiler is None, reason="no C compiler")


def library(text, folder, *flags):
    """The functions of a C text, compiled."""
    (folder / "program.c").write_text(text)
    out = folder / f"program{random.getrandbits(40)}.so"
    flags = ["-std=c99", "-O1", "-ffp-contract=off", "-Wall", "-Werror", "-Wno-unused", *flags]
    done = subprocess.run(
        [compiler, *flags, "-shared", "-fPIC", str(folder / "program.c"), "-o", str(out), "-lm"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(out))


def run(function, numbers, count, kind=ctypes.c_double):
    outputs = (kind * max(count, 1))()
    status = function((kind * max(len(numbers), 1))(*numbers), outputs)
    return status, list(outputs[:count])


@needs_compiler
def test_random_programs(tmp_path):
    """All in one file, so that the compiler is called once."""
    programs = [(seed, simplified(lowered(random_program(seed)))) for seed in range(150)]
    programs = [(seed, p) for seed, p in programs if "hypot" not in p.cost()]  # Python's own is more exact than C's
    texts = [source(p).replace("int program(", f"int program{seed}(") for seed, p in programs]
    head = "#include <math.h>\n#include <stdlib.h>\n"
    functions = library(head + "".join(text.replace(head, "") for text in texts), tmp_path)
    compared = 0
    for seed, program in programs:
        for point in points(seed):
            try:
                expected = reference.run(program, point)
            except REFUSALS:
                continue
            status, got = run(getattr(functions, f"program{seed}"), point, len(program.outputs))
            if expected is None:
                assert status == 1
            elif status == 0:
                assert all(same(x, y) for x, y in zip(got, expected, strict=True)), seed
                compared += 1
    assert compared > 100


@needs_compiler
def test_a_gradient_with_loops(tmp_path):
    both = prepared(vjp(recurrence(40), [0], range(43), [Const(1.0)], keep=True))
    text = source(both)
    assert text.count("for (") == 2
    point = [0.02 * k for k in range(43)]
    status, got = run(library(text, tmp_path).program, point, 44)
    assert status == 0
    assert got == reference.run(both, point)
    single = library(source(both, "float"), tmp_path).program
    status, rough = run(single, point, 44, ctypes.c_float)
    assert status == 0
    assert rough == pytest.approx(got, rel=1e-4, abs=1e-6)


@needs_compiler
def test_a_batch_of_any_length(tmp_path):
    both = prepared(vjp(mean_loss(None), [0], [0, 1], [Const(1.0)], keep=True))
    function = library(source(both), tmp_path).program
    n = 7
    columns = [[0.3 * k - 1.0 for k in range(n)], [0.1 * k for k in range(n)]]
    double = ctypes.c_double
    arrays = [(double * n)(*column) for column in columns]
    given = (ctypes.POINTER(double) * 2)(*[ctypes.cast(a, ctypes.POINTER(double)) for a in arrays])
    outputs = (double * 3)()
    status = function((double * 3)(0.7, -0.2, float(n)), ctypes.c_long(n), given, outputs, None)
    assert status == 0
    assert list(outputs) == pytest.approx(reference.run(both, [0.7, -0.2, float(n)], columns), rel=1e-14)


@needs_compiler
def test_a_refusal_and_a_failed_guard_are_return_codes(tmp_path):
    b = Builder(1)
    b.guard(b.write(sg.primitives.sub, (0, Const(3.0))), True)
    program = b.program([b.write(sg.log, (0,), True)])
    function = library(source(prepared(program)), tmp_path).program
    assert run(function, [2.0], 1) == (0, [math.log(2.0)])
    assert run(function, [3.0], 1)[0] == 1
    assert run(function, [-1.0], 1)[0] == 2


def test_another_type_is_refused():
    with pytest.raises(ValueError, match="real is 'half'; choose 'double' or 'float'"):
        source(Builder(1).program([0]), "half")


@needs_compiler
def test_the_sketch_on_the_page_about_microcontrollers_learns(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "howto" / "microcontroller.md").read_text(encoding="utf-8")
    sketch = page.partition("```c\n")[2].partition("```")[0]

    def error(w, x, d):
        return (w[0] * x + w[1] - d) ** 2 / 2

    gradient = sg.grad(error)
    text = sg.jit(gradient).program([0.0, 0.0], 1.0, 3.0).source("c", real="float")
    functions = library(text + sketch, tmp_path)
    w = [0.0, 0.0]
    for step in range(200):
        x = float(step % 4)
        functions.learn(ctypes.c_float(x), ctypes.c_float(2 * x + 1))
        w = [p - 0.1 * slope for p, slope in zip(w, gradient(w, x, 2 * x + 1), strict=True)]
        assert list((ctypes.c_float * 2).in_dll(functions, "w")) == pytest.approx(w, abs=1e-4)
    assert w == pytest.approx([2.0, 1.0], abs=0.02)
