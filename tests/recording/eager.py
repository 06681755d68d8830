"""A program run on Values, each step a call of its row: its derivatives must agree with this to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import scalargrad as sg
from scalargrad.engine.evaluation import evaluate
from scalargrad.interpreters.floats import FLOATS, IEEE
from scalargrad.recording.basis import CHOOSE, EQUAL, LESS
from scalargrad.recording.program import Instruction, Program
from scalargrad.rows import Vector

from . import reference
from .reference import data


def outputs(program: Program, inputs: Sequence[Any]) -> list[Any] | None:
    """Return the outputs for Values and floats; None if a guard fails. A choice takes its side."""
    return reference.outputs(program, inputs, _results)


def _results(step: Instruction, args: list[Any]) -> list[Any]:
    if step.primitive is CHOOSE:
        return [sg.pos(args[1] if data(args[0]) != 0.0 else args[2])]  # a node of its own, as a row's is
    if step.primitive in (LESS, EQUAL):
        x, y = map(data, args)
        return [float(x < y if step.primitive is LESS else x == y)]
    out = evaluate(step.primitive, tuple(args), FLOATS if step.refuses else IEEE)
    return list(out) if isinstance(step.primitive, Vector) else [out]
