"""The comparison of checkers: its gradients are right or wrong as stated, and our checker recognises both."""

from __future__ import annotations

import numpy as np
import pytest

from .checkers import FAMILIES, WRONG, cases, compare, ours


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if not family.single])
def test_right_gradients_are_those_of_five_point_differences(name: str) -> None:
    for case in cases(FAMILIES[name], 5, 2):
        for j, step in enumerate(case.lengths / 256):
            far, near, back, away = (case.f(case.point + k * step * np.eye(2)[j]) for k in (2, 1, -1, -2))
            assert (8 * (near - back) - (far - away)) / (12 * step) == pytest.approx(case.right[j], rel=1e-4, abs=0.0)


@pytest.mark.parametrize("name", FAMILIES)
def test_ours_tells_right_from_wrong(name: str) -> None:
    (found,) = compare({"scalargrad": ours}, FAMILIES[name], 3).values()
    assert (found.right, found.wrong) == (6, 3 * (len(WRONG) - 1) + 3 * len(WRONG))
    assert found.missed == 0
    assert found.refused <= (1 if FAMILIES[name].single else 0)
