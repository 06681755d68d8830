"""The notebooks' exercises: there are enough, and the folded solutions are those of the engine."""

import json
import re
from pathlib import Path

import pytest

import scalargrad as sg
from scalargrad import exercises

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = ("01", "02", "03", "04", "05", "06", "07", "08", "10")
NOTEBOOKS = {name: json.loads(next(FOLDER.glob(f"{name}_*.ipynb")).read_text(encoding="utf-8")) for name in NAMES}
QUESTION = re.compile(
    r"^(\w+) = exercises\.(?:ForwardValue|LocalDerivative|MissingLine|Adjoint|TrainingStep)\(", re.MULTILINE
)


def sources(notebook):
    return [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


@pytest.mark.parametrize("name", NAMES)
def test_five_to_eight_exercises_and_what_surrounds_them(name):
    cells = sources(NOTEBOOKS[name])
    text = "\n".join(source for kind, source in cells if kind == "markdown")
    assert 5 <= len(re.findall(r"^\*\*\d\.\*\* ", text, re.MULTILINE)) <= 8
    assert re.search(r"^\*Before this: [^*]*Time: \d+ minutes", text, re.MULTILINE)
    assert text.index("## Exercises") < text.index("## Summary") < text.index("**Next:**")
    assert text.count("<details>") == text.count("</details>")
    for target in re.findall(r"\]\((\d\d_\w+\.ipynb)\)", text):
        assert (FOLDER / target).exists()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "08"])
def test_folded_solutions_are_those_of_the_engine(name):
    known = {"sg": sg, "exercises": exercises}
    asked, solved = [], 0
    for kind, source in sources(NOTEBOOKS[name]):
        if kind == "code" and (found := QUESTION.search(source)) and "worked" not in source:
            exec(source, known)  # noqa: S102 (our own notebook)
            asked.append(known[found[1]])
        if kind == "markdown" and source.startswith("<details><summary>Solution") and "$$" in source:
            assert asked[-1].solution.markdown() in source
            solved += 1
    assert solved == len(asked) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_no_idiom_that_a_beginner_stops_at(name):
    for kind, source in sources(NOTEBOOKS[name]):
        if kind == "code":
            assert not re.search(r"strict=|:=|\blambda\b[^\n]*\blambda\b|'[₀-₉⁰-⁹]{2,}'\[", source)
