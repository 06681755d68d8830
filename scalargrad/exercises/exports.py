"""Exercises in the formats of graders: nbgrader, otter-grader, PrairieLearn, and a page that checks itself."""

from __future__ import annotations

import html
import json
import os
import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..diagrams import influence_diagram
from ..diagrams.renderer import RendererNotFound
from ..files import write_whole
from .exercise import NEAR, TOLERANCE, Exercise

__all__ = ["notebook", "page", "prairielearn"]


def notebook(exercises: Sequence[Exercise], title: str, grader: str) -> dict[str, object]:
    """Return a notebook with a question, an answer and a test for each exercise.

    For nbgrader, cells carry the metadata of its schema 3, and `### BEGIN SOLUTION` and `### END SOLUTION` enclose what
    students do not get. For otter-grader, raw cells begin and end questions, solutions and tests. The tests of both ask
    the exercise itself, so a wrong answer fails with the hint for its misconception; they need scalargrad installed.

    Raises `ValueError` for another grader, and for a formula that is a Python function. Source: nbgrader's
    documentation, "Creating and grading assignments" and "Instructor version and student version"; Otter Assign's
    documentation, "Python notebook format".
    """
    if grader not in ("nbgrader", "otter"):
        raise ValueError(f"the graders are nbgrader and otter, not {grader!r}")
    cells_of = _nbgrader if grader == "nbgrader" else _otter
    cells = (
        []
        if grader == "nbgrader"
        else [_cell("raw", f"# ASSIGNMENT CONFIG\nname: {json.dumps(title)}\nsolutions_pdf: false")]
    )
    cells += [_cell("markdown", f"# {title}\n\nGive all answers with four significant digits.")]
    for count, exercise in enumerate(exercises, start=1):
        if not isinstance(exercise.problem.formula, str):
            raise ValueError(
                f"exercise {count}: a notebook needs its formula as text, not {exercise.problem.formula!r}"
            )
        cells += cells_of(count, exercise)
    for count, cell in enumerate(cells):
        cell["id"] = f"cell-{count:02}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, source: str, **metadata: Any) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": metadata, "source": source.splitlines(keepends=True)}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def _test(count: int, exercise: Exercise) -> str:
    return (
        "from scalargrad import exercises\n"
        f"feedback = exercises.{exercise!r}.check(answer_{count})\n"
        "assert feedback.right, feedback.text"
    )


def _nbgrader(count: int, exercise: Exercise) -> list[dict[str, Any]]:
    def marked(name: str, **more: Any) -> dict[str, Any]:
        basic = {"grade_id": f"{name}-{count}", "schema_version": 3, "task": False}
        return {"nbgrader": {"grade": False, "solution": False, "locked": True} | basic | more}

    solution = f"### BEGIN SOLUTION\nanswer_{count} = {exercise.answer!r}\n### END SOLUTION"
    return [
        _cell("markdown", f"## {count}\n\n{exercise.question.markdown()}", **marked("question")),
        _cell("code", solution, **marked("answer", solution=True, locked=False)),
        _cell("code", _test(count, exercise), **marked("test", grade=True, points=1)),
    ]


def _otter(count: int, exercise: Exercise) -> list[dict[str, Any]]:
    return [
        _cell("raw", f"# BEGIN QUESTION\nname: q{count}\npoints: 1"),
        _cell("markdown", f"## {count}\n\n{exercise.question.markdown()}"),
        _cell("raw", "# BEGIN SOLUTION"),
        _cell("code", f"answer_{count} = {exercise.answer!r} # SOLUTION"),
        _cell("raw", "# END SOLUTION"),
        _cell("raw", "# BEGIN TESTS"),
        _cell("code", _test(count, exercise)),
        _cell("raw", "# END TESTS"),
        _cell("raw", "# END QUESTION"),
    ]


def explained(exercise: Exercise) -> list[list[object]]:
    """Return the wrong numbers of an exercise with their hints: what a checker without scalargrad compares with."""
    return [[x, m.hint, m.general] for m, x in exercise.wrong]


def prairielearn(
    variants: Sequence[Exercise], folder: str | os.PathLike[str], title: str, topic: str = "Backpropagation"
) -> None:
    """Write a PrairieLearn question: a folder with `info.json`, `question.html`, `server.py` and `variants.json`.

    The variants are exercises that differ by their seeds; a student gets one of them by PrairieLearn's own seed. The
    server needs nothing but Python: it reads the wrong numbers and their hints from `variants.json`. Raises `OSError`
    where the folder's parent is missing, and `ValueError` without variants.

    Source: PrairieLearn's documentation, "Question configuration", "question.html", "server.py", "pl-number-input".
    """
    if not variants:
        raise ValueError("a PrairieLearn question needs at least one exercise")
    target = Path(folder)
    target.mkdir(exist_ok=True)
    info = {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{target.name}/{title}")),
        "title": title,
        "topic": topic,
        "type": "v3",
    }
    data = [
        {
            "question": e.question.markdown(),
            "solution": e.solution.markdown(),
            "answer": e.answer,
            "wrong": explained(e),
        }
        for e in variants
    ]
    server = SERVER.replace("TOLERANCE", repr(TOLERANCE))
    for name, text in (
        ("info.json", json.dumps(info, indent=2) + "\n"),
        ("question.html", QUESTION),
        ("server.py", server),
        ("variants.json", json.dumps(data, ensure_ascii=False, indent=1) + "\n"),
    ):
        write_whole(target / name, text.encode())


QUESTION = """\
<pl-question-panel>
<markdown>
{{{params.question}}}

Give four significant digits.
</markdown>
</pl-question-panel>
<pl-number-input answers-name="answer" label="Answer:" comparison="relabs" rtol="1e-3" atol="5e-5"></pl-number-input>
<pl-submission-panel>{{feedback.answer}}</pl-submission-panel>
<pl-answer-panel>
<markdown>
{{{params.solution}}}
</markdown>
</pl-answer-panel>
"""

SERVER = '''\
import json
import os
import re
import random


def variant(data):
    """The variant of this student's seed."""
    path = os.path.join(data["options"]["question_path"], "variants.json")
    with open(path, encoding="utf-8") as file:
        return random.Random(str(data["variant_seed"])).choice(json.load(file))


def generate(data):
    chosen = variant(data)
    data["params"]["question"] = chosen["question"]
    data["params"]["solution"] = chosen["solution"]
    data["correct_answers"]["answer"] = chosen["answer"]


def grade(data):
    """The number is graded already: a wrong one gets the hint for its misconception."""
    if data["score"] >= 1:
        return
    given = data["submitted_answers"]["answer"]
    wrong = variant(data)["wrong"]
    found = [w for w in wrong if abs(given - w[0]) <= TOLERANCE * abs(w[0])]
    special = [w for w in found if not w[2]] or found
    data["feedback"]["answer"] = " Or: ".join(dict.fromkeys(w[1] for w in special))
'''


SECTION = """\
<section>
<h2>{count}</h2>
{picture}<pre>{question}</pre>
<form><label>Answer <input inputmode="decimal" autocomplete="off"></label> <button>Check</button></form>
<p role="status"></p>
<details><summary>Solution</summary><pre>{solution}</pre></details>
</section>"""


def _picture(exercise: Exercise) -> str:
    try:
        svg = influence_diagram(exercise.graph.goal).svg()
    except (RendererNotFound, RuntimeError):
        return ""
    return f'<figure role="img" aria-label="Who influences whom">{svg[svg.index("<svg") :]}</figure>\n'


def page(exercises: Sequence[Exercise], title: str) -> str:
    """Return an HTML page with an answer box for each exercise, which checks what is typed and gives the hint.

    It shows who influences whom, if a renderer is installed.
    """
    parts = [
        SECTION.format(
            count=count,
            picture=_picture(e),
            question=html.escape(e.question.text()),
            solution=html.escape(e.solution.text()),
        )
        for count, e in enumerate(exercises, start=1)
    ]
    data = json.dumps([[e.answer, explained(e)] for e in exercises]).replace("<", "\\u003c")
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    slots = {
        "TITLE": html.escape(title),
        "SECTIONS": "\n".join(parts),
        "DATA": data,
        "TOLERANCE": repr(TOLERANCE),
        "NEAR": repr(NEAR),
    }
    return re.sub("%([A-Z]+)%", lambda slot: slots[slot[1]], template)
