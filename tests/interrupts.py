"""Ctrl-C between two instructions of Python."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """What a call returned, whether it was interrupted instead, and at how many instructions it could have been."""

    result: Any
    interrupted: bool
    instructions: int


def interrupted(call: Callable[[], Any], stop: int | None, files: str = "") -> Outcome:
    """Return the outcome of a call with a `KeyboardInterrupt` at its instruction `stop`.

    Instructions count in files whose names contain `files`.
    """
    met = itertools.count()

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        if files not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and next(met) == stop:
            raise KeyboardInterrupt
        return trace

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        result, stopped = call(), False
    except KeyboardInterrupt:
        result, stopped = None, True
    finally:
        sys.settrace(former)
    return Outcome(result, stopped, next(met))
