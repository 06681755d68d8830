"""Misconceptions, one row each: the lecture's procedure with one step done wrong.

A wrong answer is computed from the graph by the same two passes as the right one, so no numbers are listed here. To add
a misconception, add one row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..engine.value import Value
from ..interpreters.names import MINUS
from ..rows import Output
from .graph import Edge, Graph, numbers
from .work import Misconception, Work, computed, slope

__all__ = ["MISCONCEPTIONS"]

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "elu", "silu", "gelu")


def _at(names: str | tuple[str, ...], value: Callable[[list[float]], float]) -> Callable[..., float | None]:
    """Return a wrong value for the nodes of these primitives, from their operands."""
    return lambda node, xs: value(xs) if node.primitive and node.primitive.name in names else None


def _on(
    names: str | tuple[str, ...], local: Callable[[Edge], float], position: int | None = None
) -> Callable[..., Any]:
    """Return a wrong local derivative for the edges into these primitives, or into one operand of them."""
    names = (names,) if isinstance(names, str) else names
    return lambda e, graph: local(e) if e.operation in names and position in (None, e.position) else None


def _in_degrees(node: Value, xs: list[float]) -> float | None:
    if node.primitive is None or node.primitive.name not in ("sin", "cos", "tan"):
        return None
    return computed(node, [math.radians(xs[0])])


def _without_minus(edge: Edge, graph: Graph) -> float | None:
    return -edge.local if edge.formula.text.startswith(MINUS) else None


def _at_zero(edge: Edge, graph: Graph) -> float | None:
    return 0.0 if edge.operation == "relu" and edge.parent.data == 0.0 else None


def _without_bias(xs: list[float]) -> float:
    half = len(xs) // 2
    return math.fsum(w * x for w, x in zip(xs[:half], xs[half:-1], strict=True))


def _at_the_output(edge: Edge, graph: Graph) -> float | None:
    operands = edge.operands
    operands[edge.position] = edge.child.data
    return slope(edge, edge.child.data, operands)


def _own_factor(edge: Edge, graph: Graph) -> float | None:
    is_factor = edge.operation == "mul" and len(edge.child.parents) == 2
    is_term = edge.operation in ("affine", "dot") and not _is_bias(edge)
    return edge.operands[edge.position] if is_factor or is_term else None


def _is_bias(edge: Edge) -> bool:
    return edge.operation == "affine" and edge.position == len(edge.operands) - 1


def _constant_factor(edge: Edge, graph: Graph) -> float | None:
    is_factor = edge.operation == "mul" or (edge.operation == "div" and edge.position == 0)
    return 1.0 if is_factor and len(edge.child.parents) == 1 else None


def _transposed(edge: Edge, graph: Graph) -> float | None:
    """Return the weight w_ji for w_ij, in a square layer: nodes with the same inputs, and as many as these."""
    half = len(edge.operands) // 2
    if edge.operation not in ("affine", "dot") or not half <= edge.position < 2 * half:
        return None

    def key(node: Value) -> Any:
        return node.primitive, [id(arg) for arg in node.args[half : 2 * half]], len(node.args)

    layer = [node for node in graph.nodes if key(node) == key(edge.child)]
    row, column = [node is edge.child for node in layer].index(True), edge.position - half
    return numbers(layer[column])[row] if len(layer) == half > 1 and row != column else None


def _off_the_diagonal(edge: Edge, graph: Graph) -> float | None:
    primitive = edge.child.primitive
    return 0.0 if isinstance(primitive, Output) and primitive.index != edge.position else None


def _repeated(edge: Edge, graph: Graph) -> float | None:
    earlier = [e for e in graph.edges_into(edge.child) if e.parent is edge.parent and e.position < edge.position]
    return 0.0 if earlier else None


def _depth_first(graph: Graph) -> list[Value]:
    order: dict[int, Value] = {}
    waiting = [graph.goal]
    while waiting:
        node = waiting.pop()
        if id(node) not in order:
            order[id(node)] = node
            waiting.extend(node.parents)
    return [*order.values()]


def _for(kinds: str, results: Callable[[Any, float], list[float]]) -> Callable[[Any, float], list[float]]:
    """Return wrong answers made of the right one, for these kinds of exercises."""
    return lambda exercise, answer: results(exercise, answer) if exercise.kind in kinds.split(", ") else []


def _next_adjoints(exercise: Any) -> list[float]:
    adjoints = Work().adjoints(exercise.graph)
    return [adjoints[id(edge.child)] for edge in exercise.graph.edges_from(exercise.node)]


DERIVATIVES = "local derivative, adjoint, missing line"
M = Misconception

# fmt: off
MISCONCEPTIONS: tuple[Misconception, ...] = (
    # The forward pass
    M("degrees", "The angle was taken in degrees. The lectures take radians: set the calculator to RAD.",
      value=_in_degrees),
    M("activation left out", "The activation is missing: first comes z, then y = f(z).",
      value=_at(ACTIVATIONS, lambda xs: xs[0])),
    M("bias left out", "The bias is missing: z = Σ wᵢxᵢ + b.", value=_at(("affine",), _without_bias)),
    M("power as product", "A power was computed as a product: x³ is x·x·x, not 3x.", value=_at(("pow",), math.prod)),
    M("logarithm to base 10", "The logarithm was taken to base 10. In the lectures log is ln, with the base e.",
      value=_at(("log",), lambda xs: math.log10(xs[0]))),
    # The local derivative on an edge
    M("minus lost", "A minus was lost: cos′ u = −sin u, and ∂(a − b)/∂b = −1.",
      value=_at(("sub", "neg"), math.fsum), local=_without_minus),
    M("input for output",
      "The derivative is written with the function's value, and the input was put in its place: (eˣ)′ is eˣ, not x; "
      "tanh′ z = 1 − y² has y = tanh z in it.", local=lambda e, graph: slope(e, e.parent.data, e.operands)),
    M("derivative at the output",
      "The derivative was taken at the function's value. It belongs at the input: for y = sin u it is cos u.",
      local=_at_the_output),
    M("exponential as power",
      "The power rule was used for an exponential. Here the exponent is the variable: (eˣ)′ = eˣ.",
      local=_on("exp", lambda e: e.operands[0] * math.exp(e.operands[0] - 1.0))),
    M("exponent kept", "The exponent was not reduced: (xⁿ)′ = n·xⁿ⁻¹.",
      local=_on("pow", lambda e: e.operands[1] * e.child.data, 0)),
    M("exponent not in front", "The exponent is missing in front: (xⁿ)′ = n·xⁿ⁻¹.",
      local=_on("pow", lambda e: e.local / (e.operands[1] or math.inf), 0)),
    M("own factor",
      "With respect to one factor, the derivative of a product is the other factor: ∂(a·b)/∂a = b. With respect to a "
      "weight it is the weight's input.", local=_own_factor),
    M("constant factor dropped", "A constant factor was dropped. It stays: (3t)′ = 3, and (½e²)′ = e.",
      local=_constant_factor),
    M("quotient not squared", "The denominator is squared in the derivative: ∂(a/b)/∂b = −a/b².",
      local=_on("div", lambda e: -e.child.data, 1)),
    M("relu flat at 0",
      "At z = 0 the lectures take the slope 1: f′(z) = 1 for z ≥ 0. (PyTorch and JAX take 0 there. Any number from 0 "
      "to 1 is a subgradient.)", local=_at_zero),
    M("activation's derivative left out", "The factor f′(z) of the activation is missing: ∂J/∂z = ∂J/∂y · f′(z).",
      local=_on(ACTIVATIONS, lambda e: 1.0)),
    M("softmax as diagonal",
      "Each output of a softmax depends on all its inputs: ∂yⱼ/∂zᵢ = yⱼ(δᵢⱼ − yᵢ) is not 0 for i ≠ j.",
      local=_off_the_diagonal),
    M("bias as constant", "The bias is a parameter, the weight of y₀ = 1: ∂z/∂b = 1, not 0.",
      local=lambda e, graph: 0.0 if _is_bias(e) else None),
    M("weights transposed",
      "The weights were taken from the transposed matrix. yᵢ gets a part from each zⱼ, over the weight that leads from "
      "i to j.", local=_transposed),
    M("mean not averaged",
      "A mean divides by the number T of its terms, and so does its derivative: 1/T for each term.",
      value=_at(("mean",), math.fsum), local=_on("mean", lambda e: 1.0)),
    M("max to all", "Only the largest argument of a max has the derivative 1. For all others it is 0.",
      local=_on(("max", "min"), lambda e: 1.0)),
    # The product along a path, and the sum over the paths
    M("path forgotten",
      "A node influences the goal along several paths, and one is missing. Follow each edge that leaves it.",
      local=lambda e, graph: 0.0 if len(graph.edges_from(e.parent)) > 1 else None, single=True),
    M("used twice, counted once", "One operation uses a node twice, so it counts twice: a·a has two edges from a.",
      local=_repeated),
    M("= for +=",
      "The last contribution replaced the earlier ones, as `=` does. The lecture writes `+=`: they add up.",
      total=lambda before, amount: amount),
    M("factor from above left out",
      "The local derivative is one factor. The other is the derivative that comes from above: ∂J/∂t = ∂J/∂u · ∂u/∂t.",
      contribution=lambda adjoint, local: local),
    M("added along the path", "Along a path the derivatives are multiplied. Only the paths are added up.",
      contribution=lambda adjoint, local: adjoint + local),
    M("wrong order",
      "A node passed its derivative on before all its contributions had arrived. Go in reverse topological order.",
      order=_depth_first),
    M("one node early",
      "That is the derivative with respect to the next node. The last factor of the chain is missing.",
      result=_for("adjoint", lambda exercise, answer: _next_adjoints(exercise))),
    # The answer as a whole
    M("sum for contribution", "That is the sum so far. The line asks for what this edge alone contributes.",
      result=_for("missing line", lambda exercise, answer: [exercise.line.now])),
    M("whole chain for one edge",
      "That goes on to the goal. One edge is asked for: how its end changes with its beginning.",
      result=_for("local derivative", lambda exercise, answer: [exercise.line.amount])),
    M("backward twice",
      "That is twice the derivative: a second `backward()` without `zero_grad()` adds to the first.",
      result=_for("adjoint", lambda exercise, answer: [2.0 * answer])),
    M("value for derivative", "That is the node's value, from the forward pass. The derivative is asked for.",
      result=_for(DERIVATIVES, lambda exercise, answer: [exercise.node.data]), general=True),
    M("sign", "The size is right and the sign is not.",
      result=_for(DERIVATIVES, lambda exercise, answer: [-answer]), general=True),
    M("upside down", "That is the fraction upside down: how much the input changes for a change of the output.",
      result=_for(DERIVATIVES, lambda exercise, answer: [1.0 / (answer or math.inf)]), general=True),
    # Training
    M("no zero_grad",
      "Gradients add up until they are set to 0. Without `zero_grad()` those of earlier steps are still in the sum.",
      train={"keep": True}),
    M("uphill", "The step goes uphill. Downhill is w ← w − η·∂J/∂w, with a minus.",
      train={"update": lambda w, gradient, rate: w + rate * gradient}),
    M("learning rate left out", "The learning rate is missing: w ← w − η·∂J/∂w.",
      train={"update": lambda w, gradient, rate: w - gradient}),
    M("change for weight", "That is the change −η·∂J/∂w. Add it to the weight.",
      result=_for("training step", lambda exercise, answer: [answer - exercise.start])),
    M("old gradient",
      "The second step used the gradient of the first. Each step takes the gradient at its own weights.",
      train={"stale": True}),
    M("new weight in the gradient",
      "A gradient was taken after another weight had moved. All weights move together, by gradients at the old ones.",
      train={"together": False}),
)
# fmt: on
"""The misconceptions that a checker knows, the special ones first."""
