"""GradBench's evals as array code, for PyTorch and for JAX.

`m` is the library: its array functions, and as `m.transforms` its `vmap`, `grad`, `jvp`, `jacfwd` and `jacrev`; further
`m.array`, `m.jit`, `m.grad(f)` by all arguments of f, `m.scan(f, carry, rows)` with f giving the next carry and a
number, and `m.numpy`, which waits for a result. An eval is a function of its `given` input that makes what
is timed, a function of nothing, for each of its functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tests.gradbench import ba as ours_ba
from tests.gradbench import ode as ours_ode

Eval = dict[str, Callable[[], Any]]


def call(m: Any, f: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """The call of f on arrays of the arguments, compiled if the library compiles."""
    program, arrays = m.jit(f), [m.array(x) for x in arguments]
    return lambda: m.numpy(program(*arrays))


def lse(m: Any, given: Any) -> Eval:
    f = partial(m.logsumexp, axis=0)
    return {"primal": call(m, f, given["x"]), "gradient": call(m, m.grad(f), given["x"])}


def llsq(m: Any, given: Any) -> Eval:
    def f(x: Any) -> Any:
        points = m.linspace(-1.0, 1.0, given["n"])
        errors = m.sign(points) - m.vander(points, len(x), increasing=True) @ x
        return 0.5 * errors @ errors

    return {"primal": call(m, f, given["x"]), "gradient": call(m, m.grad(f), given["x"])}


def det(m: Any, given: Any) -> Eval:
    """By the library's own determinant, an LU decomposition: the expansion by minors has no natural array code."""
    f, a = m.linalg.det, np.reshape(given["A"], (given["ell"], given["ell"]))
    return {"primal": call(m, f, a), "gradient": call(m, m.grad(f), a)}


def ode(m: Any, given: Any) -> Eval:
    h = ours_ode.END / given["s"]

    def solve(x: Any) -> Any:
        def slope(y: Any) -> Any:
            return x * m.concatenate([m.ones_like(y[:1]), y[:-1]])

        y = m.zeros_like(x)
        for _ in range(given["s"]):
            k1 = slope(y)
            k2 = slope(y + 0.5 * h * k1)
            k3 = slope(y + 0.5 * h * k2)
            k4 = slope(y + h * k3)
            y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        return y

    return {"primal": call(m, solve, given["x"]), "gradient": call(m, m.grad(lambda x: solve(x)[-1]), given["x"])}


def kmeans(m: Any, given: Any) -> Eval:
    def cost(centroids: Any, points: Any) -> Any:
        return m.sum(m.amin(m.sum((points[:, None] - centroids) ** 2, axis=2), axis=1))

    def direction(centroids: Any, points: Any) -> Any:
        gradient = m.transforms.grad(lambda c: cost(c, points))
        slopes, diagonal = m.transforms.jvp(gradient, (centroids,), (m.ones_like(centroids),))
        return slopes / diagonal

    arguments = given["centroids"], given["points"]
    return {"cost": call(m, cost, *arguments), "dir": call(m, direction, *arguments)}


def gmm(m: Any, given: Any) -> Eval:
    d, n, x = given["d"], given["n"], m.array(given["x"])
    freedom, gamma = given["d"] + given["m"] + 1, given["gamma"]
    gammas = 0.25 * d * (d - 1) * math.log(math.pi) + sum(math.lgamma(0.5 * (freedom - j)) for j in range(d))
    constant = freedom * d * math.log(gamma / math.sqrt(2.0)) - gammas
    columns, rows = np.triu_indices(d, 1)
    places = np.zeros((d, d), dtype=int)
    places[rows, columns] = np.arange(len(rows))
    entry, below, diagonal = m.array(places), m.array(np.tril(np.ones((d, d)), -1)), m.array(np.eye(d))

    def log_posterior(alpha: Any, mu: Any, q: Any, low: Any) -> Any:
        factors = m.exp(q)[:, :, None] * diagonal + low[:, entry] * below
        scaled = m.einsum("kij,nkj->nki", factors, x[:, None] - mu)
        shares = alpha + m.sum(q, axis=1) - 0.5 * m.sum(scaled**2, axis=2)
        likelihood = m.sum(m.logsumexp(shares, axis=1))
        likelihood = likelihood - n * (0.5 * d * math.log(2.0 * math.pi) + m.logsumexp(alpha, axis=0))
        prior = len(alpha) * constant + given["m"] * m.sum(q) - 0.5 * gamma**2 * m.sum(factors**2)
        return likelihood + prior

    arguments = [given[name] for name in ("alpha", "mu", "q", "l")]
    gradient = call(m, m.grad(log_posterior), *arguments)
    return {
        "objective": call(m, log_posterior, *arguments),
        "jacobian": lambda: dict(zip(("alpha", "mu", "q", "l"), gradient(), strict=True)),
    }


def rotation(m: Any, turn: Any) -> Any:
    """The matrix of the rotation about an axis, whose length is the angle: Rodrigues' formula."""
    squared = turn @ turn
    still = squared == 0
    angle = m.sqrt(m.where(still, 1.0, squared))
    x, y, z = turn / angle
    zero = 0.0 * x
    hat = m.stack([m.stack([zero, -z, y]), m.stack([z, zero, -x]), m.stack([-y, x, zero])])
    turned = m.array(np.eye(3)) + m.sin(angle) * hat + (1.0 - m.cos(angle)) * hat @ hat
    return m.where(still, m.array(np.eye(3)) + hat, turned)


def ba(m: Any, given: Any) -> Eval:
    """All observations at once; the sparse matrix is put together in NumPy."""
    feature, p = m.array(given["feat"]), given["p"]

    def residual(parameters: Any) -> Any:
        seen = rotation(m, parameters[:3]) @ (parameters[11:14] - parameters[3:6])
        plane = seen[:2] / seen[2]
        squared = plane @ plane
        scale = parameters[6] * (1.0 + squared * (parameters[9] + squared * parameters[10]))
        return parameters[14] * (scale * plane + parameters[7:9] - feature)

    def errors(rows: Any) -> Any:
        return m.transforms.vmap(residual)(rows), 1.0 - rows[:, 14] ** 2

    def blocks(rows: Any) -> Any:
        by_all = m.transforms.vmap(m.transforms.jacrev(residual))(rows)
        return by_all, m.transforms.vmap(m.transforms.grad(lambda w: 1.0 - w**2))(rows[:, 14])

    observations = np.tile([*given["cam"], *given["x"], given["w"]], (p, 1))
    compute_errors, compute_blocks = call(m, errors, observations), call(m, blocks, observations)

    def objective() -> Any:
        residuals, weights = compute_errors()
        return {
            "reproj_error": {"elements": residuals[0], "repeated": p},
            "w_err": {"element": weights[0], "repeated": p},
        }

    def jacobian() -> Any:
        by_all, slopes = compute_blocks()
        return ours_ba.excerpt(*sparse(by_all, slopes, given["n"], given["m"]))

    return {"objective": objective, "jacobian": jacobian}


def sparse(by_all: Any, slopes: Any, n: int, m: int) -> tuple[Any, Any, Any]:
    """The columns, the row pointers and the values of bundle adjustment's Jacobian."""
    p = len(slopes)
    camera, point, weight = ours_ba.CAMERA, ours_ba.POINT, ours_ba.CAMERA * n + ours_ba.POINT * m
    i = np.arange(p)[:, None]
    own = [camera * (i % n) + np.arange(camera), camera * n + point * (i % m) + np.arange(point), weight + i]
    columns = np.repeat(np.hstack(own), 2, axis=0)
    widths = np.concatenate([[0], np.full(2 * p, columns.shape[1]), np.ones(p, dtype=int)])
    values = np.concatenate([by_all.ravel(), slopes])
    return np.concatenate([columns.ravel(), weight + np.arange(p)]), np.cumsum(widths), values


def ht(m: Any, given: Any) -> Eval:
    model, us = given["data"]["model"], m.array(given["us"])
    vertices = np.array(model["triangles"])[given["data"]["correspondences"]].ravel()
    at_rest, weights = (m.array(np.array(model[name])[vertices]) for name in ("base_positions", "weights"))
    points = m.array(given["data"]["points"])
    relatives, inverses = (m.array(model[name]) for name in ("base_relatives", "inverse_base_absolutes"))

    def distances(offset: Any, theta: Any) -> Any:
        bones = m.stack(posed(m, model["parents"], relatives, theta)) @ inverses
        moved = m.einsum("vb,bij,vj->vi", weights, bones, at_rest)[:, :3]
        placed = moved @ rotation(m, theta[:3]).T + theta[3:6]
        u, v = us[:, :1] + offset[0], us[:, 1:] + offset[1]
        first, second, third = (placed[k::3] for k in range(3))
        return (points - (u * first + v * second + (1.0 - u - v) * third)).reshape(-1)

    def jacobian(offset: Any, theta: Any) -> Any:
        return m.concatenate(m.transforms.jacfwd(distances, argnums=(0, 1))(offset, theta), axis=1)

    arguments = [0.0, 0.0], given["theta"]
    return {"objective": call(m, distances, *arguments), "jacobian": call(m, jacobian, *arguments)}


def posed(m: Any, parents: Any, relatives: Any, theta: Any) -> list[Any]:
    """The matrices of the bones, each turned at its joint and carried by its parent."""
    zero = 0.0 * theta[0]
    angles = {}
    for finger in range(5):
        bend, spread, second, third = theta[6 + 4 * finger : 10 + 4 * finger]
        angles |= {4 * finger + 2: (bend, zero, spread), 4 * finger + 3: (second, zero, zero)}
        angles[4 * finger + 4] = (third, zero, zero)
    bones: list[Any] = []
    for bone, parent in enumerate(parents):
        relative = relatives[bone] @ jointed(m, *angles[bone]) if bone in angles else relatives[bone]
        bones.append(relative if parent < 0 else bones[parent] @ relative)
    return bones


def jointed(m: Any, a: Any, b: Any, c: Any) -> Any:
    """The 4 × 4 matrix of the rotation about x by a, then y by b, then z by c."""
    zero, one = 0.0 * a, 0.0 * a + 1.0
    about_x = [[one, zero, zero, zero], [zero, m.cos(a), -m.sin(a), zero], [zero, m.sin(a), m.cos(a), zero]]
    about_y = [[m.cos(b), zero, m.sin(b), zero], [zero, one, zero, zero], [-m.sin(b), zero, m.cos(b), zero]]
    about_z = [[m.cos(c), -m.sin(c), zero, zero], [m.sin(c), m.cos(c), zero, zero], [zero, zero, one, zero]]
    x, y, z = (
        m.stack([m.stack(row) for row in [*rows, [zero, zero, zero, one]]]) for rows in (about_x, about_y, about_z)
    )
    return z @ y @ x


def lstm(m: Any, given: Any) -> Eval:
    state, sequence = m.array(given["state"]), m.array(given["sequence"])

    def objective(main: Any, extra: Any) -> Any:
        def follow(carry: Any, items: Any) -> Any:
            item, following = items
            signal, carried = item * extra[0], []
            for layer, (hidden, cell) in enumerate(carry):
                weights, biases = main[2 * layer].reshape(4, -1), main[2 * layer + 1].reshape(4, -1)
                forget, change, output, candidate = weights * m.stack([signal, hidden, signal, hidden]) + biases
                cell = cell * m.sigmoid(forget) + m.sigmoid(change) * m.tanh(candidate)  # noqa: PLW2901
                signal = m.sigmoid(output) * m.tanh(cell)
                carried.append((signal, cell))
            predicted = signal * extra[1] + extra[2]
            return carried, following @ (predicted - m.log(2.0 + m.sum(m.exp(predicted))))

        layers = list(zip(state[::2], state[1::2], strict=True))
        scores = m.scan(follow, layers, (sequence[:-1], sequence[1:]))
        return -m.sum(scores) / (len(scores) * sequence.shape[1])

    arguments = given["main_params"], given["extra_params"]
    return {"objective": call(m, objective, *arguments), "jacobian": call(m, m.grad(objective), *arguments)}


EVALS: dict[str, Callable[[Any, Any], Eval]] = {f.__name__: f for f in (lse, llsq, det, ode, kmeans, gmm, ba, ht, lstm)}
