"""The program of a graph for a web page: JavaScript that computes its values and local derivatives anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.value import Value
from ..interpreters.javascript import JavaScriptWriter, text
from ..rows import Output

__all__ = ["program"]


def program(order: Sequence[Value], leaves: Sequence[Value]) -> str | None:
    """Return the function `(x, helpers) => [values, partials]` of a graph, or None if a browser cannot compute it.

    It cannot if a primitive is opaque, or if it needs a function such as Bessel's.
    `order` is the graph in topological order, x has the numbers of `leaves`. `values` are those of the nodes,
    `partials` the local derivatives of each node with respect to its parents, one node after another; null is one
    that is 0 by structure.

    >>> x = Value(2.0)
    >>> print(program([x, y := x * x, y + 3], [x]))
    (x, helpers) => {
    const _t0 = x[0] * x[0];
    const _t1 = _t0 + 3.0;
    return [[x[0], _t0, _t1], [x[0], x[0], 1.0]];
    }
    """
    m = JavaScriptWriter()
    values: dict[int, Any] = {id(leaf): m.name(f"x[{i}]") for i, leaf in enumerate(leaves)}
    partials: list[Any] = []
    for node in order:
        if node.primitive is None:
            values.setdefault(id(node), node.data)
            continue
        if not isinstance(node.primitive, Output) and node.primitive.opaque:
            return None
        args = [values[id(arg)] if isinstance(arg, Value) else arg for arg in node.args]
        try:
            values[id(node)], found = _written(node, m, args)
        except NotImplementedError:
            return None
        partials += [partial for partial, arg in zip(found, node.args, strict=True) if isinstance(arg, Value)]
    shown = [values[id(node)] for node in order]
    lines = m.lines([*shown, *partials])
    results = ", ".join(f"[{', '.join(map(text, part))}]" for part in (shown, partials))
    return "\n".join(["(x, helpers) => {", *lines, f"return [{results}];", "}"])


def _written(node: Value, m: Any, args: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """Return the operands that hold a node's value and its local derivatives with respect to all its arguments."""
    primitive: Any = node.primitive
    if isinstance(primitive, Output):
        outs = primitive.vector.forward(m, *args)
        return outs[primitive.index], primitive.derivatives(m, outs, args)
    out = primitive.forward(m, *args)
    return out, primitive.derivatives(m, out, args, [True] * len(args))
