"""The enthalpy of wet steam: a correlation where it holds, a table where its logarithm is refused."""

import math

START = [[1.3, 2.1, 0.4], [0.2, 2.4, 0.9], [3.1, 1.0, 0.1]]
TABLE = {0: 191.8, 1: 417.5, 2: 504.7, 3: 561.4, 4: 604.7}


def from_table(pressure):
    low = int(pressure)
    try:
        step = TABLE[low + 1] - TABLE[low]
    except KeyError:
        return TABLE[max(TABLE)]
    return TABLE[low] + step * (pressure - low)


def liquid(pressure):
    try:
        return 417.5 + 100 * math.log(pressure - 0.5) + 4 * math.sqrt(2.5 - pressure)
    except ValueError:
        return from_table(pressure)


def run(parameters):
    pressure, scale, dryness = parameters
    if not 0 <= dryness <= 1:
        raise ValueError(f"dryness {dryness} is not between 0 and 1")
    heat = 2257 * scale * (1 - pressure / 220) ** 0.38
    return liquid(pressure) + dryness * heat - math.trunc(pressure) * 0.5
