"""The eval `kmeans`: the cost of a clustering, and Newton's step for its centroids.

The cost's Hessian is diagonal, since no two coordinates of the centroids meet in a term. So its product with
a vector of ones is its diagonal, and comes with the gradient in one forward-over-reverse pass.
"""

import scalargrad as sg

from .recorded import prepared, total


def nearest(point, centroids):
    """The squared distance of a point to the nearest centroid."""
    return sg.min([squared_distance(point, centroid) for centroid in centroids])


def squared_distance(x, y):
    """Σ (xᵢ − yᵢ)²."""
    differences = [a - b for a, b in zip(x, y, strict=True)]
    return sg.dot(differences, differences)


def cost(points, centroids):
    """The sum of the squared distances of the points to their nearest centroids."""
    return total(nearest, (0, None))(points, centroids)


def direction(points, centroids):
    """The gradient by the centroids, divided by the diagonal of the Hessian."""
    ones = [[1.0] * len(centroid) for centroid in centroids]
    gradient, diagonal = sg.jvp(sg.grad(lambda c: cost(points, c)), (centroids,), (ones,))
    return [[g / h for g, h in zip(*rows, strict=True)] for rows in zip(gradient, diagonal, strict=True)]


FUNCTIONS = {
    "cost": lambda given: prepared(cost, given["points"], given["centroids"]),
    "dir": lambda given: prepared(direction, given["points"], given["centroids"]),
}
