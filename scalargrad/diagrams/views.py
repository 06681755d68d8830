"""The views of a graph: influence, derivative and operations diagrams."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from typing import Any

from ..engine.value import Value
from ..interpreters.notation import Term, term
from ..rows import Output
from . import style
from .diagram import Diagram
from .naming import call_of, given
from .nonfinite import Nonfinite, nonfinite_sources
from .picture import MAX_NODES, Picture
from .style import Attributes
from .vectors import grouped

__all__ = ["derivative_diagram", "influence_diagram", "operations_diagram"]

OPERATORS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "neg": "−", "pow": "^", "mod": "%", "floordiv": "//"}
SHOWN = ("formula", "number")


def influence_diagram(
    goal: Value,
    *,
    merge: bool = False,
    max_nodes: int | None = MAX_NODES,
    depth: int | None = None,
    around: Value | None = None,
    rankdir: str | None = None,
    by_layer: bool = False,
    size: str = "screen",
    palette: str = "light",
    highlight: Any = None,
) -> Diagram:
    """Return the picture of who influences whom: a circle for each variable, an arrow to what is computed from it.

    `merge` joins equal sub-expressions. `depth` draws only the last steps; `around` draws a node with its operands and
    what it feeds, and writes the derivative as the sum over these. `rankdir` is `"LR"` or `"TB"` (by default `"LR"` up
    to six ranks). `by_layer` draws the units of a network's layer as one vector: nodes whose labels differ in their
    lower indices alone, such as z₁⁽²⁾ and z₂⁽²⁾ or the leaves x₁ and x₂. `size` is `"screen"`, `"slide"` (1280 × 720),
    `"phone"` or `"print"` (a column of text), `palette` is `"light"`, `"dark"` or `"grey"`. `highlight` is a
    Value, whose ways to the goal are drawn bold, or some of them, as `sg.paths` returns them.

    Raises `TypeError` for anything but a Value, `ValueError` past `max_nodes`, for bad options, and for `depth` with
    `by_layer`. Source: 11-785, "Introducing the influence diagram".

    >>> x = Value(1.0, label="x")
    >>> influence_diagram(x * x + 1)
    <Diagram of 2 edges; .svg(), .png(), .save(path), .source>
    """
    options: dict[str, Any] = {"merge": merge, "depth": depth, "rankdir": rankdir, "size": size, "palette": palette}
    cap = None if by_layer else max_nodes
    picture = Picture("influence_diagram", goal, max_nodes=cap, around=around, highlight=highlight, **options)
    if by_layer:
        return grouped(picture, max_nodes)
    for node in picture.nodes:
        text = picture.names[node].text
        look = {**style.round_shape(text), **picture.colors(node), **_marked(picture, picture.on_path(node))}
        picture.node(picture.ids[id(node)], style.plain_label(text), _influences(picture, node), width="0.6", **look)
    for node in picture.nodes:
        for parent in {id(parent): parent for parent, _ in picture.parents(node)}.values():
            one, other = picture.names[parent].text, picture.names[node].text
            mark = _marked(picture, picture.on_path(parent, node))
            picture.edge(picture.ids[id(parent)], picture.ids[id(node)], "", f"{one} influences {other}", **mark)
    return picture.diagram(f"Influence diagram of {picture.names[picture.goal].text}")


def _influences(picture: Picture, node: Value) -> str:
    parents = dict.fromkeys(picture.names[parent].text for parent in node.parents)
    name = picture.names[node].text
    return f"{name} is influenced by {', '.join(parents)}" if parents else f"{name} is an input"


def _marked(picture: Picture, is_marked: bool) -> Attributes:
    return picture.look.palette.marked if is_marked else {}


def derivative_diagram(
    goal: Value,
    *,
    merge: bool = False,
    max_nodes: int | None = MAX_NODES,
    depth: int | None = None,
    around: Value | None = None,
    rankdir: str | None = None,
    by_layer: bool = False,
    digits: int = 4,
    show: str | Collection[str] = SHOWN,
    size: str = "screen",
    palette: str = "light",
    highlight: Any = None,
) -> Diagram:
    """Return the picture in which each edge carries its local derivative, as a formula and as a number.

    A node shows its equation, its value and, after `backward()`, its gradient. A node that another uses twice has one
    edge to it, with the derivative by both uses: 2x for x·x. Where a value or gradient becomes nan or infinite, the
    node says so, and wide lines lead from it to the goal (not with `by_layer`). A leaf whose data was assigned after
    the forward pass says so too.

    `digits` is the number of decimals; `show` has `"formula"`, `"number"` or both. `highlight` writes the product along
    each way, and their sum, below the picture. The other options and the errors are those of `influence_diagram`.
    Source: 11-785, "The derivative graph: the edge carries the derivative".

    >>> x = Value(1.0, label="x")
    >>> derivative_diagram(x * x + 1)
    <Diagram of 2 edges; .svg(), .png(), .save(path), .source>
    """
    options: dict[str, Any] = {
        "merge": merge,
        "depth": depth,
        "rankdir": rankdir,
        "digits": digits,
        "size": size,
        "palette": palette,
    }
    cap = None if by_layer else max_nodes
    shown = _shown("derivative_diagram", show)
    picture = Picture("derivative_diagram", goal, max_nodes=cap, around=around, highlight=highlight, **options)
    if by_layer:
        return grouped(picture, max_nodes)
    sources = list(nonfinite_sources(picture.goal))
    _draw_nodes(picture, shown, sources)
    marked = {(id(one), id(other)) for source in sources for one, other in itertools.pairwise(source.path)}
    for node in picture.nodes:
        for parent, _, formula, number in picture.names.edges(node):
            if id(parent) not in picture.cut:
                is_marked = (id(parent), id(node)) in marked or picture.on_path(parent, node)
                _draw_edge(picture, parent, node, formula, number, shown, is_marked)
    name = picture.names[picture.goal].text
    return picture.diagram(f"Derivative diagram of {name}: each edge carries its local derivative")


def _shown(who: str, show: str | Collection[str]) -> set[str]:
    shown = {show} if isinstance(show, str) else set(show)
    if not shown or not shown <= set(SHOWN):
        raise ValueError(f"{who}: show is {show!r}; give 'formula', 'number' or both")
    return shown


def _draw_nodes(picture: Picture, shown: Collection[str], sources: Sequence[Nonfinite]) -> None:
    palette, size = picture.look.palette, picture.look.size
    beginnings: dict[int, list[str]] = {}
    for source in sources:
        beginnings.setdefault(id(source.node), []).append(f"a nan or ∞ of the {source.kind} begins here")
    notes = picture.notes()
    for node in picture.nodes:
        name, formula = picture.names[node].text, picture.names.equation(node)
        equation = f"{name} = {formula.text}" if formula and "formula" in shown else name
        picture.explain_bracket(equation)
        lines = [(equation, palette.ink, size.name)]
        if "number" in shown:
            lines += [(picture.number(node.data), palette.value, size.name)]
            lines += [(picture.gradient(node), palette.derivative, size.small)]
        begins = beginnings.get(id(node), [])
        note = [notes[id(node)]] if id(node) in notes else []
        lines += [(text, palette.ink, size.small) for text in begins + note]
        look = {**picture.colors(node), **_marked(picture, bool(begins) or picture.on_path(node))}
        title = f"{equation}: its value is {picture.number(node.data)}, {picture.gradient(node)}"
        picture.node(picture.ids[id(node)], picture.look.stacked(lines), title, **picture.look.box, **look)


def _draw_edge(
    picture: Picture,
    parent: Value,
    node: Value,
    formula: Term,
    number: float,
    shown: Collection[str],
    is_marked: bool,
) -> None:
    one, other = picture.names[parent].text, picture.names[node].text
    texts = _edge_texts(picture, f"∂{other}/∂{one}", formula, number, shown)
    value = "" if formula.number is not None else f" = {picture.number(number)}"
    title = f"{one} influences {other}: the local derivative ∂{other}/∂{one} = {formula.text}{value}"
    ends = picture.ids[id(parent)], picture.ids[id(node)]
    picture.edge(*ends, picture.look.plate(*texts), title, **_marked(picture, is_marked))


def _edge_texts(picture: Picture, derivative: str, formula: Term, number: float, shown: Collection[str]) -> list[str]:
    if "formula" in shown:
        picture.explain_bracket(formula.text)
    left = "" if picture.look.size.fills else f"{derivative} = "
    if "formula" not in shown or formula.number is not None:
        return [f"{left}{formula.text if formula.number is not None else picture.number(number)}"]
    return [f"{left}{formula.text}", *([f"= {picture.number(number)}"] if "number" in shown else [])]


def operations_diagram(
    goal: Value,
    *,
    merge: bool = False,
    max_nodes: int | None = MAX_NODES,
    depth: int | None = None,
    rankdir: str | None = None,
    digits: int = 4,
    size: str = "screen",
    palette: str = "light",
) -> Diagram:
    """Return the picture in micrograd's style: records of name, data and grad, and circles for the operations.

    The options and errors are those of `derivative_diagram`. Constants are drawn as records too.

    >>> x = Value(1.0, label="x")
    >>> operations_diagram(x * x + 1)
    <Diagram of 6 edges; .svg(), .png(), .save(path), .source>
    """
    options: dict[str, Any] = {
        "merge": merge,
        "depth": depth,
        "rankdir": rankdir,
        "digits": digits,
        "size": size,
        "palette": palette,
    }
    picture = Picture("operations_diagram", goal, max_nodes=max_nodes, **options)
    for node in picture.nodes:
        is_known = picture.is_swept(node) or picture.is_set_by_hand(node)
        gradient = f"grad {picture.number(node.grad) if is_known else 'not computed'}"
        name = picture.names[node].text
        cells = [name, picture.number(node.data), gradient]
        _record(picture, picture.ids[id(node)], cells, f"{name} is {cells[1]}; {gradient}", picture.colors(node))
    drawn: dict[Any, str] = {}
    for node in picture.nodes:
        if node.primitive is None or not picture.parents(node):
            continue
        index = node.primitive.index + 1 if isinstance(node.primitive, Output) else ""
        call = call_of(node) if index else id(node)
        if call not in drawn:
            drawn[call] = _operation(picture, node)
        operation, name = node.primitive.name, picture.names[node].text
        picture.edge(drawn[call], picture.ids[id(node)], str(index), f"{operation} gives {name}")
    return picture.diagram(f"Operations diagram of {picture.names[picture.goal].text}")


def _record(picture: Picture, name: str, cells: Sequence[str], title: str, colors: Attributes) -> None:
    row = "".join(f'<td border="1">{style.escape(cell)}</td>' for cell in cells)
    frame = f'border="0" cellborder="1" cellspacing="0" cellpadding="7" color="{colors["color"]}"'
    table = f'<table {frame} bgcolor="{colors["fillcolor"]}"><tr>{row}</tr></table>'
    picture.node(name, f"<{table}>", title, shape="plain", style="", fontsize=str(picture.look.size.small + 1))


def _operation(picture: Picture, node: Value) -> str:
    """Draw the circle of an operation with its operands, and return its name."""
    name = f"{picture.ids[id(node)]}_op"
    operator, args = _operator(node)
    title = f"The operation {node.primitive.name}" if node.primitive else ""
    look = {**style.round_shape(operator), **picture.look.palette.operator}
    picture.node(name, style.plain_label(operator), title, width="0.35", **look)
    for i, arg in enumerate(args):
        if not isinstance(arg, Value):
            cells = [term(arg).text, picture.number(arg)]
            shown = cells[:1] if cells[0] == cells[1] else cells
            _record(picture, f"{name}_const{i}", shown, f"The constant {cells[1]}", picture.look.palette.intermediate)
            picture.edge(f"{name}_const{i}", name)
        elif id(arg) not in picture.cut:
            picture.edge(picture.ids[id(arg)], name, "", f"{picture.names[arg].text} is an operand")
    return name


def _operator(node: Value) -> tuple[str, Sequence[Any]]:
    """Return the text in the circle of an operation, and the arguments that are drawn."""
    primitive = node.primitive
    if primitive is None or isinstance(primitive, Output):
        return primitive.name if primitive else "", node.args
    if primitive.name == "pow" and isinstance(node.args[1], float):
        return f"^{term(node.args[1]).text}", node.args[:1]
    return OPERATORS.get(primitive.name, primitive.name), given(primitive, node.args)
