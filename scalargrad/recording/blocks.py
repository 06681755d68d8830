"""The arrays back end: the generated source of a sub-program on NumPy blocks that fit the cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from ..interpreters.source import INFIX, LIBRARY_FUNCTIONS
from .generated import expression
from .lowering import Check, Code, Operation, lower
from .program import Operand, Program

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

__all__ = ["BlockKernel"]

BLOCK = 1024
TEMPLATES = {name: template for name, template in INFIX.items() if name != "select"}


class BlockKernel:
    """A sub-program over lanes, a block of them at a time."""

    def __init__(self, program: Program, summed: Sequence[bool]) -> None:
        import numpy as np

        from ..interpreters.arrays import ARRAYS

        self.columns = program.inputs
        self.summed = tuple(summed)
        self.guarded = program.guarded
        names = {name: getattr(ARRAYS, name) for name in (*LIBRARY_FUNCTIONS, "select")}
        scope = {**names, "inf": np.inf, "nan": np.nan}
        # The text is made of operations and numbers alone; nothing that a user wrote gets into it.
        exec(compile(_written(lower(program)), "<scalargrad program>", "exec"), scope)  # noqa: S102 (see above)
        self.function: Any = scope["program"]

    def __call__(
        self, columns: Sequence[Array], broadcast: Sequence[float], lanes: int, outs: Sequence[Array]
    ) -> tuple[list[float], Array, Array]:
        """The sums, the suspect lanes, the failed lanes."""
        import numpy as np

        totals = [0.0] * sum(self.summed)
        suspects, failures = [np.empty(0, dtype=int)], [np.empty(0, dtype=int)]
        fixed = [np.float64(x) for x in broadcast]  # a plain float would refuse a division by 0
        with np.errstate(all="ignore"):
            for start in range(0, lanes, BLOCK):
                block = slice(start, min(start + BLOCK, lanes))
                count = block.stop - start
                numbers = [np.ascontiguousarray(column[block]) for column in columns]
                poison, failed, outputs = self.function((*numbers, *fixed), count)
                failed = np.broadcast_to(failed, count)
                suspect = np.isnan(np.broadcast_to(poison, count)) & ~failed
                wrong = failed | suspect
                some = bool(wrong.any())
                if some:
                    suspects.append(start + np.flatnonzero(suspect))
                    failures.append(start + np.flatnonzero(failed))
                self._take(outputs, block, count, ~wrong if some else None, totals, outs)
        return totals, np.concatenate(suspects), np.concatenate(failures)

    def _take(
        self, outputs: Sequence[Any], block: slice, count: int, ok: Any, totals: list[float], outs: Sequence[Array]
    ) -> None:
        import numpy as np

        stacked, k = iter(outs), 0
        for output, summed in zip(outputs, self.summed, strict=True):
            if not summed:
                next(stacked)[block] = output
                continue
            numbers = np.broadcast_to(output, count)
            totals[k] += float(numbers.sum() if ok is None else numbers[ok].sum())
            k += 1


def _written(code: Code) -> str:
    """The text of the function, in which a name is taken again as soon as its number is not needed any more.

    So the memory of a block is used again while it is still in the cache.
    """
    last: dict[int, int] = {x: len(code.steps) for x in code.outputs if type(x) is int}
    for index, step in reversed([*enumerate(code.steps)]):
        for x in _read(step):
            last.setdefault(x, index)
    names = {i: f"v{i}" for i in range(code.inputs)}
    free: list[str] = []
    lines = ["def program(values, count):", "    poison = 0.0", "    failed = False"]
    if code.inputs:
        lines.append(f"    {', '.join(names.values())}, = values")
    for index, step in enumerate(code.steps):
        operands = [names[x] if type(x) is int else repr(x) for x in _operands(step)]
        free += [names.pop(x) for x in dict.fromkeys(_read(step)) if last[x] == index]
        if isinstance(step, Operation):
            name = names[step.result] = free.pop() if free else f"v{step.result}"
            lines.append(f"    {name} = {expression(step.name, operands, TEMPLATES)}")
            if step.result in code.refusing:
                lines.append(f"    poison = poison + {name} * 0.0")
            if step.result not in last:
                free.append(names.pop(step.result))
        else:
            wrong = f"({operands[0]} == {not cast(Check, step).holds})"
            lines.append(f"    failed = failed | ({wrong} & (poison == poison))")
    outputs = [names[x] if type(x) is int else repr(x) for x in code.outputs]
    lines.append(f"    return poison, failed, [{', '.join(outputs)}]")
    return "\n".join(lines) + "\n"


def _operands(step: Any) -> Sequence[Operand]:
    return step.operands if isinstance(step, Operation) else (step.condition,)


def _read(step: Any) -> list[int]:
    return [x for x in _operands(step) if type(x) is int]
