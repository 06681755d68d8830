"""A large program in pieces: the time that a compiler takes for one function grows faster than its length."""

from __future__ import annotations

from collections.abc import Sequence

from .llvm import COMPARISONS, Layout
from .lowering import Check, Operation

__all__ = ["Chunk", "cut", "plan"]

Chunk = list["Operation | Check"]

WHOLE = 3_000
"""The longest program that is one function."""
OPTIMIZED = 20_000
"""The longest one that is compiled with any optimization."""
PIECE = 500


def plan(length: int) -> tuple[int, int]:
    """The length of the pieces of a program, and LLVM's level of optimization for it."""
    if length <= WHOLE:
        return max(length, 1), 1
    return PIECE, 1 if length <= OPTIMIZED else 0


def cut(steps: Sequence[Operation | Check], piece: int) -> list[Chunk]:
    """The steps in pieces. A comparison is repeated in each piece that uses it: only numbers cross."""
    chunks: list[Chunk] = []
    comparisons: dict[int, Operation] = {}
    for start in range(0, len(steps), piece):
        chunk: Chunk = []
        local: set[int] = set()
        for step in steps[start : start + piece]:
            used = [step.condition] if isinstance(step, Check) else step.operands
            for x in used:
                if type(x) is int and x in comparisons and x not in local:
                    chunk.append(comparisons[x])
                    local.add(x)
            chunk.append(step)
            if isinstance(step, Operation):
                local.add(step.result)
                if step.name in COMPARISONS:
                    comparisons[step.result] = step
        chunks.append(chunk)
    return chunks or [[]]


def crossing(chunks: Sequence[Chunk], layout: Layout, later: Sequence[int]) -> list[dict[int, int]]:
    """For each chunk, the cells that others need after it, with their places; `later` ones are needed at the end."""
    last: dict[int, int] = dict.fromkeys(later, len(chunks))
    for index, chunk in enumerate(chunks):
        for step in chunk:
            for x in (step.condition,) if isinstance(step, Check) else step.operands:
                if type(x) is int:
                    last[x] = max(index, last.get(x, 0))
    return [
        {
            step.result: layout.place(step.result)
            for step in chunk
            if isinstance(step, Operation) and step.name not in COMPARISONS and last.get(step.result, 0) > index
        }
        for index, chunk in enumerate(chunks)
    ]
