"""Tests of gradients, of this library or any other: checks, random formulas, measures of error.

Hypothesis is imported when a strategy is first used, and mpmath when more digits than a double's are asked for.
"""

from typing import TYPE_CHECKING, Any

from .formulas import Branching, Expression
from .gradients import Report, check_gradients
from .ulps import reference, ulp_error

if TYPE_CHECKING:
    from .strategies import branching, expressions, points

__all__ = [
    "Branching",
    "Expression",
    "Report",
    "branching",
    "check_gradients",
    "expressions",
    "points",
    "reference",
    "ulp_error",
]


def __getattr__(name: str) -> Any:
    if name in ("branching", "expressions", "points"):
        from . import strategies

        return getattr(strategies, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
