"""The GPT on scalars: the same losses on every engine, and in notebook 10."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator

import pytest

from .microgpt import ENGINES, NOTEBOOK, Trainer


@pytest.fixture(autouse=True)
def _deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    yield
    sys.setrecursionlimit(before)


def losses(engine: str, steps: int) -> list[float]:
    trainer = Trainer(ENGINES[engine])
    return [trainer.step() for _ in range(steps)]


def test_losses_are_the_same_on_every_engine() -> None:
    theirs, operators, rows = (losses(engine, 8) for engine in ENGINES)
    assert operators == pytest.approx(theirs, rel=1e-9)
    assert rows == pytest.approx(theirs, rel=1e-9)


def test_notebook_has_the_losses_of_the_other_engine_to_six_digits() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    text = "".join(line for cell in cells for out in cell.get("outputs", ()) for line in out.get("text", ()))
    printed = [float(loss) for loss in re.findall(r"^step \d+: loss (\d+\.\d{6})$", text, re.MULTILINE)]
    assert len(printed) == 5
    assert printed == pytest.approx(losses("microgpt's kind", 5), abs=6e-7)


def test_gradients_are_the_same_on_every_engine() -> None:
    gradients = []
    for engine in ENGINES.values():
        trainer = Trainer(engine)
        trainer.loss("ada").backward()
        gradients.append([w.grad for w in trainer.parameters])
    assert gradients[1] == pytest.approx(gradients[0], rel=1e-9, abs=1e-12)
    assert gradients[2] == pytest.approx(gradients[0], rel=1e-9, abs=1e-12)
    assert sum(g != 0.0 for g in gradients[0]) > 3000
