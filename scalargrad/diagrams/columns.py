"""The boxes and columns of a network's picture.

`dot` doesn't keep the order of neurons within a layer, so `network` computes the positions from these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

from ..engine.value import Value
from ..interpreters.names import SUBSCRIPTS, SUPERSCRIPTS
from ..interpreters.names import digits as written
from .layers import Layer
from .style import Attributes, Look, Size

__all__ = ["PLAIN", "WIDEST", "WITH_NUMBERS", "Box", "Column", "boxes_of", "shown_number"]

WIDEST = 6
FIRST = 4


@dataclass(frozen=True)
class Measures:
    """Distances in points: of units in a column, of columns and of boxes, and the room in a box."""

    pitch: float = 60.0
    radius: float = 22.0
    within: float = 104.0
    between: float = 112.0
    margin: float = 18.0
    title: float = 38.0
    note: float = 22.0
    room: float = 18.0

    def scaled(self, size: Size) -> Measures:
        """Return the distances for larger texts."""
        share = size.small / 11.0
        return Measures(*(getattr(self, field.name) * share for field in fields(self)))


PLAIN = Measures()
WITH_NUMBERS = Measures(pitch=88.0, radius=26.0, within=118.0, between=84.0)


@dataclass
class Column:
    """Units of one kind, one below the other. `layer` is 0 for the inputs."""

    letter: str
    layer: int
    count: int
    colors: Attributes
    shown: list[int]  # the index of the unit in each row; -1 for the dots
    dead: frozenset[int] = frozenset()
    x: float = 0.0

    def units(self) -> Iterator[tuple[int, int]]:
        """Yield the units that are drawn, and their rows."""
        return ((unit, row) for row, unit in enumerate(self.shown) if unit >= 0)

    def name(self, unit: int) -> str:
        """Return the name of a unit within the DOT text."""
        return f"{self.letter}{self.layer}_{unit}" if self.layer else f"{self.letter}{unit}"

    def label(self, unit: int, has_index: bool = False) -> str:
        """Return the name of a unit as the lectures write it: z₁⁽²⁾. A single one has no index by default."""
        below = "" if self.count == 1 and not has_index else str(unit + 1).translate(SUBSCRIPTS)
        above = f"({self.layer})".translate(SUPERSCRIPTS) if self.layer else ""
        return f"{self.letter}{below}{above}"


@dataclass
class Box:
    """A layer, or the inputs: its columns from left to right, and what is written above and below them."""

    title: str
    note: str
    columns: list[Column]
    layer: Layer | None = None
    left: float = 0.0
    width: float = 0.0
    within: float = 0.0


def boxes_of(layers: Sequence[Layer], widest: int | None, show: str | None, look: Look, digits: int) -> list[Box]:
    palette = look.palette
    boxes = [Box(f"input ({layers[0].nin})", "", [_column("x", 0, layers[0].nin, palette.input, widest)])]
    for number, layer in enumerate(layers, 1):
        dead = layer.dead() if show == "gradients" else frozenset()
        colors = palette.output if layer is layers[-1] else palette.activation
        lost = dead if layer.elementwise and layer.width == layer.nout else frozenset()
        columns = [_column("y", number, layer.width, colors, widest, lost)]
        if layer.affine:
            columns.insert(0, _column("z", number, layer.nout, palette.intermediate, widest, dead))
        title = f"layer {number}: {layer.activation} ({layer.sizes})"
        boxes.append(Box(title, _note(layer, show, dead, digits), columns, layer))
    return boxes


def _column(
    letter: str, layer: int, count: int, colors: Attributes, widest: int | None, dead: frozenset[int] = frozenset()
) -> Column:
    collapsed = widest is not None and count > max(widest, FIRST + 1)
    shown = [*range(FIRST), -1, count - 1] if collapsed else list(range(count))
    return Column(letter, layer, count, colors, shown, dead)


def _note(layer: Layer, show: str | None, dead: frozenset[int], digits: int) -> str:
    if show not in ("weights", "gradients"):
        return ""
    sizes = [abs(shown_number(show)(weight)) for row in layer.weights for weight in row]
    lost = f", {len(dead)} of {layer.nout} dead" if dead else ""
    return f"mean {written(sum(sizes) / len(sizes), digits)}, largest {written(max(sizes), digits)}{lost}"


def shown_number(show: str) -> Callable[[Value], float]:
    return (lambda weight: weight.data) if show == "weights" else (lambda weight: weight.grad)
