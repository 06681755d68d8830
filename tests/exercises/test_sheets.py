"""Sheets in all their formats: Markdown, LaTeX, a page that checks itself, and the graders' files."""

import importlib.util
import json
import re
import subprocess
import sys

import pytest

from scalargrad.exercises import FORMULAS, Adjoint, draw, prairielearn, sheet
from scalargrad.exercises.formulas import quadratic_of_softmax

from .. import browser

SIMPLE = "t = x**2; u1 = sin(t); u2 = 3*t; u = u1 + u2; cos(u)"


@pytest.fixture
def ours():
    return sheet([SIMPLE, FORMULAS["a neuron"]], seed="Ada", title="Week 3: 50% & more")


def test_markdown_has_solutions_only_when_asked(ours):
    plain, solved = ours.markdown(), ours.markdown(solutions=True)
    assert plain.count("## ") == solved.count("**Solution.**") == len(ours.exercises) == 10
    assert "Solution" not in plain
    assert plain.count("$$") == 2 * plain.count(r"\begin{aligned}")


def test_latex_is_balanced_and_escaped(ours):
    text = ours.latex(solutions=True)
    assert r"\section*{Week 3: 50\% \& more}" in text
    for name in set(re.findall(r"\\begin\{(\w+\*?)\}", text)):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}")
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right") + text.count(r"\leftarrow")
    assert text.isascii() or set(text) <= {chr(c) for c in range(0x3C0)}


@pytest.mark.parametrize("name", ["s.md", "s.tex", "s.html", "s.ipynb", "s.otter.ipynb"])
def test_saved_whole(ours, tmp_path, name):
    ours.save(tmp_path / name)
    assert (tmp_path / name).stat().st_size > 1000
    assert [path.name for path in tmp_path.iterdir()] == [name]


def cells(notebook, kind="code"):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("grader", ["nbgrader", "otter"])
def test_notebook_is_valid_and_its_tests_pass_on_the_solutions(ours, grader):
    nbformat = pytest.importorskip("nbformat", reason="pip install nbformat")
    notebook = ours.notebook(grader)
    nbformat.validate(nbformat.reads(json.dumps(notebook), as_version=4))
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(cells(notebook))], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_notebook_fails_with_the_hint(ours):
    exercise = Adjoint(SIMPLE, {"x": 1.0}, of="x")
    *_, test = cells(type(ours)((exercise,)).notebook())
    run = subprocess.run([sys.executable, "-c", f"answer_1 = 3.8647\n{test}"], capture_output=True, check=False)
    assert run.returncode == 1
    assert "reverse topological order" in run.stderr.decode()


def test_nbgrader_cells_carry_its_schema(ours):
    marked = [cell["metadata"]["nbgrader"] for cell in ours.notebook()["cells"] if cell["metadata"]]
    assert len(marked) == 3 * len(ours.exercises)
    assert len({mark["grade_id"] for mark in marked}) == len(marked)
    assert all({"grade", "solution", "locked", "task", "schema_version", "grade_id"} <= set(mark) for mark in marked)
    assert sum(mark.get("points", 0) for mark in marked) == len(ours.exercises)


def test_nbgrader_accepts_its_notebook(ours):
    reason = "nbgrader checks its notebooks: pip install nbgrader"
    nbformat = pytest.importorskip("nbformat", reason=reason)
    validator = pytest.importorskip("nbgrader.nbgraderformat", reason=reason).MetadataValidator()
    validator.validate_nb(nbformat.reads(json.dumps(ours.notebook()), as_version=4))


def test_notebook_refuses_what_it_cannot_write(ours):
    with pytest.raises(ValueError, match="nbgrader and otter, not 'okpy'"):
        ours.notebook("okpy")
    with pytest.raises(ValueError, match="exercise 1: a notebook needs its formula as text"):
        sheet(quadratic_of_softmax).notebook()


def test_prairielearn_question_grades_and_hints(tmp_path):
    variants = [draw(SIMPLE, seed, [Adjoint])[0] for seed in range(3)]
    prairielearn(variants, tmp_path / "adjoint", "An adjoint")
    folder = tmp_path / "adjoint"
    info = json.loads((folder / "info.json").read_text(encoding="utf-8"))
    assert info["type"] == "v3"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", info["uuid"])
    html = (folder / "question.html").read_text(encoding="utf-8")
    for tag in re.findall(r"<(pl-[\w-]+)", html):
        assert html.count(f"<{tag}") == html.count(f"</{tag}>")
    spec = importlib.util.spec_from_file_location("server", folder / "server.py")
    server = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(server)
    seen = set()
    for seed in range(20):
        data = {"options": {"question_path": str(folder)}, "variant_seed": seed, "params": {}, "correct_answers": {}}
        data |= {"feedback": {}, "score": 0.0, "submitted_answers": {}}
        server.generate(data)
        answer = data["correct_answers"]["answer"]
        (exercise,) = (e for e in variants if e.answer == answer)
        assert data["params"]["question"] == exercise.question.markdown()
        seen.add(answer)
        misconception, wrong = next((m, x) for m, x in exercise.wrong if not m.general)
        data["submitted_answers"]["answer"] = wrong
        server.grade(data)
        assert misconception.hint in data["feedback"]["answer"]
        assert data["feedback"]["answer"].count(" Or: ") == len(exercise.check(wrong).misconceptions) - 1
        data |= {"score": 1.0, "feedback": {}}
        server.grade(data)
        assert data["feedback"] == {}
    assert len(seen) == 3


def test_prairielearn_refuses_nothing_to_write(tmp_path):
    with pytest.raises(ValueError, match="at least one exercise"):
        prairielearn([], tmp_path / "empty", "Empty")


def test_page_is_one_file_without_a_network(ours):
    page = ours.page()
    assert "%" not in re.sub(r"[\d ]%", "", page.split("<body>")[0])
    assert not re.search(r"src=|<link|@import|href=", page)
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", page)
    assert page.count("<section>") == len(ours.exercises)
    assert "Week 3: 50% &amp; more" in page


def test_page_checks_itself_in_a_browser(tmp_path):
    exercise = Adjoint(SIMPLE, {"x": 1.0}, of="x")
    sheets = sheet([], title="</script><b>%DATA%</b>")
    page = type(sheets)((exercise,), sheets.title)
    page.save(tmp_path / "page.html")
    driver = browser.start(tmp_path / "profile")
    try:
        driver.get((tmp_path / "page.html").as_uri())
        said = {}
        for typed in ("4.561", "3.865", "4.6", "7", "4,56"):
            box = driver.find_element("css selector", "input")
            box.clear()
            box.send_keys(typed)
            driver.find_element("css selector", "button").click()
            said[typed] = driver.find_element("css selector", "[role=status]").text
        assert said["4.561"] == "Right."
        assert "reverse topological order" in said["3.865"]
        assert "four significant digits" in said["4.6"]
        assert said["7"].startswith("Not right yet. Go through")
        assert "not a number" in said["4,56"]
        assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    finally:
        driver.quit()
