"""The picture of a recorded program: operations, checks, and loops as boxes with the number of their turns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..recording.program import BACKENDS, LETTERS, Guard, Loop, Operand, Program, column_text, listed, step_text
from .diagram import Diagram
from .drawing import Drawing
from .picture import MAX_NODES
from .style import Attributes, look_of, plain_label

__all__ = ["program_diagram"]

MOST_INPUTS = 8
"""The most inputs that are drawn one by one."""
LONGEST = 44
"""The longest equation in a node, in letters."""


def program_diagram(
    program: Program, *, max_nodes: int | None = MAX_NODES, size: str = "screen", palette: str = "light"
) -> Diagram:
    """Return the picture of a program, which `Program.diagram` documents."""
    look = look_of("diagram", size, palette)
    count = _nodes(program)
    if max_nodes is not None and count > max_nodes:
        raise ValueError(
            f"diagram: the program has {count} steps, more than {max_nodes}, and a picture of it would say nothing. "
            "Draw a part of the function, or all of it with max_nodes=None"
        )
    return _Picture(Drawing(look, ("program", str(program)))).whole(program)


def _nodes(program: Program) -> int:
    return sum(
        sum(map(_nodes, step.bodies)) + len(step.init) + len(step.columns) if isinstance(step, Loop) else 1
        for step in program.steps
    )


class _Values:
    """The nodes that draw the values of a program: spans of numbers, each with its nodes in turn."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, list[list[str]]]] = []
        self.size = 0

    def add(self, width: int, nodes: list[list[str]]) -> None:
        """Let the next `width` values be drawn by these nodes, over and over if there are fewer."""
        if not width:
            return
        self.spans.append((self.size, nodes))
        self.size += width

    def of(self, operands: Iterable[Operand]) -> list[str]:
        """Return the nodes of operands, each once; a constant has none."""
        found: dict[str, None] = {}
        for x in sorted({x for x in operands if type(x) is int}):
            found.update(dict.fromkeys(self._at(x)))
        return list(found)

    def _at(self, x: int) -> list[str]:
        low, high = 0, len(self.spans)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.spans[middle][0] <= x else (low, middle)
        start, nodes = self.spans[low]
        return nodes[(x - start) % len(nodes)]


class _Picture:
    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.look = drawing.look
        self.count = 0

    def whole(self, program: Program) -> Diagram:
        """Return the picture of the program."""
        palette, values = self.look.palette, _Values()
        names = [[x] for x in range(program.inputs)] if program.inputs <= MOST_INPUTS else [range(program.inputs)]
        for numbers in names:
            node = self.node(listed(numbers), "Given to the program", palette.input, [])
            values.add(len(numbers), [[node]])
        self.steps(program, values)
        returned = _short(f"return {listed(program.outputs)}")
        self.node(returned, "What the program gives", palette.output, values.of(program.outputs))
        return self.drawing.finish(f"A program of {program.inputs} numbers", rankdir="TB")

    def steps(self, program: Program, values: _Values, depth: int = 0, box: str = "") -> None:
        """Draw the steps of a program, or of a loop's body, whose inputs `values` has."""
        letter = LETTERS[depth % len(LETTERS)]
        for start, step in program.numbered():
            if isinstance(step, Loop):
                self.loop(step, values, depth, box)
            elif isinstance(step, Guard):
                found = values.of([step.condition])
                title = "The program is valid only if this holds"
                self.node(step_text(step, letter), title, self.look.palette.operator, found, box)
            else:
                text = f"{listed(range(start, start + step.width), letter)} = {step_text(step, letter)}"
                found = values.of(step.operands)
                node = self.node(text, step.primitive.summary, self.look.palette.intermediate, found, box)
                values.add(step.width, [[node]])

    def loop(self, loop: Loop, values: _Values, depth: int, outside: str) -> None:
        """Draw a loop as a box: what each turn begins with, its bodies, and dashed edges to the next turn."""
        outer, letter = (LETTERS[d % len(LETTERS)] for d in (depth, depth + 1))
        turns = "n" if loop.turns is None else f"{loop.turns:,}"
        at, carries = len(loop.consts), len(loop.init)
        same = _short(f"{listed(range(at), letter)} = {listed(loop.consts, outer)}") if at else ""
        box = self.box([f"× {turns}" + ("" if loop.ordered else ", any order"), *filter(None, [same])], outside)
        begins = []
        for k, x in enumerate(loop.init):
            text = f"{letter}{at + k} from {listed([x], outer)}"
            title = "Begins as this, and is then what the turn before gave"
            begins.append(self.node(text, title, self.look.palette.activation, values.of([x]), box))
        for k, column in enumerate(loop.columns, at + carries):
            found = values.of([column] if isinstance(column, int) else column)
            title = "One of these in each turn"
            text = f"{letter}{k} in {column_text(column, outer)}"
            begins.append(self.node(text, title, self.look.palette.activation, found, box))
        given: list[list[str]] = [[] for _ in loop.bodies[0].outputs]
        for number, body in enumerate(loop.bodies, 1):
            own = _Values()
            own.add(at, [values.of([x]) for x in loop.consts])
            own.add(len(begins), [[node] for node in begins])
            inside = box if len(loop.bodies) == 1 else self.box([f"way {number} of {len(loop.bodies)}"], box)
            self.steps(body, own, depth + 1, inside)
            for k, output in enumerate(body.outputs):
                given[k] += own.of([output])
        for begin, nodes in zip(begins, given[:carries], strict=False):
            for node in nodes:
                self.drawing.edge(node, begin, "", "To the next turn", style="dashed", constraint="false")
        values.add(carries, given[:carries])
        values.add(loop.width - carries, given[carries:])

    def box(self, lines: Sequence[str], inside: str) -> str:
        """Draw a box and return its name."""
        self.count += 1
        self.drawing.box(f"b{self.count}", plain_label(*lines), inside)
        return f"b{self.count}"

    def node(self, text: str, title: str, look: Attributes, sources: Sequence[str], box: str = "") -> str:
        """Draw a node with an edge from each of its sources, and return its name."""
        self.count += 1
        name = f"n{self.count}"
        self.drawing.node(name, plain_label(_short(text)), title, box, **{**self.look.box, **look})
        for source in sources:
            self.drawing.edge(source, name)
        return name


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


BACKENDS["diagram"] = program_diagram
