"""Fold a graph for a page: parameters into their units, units into layers, and turns of a loop that repeat."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..engine.value import Value

__all__ = ["Folded", "fold"]

CROWDED = 24
LONGEST_TURN = 60
FEWEST_TURNS = 5
WIDEST_LAYER = 8
LOWER = re.compile("[₀-₉]+(?:,[₀-₉]+)*")


@dataclass
class Folded:
    """The parts of a graph that a page shows together: parameters in their units, boxes that are shared, stages.

    `kind` is `"layers"`, `"turns"` or empty. `parameters` holds the `id` of each leaf that is part of a unit, `boxes`
    the place in `texts` of each node that shares a box, and `stages` the name of the stage that a node belongs to.
    """

    kind: str = ""
    parameters: set[int] = field(default_factory=set)
    boxes: dict[int, int] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    stages: dict[int, str] = field(default_factory=dict)

    def is_drawn(self, node: Value) -> bool:
        """Return whether a node has a box of its own."""
        return id(node) not in self.parameters and id(node) not in self.boxes

    def share_box(self, nodes: Sequence[Value], text: str) -> None:
        """Draw some nodes as one box with that text."""
        self.boxes |= dict.fromkeys(map(id, nodes), len(self.texts))
        self.texts.append(text)


def fold(order: Sequence[Value], names: Mapping[int, str], by_layer: bool | None) -> Folded:
    """Return how to show a graph; nothing is folded if `by_layer` is False, and small graphs only if it is True."""
    folded = Folded()
    if by_layer is False or (by_layer is None and len(order) <= CROWDED):
        return folded
    folded.parameters = _parameters(order)
    folded.stages = _stages(order, names, folded.parameters)
    if folded.stages:
        folded.kind = "layers"
        _fold_wide_layers(order, folded)
    else:
        folded.parameters = set() if by_layer is None else folded.parameters
        _fold_turns(order, folded)
    return folded


def _fold_wide_layers(order: Sequence[Value], folded: Folded) -> None:
    """Draw a stage of more units than a row has room for as one box."""
    units: dict[str, list[Value]] = {}
    for node in order:
        if id(node) not in folded.parameters:
            units.setdefault(folded.stages[id(node)], []).append(node)
    for stage, nodes in units.items():
        if len(nodes) > WIDEST_LAYER:
            folded.share_box(nodes, f"{len(nodes)} {stage}" if stage == "inputs" else f"{stage}: {len(nodes)} units")


def _parameters(order: Sequence[Value]) -> set[int]:
    """Return the leaves that are only weights and biases: of affine combinations, and first factors of dots."""
    weights: set[int] = set()
    others: set[int] = set()
    for node in order:
        name = node.primitive.name if node.primitive else ""
        half = len(node.args) // 2
        for place, arg in enumerate(node.args):
            if isinstance(arg, Value):
                is_weight = place < half or (name == "affine" and place == len(node.args) - 1)
                (weights if name in ("affine", "dot") and is_weight else others).add(id(arg))
    return {id(node) for node in order if node.primitive is None and id(node) in weights - others}


def _stages(order: Sequence[Value], names: Mapping[int, str], parameters: set[int]) -> dict[int, str]:
    """Return the stage of each node: units whose names differ in lower indices alone, such as z₁⁽²⁾ and z₂⁽²⁾.

    Nodes without a label share a stage if the same is done to nodes of the same stages. It is empty if no two nodes
    share a stage, or if a stage depends on itself.
    """
    keys: dict[int, str] = {}
    alike: dict[tuple[str, ...], str] = {}
    for node in order:
        if id(node) in parameters:
            keys[id(node)] = "parameters"
        elif node.primitive is None:
            keys[id(node)] = "inputs"
        elif node.label:
            keys[id(node)] = LOWER.sub("", names[id(node)])
        else:
            done = (node.primitive.name, *[keys[id(parent)] for parent in node.parents])
            keys[id(node)] = alike.setdefault(done, f"step {len(alike)}")
    members: dict[str, list[Value]] = {}
    for node in order:
        members.setdefault(keys[id(node)], []).append(node)
    computed = {key: nodes for key, nodes in members.items() if nodes[0].primitive}
    place = {id(node): i for i, node in enumerate(order)}
    last = {key: place[id(nodes[-1])] for key, nodes in members.items()}
    is_ordered = all(last[keys[id(p)]] < last[keys[id(node)]] for node in order for p in node.parents)
    if not is_ordered or all(len(nodes) == 1 for nodes in computed.values()):
        return {}
    for nodes in computed.values():
        if not nodes[0].label:
            first_and_last = dict.fromkeys([names[id(nodes[0])], names[id(nodes[-1])]])
            keys |= dict.fromkeys([id(node) for node in nodes], " to ".join(first_and_last))
    return keys


def _fold_turns(order: Sequence[Value], folded: Folded) -> None:
    """Fold the turns of the longest loop in the graph, but the first and the last."""
    steps = [node for node in order if node.primitive]
    at = {id(node): place for place, node in enumerate(steps)}
    signs = [
        (
            node.primitive.name if node.primitive else "",
            *(at[id(node)] - at[id(arg)] if id(arg) in at else "leaf" for arg in node.args if isinstance(arg, Value)),
        )
        for node in steps
    ]
    best = (0, 0, 1)  # how many nodes repeat, from where, the length of a turn
    for length in range(1, min(LONGEST_TURN, len(steps) // FEWEST_TURNS) + 1):
        run = 0
        for place in range(length, len(steps)):
            run = run + 1 if signs[place] == signs[place - length] else 0
            if run + length > best[0] and run + length >= FEWEST_TURNS * length:
                best = (run + length, place - run - length + 1, length)
    count, start, length = best
    if not count:
        return
    turns = count // length
    hidden = steps[start + length : start + (turns - 1) * length]
    is_hidden = {id(node) for node in hidden}
    readers: dict[int, set[bool]] = {}
    for node in order:
        for parent in node.parents:
            readers.setdefault(id(parent), set()).add(id(node) in is_hidden)
    leaves = [node for node in order if not node.primitive and readers.get(id(node)) == {True}]
    folded.kind = "turns"
    folded.share_box([*leaves, *hidden], f"{turns - 2} turns alike")
    folded.stages = {id(node): "the folded turns" if id(node) in is_hidden else str(i) for i, node in enumerate(steps)}
