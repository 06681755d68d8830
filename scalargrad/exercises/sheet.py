"""Exercises for one student: drawn by a seed, and put together as a sheet."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..engine.evaluation import REFUSALS
from ..files import write_whole
from . import exports
from .exercise import Exercise, agrees
from .graph import Formula, Problem, names_of
from .kinds import KINDS
from .text import escaped
from .work import ROUNDED, Work

__all__ = ["Sheet", "draw", "sheet"]

TRIES = 60
ENOUGH = 6
RANGE = (-2.0, 2.0)


def draw(
    formula: Formula,
    seed: int | str = 0,
    kinds: Sequence[type[Exercise]] = KINDS,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> list[Exercise]:
    """Return an exercise of each kind on a formula, with what is asked and the inputs drawn by a seed.

    The seed may be a student's name: the same seed gives the same exercises on every machine. Inputs have one decimal
    and lie between −2 and 2, or in the `ranges` given for them. Of several draws, the one that tells the most
    misconceptions apart is taken, if four decimals suffice to work it. Raises `ValueError` if no such inputs are found,
    and for a range of an unknown variable.

    >>> [exercise.kind for exercise in draw("t = x**2; u = sin(t) + 3*t; cos(u)", seed="Ada")]
    ['forward value', 'local derivative', 'missing line', 'adjoint', 'training step']
    """
    ranges, names = ranges or {}, names_of(formula)
    if unknown := [name for name in ranges if name not in names]:
        raise ValueError(f"ranges has {unknown[0]!r}, but the formula's variables are {', '.join(names)}")
    return [_drawn(formula, random.Random(f"{seed}, {kind.kind}"), kind, ranges) for kind in kinds]  # noqa: S311


def _drawn(
    formula: Formula, rng: random.Random, kind: type[Exercise], ranges: Mapping[str, tuple[float, float]]
) -> Exercise:
    names = names_of(formula)
    found: list[Exercise] = []
    trouble = "an answer between 0.01 and 1000 that four decimals can reach"
    asked = 0.0
    for attempt in range(TRIES):
        if attempt % ENOUGH == 0:  # what is asked may have the answer 0 at all inputs
            asked = rng.random()
        inputs = {name: _number(rng, *ranges.get(name, RANGE)) for name in names}
        try:
            choices = kind.choices(Problem(formula, inputs).graph())
            if not choices:
                raise ValueError("nothing can be asked of a formula without an operation")
            exercise = kind(formula, inputs, **choices[int(asked * len(choices))])
            rounded = exercise.work(Work(ROUNDED, range(len(exercise.graph.edges) + len(exercise.graph.nodes))))
        except REFUSALS as error:
            trouble = str(error)
            continue
        if 0.01 <= abs(exercise.answer) <= 1000.0 and agrees(rounded, exercise.answer):
            found.append(exercise)
            if len(found) == ENOUGH:
                break
    if not found:
        raise ValueError(f"no inputs were found for an exercise ({kind.kind}): {trouble}; give ranges={{…}}")
    return max(found, key=lambda exercise: len({m.name for m, _ in exercise.wrong}))


def _number(rng: random.Random, low: float, high: float) -> float:
    x = round(rng.uniform(low, high), 1)
    return x or round(high / 2, 1)


@dataclass(frozen=True)
class Sheet:
    """Exercises with a title, to be printed, handed out as a notebook, or answered on a page that checks itself."""

    exercises: tuple[Exercise, ...]
    title: str = "Exercises"

    def markdown(self, solutions: bool = False) -> str:
        """Return the sheet as Markdown, with or without the solutions."""
        parts = [f"# {self.title}"]
        for count, exercise in enumerate(self.exercises, start=1):
            parts += [f"## {count}", exercise.question.markdown()]
            if solutions:
                parts += [f"**Solution.**\n\n{exercise.solution.markdown()}"]
        return "\n\n".join([*parts, FOUR_DIGITS]) + "\n"

    def latex(self, solutions: bool = False) -> str:
        """Return the sheet as a LaTeX document, with or without the solutions."""
        parts = []
        for exercise in self.exercises:
            parts += [r"\subsection*{\refstepcounter{exercise}\theexercise}", exercise.question.latex()]
            if solutions:
                parts += [rf"\textbf{{Solution.}}\quad{exercise.solution.latex()}"]
        head = "\n".join(LATEX_HEAD).replace("TITLE", escaped(self.title))
        return "\n\n".join([head, *parts, FOUR_DIGITS, r"\end{document}"]) + "\n"

    def notebook(self, grader: str = "nbgrader") -> dict[str, object]:
        """Return the sheet as a notebook for nbgrader or for otter-grader's `otter assign`, with its solutions in it.

        Raises `ValueError` for another grader, and for a formula that is a Python function and no text.
        """
        return exports.notebook(self.exercises, self.title, grader)

    def page(self) -> str:
        """Return the sheet as a self-contained HTML page that checks the answers typed into it."""
        return exports.page(self.exercises, self.title)

    def save(self, path: str | os.PathLike[str], solutions: bool = False) -> None:
        """Write the sheet as `.md`, `.tex`, `.html` or `.ipynb` (for nbgrader; `.otter.ipynb` for otter-grader).

        Raises `ValueError` for another ending.
        """
        name = Path(path).name
        if name.endswith(".md"):
            text = self.markdown(solutions)
        elif name.endswith(".tex"):
            text = self.latex(solutions)
        elif name.endswith(".html"):
            text = self.page()
        elif name.endswith(".ipynb"):
            text = json.dumps(self.notebook("otter" if name.endswith(".otter.ipynb") else "nbgrader"), indent=1) + "\n"
        else:
            raise ValueError(f"a sheet is written as .md, .tex, .html or .ipynb, not as {name!r}")
        write_whole(path, text.encode())


FOUR_DIGITS = "Give all answers with four significant digits."
LATEX_HEAD = (
    r"\documentclass{article}",
    r"\usepackage[utf8]{inputenc}",
    r"\usepackage{amsmath}",
    r"\newcounter{exercise}",
    r"\begin{document}",
    r"\section*{TITLE}",
)


def sheet(
    formulas: Formula | Iterable[Formula],
    seed: int | str = 0,
    kinds: Sequence[type[Exercise]] = KINDS,
    title: str = "Exercises",
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Sheet:
    """Return a sheet with an exercise of each kind on each formula, drawn by a seed.

    >>> ours = sheet("t = x**2; u = sin(t) + 3*t; cos(u)", seed="Ada", title="The chain rule")
    >>> len(ours.exercises), ours.markdown().splitlines()[0]
    (5, '# The chain rule')
    """
    listed = [formulas] if isinstance(formulas, str) or callable(formulas) else [*formulas]
    return Sheet(tuple(e for formula in listed for e in draw(formula, seed, kinds, ranges)), title)
