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
    (Point(1.0, [2.0]), [1.0, 2.0], ["[0]", "[1][0]"]),
    ([], [], []),
    ({"a": {}, "b": ()}, [], []),
]


@pytest.mark.parametrize(("structure", "leaves", "paths"), STRUCTURES)
def test_flatten_and_rebuild(structure, leaves, paths):
    found, found_paths, rebuild = flatten(structure)
    assert (found, found_paths) == (leaves, paths)
    again = rebuild(leaves)
    assert again == structure
    assert type(again) is type(structure)


def test_arrays():
    a = np.arange(6.0).reshape(2, 3)
    leaves, paths, rebuild = flatten({"a": a})
    assert leaves == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert all(type(leaf) is float for leaf in leaves)
    assert paths[0] == "['a'][0][0]"
    assert paths[-1] == "['a'][1][2]"
    again = rebuild(leaves)["a"]
    assert again.dtype == float
    assert again.tolist() == a.tolist()
    nodes = rebuild([Value(x) for x in leaves])["a"]
    assert (nodes.dtype, nodes.shape) == (object, (2, 3))


def test_a_scalar_array_keeps_its_shape():
    leaves, paths, rebuild = flatten(np.array(2.0))
    assert (leaves, paths) == ([2.0], [""])
    assert rebuild([3.0]).shape == ()


def test_an_array_of_mixed_items_holds_objects():
    v = Value(1.0)
    mixed = array([1.0, v], (2,))
    assert mixed.dtype == object
    assert mixed[1] is v
