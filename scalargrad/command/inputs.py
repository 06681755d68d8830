"""Read the values of the variables: `x=1.5`, `x=pi/2`, `x=1,5`, or several in one, `x=1, y=2`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .expression import Expression, ExpressionError
from .tokens import canonical

__all__ = ["read_inputs"]

COMMA = re.compile(r"[+-]?(\d+),(\d+)", re.ASCII)


def read_inputs(words: Sequence[str], expression: Expression) -> dict[str, float]:
    """Return the inputs of a formula by name.

    Raises `ExpressionError` for a name that the formula lacks, a double or a missing one, and for what is no number.
    """
    inputs: dict[str, float] = {}
    for pair in [part for word in words for part in re.split(r"[,;\s]+(?=\w+\s*=)", word.strip()) if part]:
        name, equals, text = (part.strip() for part in pair.partition("="))
        name = canonical(name)
        if not equals or not name.isidentifier():
            raise ExpressionError(
                f"{pair!r} is not an input; write NAME=NUMBER, such as x=1.5, and put the formula in quotes"
            )
        if name in inputs:
            raise ExpressionError(f"{name} is given twice")
        if name not in expression.names:
            raise ExpressionError(_unknown(name, expression))
        inputs[name] = _number(name, text)
    error = expression.missing_error(inputs)
    if error:
        raise error
    return inputs


def _unknown(name: str, expression: Expression) -> str:
    known = ", ".join(expression.names) or "no variables"
    whole = next((known for known in expression.names if name in known), "")
    hint = f"; did you mean {'*'.join(whole)}?" if len(name) == 1 and whole.isalpha() else ""
    return f"{name} is given, but the formula has {known}{hint}"


def _number(name: str, text: str) -> float:
    try:
        return float(text)  # nan and inf are numbers here
    except ValueError:
        pass
    comma = COMMA.fullmatch(text)
    if comma and len(comma[2]) == 3 and comma[1] != "0" and len(comma[1]) <= 3:
        either = f"{text.replace(',', '.')} or {text.replace(',', '')}"
        raise ExpressionError(f"{name}={text} may be a decimal number or thousands; did you mean {name}={either}?")
    if comma:
        return float(text.replace(",", "."))
    if not text:
        raise ExpressionError(f"{name}= is not followed by a number; write one such as {name}=1.5")
    try:
        formula = Expression(text)
    except ExpressionError as error:
        raise ExpressionError(f"{name}={text} is not a number: {error}", text, error.at, error.width) from None
    if formula.missing({}) or len(formula.statements) > 1 or formula.statements[0].name:
        raise ExpressionError(f"{name}={text} is not a number; write one such as {name}=1.5 or {name}=pi/2")
    return float(formula({}))
