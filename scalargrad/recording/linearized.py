"""Derivatives while a program is recorded: what was recorded so far is differentiated as a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.value import Value
from .derivatives import jvp, vjp
from .program import Const, Operand, Program
from .recorded import Recorded
from .roll import roll

if TYPE_CHECKING:
    from .recorder import Recording

__all__ = ["Linearized"]


class Linearized:
    """The derivative of some roots with respect to some leaves of a recording, to be swept either way.

    The part of the tape between them becomes a program; its derivative, which computes the roots as well, is written
    to the tape. The roots then stand for what that gives.
    """

    as_nodes = True

    def __init__(self, recording: Recording, leaves: Sequence[Value], roots: Sequence[Value]) -> None:
        self.recording = recording
        self.leaves = leaves
        self.roots = roots
        self._extracted: tuple[Program, list[int]] | None = None

    def pull_back(self, seeds: Sequence[Any]) -> list[Any]:
        """Return the adjoints of the leaves, Values or floats, for seeds of the roots."""
        return self._differentiated(
            seeds,
            lambda program, fixed: vjp(program, range(len(self.roots)), range(len(self.leaves)), fixed, keep=True),
        )

    def push_forward(self, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of the roots, Values or floats, for tangents of the leaves."""
        return self._differentiated(
            tangents, lambda program, fixed: jvp(program, range(len(self.leaves)), fixed, keep=True)
        )

    def _differentiated(
        self, given: Sequence[Any], derivative: Callable[[Program, list[Const | None]], Program]
    ) -> list[Any]:
        recording = self.recording
        program, consts = self._program()
        operands = [recording.operand(x) for x in given]
        fixed = [x if type(x) is Const else None for x in operands]
        both = derivative(program, fixed)
        free = [x for x in operands if type(x) is int]
        results = recording.tape.inline(both, [*map(recording.ref, self.leaves), *consts, *free])
        recording.written()
        for root, operand in zip(self.roots, results, strict=False):
            self._rebind(root, operand)
        return [recording.result(x) for x in results[len(self.roots) :]]

    def _rebind(self, root: Value, operand: Operand) -> None:
        recording = self.recording
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
