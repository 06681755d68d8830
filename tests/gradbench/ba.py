"""The eval `ba`: bundle adjustment, the errors of projected points and their sparse Jacobian.

One camera, point, weight and feature come in and are repeated. An observation's errors depend on its own
camera, point and weight alone, so the Jacobian is put together from the derivatives of one residual.
Source: ADBench, https://arxiv.org/abs/1807.10129.
"""

import scalargrad as sg

from .recorded import each

CAMERA, POINT = 11, 3


def residual(camera, x, w, feature):
    """The weighted difference of a point's projection and the feature that was seen.

    A camera is its rotation (3), centre (3), focal length, principal point (2) and radial distortion (2).
    """
    seen = rotated(camera[0:3], [a - b for a, b in zip(x, camera[3:6], strict=True)])
    u, v = seen[0] / seen[2], seen[1] / seen[2]
    squared = u * u + v * v
    scale = camera[6] * (1.0 + squared * (camera[9] + squared * camera[10]))
    return [w * (scale * u + camera[7] - feature[0]), w * (scale * v + camera[8] - feature[1])]


def rotated(axis, x):
    """x turned about the axis, whose length is the angle: Rodrigues' formula."""
    squared = sg.dot(axis, axis)
    if squared == 0:
        return [a + b for a, b in zip(x, cross(axis, x), strict=True)]
    angle = sg.sqrt(squared)
    unit = [a / angle for a in axis]
    cosine, sine = sg.cos(angle), sg.sin(angle)
    along = sg.dot(unit, x) * (1.0 - cosine)
    return [a * cosine + b * sine + c * along for a, b, c in zip(x, cross(unit, x), unit, strict=True)]


def cross(x, y):
    """The cross product."""
    return [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]


def weight_error(w):
    """1 − w²: weights are held near 1."""
    return 1.0 - w * w


def derivatives(camera, x, w, feature):
    """The two rows of a residual's derivatives by its camera, point and weight."""
    rows = sg.jacobian(residual, argnums=(0, 1, 2))(camera, x, w, feature)
    return [[*by_camera, *by_point, by_weight] for by_camera, by_point, by_weight in rows]


def observed(given):
    """The cameras, points, weights and features of all observations."""
    return [[given[name]] * given["p"] for name in ("cam", "x", "w", "feat")]


def objective(given):
    """The errors of all observations; in the answer the first one's, and how often they are repeated."""
    observations = observed(given)
    residuals = each(residual, *observations)
    weight_errors = each(weight_error, observations[2])

    def run():
        errors, weights = residuals(), weight_errors()
        return {
            "reproj_error": {"elements": list(errors[0]), "repeated": len(errors)},
            "w_err": {"element": weights[0], "repeated": len(weights)},
        }

    return run


def jacobian(given):
    """The sparse Jacobian: two rows for each observation, then one for each weight."""
    observations = observed(given)
    blocks = each(derivatives, *observations)
    slopes = each(sg.grad(weight_error), observations[2])
    return lambda: excerpt(*assembled(blocks(), slopes(), given["n"], given["m"]))


def assembled(blocks, slopes, n, m):
    """The columns, the row pointers and the values of the Jacobian, which is stored row by row.

    Observation i is of camera i mod n and point i mod m.
    """
    cols, rows, vals = [], [0], []
    points = CAMERA * n
    weights = points + POINT * m
    for i, block in enumerate(blocks):
        camera, point = CAMERA * (i % n), points + POINT * (i % m)
        columns = [*range(camera, camera + CAMERA), *range(point, point + POINT), weights + i]
        for row in block:
            cols.extend(columns)
            vals.extend(row)
            rows.append(len(vals))
    for i, slope in enumerate(slopes):
        cols.append(weights + i)
        vals.append(slope)
        rows.append(len(vals))
    return cols, rows, vals


def excerpt(cols, rows, vals):
    """The part of the Jacobian that is sent: the first thirty numbers of each list, and the last."""
    return {name: [*x[:30], x[-1]] for name, x in (("cols", cols), ("rows", rows), ("vals", vals))}


FUNCTIONS = {"objective": objective, "jacobian": jacobian}
