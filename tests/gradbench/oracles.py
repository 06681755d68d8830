"""The oracles of the evals: the same mathematics with NumPy's matrices and without derivatives.

Every function here also takes complex numbers, so that `complex_step` has their derivatives to the last digits.
"""

import itertools
import math

import numpy as np

STEP = 1e-30


def complex_step(f, x):
    """The derivatives of f by the numbers of the array x: Im f(x + ih) / h, without any cancellation."""
    columns = []
    for index in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[index] += 1j * STEP
        columns.append(np.imag(f(moved)) / STEP)
    return np.moveaxis(np.array(columns), 0, -1).reshape(*np.shape(columns[0]), *x.shape)


def hat(v):
    """The matrix of the cross product with v."""
    x, y, z = v
    return np.array([[0 * x, -z, y], [z, 0 * x, -x], [-y, x, 0 * x]])


def rotation(v):
    """The matrix exp(hat(v)), by its series."""
    result = term = np.eye(3)
    for n in range(1, 60):
        term = term @ hat(v) / n
        result = result + term
    return result


def gmm_log_likelihood(alpha, mu, q, below, x):
    """log Π Σ φₖ N(x; μₖ, Σₖ), from the density with the determinant and the precision matrix."""
    precisions = [factor.T @ factor for factor in map(triangle, q, below)]
    heights = np.exp(alpha) / np.exp(alpha).sum() * np.sqrt([np.linalg.det(s) for s in precisions])
    total = -0.5 * x.size * np.log(2.0 * np.pi)
    for y in x:
        exponents = [-0.5 * (y - m) @ s @ (y - m) for m, s in zip(mu, precisions, strict=True)]
        total += np.log(sum(heights * np.exp(exponents)))
    return total


def gmm_log_prior(q, below, m, gamma):
    """Σ log of the Wishart density with V = I/γ² and n = D + m + 1, from the density itself."""
    d = q.shape[1]
    n = d + m + 1
    total = 0.0
    for precision in (factor.T @ factor for factor in map(triangle, q, below)):
        gammas = math.prod(math.gamma(0.5 * (n - j)) for j in range(d)) * math.pi ** (0.25 * d * (d - 1))
        scale = 2.0 ** (0.5 * n * d) * gamma ** (-n * d) * gammas
        exponential = np.exp(-0.5 * gamma**2 * np.trace(precision))
        total += np.log(np.linalg.det(precision) ** (0.5 * m) * exponential / scale)
    return total


def triangle(q, below):
    """The lower triangular matrix with exp(q) on its diagonal and `below` under it, column by column."""
    result = np.diag(np.exp(q)).astype(np.result_type(q, below))
    columns, rows = np.triu_indices(len(q), 1)
    result[rows, columns] = below
    return result


def ba_residual(parameters, feature):
    """The two errors of an observation, the 15 parameters of camera, point and weight in one array."""
    turn, centre, (f, u, v), (k1, k2), x, w = np.split(parameters, [3, 6, 9, 11, 14])
    seen = rotation(turn) @ (x - centre)
    plane = seen[:2] / seen[2]
    squared = plane @ plane
    return w * (f * plane * (1.0 + k1 * squared + k2 * squared**2) + np.array([u, v]) - feature)


def lstm_objective(main, extra, state, sequence):
    """The loss of the network, a layer at a time as whole vectors."""
    hidden, cell = list(state[::2]), list(state[1::2])
    loss = 0.0
    for item, following in itertools.pairwise(sequence):
        signal = item * extra[0]
        for layer in range(len(hidden)):
            w, b = main[2 * layer].reshape(4, -1), main[2 * layer + 1].reshape(4, -1)
            sources = np.array([signal, hidden[layer], signal, hidden[layer]])
            forget, change, output, candidate = w * sources + b
            cell[layer] = cell[layer] / (1.0 + np.exp(-forget)) + np.tanh(candidate) / (1.0 + np.exp(-change))
            signal = hidden[layer] = np.tanh(cell[layer]) / (1.0 + np.exp(-output))
        predicted = signal * extra[1] + extra[2]
        loss -= following @ (predicted - np.log(2.0 + np.exp(predicted).sum()))
    return loss / (len(sequence) - 1) / sequence.shape[1]


def ht_distances(theta, us, data):
    """The distances of points and hand, from 4 × 4 matrices and rotations about one axis after another."""
    model = data["model"]
    bones = pose(theta, model)
    weights = np.array(model["weights"])
    moved = np.einsum("vb,bij,vj->vi", weights, np.array(bones), np.array(model["base_positions"]))[:, :3]
    if model["is_mirrored"]:
        moved = moved * np.array([-1.0, 1.0, 1.0])
    placed = moved @ rotation(theta[:3]).T + theta[3:6]
    if len(us):
        corners = placed[np.array(model["triangles"])[data["correspondences"]]]
        barycentric = np.column_stack([us, 1.0 - us.sum(axis=1)])
        at = np.einsum("pc,pcj->pj", barycentric, corners)
    else:
        at = placed[data["correspondences"]]
    return (np.array(data["points"]) - at).ravel()


def pose(theta, model):
    """The bones' matrices, by walking from each bone to the root."""
    angles = np.zeros((model["bone_count"], 3), dtype=theta.dtype)
    for finger, (bend, spread, second, third) in enumerate(theta[6:].reshape(5, 4)):
        first = 2 + 4 * finger
        angles[first] = bend, 0.0, spread
        angles[first + 1, 0] = second
        angles[first + 2, 0] = third
    relative = [np.array(base) @ jointed(a) for base, a in zip(model["base_relatives"], angles, strict=True)]
    bones = []
    for bone, rest in enumerate(model["inverse_base_absolutes"]):
        matrix, up = np.array(rest), bone
        while up >= 0:
            matrix, up = relative[up] @ matrix, model["parents"][up]
        bones.append(matrix)
    return bones


def jointed(angles):
    """The rotation about x, then y, then z, as a 4 × 4 matrix."""
    result = np.eye(4, dtype=angles.dtype)
    for axis, angle in enumerate(angles):
        result[:3, :3] = rotation(angle * np.eye(3)[axis]) @ result[:3, :3]
    return result
