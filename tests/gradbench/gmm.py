"""The eval `gmm`: the log posterior of a Gaussian mixture with a Wishart prior on its precision matrices.

The matrix Q of a component is lower triangular, with exp(q) on its diagonal and l below it, column by column;
its precision matrix is QᵀQ.
"""

import math

import scalargrad as sg

from .recorded import prepared, total

PARAMETERS = ("alpha", "mu", "q", "l")


def log_posterior(parameters, x, m, gamma):
    """The log likelihood of the points x plus the log prior with `m` and `gamma`."""
    return log_likelihood(parameters, x) + log_prior(parameters, len(x[0]), m, gamma)


def log_likelihood(parameters, x):
    """Σᵢ logsumexp βᵢ − N (D/2 log 2π + logsumexp α)."""
    shifts = [alpha + sg.sum(q) for alpha, q in zip(parameters["alpha"], parameters["q"], strict=True)]
    factors = [triangle(q, below) for q, below in zip(parameters["q"], parameters["l"], strict=True)]
    points = total(point, (0, None, None, None))(x, shifts, parameters["mu"], factors)
    constant = 0.5 * len(x[0]) * math.log(2.0 * math.pi)
    return points - len(x) * (constant + sg.logsumexp(parameters["alpha"]))


def point(x, shifts, means, factors):
    """logsumexp β of one point, βₖ = αₖ + Σ qₖ − ½ ‖Qₖ(x − μₖ)‖²."""
    return sg.logsumexp(
        [
            shift - 0.5 * squared_length(product(factor, [a - b for a, b in zip(x, mean, strict=True)]))
            for shift, mean, factor in zip(shifts, means, factors, strict=True)
        ]
    )


def log_prior(parameters, d, m, gamma):
    """The sum over components of the log density of the Wishart distribution with V = I/γ² and n = D + m + 1."""
    n = d + m + 1
    constant = n * d * math.log(gamma / math.sqrt(2.0)) - log_multivariate_gamma(0.5 * n, d)
    terms = [
        constant + m * sg.sum(q) - 0.5 * gamma**2 * sg.sum([squared_length(row) for row in triangle(q, below)])
        for q, below in zip(parameters["q"], parameters["l"], strict=True)
    ]
    return sg.sum(terms)


def log_multivariate_gamma(a, d):
    """log Γ_D(a) = D(D−1)/4 log π + Σⱼ log Γ(a + (1 − j)/2)."""
    return 0.25 * d * (d - 1) * math.log(math.pi) + sum(math.lgamma(a - 0.5 * j) for j in range(d))


def triangle(q, below):
    """The rows of Q up to the diagonal."""
    d = len(q)
    rows = [[] for _ in q]
    entries = iter(below)
    for column in range(d):
        rows[column].append(sg.exp(q[column]))
        for row in range(column + 1, d):
            rows[row].append(next(entries))
    return rows


def product(rows, x):
    """The product of a lower triangular matrix with a vector."""
    return [sg.dot(row, x[: len(row)]) for row in rows]


def squared_length(x):
    """Σ xᵢ²."""
    return sg.dot(x, x)


def call(f):
    """The eval's function that runs f on the parameters and the points."""

    def function(given):
        parameters = {name: given[name] for name in PARAMETERS}
        return prepared(lambda p, x: f(p, x, given["m"], given["gamma"]), parameters, given["x"])

    return function


FUNCTIONS = {"objective": call(log_posterior), "jacobian": call(sg.grad(log_posterior))}
