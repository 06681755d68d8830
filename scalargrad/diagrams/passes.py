"""A network's two passes for one input and its target, unit by unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..engine.graph import adjoints, explored, topological_order
from ..engine.value import Value
from ..primitives import sum as total
from .current import same
from .layers import Layer
from .paths import MAX_PATHS, Path, Paths

__all__ = ["Passes", "quadratic"]


def quadratic(ys: Sequence[Any], ds: Sequence[float]) -> Any:
    """Return ½Σ(y − d)², the divergence of the lectures' worked example. Source: EE514, "Learning".

    >>> quadratic([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    return 0.5 * total([(y - d) ** 2 for y, d in zip(ys, ds, strict=True)])


Unit = str
"""The name of a unit in the DOT text: x0, z1_0, y1_0, …, or Div."""


class Passes:
    """The values z and y of all layers for inputs x, and, given a target d, Div and its derivatives.

    Raises `ValueError` for other numbers of inputs or targets, and if the model computes something else than its layers
    one after the other.
    """

    def __init__(
        self,
        who: str,
        model: Any,
        layers: Sequence[Layer],
        x: Sequence[Any],
        d: Sequence[Any] | None,
        loss: Callable[..., Any],
    ) -> None:
        if len(x) != layers[0].nin:
            raise ValueError(f"{who}: x has {len(x)} numbers; give {layers[0].nin}, one for each input")
        self.layers = layers
        self.inputs = [number if isinstance(number, Value) else Value(number) for number in x]
        self.nodes: dict[Unit, Value] = {f"x{i}": node for i, node in enumerate(self.inputs)}
        values: list[Any] = list(self.inputs)
        for k, layer in enumerate(layers, 1):
            zs, values = layer.run(values)
            self.nodes |= {f"z{k}_{j}": z for j, z in enumerate(zs)} | {f"y{k}_{j}": y for j, y in enumerate(values)}
        given = model(self.inputs)
        outputs = [given] if isinstance(given, Value) else list(given)
        if len(outputs) != len(values) or not all(
            same(y.data, own.data) for y, own in zip(outputs, values, strict=True)
        ):
            raise ValueError(f"{who}: the model does more than its layers one after the other; use derivative_diagram")
        self.targets: list[float] = []
        self.div: Value | None = None
        self._adjoints: Mapping[int, float] = {}
        if d is not None:
            targets: Any = d if hasattr(d, "__len__") else [d]
            self.targets = [float(target.data if isinstance(target, Value) else target) for target in targets]
            if len(self.targets) != len(values):
                raise ValueError(f"{who}: d has {len(self.targets)} numbers; give {len(values)}, one for each output")
            self.div = self.nodes["Div"] = loss(values, self.targets)
            self._adjoints = adjoints(topological_order(self.div), [self.div], [1.0])

    def value(self, unit: Unit) -> float:
        """Return the value of a unit in the forward pass."""
        return self.nodes[unit].data

    def derivative(self, unit: Unit) -> float | None:
        """Return ∂Div/∂z or ∂Div/∂y of a unit; None without a target."""
        return self._adjoints.get(id(self.nodes[unit]), 0.0) if self.div is not None else None

    def local(self, source: Unit, target: Unit) -> float:
        """Return the local derivative of a unit with respect to one just before it."""
        start, end = self.nodes[source], self.nodes[target]
        if target == "Div":
            return self._adjoints.get(id(start), 0.0)
        order = explored([end], start.serial)[0]
        return adjoints(order, [end], [1.0]).get(id(start), 0.0)

    def paths(self, who: str, weight: Value) -> Paths:
        """Return the ways from a weight or bias to Div through the units. Raises `ValueError` for another Value."""
        place = self._place(weight)
        if place is None or self.div is None:
            raise ValueError(f"{who}: highlight needs x, d and a weight or bias of the model, got {weight!r}")
        k, j, factor = place
        count = self._count(f"z{k}_{j}")
        if count > MAX_PATHS:
            raise ValueError(
                f"{who}: {count} ways lead from {weight.label or 'the weight'} to Div, more than {MAX_PATHS}; "
                "highlight a weight of a later layer, or one way"
            )
        open_ways: list[tuple[list[Unit], list[float]]] = [([f"z{k}_{j}"], [factor])]
        found = []
        while open_ways:
            way, factors = open_ways.pop()
            if way[-1] == "Div":
                nodes = weight, *(self.nodes[unit] for unit in way)
                found.append(Path(nodes, (weight.label or "w", *way), tuple(factors)))
            for unit in reversed(self._after(way[-1])):
                open_ways.append(([*way, unit], [*factors, self.local(way[-1], unit)]))
        return Paths(self.div, weight, found, ("Div", weight.label or "w"))

    def _after(self, unit: Unit) -> list[Unit]:
        """Return the units that a unit influences directly."""
        if unit == "Div":
            return []
        kind, k, j = unit[0], *map(int, unit[1:].split("_"))
        if kind == "y" and k == len(self.layers):
            return ["Div"]
        k += kind == "y"
        layer = self.layers[k - 1]
        if kind == "y" and layer.affine:
            return [f"z{k}_{i}" for i in range(layer.nout)]
        return [f"y{k}_{row}" for row, column in sorted(layer.pattern) if column == j]

    def _count(self, start: Unit) -> int:
        """Return the number of ways from a unit to Div."""
        ways = {start: 1}
        while list(ways) != ["Div"]:
            following: dict[Unit, int] = {}
            for unit, count in ways.items():
                for after in self._after(unit):
                    following[after] = following.get(after, 0) + count
            if not following:  # an activation that depends on no z
                return 0
            ways = following
        return ways["Div"]

    def _place(self, weight: Value) -> tuple[int, int, float] | None:
        """Return the layer and unit that a weight or bias belongs to, and its local derivative."""
        for k, layer in enumerate(self.layers, 1):
            for j, row in enumerate(layer.weights if layer.affine else []):
                for i, own in enumerate(row):
                    if own is weight:
                        return k, j, self.value(f"x{i}" if k == 1 else f"y{k - 1}_{i}")
                if layer.biases[j] is weight:
                    return k, j, 1.0
        return None
