"""The eval `ht`: how far the surface of a posed hand is from points that were measured.

Bones turn one after the other; a vertex follows several of them by its weights (linear blend skinning). Each
measured point belongs to a vertex, or, where `us` are given, to the place with these coordinates in a triangle.
Source: ADBench, https://arxiv.org/abs/1807.10129; the pose is in the order of its data.
"""

import scalargrad as sg

from .recorded import prepared

FINGERS = 5
STILL = (0.0, 0.0, 0.0)
MOVES = 6
"""A pose begins with the whole hand's rotation (3) and translation (3)."""


def objective(data, us):
    """The function of the pose, and of an offset of all us: the points minus their places on the hand."""
    model = data["model"]

    def distances(offset, theta):
        place = surface(model, theta)
        result = []
        for i, (which, point) in enumerate(zip(data["correspondences"], data["points"], strict=True)):
            if us:
                corners = [place(vertex) for vertex in model["triangles"][which]]
                at = inside(corners, us[i][0] + offset[0], us[i][1] + offset[1])
            else:
                at = place(which)
            result += [a - b for a, b in zip(point, at, strict=True)]
        return result

    return distances


def inside(corners, u, v):
    """The point of a triangle with the barycentric coordinates u, v and 1 − u − v."""
    weights = [u, v, 1.0 - u - v]
    return [sg.dot(weights, coordinates) for coordinates in zip(*corners, strict=True)]


def surface(model, theta):
    """The function that places a vertex of the posed hand, computed once for each."""
    bones = bone_transforms(model, theta)
    turn, shift = turned(theta[:3]), theta[3:MOVES]
    places = {}

    def place(vertex):
        if vertex not in places:
            x = skinned(bones, model["base_positions"][vertex], model["weights"][vertex])
            if model["is_mirrored"]:
                x[0] = -x[0]
            places[vertex] = [sg.affine(row, x, move) for row, move in zip(turn, shift, strict=True)]
        return places[vertex]

    return place


def skinned(bones, x, weights):
    """Σ weight · (bone · x) over the bones that move a vertex."""
    moved = [(w, times(bone, x)) for w, bone in zip(weights, bones, strict=True) if w != 0]
    return [sg.sum([w * y[axis] for w, y in moved]) for axis in range(3)]


def bone_transforms(model, theta):
    """For each bone the three rows that take a vertex of the hand at rest to where the bone moves it."""
    absolute = []
    for parent, base, angles in zip(
        model["parents"], model["base_relatives"], bone_angles(theta, model["bone_count"]), strict=True
    ):
        relative = compose(base[:3], jointed(angles))
        absolute.append(relative if parent < 0 else compose(absolute[parent], relative))
    return [compose(bone, rest[:3]) for bone, rest in zip(absolute, model["inverse_base_absolutes"], strict=True)]


def bone_angles(theta, count):
    """Each bone's angles about x, y and z. A finger's first bone is still, its second turns about two axes."""
    angles = [STILL]
    values = iter(theta[MOVES:])
    for _ in range(FINGERS):
        bend, spread = next(values), next(values)
        angles += [STILL, (bend, 0.0, spread), (next(values), 0.0, 0.0), (next(values), 0.0, 0.0)]
    return angles + [STILL] * (count - len(angles))


def jointed(angles):
    """The rows of the rotation about x, then y, then z."""
    (cx, sx), (cy, sy), (cz, sz) = ((sg.cos(a), sg.sin(a)) for a in angles)
    return [
        [cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz, 0.0],
        [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz, 0.0],
        [-sy, sx * cy, cx * cy, 0.0],
    ]


def turned(axis):
    """The rows of the rotation about the axis, whose length is the angle: Rodrigues' formula."""
    squared = sg.dot(axis, axis)
    if squared == 0:
        x, y, z = axis
        return [[1.0, -z, y], [z, 1.0, -x], [-y, x, 1.0]]
    angle = sg.sqrt(squared)
    x, y, z = (a / angle for a in axis)
    c, s = sg.cos(angle), sg.sin(angle)
    d = 1.0 - c
    return [
        [c + x * x * d, x * y * d - z * s, x * z * d + y * s],
        [x * y * d + z * s, c + y * y * d, y * z * d - x * s],
        [x * z * d - y * s, y * z * d + x * s, c + z * z * d],
    ]


def compose(a, b):
    """The product of two affine maps, three rows of four each, whose fourth row is 0 0 0 1."""
    columns = list(zip(*b, strict=True))
    return [[*(sg.dot(row[:3], column) for column in columns[:3]), sg.affine(row[:3], columns[3], row[3])] for row in a]


def times(a, x):
    """An affine map of a point."""
    return [sg.affine(row[:3], x[:3], row[3]) for row in a]


def jacobian(data, us):
    """The derivatives of all distances: with respect to their own two us, if there are us, then to the pose."""
    by_both = sg.jacobian(objective(data, us), argnums=(0, 1))

    def rows(offset, theta):
        both = by_both(offset, theta)
        return [[*by_us, *by_pose] if us else by_pose for by_us, by_pose in both]

    return rows


def call(f):
    """The eval's function that runs what f makes of the data and the us."""
    return lambda given: prepared(f(given["data"], given["us"]), [0.0, 0.0], given["theta"])


FUNCTIONS = {"objective": call(objective), "jacobian": call(jacobian)}
