"""Derivatives inside a recording: the steps recorded so far are differentiated as a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.value import Value
from .derivatives import Sweep, jvp, needed_and_active
from .identities import ZEROS
from .program import Const, Operand, Program
from .recorded import Recorded
from .roll import roll

if TYPE_CHECKING:
    from .recorder import Recording

__all__ = ["Linearized"]


class Linearized:
    """The derivative of some roots with respect to some leaves of a recording, for sweeps in both directions.

    The part of the tape between them becomes a program. Its derivative, which computes the roots as well, is written
    to the tape. The roots are then the values that it computes.
    """

    as_nodes = True

    def __init__(self, recording: Recording, leaves: Sequence[Value], roots: Sequence[Value]) -> None:
        self.recording = recording
        self.leaves = leaves
        self.roots = roots
        self._extracted: tuple[Program, list[int]] | None = None
        self._sweep: Sweep | None = None

    def pull_back(self, seeds: Sequence[Any]) -> list[Any]:
        """Return the adjoints of the leaves, Values or floats, for seeds of the roots."""
        recording = self.recording
        if self._sweep is None:
            self._sweep = self._begun()
        given = {place: recording.operand(seed) for place, seed in enumerate(seeds)}
        found = self._sweep.back({place: x for place, x in given.items() if x not in ZEROS}, {})
        recording.written()
        return [recording.result(found.get(x, ZEROS[0])) for x in range(len(self.leaves))]

    def _begun(self) -> Sweep:
        """Write the steps between the leaves and the roots again, ready for any number of reverse sweeps."""
        recording = self.recording
        program, consts = self._program()
        live = needed_and_active(program, range(len(self.leaves)), range(len(self.roots))).live
        operands = [*map(recording.ref, self.leaves), *consts]
        sweep = Sweep(recording.tape, program, operands, live)
        sweep.begin()
        recording.written()
        self._rebind([sweep.of[x] if type(x) is int else x for x in program.outputs])
        return sweep

    def push_forward(self, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of the roots, Values or floats, for tangents of the leaves."""
        recording = self.recording
        program, consts = self._program()
        operands = [recording.operand(x) for x in tangents]
        fixed = [x if type(x) is Const else None for x in operands]
        both = jvp(program, range(len(self.leaves)), fixed, keep=True)
        free = [x for x in operands if type(x) is int]
        results = recording.tape.inline(both, [*map(recording.ref, self.leaves), *consts, *free])
        recording.written()
        self._rebind(results[: len(self.roots)])
        return [recording.result(x) for x in results[len(self.roots) :]]

    def _rebind(self, operands: Sequence[Operand]) -> None:
        recording = self.recording
        for root, operand in zip(self.roots, operands, strict=True):
            if type(root) is Recorded and root.recording is recording and type(operand) is int:
                if recording.data[operand] is None:
                    recording.data[operand] = recording.data[root.ref]
                root.ref = operand

    def _program(self) -> tuple[Program, list[int]]:
        if self._extracted is None:
            leaves = [self.recording.ref(leaf) for leaf in self.leaves]
            roots = [self.recording.ref(root) for root in self.roots]
            program, consts = self.recording.tape.extract(leaves, roots)
            self._extracted = roll(program), consts
        return self._extracted
