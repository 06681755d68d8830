"""A row chosen by a recorded index."""

from __future__ import annotations

from typing import Any

import pytest

import scalargrad as sg
from scalargrad import RecordingError, Value

from .helpers import BACKENDS

TABLE = [[0.5, -1.0], [2.0, 3.0], [0.0, 4.0], [-2.5, 1.5]]


def test_plain_and_eager_indices_choose_the_row_itself() -> None:
    assert sg.take(TABLE, 2) is TABLE[2]
    assert sg.take(TABLE, Value(2.0)) is TABLE[2]
    assert sg.take([1.0, 2.0], 1.0) == 2.0
    for bad in (4, -1, 0.5, Value(7.0), Value(0.5), "1", None):
        with pytest.raises(IndexError, match="whole number from 0 to 3"):
            sg.take(TABLE, bad)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_program_chooses_any_row(backend: str) -> None:
    def loss(table: Any, i: Any, j: Any) -> Any:
        return sg.dot(sg.take(table, i), sg.take(table, j)) + sg.take([1.0, 10.0, 100.0, 0.0], i)

    step = sg.jit(sg.value_and_grad(loss), backend=backend)
    for i in range(4):
        for j in range(4):
            assert step(TABLE, i, j) == sg.value_and_grad(loss)(TABLE, i, j)
    assert step.stats == {"recordings": 1, "runs": 16, "guard_failures": 0, "eager_runs": 0}
    for bad in (4, -1, 0.5):
        with pytest.raises(IndexError, match="whole number"):
            step(TABLE, bad, 0)
    mapped = sg.jit(sg.vmap(lambda i: sg.take(TABLE, i)), backend=backend)
    assert mapped([0.0, 3.0, 1.0]) == [[0.5, -2.5, 2.0], [-1.0, 1.5, 3.0]]


def test_rows_that_are_nested_differently_are_refused_by_a_recorded_index() -> None:
    with pytest.raises(RecordingError, match="nested differently"):
        sg.jit(lambda i: sg.take([[1.0], 2.0], i), backend="python")(1)
