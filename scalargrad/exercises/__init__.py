"""Exercises on forward and backward passes, whose checkers name the misconception behind a wrong answer.

>>> from scalargrad import exercises
>>> exercise = exercises.Adjoint("t = x**2; u = sin(t) + 3*t; cos(u)", {"x": 1.0}, of="x")
>>> print(exercise.check("4.561"))
Right: 4.5608.
>>> exercise.check("0.6960").misconceptions
(<misconception: path forgotten>, <misconception: = for +=>)
"""

from .exercise import Exercise, Feedback
from .exports import prairielearn
from .formulas import FORMULAS
from .kinds import KINDS, Adjoint, ForwardValue, LocalDerivative, MissingLine, TrainingStep
from .misconceptions import MISCONCEPTIONS
from .sheet import Sheet, draw, sheet
from .text import Text
from .work import Misconception

__all__ = [
    "FORMULAS",
    "KINDS",
    "MISCONCEPTIONS",
    "Adjoint",
    "Exercise",
    "Feedback",
    "ForwardValue",
    "LocalDerivative",
    "Misconception",
    "MissingLine",
    "Sheet",
    "Text",
    "TrainingStep",
    "draw",
    "prairielearn",
    "sheet",
]
