"""The scratch array of native code, and what stands where in it."""

from __future__ import annotations

from .lowering import Code

__all__ = ["Layout"]


class Layout:
    """Where the cells of a code stand in its scratch array: inputs, outputs, and what crosses the chunks."""

    def __init__(self, code: Code) -> None:
        self.inputs = code.inputs
        self.outputs = len(code.outputs)
        self.size = self.inputs + self.outputs
        self.places: dict[int, int] = {i: i for i in range(code.inputs)}
        self.free: list[int] = []

    def place(self, cell: int) -> int:
        """A place for a cell that outlives its chunk."""
        self.places[cell] = self.free.pop() if self.free else self.reserve(1)
        return self.places[cell]

    def row(self, cell: int, count: int) -> None:
        """Places one after the other for so many cells from that one on."""
        start = self.reserve(count)
        self.places |= {cell + i: start + i for i in range(count)}

    def release(self, cell: int) -> None:
        """The cell is not needed any more, and another may have its place."""
        self.free.append(self.places.pop(cell))

    def reserve(self, count: int) -> int:
        """The first of so many further places."""
        self.size += count
        return self.size - count
