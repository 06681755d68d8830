"""The documentation can't drift: generated pages, examples and public names are checked."""

import builtins
import doctest
import importlib
import importlib.util
import inspect
import pkgutil
from pathlib import Path

import pytest

import scalargrad as sg
from scalargrad.rows import Primitive

ROOT = Path(__file__).parent.parent
MODULES = [
    "scalargrad",
    *(m.name for m in pkgutil.walk_packages(sg.__path__, "scalargrad.") if not m.name.endswith("__main__")),
]


def tables():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["primitives.md", "conventions.md"])
def test_generated_page_is_what_the_table_gives(page):
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == tables().PAGES[page]()


@pytest.mark.parametrize("page", ["README.md", "docs/adding-a-primitive.md", "docs/testing.md"])
def test_examples_of_a_page_run(page, rows_restored):
    failures, tried = doctest.testfile(str(ROOT / page), module_relative=False)
    assert tried > 0
    assert failures == 0


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name, rows_restored):
    if name.startswith("scalargrad.plots"):
        pytest.importorskip("matplotlib", reason="no matplotlib: pip install matplotlib")
    module = importlib.import_module(name)
    public = {key: getattr(sg, key) for key in sg.__all__ if not hasattr(builtins, key)}
    failures, _ = doctest.testmod(module, extraglobs={**public, "sg": sg})
    assert failures == 0


@pytest.mark.parametrize("name", sg.__all__)
def test_public_name_is_documented(name):
    public = getattr(sg, name)
    text = inspect.getdoc(public) or ""
    assert len(text) > 40
    assert text.splitlines()[0].endswith((".", ":"))


def test_public_names_have_a_running_example():
    missing = [
        name
        for name in sg.__all__
        if inspect.isfunction(getattr(sg, name)) and ">>>" not in (inspect.getdoc(getattr(sg, name)) or "")
    ]
    assert missing == []


def test_readme_tour_is_about_twenty_lines():
    tour = (ROOT / "README.md").read_text(encoding="utf-8").split("```python")[1].split("```")[0]
    assert len([line for line in tour.splitlines() if line.startswith(">>>")]) <= 20


def test_every_row_says_what_it_gives():
    rows = [value for value in vars(sg.primitives).values() if isinstance(value, Primitive)]
    assert {row.name for row in rows} == set(sg.primitives.__all__)
    assert all(row.summary for row in rows)
