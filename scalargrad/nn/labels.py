"""The lectures' names of a network's nodes, such as z₁⁽²⁾ and w₁₂⁽¹⁾, as text."""

from __future__ import annotations

from typing import Any

from ..engine.value import Value
from ..interpreters.names import SUBSCRIPTS, SUPERSCRIPTS


def indexed(letter: str, *indices: int, layer: int | None = None) -> str:
    """Return a letter with its indices below and its layer in brackets above; a comma parts indices from 10 on.

    >>> indexed("w", 1, 2, layer=1), indexed("w", 10, 2), indexed("b")
    ('w₁₂⁽¹⁾', 'w₁₀,₂', 'b')
    """
    comma = "," if any(index > 9 for index in indices) else ""
    below = comma.join(str(index).translate(SUBSCRIPTS) for index in indices)
    above = "" if layer is None else f"⁽{str(layer).translate(SUPERSCRIPTS)}⁾"
    return f"{letter}{below}{above}"


def named(node: Any, label: str) -> Any:
    """Return the node, with that label unless it has one. A plain number passes unchanged."""
    if type(node) is Value and not node.label:
        node.label = label
    return node


def sized(layer: Any) -> str:
    """Return a layer's size and activation, as in "16 relu"."""
    name = getattr(getattr(layer, "activation", layer), "__name__", type(layer).__name__)
    sizes = dict.fromkeys(str(getattr(layer, size)) for size in ("nout", "width") if hasattr(layer, size))
    return f"{' '.join([*list(sizes)[:1], name])}{''.join(f' → {size}' for size in list(sizes)[1:])}"
