"""Inputs of the evals at any size, drawn as GradBench's own evals draw them; all are plain lists."""

import numpy as np

BONES = 22


def lse(rng, n):
    return {"x": rng.uniform(size=n).tolist()}


def llsq(rng, n, m):
    return {"x": rng.uniform(size=m).tolist(), "n": n}


def det(rng, ell):
    return {"A": rng.uniform(size=ell * ell).tolist(), "ell": ell}


def ode(rng, n, s):
    return {"x": rng.uniform(size=n).tolist(), "s": s}


def kmeans(rng, k, n, d):
    points = rng.uniform(size=(n, d)).tolist()
    return {"points": points, "centroids": points[-k:]}


def gmm(rng, d, k, n, m=0, gamma=1.0):
    return {
        **{"d": d, "k": k, "n": n, "m": m, "gamma": gamma},
        "x": rng.normal(size=(n, d)).tolist(),
        "alpha": rng.normal(size=k).tolist(),
        "mu": rng.uniform(size=(k, d)).tolist(),
        "q": rng.normal(size=(k, d)).tolist(),
        "l": rng.normal(size=(k, d * (d - 1) // 2)).tolist(),
    }


def ba(rng, n, m, p):
    turn, centre = rng.normal(size=(2, 3)).tolist()
    return {
        **{"n": n, "m": m, "p": p, "w": 0.4, "feat": [270.0, 830.0]},
        "cam": [*turn, *centre, 400.0, 5.0, -8.0, 0.08, 0.003],
        "x": [a + b for a, b in zip(centre, (7.0, 0.5, 3.0), strict=True)],
    }


def lstm(rng, layers, length, bits=14):
    return {
        "main_params": rng.uniform(size=(2 * layers, 4 * bits)).tolist(),
        "extra_params": rng.uniform(size=(3, bits)).tolist(),
        "state": rng.uniform(size=(2 * layers, bits)).tolist(),
        "sequence": rng.integers(2, size=(length, bits)).astype(float).tolist(),
    }


def ht(rng, count, vertices=544, simple=False, still=False, mirrored=False):
    """A hand with that many vertices, and as many points; `still` is the pose without a rotation of the whole."""
    theta = rng.normal(size=26)
    theta[:3] *= not still
    us = [] if simple else rng.uniform(0.0, 0.5, size=(count, 2)).tolist()
    model = hand(rng, vertices, 2 * vertices, mirrored)
    data = {
        "model": model,
        "correspondences": rng.integers(vertices if simple else 2 * vertices, size=count).tolist(),
        "points": rng.normal(size=(count, 3)).tolist(),
    }
    return {"theta": theta.tolist(), "us": us, "data": data}


def hand(rng, vertices, triangles, mirrored):
    """A model of a wrist, five fingers of four bones and a forearm; two of the bones move a vertex."""

    def transforms():
        return [[*(np.eye(4)[:3] + 0.3 * rng.normal(size=(3, 4))).tolist(), [0.0, 0.0, 0.0, 1.0]] for _ in range(BONES)]

    weights = np.zeros((vertices, BONES))
    for row in weights:
        row[rng.choice(BONES, 2, replace=False)] = rng.dirichlet([1.0, 1.0])
    return {
        "bone_count": BONES,
        "parents": [-1, *(0 if i % 4 == 1 else i - 1 for i in range(1, 21)), 0],
        "base_relatives": transforms(),
        "inverse_base_absolutes": transforms(),
        "base_positions": np.column_stack([rng.normal(size=(vertices, 3)), np.ones(vertices)]).tolist(),
        "weights": weights.tolist(),
        "triangles": rng.integers(vertices, size=(triangles, 3)).tolist(),
        "is_mirrored": mirrored,
    }


LARGE = {
    "lse": lambda rng: lse(rng, 160_000),
    "llsq": lambda rng: llsq(rng, 1024, 128),
    "det": lambda rng: det(rng, 8),
    "ode": lambda rng: ode(rng, 1000, 10),
    "kmeans": lambda rng: kmeans(rng, 10, 1000, 8),
    "gmm": lambda rng: gmm(rng, 10, 5, 1000),
    "ba": lambda rng: ba(rng, 49, 7776, 31_843),
    "ht": lambda rng: ht(rng, 100),
    "lstm": lambda rng: lstm(rng, 2, 1024),
    "saddle": lambda rng: {"start": [1.0, 1.0]},
    "particle": lambda rng: {"w": 0.0},
}
"""The sizes that the documentation has figures for."""
