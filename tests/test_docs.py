"""The documentation can't drift: generated pages, examples and public names are checked."""

import doctest
import importlib
import importlib.util
import inspect
import json
import operator
import os
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import scalargrad as sg
from scalargrad.command.cli import main
from scalargrad.diagrams.renderer import find_renderer
from scalargrad.rows import Primitive

ROOT = Path(__file__).parent.parent
MODULES = [
    "scalargrad",
    *(m.name for m in pkgutil.walk_packages(sg.__path__, "scalargrad.") if not m.name.endswith("__main__")),
]


DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted([*DOCS.glob("*.md"), *DOCS.glob("howto/*.md")])]
NEEDED = {
    "docs/when-scalars-are-not-enough.md": ("torch", "jax"),
    **{f"docs/howto/{name}.md": ("scipy",) for name in ("implicit", "series", "sparse")},
}
EXAMPLES = [path.relative_to(ROOT).as_posix() for path in PAGES if ">>>" in path.read_text(encoding="utf-8")]
LECTURES = sorted((DOCS / "lectures").glob("*.md"))
NAMES = re.compile(r"`((?:sg|nn|optim|plots|training|testing)\.[\w.]+)`")
LINKS = re.compile(r"\[([^\]]+)\]\(([^)#]+)(?:#[^)]*)?\)")


def script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = script("tables")


@pytest.mark.parametrize("page", TABLES.PAGES)
def test_generated_page_is_what_the_table_gives(page):
    assert (DOCS / page).read_text(encoding="utf-8") == TABLES.PAGES[page]()


@pytest.mark.parametrize("name", TABLES.MODULES)
def test_reference_has_every_public_name(name):
    page = (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\.\. auto(?:function|class|exception|data):: ([\w.]+)", page, re.MULTILINE)
    expected = [*TABLES.public_names(importlib.import_module(name)), *TABLES.RETURNED.get(name, ())]
    assert sorted(path.rpartition(".")[2] for path in documented) == sorted(expected)


def returned_names(public):
    """The package's classes in the return annotations of a function, or of a class's public methods."""
    for each in vars(public).values() if isinstance(public, type) else [public]:
        function = getattr(each, "__func__", getattr(each, "fget", getattr(each, "func", each)))
        if not getattr(function, "__name__", "_").startswith("_"):
            for name in re.findall(r"[A-Z]\w+", str(getattr(function, "__annotations__", {}).get("return", ""))):
                found = getattr(function, "__globals__", {}).get(name)
                if inspect.isclass(found) and found.__module__.startswith("scalargrad."):
                    yield name


def test_reference_has_what_public_functions_return():
    modules = [importlib.import_module(name) for name in TABLES.MODULES]
    public = [getattr(module, name) for module in modules for name in TABLES.public_names(module)]
    public += [getattr(sys.modules[home], name) for names in TABLES.RETURNED.values() for name, home in names.items()]
    documented = {getattr(each, "__name__", "") for each in public}
    returned = {name for each in public for name in returned_names(each)}
    assert {"Diagram", "Derivation", "Page", "Program", "Jitted", "Report"} <= returned | documented
    assert returned <= documented


@pytest.mark.parametrize("page", EXAMPLES)
def test_examples_of_a_page_run(page, rows_restored):
    for package in NEEDED.get(page, ()):
        pytest.importorskip(package, reason=f"no {package}: pip install {package}")
    failures, tried = doctest.testfile(str(ROOT / page), module_relative=False)
    assert tried > 0
    assert failures == 0


def topics():
    """The rows of the tables "in the lecture → in scalargrad", as (page, topic, where it is found)."""
    for path in LECTURES:
        tables = path.read_text(encoding="utf-8").split("| in the lecture | in scalargrad |\n|---|---|\n")[1:]
        for table in tables:
            for line in table.split("\n\n")[0].splitlines():
                topic, place = re.split(r"(?<!\\) \| ", line.strip("| "), maxsplit=1)
                yield pytest.param(path, place, id=f"{path.stem}: {topic[:50]}")


@pytest.mark.parametrize(("path", "place"), list(topics()))
def test_topic_of_a_lecture_names_what_exists(path, place):
    names, links = NAMES.findall(place), LINKS.findall(place)
    assert names or links
    for name in names:
        head, _, rest = name.partition(".")
        module = sg if head == "sg" else importlib.import_module(f"scalargrad.{head}")
        operator.attrgetter(rest)(module)
    for text, target in links:
        if target.endswith(".ipynb"):
            notebook = json.loads((ROOT / "notebooks" / Path(target).name).read_text(encoding="utf-8"))
            lines = [line for cell in notebook["cells"] if cell["cell_type"] == "markdown" for line in cell["source"]]
            assert text.partition(": ")[2] in [line.lstrip("#").strip() for line in lines if line.startswith("#")]
        else:
            assert (path.parent / target).exists()


DRAWN = ["README.md", *(path.relative_to(ROOT).as_posix() for path in LECTURES)]


@pytest.mark.parametrize("page", DRAWN)
def test_picture_of_a_page_is_made_by_the_command_beside_it(page, tmp_path):
    if find_renderer() is None:
        pytest.skip("no renderer: pip install graphviz-pure")
    command = re.search(r"\(`(scalargrad .*?)`\)", (ROOT / page).read_text(encoding="utf-8"))[1]
    *arguments, picture = shlex.split(command)[1:]
    assert main([*arguments, str(tmp_path / "made.svg")]) == 0
    shown, made = (path.read_text(encoding="utf-8") for path in (ROOT / picture, tmp_path / "made.svg"))
    # Where the texts stand, their order, and the title of a nameless graph are the renderer's affair.
    texts = [sorted(re.findall(r"<(?:text|title)[^>]*>(?!%3)(.*?)</", svg)) for svg in (shown, made)]
    assert texts[0] == texts[1]


def test_picture_of_the_modules_is_that_of_their_imports():
    modules = script("modules")
    drawn = re.findall(r"<title>([^<]+)&#45;&gt;([^<]+)</title>", (DOCS / "modules.svg").read_text(encoding="utf-8"))
    assert sorted(drawn) == sorted(modules.reduced(modules.imports()))


def test_every_module_is_named_on_the_page_about_the_architecture():
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    tops = {name.split("/")[0] for name in script("modules").imports()} - {"scalargrad", "__main__"}
    assert [name for name in sorted(tops) if not re.search(rf"`{name}(?:/|\.py)?`", page)] == []


def test_no_file_imports_itself_through_others():
    modules = script("modules")
    assert modules.circles(modules.imports()) == []


def test_every_extra_is_on_the_page_about_installing():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    rows = re.findall(r"^\| (`.*?) \|", (DOCS / "howto" / "install.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(extras)


def test_workflow_tests_the_pythons_that_the_package_names():
    yaml = pytest.importorskip("yaml", reason="pip install --group docs brings pyyaml")
    jobs = yaml.safe_load((DOCS / "workflow.yml").read_text(encoding="utf-8"))["jobs"]
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    pythons = [found[1] for line in listed if (found := re.search(r":: (3\.\d+)$", line))]
    assert jobs["suite"]["strategy"]["matrix"]["python"] == pythons


def test_notebooks_of_the_site_say_how_to_run_them(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    write_notebooks = importlib.import_module("site_files").write_notebooks
    write_notebooks(tmp_path / "notebooks", "someone/repository")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        before = json.loads(path.read_text(encoding="utf-8"))["cells"]
        after = json.loads((tmp_path / "notebooks" / path.name).read_text(encoding="utf-8"))["cells"]
        assert [after[0], *after[2:]] == before
        assert f"/someone/repository/blob/HEAD/notebooks/{path.name})" in after[1]["source"]
    digits = json.loads((tmp_path / "notebooks" / "06_digits.ipynb").read_text(encoding="utf-8"))["cells"][1]["source"]
    assert "scalargrad-autodiff[render,digits,plot] @ git" in digits


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path):
    for package in ("sphinx", "myst_nb", "furo", "sphinx_copybutton"):
        pytest.importorskip(package, reason="pip install --group docs builds the site")
    build = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    env = {**os.environ, "SITE_URL": "https://example.org/site/", "GITHUB_REPOSITORY": "someone/repository"}
    done = subprocess.run(build, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    first, lost, notebook = (
        (tmp_path / name).read_text(encoding="utf-8")
        for name in ("index.html", "404.html", "notebooks/01_chain_rule_and_influence.html")
    )
    assert 'content="https://example.org/site/_static/card.png"' in first
    assert "copybutton.js" in first
    assert '<base href="https://example.org/site/">' in lost
    assert "<base" not in first
    assert "colab.research.google.com/github/someone/repository/" in notebook
    assert list(tmp_path.glob("_downloads/*/01_chain_rule_and_influence.ipynb"))


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name, rows_restored):
    if name.startswith("scalargrad.plots"):
        pytest.importorskip("matplotlib", reason="no matplotlib: pip install matplotlib")
    if "spars" in name or name == "scalargrad.special":
        pytest.importorskip("scipy", reason="no SciPy: pip install scipy")
    module = importlib.import_module(name)
    public = {key: getattr(sg, key) for key in sg.__all__ if key not in vars(module)}
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


def test_readme_counts_the_primitives():
    counted = int(re.search(r"\[over (\d+)\]\(docs/primitives", (ROOT / "README.md").read_text(encoding="utf-8"))[1])
    rows = (DOCS / "primitives.md").read_text(encoding="utf-8").count("\n| `")
    assert counted < rows <= counted + 15


def test_every_row_says_what_it_gives():
    for module in (sg.primitives, sg.elementary, sg.special):
        rows = [value for value in vars(module).values() if isinstance(value, Primitive)]
        assert all(row.summary for row in rows)
