"""The notebooks run from top to bottom, and give the outputs that they show.

`python -m tests.test_notebooks [NAME …]` runs them and writes their outputs anew.
"""

import re
import resource
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="pip install --group notebooks runs the notebooks")
nbclient = pytest.importorskip("nbclient", reason="pip install --group notebooks runs the notebooks")

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LIMIT = 60.0
"""Seconds of computing that a notebook may take."""

MACHINE = "machine-dependent"
"""The tag of cells whose output is that of one machine: times, and what is installed."""


def read(path):
    return nbformat.read(path, as_version=4)


def run(path):
    """The notebook, executed in its folder. Raises if a cell does."""
    notebook = read(path)
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def shown(notebook):
    """The texts that a notebook shows, cell by cell: prints and results, pictures by their kind alone."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [[] if MACHINE in cell.metadata.get("tags", []) else [_text(out) for out in cell.outputs] for cell in cells]


def _text(output):
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    data = output.get("data", {})
    if data.keys() & {"image/png", "image/svg+xml", "text/html"}:
        return sorted(data)
    return data.get("text/markdown") or data.get("text/plain")


def computing():
    """Seconds that finished child processes, the notebooks' kernels, have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def assert_same(run, committed):
    """The texts are equal, their numbers up to a percent: training amplifies the last digit of a libm."""
    number = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?")
    assert [number.sub("#", str(text)) for text in run] == [number.sub("#", str(text)) for text in committed]
    for one, other in zip(number.findall(str(run)), number.findall(str(committed)), strict=True):
        assert float(one) == pytest.approx(float(other), rel=0.01, abs=1e-3)


def test_all_ten_are_there():
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{n:02}" for n in range(1, 11)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_outputs_are_whole_and_of_no_machine(path):
    notebook = read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/home/|/tmp/|/Users/|site-packages|ipykernel_\d| at 0x[0-9a-f]", text)
    assert all(output.get("name") != "stderr" for cell in code for output in cell.outputs)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what the kernel's own packages warn of
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_gives_its_committed_outputs(path):
    began = computing()
    assert_same(shown(run(path)), shown(read(path)))
    assert computing() - began < LIMIT


if __name__ == "__main__":
    for path in NOTEBOOKS:
        if len(sys.argv) == 1 or path.stem in sys.argv[1:]:
            began = computing()
            nbformat.write(run(path), path)
            print(f"{path.stem}: {computing() - began:.1f} s")
