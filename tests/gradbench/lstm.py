"""The eval `lstm`: how well a recurrent network with diagonal weights predicts the next item of a sequence.

A layer has the weights and biases of four gates, and a hidden state and a cell, each a vector as long as an
item. Source: ADBench, https://github.com/microsoft/ADBench.
"""

import itertools

import scalargrad as sg

from .recorded import prepared


def objective(main, extra, state, sequence):
    """The mean negative logarithm of the predicted probability of each item after the first."""
    weights, biases = main[::2], main[1::2]
    hidden, cells = state[::2], state[1::2]
    terms = []
    for item, following in itertools.pairwise(sequence):
        signal = [a * b for a, b in zip(item, extra[0], strict=True)]
        layers = []
        for layer in zip(weights, biases, hidden, cells, strict=True):
            signal, cell = step(*layer, signal)
            layers.append((signal, cell))
        hidden, cells = zip(*layers, strict=True)
        predicted = [a * b + c for a, b, c in zip(signal, extra[1], extra[2], strict=True)]
        terms.append(log_score(predicted, following))
    return -sg.sum(terms) / (len(terms) * len(sequence[0]))


def step(weights, biases, hidden, cell, signal):
    """A layer's next hidden state and cell."""
    forget, change, output, candidate = (
        [w * x + b for w, x, b in zip(part(weights, i), source, part(biases, i), strict=True)]
        for i, source in enumerate((signal, hidden, signal, hidden))
    )
    cell = [
        c * sg.sigmoid(f) + sg.sigmoid(i) * sg.tanh(g)
        for c, f, i, g in zip(cell, forget, change, candidate, strict=True)
    ]
    return [sg.sigmoid(o) * sg.tanh(c) for o, c in zip(output, cell, strict=True)], cell


def part(x, i):
    """The i-th of the four quarters of a list."""
    quarter = len(x) // 4
    return x[i * quarter : (i + 1) * quarter]


def log_score(predicted, item):
    """Σ item · (predicted − log(2 + Σ exp predicted))."""
    normaliser = sg.log(2.0 + sg.sum([sg.exp(p) for p in predicted]))
    return sg.dot(item, [p - normaliser for p in predicted])


def jacobian(main, extra, state, sequence):
    """The gradient by the main and the extra parameters, in one list."""
    rows = sg.grad(objective, argnums=(0, 1))(main, extra, state, sequence)
    return [number for matrix in rows for row in matrix for number in row]


def call(f):
    """The eval's function that runs f; the sequence is a constant."""

    def function(given):
        sequence = given["sequence"]
        return prepared(lambda *args: f(*args, sequence), given["main_params"], given["extra_params"], given["state"])

    return function


FUNCTIONS = {"objective": call(objective), "jacobian": call(jacobian)}
