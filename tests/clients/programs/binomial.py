"""The price of an American put by a binomial tree, with early exercise if that is worth more."""

import math

START = [[100.0, 105.0, 0.04, 0.25, 0.7], [36.0, 40.0, 0.06, 0.2, 1.0]]


def run(parameters):
    spot, strike, rate, volatility, years = parameters
    steps = 12
    dt = years / steps
    up = math.exp(volatility * math.sqrt(dt))
    chance = (math.exp(rate * dt) - 1 / up) / (up - 1 / up)
    discount = math.exp(-rate * dt)
    values = [max(strike - spot * up ** (2 * i - steps), 0.0) for i in range(steps + 1)]
    for step in range(steps - 1, -1, -1):
        for i in range(step + 1):
            later = discount * (chance * values[i + 1] + (1 - chance) * values[i])
            values[i] = max(later, strike - spot * up ** (2 * i - step))
    return values[0]
