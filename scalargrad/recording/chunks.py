"""A large program in pieces: the time that a compiler takes for one function grows faster than its length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .llvm import COMPARISONS, Writer
from .lowering import Check, Code, Operation

__all__ = ["Chunk", "cut", "plan", "written"]

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


def written(writer: Writer, chunks: list[Chunk], code: Code, later: Sequence[int]) -> Iterator[str]:
    """The functions of the chunks, `chunk0`, `chunk1`, …, one after the other; the list is emptied on the way.

    A cell that a later chunk reads has a place until the last one that does; the `later` ones keep theirs.
    """
    layout = writer.layout
    end = len(chunks)
    last = [0] * code.size
    for index, chunk in enumerate(chunks):
        for step in chunk:
            for x in (step.condition,) if isinstance(step, Check) else step.operands:
                if type(x) is int:
                    last[x] = index
    for x in later:
        last[x] = end
    rest = {layout.inputs + k: output for k, output in enumerate(code.outputs)}
    outputs: dict[int, list[int]] = {}
    for place, output in rest.items():
        if type(output) is int:
            outputs.setdefault(output, []).append(place)
    expiring: list[list[int]] = [[] for _ in range(end + 1)]
    for index in range(end):
        places: dict[int, list[int]] = {}
        for step in chunks[index]:
            if isinstance(step, Operation) and step.name not in COMPARISONS:
                cell = step.result
                if cell in outputs:
                    places[cell] = outputs[cell]
                    layout.places[cell] = outputs[cell][0]
                    for place in outputs[cell]:
                        del rest[place]
                elif last[cell] > index:
                    places[cell] = [layout.place(cell)]
                    expiring[last[cell]].append(cell)
        yield writer.chunk(f"chunk{index}", chunks[index], places, rest if index == end - 1 else {})
        chunks[index] = []
        if index + 1 < end:
            for cell in expiring[index]:
                layout.release(cell)
