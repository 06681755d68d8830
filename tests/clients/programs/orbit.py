"""The distance of a planet from a probe: Kepler's equation, solved by Newton's method until nothing changes."""

import math

START = [[1.3, 0.21, 0.4, 7.0], [0.8, 0.55, 2.0, 3.0]]


def eccentric_anomaly(mean, eccentricity):
    anomaly = mean if eccentricity < 0.8 else math.pi
    while True:
        step = (anomaly - eccentricity * math.sin(anomaly) - mean) / (1 - eccentricity * math.cos(anomaly))
        anomaly -= step
        if abs(step) < 1e-12:
            return anomaly


def run(parameters):
    axis, eccentricity, start, time = parameters
    period = math.tau * math.pow(axis, 1.5)
    mean = math.remainder(start + math.tau * time / period, math.tau)
    anomaly = eccentric_anomaly(mean, eccentricity)
    true = 2 * math.atan2(
        math.sqrt(1 + eccentricity) * math.sin(anomaly / 2), math.sqrt(1 - eccentricity) * math.cos(anomaly / 2)
    )
    radius = axis * (1 - eccentricity * math.cos(anomaly))
    place = radius * math.cos(true), radius * math.sin(true), 0.1 * radius
    return math.dist(place, (1.0, 0.5, 0.0)) + math.hypot(*place) - math.radians(3)
