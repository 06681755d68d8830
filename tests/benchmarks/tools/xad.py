"""xad, Python bindings of a C++ tape."""

from __future__ import annotations

from typing import Any

import xad.math
from xad.adj_1st import Real, Tape

from ..workloads import Workload

VERSION_OF = "xad"


class M:
    sin, cos, exp, log, tanh = xad.math.sin, xad.math.cos, xad.math.exp, xad.math.log, xad.math.tanh

    @staticmethod
    def relu(x: Any) -> Any:
        return xad.math.max(x, 0.0)


_TAPE = Tape()
_TAPE.activate()


def record(workload: Workload) -> tuple[list[Any], Any]:
    _TAPE.clearAll()
    leaves = [Real(x) for x in workload.inputs]
    for leaf in leaves:
        _TAPE.registerInput(leaf)
    _TAPE.newRecording()
    out = workload.function(M, leaves)
    _TAPE.registerOutput(out)
    return leaves, out


def sweep(recorded: tuple[list[Any], Any]) -> list[float]:
    leaves, out = recorded
    out.setDerivative(1.0)
    _TAPE.computeAdjoints()
    return [out.getValue(), *(leaf.getDerivative() for leaf in leaves)]
