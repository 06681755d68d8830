"""The workloads are as described, ours computes them right, and the harness recognises wrong results."""

from __future__ import annotations

import json
import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from tests.gradbench import inputs, protocol
from tests.gradbench.answers import error

from . import crossing, gradbench, memory, preparations, prepare, report
from .__main__ import main
from .harness import Process, alone, compare, disagreements
from .networks import NETWORKS, Network, moons, square
from .preparations import Task
from .tools import scalargrad as ours
from .workloads import count_ops, make

SIZES = {"chain": 20, "formula": None, "moons": 2, "dag": None, "helm": 4}


class Floats:
    sin, cos, exp, log, tanh = math.sin, math.cos, math.exp, math.log, math.tanh

    @staticmethod
    def relu(x: float) -> float:
        return max(x, 0.0)


def test_workloads_have_the_ops_that_they_are_known_for() -> None:
    assert [count_ops(make(name)) for name in SIZES] == [30_000, 6, 65_077, 1_000, 948]


@pytest.mark.parametrize("name", SIZES)
def test_ours_agrees_with_floats_and_central_differences(name: str) -> None:
    workload = make(name, SIZES[name])
    value, *gradient = ours.sweep(ours.record(workload))
    assert value == pytest.approx(workload.function(Floats, workload.inputs), rel=1e-12)
    for i in range(0, len(gradient), 1 + len(gradient) // 5):
        up, down = (
            workload.function(Floats, [x + h if j == i else x for j, x in enumerate(workload.inputs)])
            for h in (1e-6, -1e-6)
        )
        assert gradient[i] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


def test_the_program_as_c_agrees() -> None:
    gcc = pytest.importorskip("tests.benchmarks.tools.gcc", exc_type=ImportError)
    workload = make("helm", 4)
    expected = ours.sweep(ours.record(workload))
    assert gcc.compile(workload)(list(workload.inputs)) == pytest.approx(expected, rel=1e-12)
    rows = gcc.compile_batch(workload, np.array([workload.inputs] * 8))()
    assert rows[5].tolist() == pytest.approx(expected, rel=1e-12)


TRAINED = {"moons": {"points": 4}, "digits": {"batch": 2}, "square": {"width": 3, "batch": 2}}


CLASSES = [([0.5, -1.0, 2.0], [0.0, 1.0]), ([1.5, 0.25, -0.5], [1.0, 0.0])]
SMALL = [moons(4), square(3, 2), Network((3, 4, 2), "tanh", "cross_entropy", CLASSES, batch=1)]


@pytest.mark.parametrize("network", SMALL, ids=lambda network: network.loss)
def test_training_follows_central_differences(network: Network) -> None:
    first, second, *_ = ours.train_eager(network)()
    parameters = network.parameters
    before, after = network.batches()[:2]
    assert first == pytest.approx(network.objective(Floats, parameters, before), rel=1e-12)
    gradient = [
        (network.objective(Floats, up, before) - network.objective(Floats, down, before)) / 2e-6
        for up, down in (
            ([x + h if j == i else x for j, x in enumerate(parameters)] for h in (1e-6, -1e-6))
            for i in range(len(parameters))
        )
    ]
    moved = [p - network.rate * g for p, g in zip(parameters, gradient, strict=True)]
    assert second == pytest.approx(network.objective(Floats, moved, after), rel=1e-7)


ROWS = np.random.default_rng(3).normal(size=(20, 12))
PREPARED = [
    Task("squares", partial(preparations.squares, turns=3), [0.1 * i - 0.5 for i in range(12)], "gradient"),
    Task("residuals", partial(preparations.residuals, turns=3), [0.1 * i - 0.5 for i in range(12)], "jacobian"),
    Task("hessian", partial(preparations.squares, turns=3), [0.1 * i - 0.5 for i in range(12)], "hessian"),
    Task("put", partial(preparations.put, n=6), [100.0, 105.0, 0.03, 0.3, 1.0], "gradient"),
    Task("arm", preparations.arm, [0.3 - 0.1 * i for i in range(18)], "jacobian"),
    Task("asian", preparations.asian, [100.0, 0.2], "gradient", ROWS),
    Task("rosenbrock", preparations.rosenbrock, [0.1 + 0.2 * i for i in range(5)], "gradient"),
    Task("chain", partial(preparations.chain, turns=10), [0.7, 0.3], "gradient"),
]


@pytest.mark.parametrize("task", PREPARED, ids=lambda task: task.name)
@pytest.mark.parametrize("tool", ["scalargrad", "casadi"])
def test_what_is_prepared_follows_central_differences(task: Task, tool: str) -> None:
    module = pytest.importorskip(f"tests.benchmarks.tools.{tool}", exc_type=ImportError)
    m = SimpleNamespace(**vars(math), maximum=max, scan=preparations.scan)

    def f(x: list[float]) -> list[float]:
        if task.data is not None:
            return [sum(task.function(m, x, row) for row in task.data) / len(task.data)]
        if task.kind == "hessian":
            return list(ours.prepared(task._replace(kind="gradient", inputs=x))()[1:])
        out = task.function(m, x)
        return out if isinstance(out, list) else [out]

    columns = []
    for i in range(len(task.inputs)):
        up, down = (f([x + h if j == i else x for j, x in enumerate(task.inputs)]) for h in (1e-5, -1e-5))
        columns.append([(a - b) / 2e-5 for a, b in zip(up, down, strict=True)])
    expected = [x for row in zip(*columns, strict=True) for x in row]
    if task.kind == "gradient":
        expected = f(task.inputs) + expected
    assert module.prepared(task)() == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_preparations_are_tasks_that_the_command_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def compared(tools: list[str], **task: object) -> dict[str, dict[str, float]]:
        asked.append(task)
        return {tool: {"seconds": 1e-6, "preparation": 0.5} for tool in tools}

    monkeypatch.setattr(prepare, "compare", compared)
    table = prepare.measure(["scalargrad"])["tables"]["prepare"]
    assert [row[1] for row in report.table_rows(table)[1:]] == ["1 (0.5)"] * len(preparations.tasks())
    assert {(task["mode"], task["clock"]) for task in asked} == {("prepared", "process_time")}


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("tool", ["scalargrad, jit", "micrograd", "xad", "casadi", "autograd", "jax", "torch"])
def test_tools_train_alike(name: str, tool: str) -> None:
    asked = {"do": "prepare", "mode": "training", "network": name, **TRAINED[name]}
    way = tool.partition(", ")[2]
    answer = alone(tool, 100.0, **asked, **({"way": way} if way else {}))
    if answer.get("problem") == "not installed":
        pytest.skip(f"no {tool}")
    assert answer["result"] == pytest.approx(ours.train_eager(NETWORKS[name](**TRAINED[name]))(), rel=1e-10)


EVALS = {
    "lse": {"n": 9},
    "llsq": {"n": 8, "m": 3},
    "det": {"ell": 3},
    "ode": {"n": 5, "s": 2},
    "kmeans": {"k": 2, "n": 9, "d": 3},
    "gmm": {"d": 3, "k": 2, "n": 4, "m": 1, "gamma": 1.5},
    "ba": {"n": 2, "m": 3, "p": 7},
    "ht": {"count": 2, "vertices": 10},
    "lstm": {"layers": 2, "length": 4, "bits": 3},
}


@pytest.mark.slow
@pytest.mark.parametrize("library", ["torch", "jax"])
def test_array_code_of_the_evals_gives_our_answers(library: str) -> None:
    pytest.importorskip(library, reason=f"no {library}")
    assert EVALS.keys() == gradbench.SIZES.keys()
    with Process(library) as process:
        for module, size in EVALS.items():
            given = getattr(inputs, module)(np.random.default_rng(31337), **size)
            for function, ours_of in protocol.EVALS[module].items():
                task = {"mode": "gradbench", "module": module, "function": function, "size": size}
                answer = process.ask(100.0, do="prepare", **task)
                assert error(answer["result"], ours_of(given)()) <= 1e-8, (module, function)


def test_an_answer_that_differs_from_ours_disagrees() -> None:
    found = {
        "scalargrad": {"result": [1.0, 2.0]},
        "a": {"result": [1.0, 2.0 + 1e-10]},
        "b": {"result": [1.0, 2.1]},
        "c": {"result": [1.0]},
        "d": {"problem": "p"},
    }
    gradbench.agreement(found)
    assert [answer.get("problem") for answer in found.values()] == [None, None, "disagrees", "disagrees", "p"]


def test_crossing_is_found_between_two_widths() -> None:
    def rows(*leads: float) -> dict[int, dict[str, dict[str, float]]]:
        return {4 * 4**k: {"ours": {"seconds": 1.0}, "it": {"seconds": x}} for k, x in enumerate(leads)}

    assert crossing.passes(rows(4.0, 2.0, 0.5), "ours", "it") == pytest.approx(32.0)
    assert crossing.passes(rows(0.5, 2.0, 0.25), "ours", "it") == pytest.approx(16 * 4 ** (1 / 3))
    assert crossing.passes(rows(4.0, 2.0), "ours", "it") is None
    assert crossing.passes(rows(0.5, 0.4), "ours", "it") == 4


def test_a_grid_stands_between_the_marks_of_a_page() -> None:
    fine = {"seconds": 2e-3, "preparation": 0.1}
    table = {
        "title": "eval",
        "unit": "ms",
        "scale": 1e3,
        "columns": ["scalargrad", "jax"],
        "rows": {"lse, n=9": {"scalargrad": fine, "jax": {"problem": "disagrees"}}},
        "passes": {"jax": 41.7},
    }
    figures = {"gradbench": {**report.machine(), "versions": {"jax": "1"}, "tables": {"gradbench": table}}}
    page = "above\n<!-- gradbench -->\nold\n<!-- end of gradbench -->\nbelow\n"
    made = report.marked(page, figures)
    assert "| lse, n=9 | 2 (0.1) | disagrees |\n| faster than ours from a width of |  | 42 |" in made
    assert "old" not in made
    assert made.startswith("above\n<!-- gradbench -->\n\n2")
    assert made.endswith("\n<!-- end of gradbench -->\nbelow\n")
    assert report.marked(made, figures) == made
    assert report.marked("no marks", figures) == "no marks"


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
