"""Nested arguments: taken apart into numbers with their paths, and rebuilt as they were."""

from collections import namedtuple

import numpy as np
import pytest

from scalargrad import Value
from scalargrad.engine.structures import array, flatten

Point = namedtuple("Point", "x y")

STRUCTURES = [
    (3.0, [3.0], [""]),
    ([1.0, (2.0, 3.0)], [1.0, 2.0, 3.0], ["[0]", "[1][0]", "[1][1]"]),
    ({"w": [1.0], "b": 2.0}, [1.0, 2.0], ["['w'][0]", "['b']"]),
    (Point(1.0, [2.0]), [1.0, 2.0], [".x", ".y[0]"]),
    ([], [], []),
    ({"a": {}, "b": ()}, [], []),
]


@pytest.mark.parametrize(("structure", "leaves", "paths"), STRUCTURES)
def test_flatten_and_rebuild(structure, leaves, paths):
    found, tree = flatten(structure)
    assert (found, tree.paths(), tree.size) == (leaves, paths, len(leaves))
    again = tree.unflatten(leaves)
    assert again == structure
    assert type(again) is type(structure)


def test_arrays():
    a = np.arange(6.0).reshape(2, 3)
    leaves, tree = flatten({"a": a})
    paths = tree.paths()
    assert leaves == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert all(type(leaf) is float for leaf in leaves)
    assert paths[0] == "['a'][0][0]"
    assert paths[-1] == "['a'][1][2]"
    again = tree.unflatten(leaves)["a"]
    assert again.dtype == float
    assert again.tolist() == a.tolist()
    nodes = tree.unflatten([Value(x) for x in leaves])["a"]
    assert (nodes.dtype, nodes.shape) == (object, (2, 3))


def test_a_scalar_array_keeps_its_shape():
    leaves, tree = flatten(np.array(2.0))
    assert (leaves, tree.paths()) == ([2.0], [""])
    assert tree.unflatten([3.0]).shape == ()


def test_an_array_of_mixed_items_holds_objects():
    v = Value(1.0)
    mixed = array([1.0, v], (2,))
    assert mixed.dtype == object
    assert mixed[1] is v
