"""Stand-ins for the passes until they land."""

from __future__ import annotations

import importlib
from typing import Any

from . import passes
from .builder import Builder
from .passes import lowered


def _missing(*args: Any, **named: Any) -> Any:
    raise NotImplementedError("this pass has not landed")


def _found(module: str, name: str, other: Any) -> Any:
    try:
        return getattr(importlib.import_module(f".{module}", __package__), name, other)
    except ModuleNotFoundError:
        return other


def _simplified(program: Any) -> Any:
    b = Builder(program.inputs, program.wide)
    return b.program(b.inline(program, list(range(program.inputs))), program.captured)


def _stages(program: Any) -> Any:
    yield "recorded", program
    yield "simplified", _simplified(program)
    yield "lowered", lowered(program)


roll = _found("roll", "roll", lambda program: program)
vjp = _found("derivatives", "vjp", _missing)
jvp = _found("derivatives", "jvp", _missing)
prepared = getattr(passes, "prepared", lowered)
stages = getattr(passes, "stages", _stages)
