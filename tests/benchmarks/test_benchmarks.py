"""The workloads mean what they say, ours computes them right, and the harness tells right from wrong."""

from __future__ import annotations

import json
import math

import pytest

from . import memory, report
from .__main__ import main
from .harness import alone, compare, disagreements
from .tools import scalargrad as ours
from .workloads import count_ops, make

SIZES = {"chain": 20, "formula": None, "moons": 2, "dag": None, "helm": 4}


class Floats:
    sin, cos, exp, log = math.sin, math.cos, math.exp, math.log

    @staticmethod
    def relu(x: float) -> float:
        return max(x, 0.0)


def test_workloads_have_the_ops_that_they_are_known_for() -> None:
    assert [count_ops(make(name)) for name in SIZES] == [30_000, 6, 65_077, 1_000, 948]


@pytest.mark.parametrize("name", SIZES)
def test_ours_agrees_with_floats_and_central_differences(name: str) -> None:
    workload = make(name, SIZES[name])
    try:
        value, *gradient = ours.sweep(ours.record(workload))
    except ours.MissingError as missing:
        pytest.skip(str(missing))
    assert value == pytest.approx(workload.function(Floats, workload.inputs), rel=1e-12)
    for i in range(0, len(gradient), 1 + len(gradient) // 5):
        up, down = (
            workload.function(Floats, [x + h if j == i else x for j, x in enumerate(workload.inputs)])
            for h in (1e-6, -1e-6)
        )
        assert gradient[i] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


def test_the_program_as_c_agrees() -> None:
    gcc = pytest.importorskip("tests.benchmarks.tools.gcc", exc_type=ImportError)
    np = pytest.importorskip("numpy")
    workload = make("helm", 4)
    expected = ours.sweep(ours.record(workload))
    assert gcc.compile(workload)(list(workload.inputs)) == pytest.approx(expected, rel=1e-12)
    rows = gcc.compile_batch(workload, np.array([workload.inputs] * 8))()
    assert rows[5].tolist() == pytest.approx(expected, rel=1e-12)


def test_what_differs_from_the_median_disagrees() -> None:
    found = {
        "a": {"result": [1.0, 2.0]},
        "b": {"result": [1.0, 2.0]},
        "c": {"result": [1.0, math.nan]},
        "d": {"problem": "p"},
    }
    disagreements(found)
    assert [answer.get("problem") for answer in found.values()] == [None, None, "disagrees", "p"]


def test_a_tool_that_is_missing_or_crashes_is_shown_as_such() -> None:
    found = compare(["no_such_tool"], mode="eager", workload="formula")
    assert found == {"no_such_tool": {"problem": "not installed"}}
    assert alone("scalargrad", 20.0, do="prepare", mode="eager", workload="no such") == {"problem": "fails: KeyError"}


def test_a_power_law_is_found() -> None:
    points = [{"ops": 10.0**k, "seconds": 3e-7 * 10.0 ** (1.5 * k)} for k in range(3, 7)]
    assert memory.exponent(points, "seconds") == pytest.approx(1.5)
    assert memory.evenness(points) == pytest.approx(10**1.5)


def test_page_keeps_what_other_groups_measured(tmp_path, capsys, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    fine = {"seconds": 2e-6, "low": 1e-6, "high": 3e-6, "rounds": 5, "ratio": 0.25, "preparation": 0.1}
    table = {
        "title": "formula, 6 ops",
        "unit": "µs",
        "scale": 1e6,
        "tools": {"scalargrad": fine, "jax": {"problem": "crashes"}},
    }
    kept = {**report.machine(), "versions": {"scalargrad": "1"}, "tables": {"formula": table}}
    path = tmp_path / "benchmarks.json"
    path.write_text(json.dumps({"replay": kept}))
    monkeypatch.setattr("tests.benchmarks.eager.measure", lambda tools: {"tables": {"formula": table}})
    monkeypatch.setattr("tests.benchmarks.charts.draw", lambda figures, folder: [])
    assert main(["eager", "--peers", "--json", str(path)]) == 0
    assert "0.250" in capsys.readouterr().out
    assert set(json.loads(path.read_text())) == {"eager", "replay"}
    page = path.with_name("benchmarks.md").read_text()
    assert page.count("| scalargrad | 2 | 1 – 3 | 5 | 0.250 | 0.1 |") == 2
    assert "| jax | crashes |" in page
