"""A random program that is finite, with moderate derivatives, everywhere in a box around its inputs.

Interval arithmetic decides which operations are admitted: no logarithm or quotient comes near its pole.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

Interval = tuple[float, float]
Operation = tuple[str | int, ...]

COUNTS = {"add": 431, "sub": 120, "mul": 335, "div": 17, "sin": 43, "cos": 9, "exp": 26, "log": 19}
INPUTS = 10
LANES = 30
WIDTH = 0.01
"""The box: each input moves by at most this fraction."""

BOUNDS: dict[str, Callable[..., Interval | None]] = {
    "add": lambda x, y: (x[0] + y[0], x[1] + y[1]),
    "sub": lambda x, y: (x[0] - y[1], x[1] - y[0]),
    "mul": lambda x, y: _hull(a * b for a in x for b in y),
    "div": lambda x, y: _hull(a / b for a in x for b in y) if y[0] > 0.5 else None,
    "sin": lambda x: (-1.0, 1.0) if x[1] - x[0] > 2 else _moved(math.sin, x),
    "cos": lambda x: (-1.0, 1.0) if x[1] - x[0] > 2 else _moved(math.cos, x),
    "exp": lambda x: (math.exp(x[0]), math.exp(x[1])) if x[1] < 1 else None,
    "log": lambda x: (math.log(x[0]), math.log(x[1])) if x[0] > 0.5 else None,
}


def _hull(numbers: object) -> Interval:
    listed = list(numbers)  # type: ignore[call-overload]
    return min(listed), max(listed)


def _moved(function: Callable[[float], float], x: Interval) -> Interval:
    # sin and cos move no faster than their operand.
    middle, reach = function((x[0] + x[1]) / 2), (x[1] - x[0]) / 2
    return middle - reach, middle + reach


def random_dag(seed: int = 7) -> tuple[tuple[float, ...], list[Operation]]:
    """The inputs and the operations `(name, *operands)`; all of them reach the last one.

    There are never more than `LANES` numbers that were not used yet, and the last additions merge them.
    """
    rng = random.Random(seed)
    inputs = tuple(rng.uniform(0.5, 1.5) for _ in range(INPUTS))
    bounds: list[Interval] = [(x * (1 - WIDTH), x * (1 + WIDTH)) for x in inputs]
    unused = list(range(INPUTS))
    operations: list[Operation] = []

    def append(name: str, operands: list[int], result: Interval) -> None:
        unused[:] = [i for i in unused if i not in operands] + [len(bounds)]
        bounds.append(result)
        operations.append((name, *operands))

    kinds = [name for name, count in COUNTS.items() for _ in range(count)]
    while len(kinds) > len(unused) - 1 or set(kinds) != {"add"}:
        name = rng.choice(kinds)
        if name == "add" and kinds.count("add") < LANES:
            continue
        first = rng.choice(unused) if len(unused) == LANES else rng.randrange(len(bounds))
        operands = [first, rng.randrange(len(bounds))]
        operands = operands[: 1 if name in ("sin", "cos", "exp", "log") else 2]
        result = BOUNDS[name](*(bounds[i] for i in operands))
        if result and max(map(abs, result)) < 3 and result[1] - result[0] < 0.5:
            append(name, operands, result)
            kinds.remove(name)
    while kinds:
        operands = unused[:2]
        result = BOUNDS[kinds.pop()](*(bounds[i] for i in operands))
        append("add", operands, result or (0.0, 0.0))
    return inputs, operations
