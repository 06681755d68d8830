"""Random programs with nested loops, carries, columns, sums, guards, several bodies and refusals."""

from __future__ import annotations

import random

import scalargrad as sg
from scalargrad.recording.basis import CHOOSE, EQUAL, LESS
from scalargrad.recording.builder import Builder
from scalargrad.recording.program import Column, Const, Operand, Program

UNARY = [sg.sin, sg.cos, sg.tanh, sg.sigmoid, sg.relu, sg.abs, sg.neg, sg.atan, sg.pos]
BINARY = [sg.add, sg.sub, sg.mul, sg.add, sg.mul, sg.hypot]
RISKY = [sg.exp, sg.log, sg.sqrt]


def random_program(seed: int, risky: bool = True, guards: bool = True, share: bool = False) -> Program:
    """Return the program of that seed. Its inputs are five numbers."""
    rng = random.Random(seed)
    return _program(rng, 5, depth=2, outputs=rng.randint(1, 4), risky=risky, guards=guards, share=share)


def _program(
    rng: random.Random, inputs: int, depth: int, outputs: int, risky: bool, guards: bool, share: bool, sums: int = 0
) -> Program:
    """A program whose first outputs add up on its first inputs, as many as there are `sums`."""
    b = Builder(inputs, share=share)
    values: list[Operand] = list(range(sums, inputs))
    totals: list[Operand] = list(range(sums))
    for _ in range(rng.randint(3, 8)):
        x, y, z = (rng.choice([*values, *values, Const(rng.uniform(-2, 2))]) for _ in range(3))
        kind = rng.randrange(10)
        if kind < 3:
            values.append(b.write(rng.choice(BINARY), (x, y)))
        elif kind < 5:
            row = rng.choice(UNARY + RISKY * risky)
            values.append(b.write(row, (x, *map(Const, row.defaults)), risky and rng.random() < 0.5))
        elif kind == 5:
            values += b.write_vector(sg.softmax, (x, y, z))
        elif kind == 6:
            condition = b.write(rng.choice([LESS, EQUAL]), (x, y))
            values.append(b.write(CHOOSE, (condition, y, z)))
        elif kind == 7 and guards:
            b.guard(b.write(LESS, (x, Const(rng.choice([4.0, 30.0])))), True)
        elif depth:
            values += _loop(rng, b, values, totals, depth, risky, guards, share)
    for k in range(sums):
        totals[k] = b.write(sg.add, (totals[k], rng.choice(values)))
    return b.program([*totals, *rng.choices(values, k=outputs)])


def _loop(
    rng: random.Random,
    b: Builder,
    values: list[Operand],
    totals: list[Operand],
    depth: int,
    risky: bool,
    guards: bool,
    share: bool,
) -> list[Operand]:
    count = rng.randint(2, 4)
    refs = [x for x in values if type(x) is int]
    consts = rng.sample(refs, min(len(refs), rng.randint(0, 2)))
    sums = rng.randint(0, 1)
    ordered = rng.random() < 0.6
    carries = rng.randint(0, 1) if ordered else 0
    columns: list[Column | list[Operand]] = [rng.choices(values, k=count) for _ in range(rng.randint(1, 2))]
    if len(refs) >= count and refs[:count] == list(range(refs[0], refs[0] + count)) and rng.random() < 0.5:
        columns.append(range(refs[0], refs[0] + count))
    stacks = rng.randint(0 if sums or carries else 1, 2)
    # The carries that are summed come after the consts; the program adds up on its first inputs, so they trade places.
    inputs = sums + len(consts) + carries + len(columns)
    bodies = []
    for _ in range(rng.choice([1, 1, 2]) if guards else 1):
        inner = _program(rng, inputs, depth - 1, carries + stacks, risky, guards, share, sums)
        outer = Builder(inputs, share=share)
        operands = [*range(len(consts), len(consts) + sums), *range(len(consts)), *range(len(consts) + sums, inputs)]
        bodies.append(outer.program(outer.inline(inner, operands)))
        if not bodies[-1].guarded:
            break
    init = [*(Const(-0.0) for _ in range(sums)), *rng.choices(values, k=carries)]
    if sums and totals and rng.random() < 0.5:
        init[0], results = totals[0], b.loop(count, bodies, consts, [totals[0], *init[1:]], columns, ordered)
        totals[0] = results[0]
        return results[1:]
    return b.loop(count, bodies, consts, init, columns, ordered)
