"""Checks of a Value's data, gradient and label: one rule for the constructor and for assignments."""

from __future__ import annotations

from typing import Any

from ..rows import as_float


def checked_number(what: str, given: Any) -> float:
    """Return the float that a real number stands for. Raises `TypeError` naming `what` for anything else."""
    number = as_float(given)
    if number is None:
        raise TypeError(f"Value: {what} is {given!r}, {_advice(given)}")
    return number


def checked_label(label: Any) -> str:
    """Return a label as a plain string. Raises `TypeError` for anything but a string."""
    if isinstance(label, str):
        return str(label)
    raise TypeError(f"Value: label is {label!r}, a {type(label).__name__}; give a string")


def _advice(data: object) -> str:
    kind = type(data).__name__
    if hasattr(data, "backward"):
        return "already a Value; use it as it is, or its .data"
    if isinstance(data, bool):
        return "a bool; write 1.0 or 0.0"
    if isinstance(data, str):
        return "a str; write float(…) to read a number from text"
    if isinstance(data, complex):
        return "complex; only real numbers have a place here"
    if data is None:
        return "None; give a number, such as 0.0"
    return f"a {kind}; give a float or an int"
