"""A large program in pieces: the time that a compiler takes for one function grows faster than its length."""

from __future__ import annotations

from collections.abc import Sequence

from .llvm import COMPARISONS, Layout
from .lowering import Check, Code, Operation
from .program import Operand

__all__ = ["Chunk", "cut", "ends", "plan"]

Chunk = list["Operation | Check"]

WHOLE = 3_000
"""The longest program that is one function."""
OPTIMIZED = 20_000
"""The longest one that is compiled with any optimization."""
PIECE = 500


def plan(code: Code) -> tuple[int, int]:
    """The length of the pieces of a program, and LLVM's level of optimization for it."""
    length = len(code.steps)
    if length + 2 * (code.inputs + len(code.outputs)) <= WHOLE:  # each is a load or a store
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


def ends(
    chunks: Sequence[Chunk], layout: Layout, outputs: Sequence[Operand], later: Sequence[int]
) -> tuple[list[dict[int, list[int]]], dict[int, Operand]]:
    """For each chunk the places of the cells that are wanted after it; and the outputs that none computes.

    The `later` ones are wanted at the end.
    """
    last: dict[int, int] = dict.fromkeys(later, len(chunks))
    for index, chunk in enumerate(chunks):
        for step in chunk:
            for x in (step.condition,) if isinstance(step, Check) else step.operands:
                if type(x) is int:
                    last[x] = max(index, last.get(x, 0))
    rest = {layout.inputs + k: output for k, output in enumerate(outputs)}
    places: dict[int, list[int]] = {}
    for place, output in rest.items():
        if type(output) is int:
            places.setdefault(output, []).append(place)
    found: list[dict[int, list[int]]] = []
    for index, chunk in enumerate(chunks):
        found.append({})
        for step in chunk:
            if isinstance(step, Operation) and step.name not in COMPARISONS:
                wanted = places.get(step.result, [])
                if last.get(step.result, 0) > index:
                    wanted = [*wanted, layout.place(step.result)]
                if wanted:
                    found[index][step.result] = wanted
                for place in places.get(step.result, []):
                    rest.pop(place, None)
    return found, rest
