"""The likelihood of a weather diary under a hidden Markov model, computed in logarithms."""

import math

START = [[0.4, -0.3, 0.9, 1.4, 0.6], [-1.0, 0.8, 0.1, 0.5, 2.0]]
DIARY = [1, 3, 2, 0, 1, 1, 4, 0]


def log_sum(terms):
    highest = max(terms)
    if math.isinf(highest):
        return highest
    return highest + math.log(math.fsum(math.exp(t - highest) for t in terms))


def log_poisson(rate, count):
    return count * math.log(rate) - rate - math.lgamma(count + 1)


def run(parameters):
    stay_dry, stay_wet, first, dry_rate, wet_rate = parameters
    rates = [math.exp(dry_rate) / 2, math.exp(wet_rate)]
    stays = [1 / (1 + math.exp(-stay_dry)), 1 / (1 + math.exp(-stay_wet))]
    moves = [[math.log(stays[0]), math.log1p(-stays[0])], [math.log1p(-stays[1]), math.log(stays[1])]]
    start = 1 / (1 + math.exp(-first))
    states = [math.log(start), math.log(1 - start)]
    for day, count in enumerate(DIARY):
        if day:
            states = [log_sum([states[i] + moves[i][j] for i in range(2)]) for j in range(2)]
        states = [s + log_poisson(rates[j], count) for j, s in enumerate(states)]
    return log_sum(states)
