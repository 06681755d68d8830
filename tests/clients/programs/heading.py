"""The drift of a compass heading over some turns, wrapped into (−π, π] twice over."""

import math

START = [[0.7, 2.9, 0.3], [5.1, -2.2, 0.4]]


def wrapped(angle):
    return angle - 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))


def also_wrapped(angle):
    return math.fmod(math.fmod(angle + math.pi, math.tau) + math.tau, math.tau) - math.pi


def run(parameters):
    heading, rate, bias = parameters
    error = 0.0
    for step in range(1, 6):
        heading = wrapped(heading + rate * (1 + bias * math.sin(step)))
        error += also_wrapped(heading - bias * step) ** 2 + 0.1 * math.copysign(heading, rate)
    return math.degrees(math.sqrt(error / 5))
