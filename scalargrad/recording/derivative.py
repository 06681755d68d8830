"""Programs run on nodes: so a program has a derivative, which is another program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.evaluation import evaluate
from ..engine.linearization import Linearization
from ..engine.observer import OBSERVER
from ..engine.value import Value, data_of
from ..interpreters.floats import FLOATS, IEEE
from ..rows import Many, Vector
from .choices import CHOOSE, EQUAL, LESS
from .mapped import mapped_nodes
from .program import Guard, Instruction, Program
from .recorder import Recording

__all__ = ["Call", "gradient", "run_on_nodes"]


def run_on_nodes(program: Program, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a program as nodes, for Values and floats as its inputs and captured numbers.

    The guards are taken to hold; a recording under way keeps them.
    """
    cells = list(inputs)

    def cell(operand: Any) -> Any:
        return cells[operand] if type(operand) is int else operand

    for step in program.steps:
        if isinstance(step, Instruction):
            out = _instruction(step, tuple([cell(x) for x in step.operands]))
            cells.extend(out if isinstance(step.row, Vector) else (out,))
        elif isinstance(step, Guard):
            _keep(step, cells[step.condition])
        else:
            columns = [[cell(x) for x in column] for column in step.columns]
            cells.extend(mapped_nodes(step, [cell(x) for x in step.broadcast], columns, gradient))
    return [cell(x) for x in program.outputs]


def _instruction(step: Instruction, args: tuple[Any, ...]) -> Any:
    if OBSERVER.get() is None and step.row in (LESS, EQUAL, CHOOSE):
        # Eager nodes take the chosen side.
        if step.row is CHOOSE:
            return args[1] if data_of(args[0]) != 0.0 else args[2]
        return step.row.forward(IEEE, *map(data_of, args))
    return evaluate(step.row, args, FLOATS if step.refuses else IEEE)


def _keep(guard: Guard, condition: Any) -> None:
    recording = OBSERVER.get()
    if isinstance(recording, Recording) and type(ref := recording.ref(condition)) is int:
        recording.guard(Guard(ref, guard.holds))


def gradient(
    program: Program,
    point: Sequence[float],
    output: int,
    wanted: Sequence[int],
    keep: bool = False,
    seed: Value | float = 1.0,
) -> Program:
    """The program of the derivatives of one output by the wanted inputs; with `keep`, after all the outputs.

    `point` has a number for each input and captured number, at which the guards hold. The derivatives come
    multiplied by the seed; a Value is one more captured number of the program.
    """
    further = [seed._data] if isinstance(seed, Value) else []
    recording = Recording([*point, *further])
    with recording.under_way():
        outputs = run_on_nodes(program, recording.inputs[: len(point)])
        root = outputs[output]
        leaves = [recording.inputs[i] for i in wanted]
        roots, seeds = ([root], [recording.inputs[-1] if further else seed]) if isinstance(root, Value) else ([], [])
        partials = Linearization(leaves, roots, as_nodes=True).pull_back(seeds)
        found = recording.program([*outputs, *partials] if keep else partials)
    # All were inputs while it was recorded; now the last ones are captured again.
    return Program(program.inputs, program.captured + len(further), found.steps, found.outputs)


class Call(Many):
    """What a program's result names as its primitive where it depends on Values."""

    opaque = True

    def __init__(self, program: Program, point: Sequence[float], output: int) -> None:
        super().__init__("jit", lambda m, *xs: run_on_nodes(program, xs)[output], doc="A recorded program.")
        self.program = program
        self.point = list(point)
        self.output = output

    def __reduce__(self) -> tuple[Any, ...]:
        return Call, (self.program, self.point, self.output)

    def at(self, point: Sequence[float]) -> Call:
        """The same at another point, without making a row anew."""
        call: Call = object.__new__(type(self))
        call.__dict__.update(self.__dict__, point=point)
        return call

    def derivatives(self, m: Any, out: Any, args: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        """The derivatives as nodes, by running the derivative program on nodes."""
        chosen = [i for i, w in enumerate(wanted) if w]
        partials = iter(run_on_nodes(gradient(self.program, self.point, self.output, chosen), args))
        return [next(partials) if w else None for w in wanted]
