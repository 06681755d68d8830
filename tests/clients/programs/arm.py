"""The place of a robot's hand: homogeneous matrices in nested lists, multiplied along the arm."""

import math
from functools import reduce

START = [[0.3, -0.7, 1.1, 0.4, 0.9], [1.9, 0.2, -0.5, 0.8, 0.3]]


def joint(angle, twist, length, offset):
    c, s = math.cos(angle), math.sin(angle)
    ct, st = math.cos(twist), math.sin(twist)
    return [
        [c, -s * ct, s * st, length * c],
        [s, c * ct, -c * st, length * s],
        [0, st, ct, offset],
        [0, 0, 0, 1],
    ]


def product(a, b):
    return [[sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a]


def run(parameters):
    q1, q2, q3, length, offset = parameters
    chain = [joint(q1, math.pi / 2, 0, offset), joint(q2, 0, length, 0), joint(q3, 0.3, length / 2, 0)]
    hand = reduce(product, chain)
    place = [row[3] for row in hand[:3]]
    tilt = math.acos(max(-1.0, min(1.0, (hand[0][0] + hand[1][1] + hand[2][2] - 1) / 2)))
    return math.dist(place, [0.2, 0.1, 0.6]) ** 2 + 0.3 * tilt
