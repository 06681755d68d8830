"""The modules diagram: each step with its forward equations and what it passes backward, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.value import Value
from ..interpreters.names import digits as written
from .diagram import Diagram
from .drawing import Drawing
from .equations import Contribution, Step, derivation
from .picture import MAX_NODES, key_of
from .style import look_of

__all__ = ["modules_diagram"]

MOST_LINES = 6
LETTER = 0.56
"""The width of a letter against its font size: the columns of all modules are as wide as the widest."""


def modules_diagram(
    goal: Value, *, max_nodes: int | None = MAX_NODES, digits: int = 4, size: str = "screen", palette: str = "light"
) -> Diagram:
    """Return the picture of a computation by modules, each with its forward equations beside its backward ones.

    The units of a layer, whose labels differ in their lower indices alone, are one module, and so is all that follows
    the last layer; any other quantity is one of its own. Arrows lead down through the forward column, and up through
    the backward one to the derivatives of the inputs. A module of more than six lines shows the first four and the
    last. The options and errors are those of `derivative_diagram`. Source: 10-601 Backpropagation, "Module 1" to
    "Module 5".

    >>> x = Value(1.0, label="x")
    >>> modules_diagram(x**2 * 3)
    <Diagram of 4 edges; .svg(), .png(), .save(path), .source>
    """
    if not isinstance(goal, Value):
        raise TypeError(f"modules_diagram: needs a Value, got {goal!r}; draw what you computed from Values")
    look = look_of("modules_diagram", size, palette)
    derived = derivation(goal, digits=digits)
    modules = _modules(derived.forward, derived.backward)
    if max_nodes is not None and len(modules) > max_nodes:
        raise ValueError(
            f"modules_diagram: there are {len(modules)} modules, more than {max_nodes}; name the units of a layer "
            "alike, such as z₁⁽²⁾ and z₂⁽²⁾, or draw all of them with max_nodes=None"
        )
    drawing = Drawing(look, ("modules", [[list(map(str, lines)) for lines in module] for module in modules]))
    name = derived.names[derived.goal].text
    columns = []
    for steps, contributions in modules:
        equations = [f"{s.name.text} = {f'{s.formula.text} = ' if s.formula else ''}{s.number}" for s in steps]
        found = [f"∂{name}/∂{s.name.text} = {written(derived.adjoints[s.name.text], digits)}" for s in steps]
        columns.append((_shortened(equations), _shortened([str(c) for c in contributions] or found)))
    widths = [max(len(line) for module in columns for line in module[side]) for side in (0, 1)]
    for number, (forward, backward) in enumerate(columns):
        _module(drawing, number, forward, backward, widths)
    for number in range(len(modules) - 1):
        down, up = {"color": look.palette.value}, {"color": look.palette.derivative}
        drawing.edge(f"m{number}:f:s", f"m{number + 1}:f:n", "", "Forward: values go on", **down)
        drawing.edge(f"m{number + 1}:b:n", f"m{number}:b:s", "", "Backward: derivatives go back", **up)
    return drawing.finish(f"The modules of {name}, forward and backward", rankdir="TB")


def _modules(forward: Sequence[Step], backward: Sequence[Contribution]) -> list[tuple[list[Step], list[Contribution]]]:
    """Return the steps that belong together, inputs first, each with the contributions that it passes back."""
    keys: dict[int, Any] = {}
    groups: dict[Any, list[Step]] = {("inputs",): []}
    labels = [key_of(step.node) for step in forward]
    last = max(
        (place for place, label in enumerate(labels) if label and label[1] and forward[place].formula), default=None
    )
    for place, (step, label) in enumerate(zip(forward, labels, strict=True)):
        key: Any = ("node", id(step.node))
        if step.formula is None:
            key = ("inputs",)
        elif label and label[1]:
            key = label[:2]
        elif last is not None and place > last:
            key = ("loss",)
        keys[id(step.node)] = key
        groups.setdefault(key, []).append(step)
    passed: dict[Any, list[Contribution]] = {key: [] for key in groups}
    for contribution in backward:
        passed[keys[id(contribution.child)]].append(contribution)
    return [(steps, passed[key]) for key, steps in groups.items() if steps]


def _shortened(lines: Sequence[str]) -> list[str]:
    if len(lines) <= MOST_LINES:
        return list(lines)
    return [*lines[: MOST_LINES - 2], f"… {len(lines) - MOST_LINES + 1} more …", lines[-1]]


def _module(
    drawing: Drawing, number: int, forward: Sequence[str], backward: Sequence[str], widths: Sequence[int]
) -> None:
    palette, size = drawing.look.palette, drawing.look.size
    title = "inputs" if number == 0 else f"module {number}"
    head = f'<td border="0" colspan="2">{drawing.look.text(title, palette.ink, size.name)}</td>'
    cells = [
        f'<td port="{port}" bgcolor="{fill}" width="{LETTER * size.small * width:.0f}">'
        f"{_lines(drawing, lines, color)}</td>"
        for port, lines, color, fill, width in (
            ("f", forward, palette.value, palette.input["fillcolor"], widths[0]),
            ("b", backward, palette.derivative, palette.output["fillcolor"], widths[1]),
        )
    ]
    table = f'border="0" cellborder="1" cellspacing="4" cellpadding="4" color="{palette.edge}"'
    label = f"<<table {table}><tr>{head}</tr><tr>{''.join(cells)}</tr></table>>"
    drawing.node(f"m{number}", label, f"{title}: {'; '.join(forward)}", shape="plain", style="")


def _lines(drawing: Drawing, lines: Sequence[str], color: str) -> str:
    rows = [f"<tr><td>{drawing.look.text(line, color, drawing.look.size.small)}</td></tr>" for line in lines]
    return f'<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{"".join(rows)}</table>'
