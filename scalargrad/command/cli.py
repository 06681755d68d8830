"""The command: the equations, the value and the gradient of a formula, and its diagrams."""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from .. import __version__
from ..diagrams import derivative_diagram, influence_diagram, operations_diagram, walkthrough
from ..diagrams.equations import Derivation, derivation
from ..diagrams.renderer import RendererNotFound
from ..engine.linearization import merged
from ..engine.value import Value
from ..interpreters.names import PLAIN_SUPERSCRIPTS
from ..interpreters.notation import symbol
from .expression import Expression, ExpressionError

__all__ = ["main"]

PICTURES: dict[str, Callable[..., Any]] = {
    "influence": influence_diagram,
    "derivative": derivative_diagram,
    "operations": operations_diagram,
    "walkthrough": walkthrough,
}
# For a console that can't print them; Unicode's own compatibility forms cover the subscripts.
PLAIN = {"∂": "d", "·": "*", "−": "-", "√": "sqrt ", "∛": "cbrt ", "π": "pi", "σ": "sigma", "≥": ">=", "≤": "<="}
PLAIN |= {"∞": "inf", "…": "...", "′": "'", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "≠": "!="}
SUPERSCRIPTS = re.compile(f"[{''.join(map(chr, PLAIN_SUPERSCRIPTS))}]+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 on success, 2 with one line on standard error for bad input."""
    try:
        words = sys.argv[1:] if arguments is None else arguments
        _run(_parser().parse_intermixed_args([_positional(word) for word in words]))
        sys.stdout.flush()
    except (ExpressionError, RendererNotFound, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # the reader, say `head`, has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        line = " ".join(str(error).split())
        print(_printable(f"scalargrad: {line}", sys.stderr), file=sys.stderr)
        return 2
    return 0


def _positional(argument: str) -> str:
    # A formula may begin with a minus: argparse takes what has a space for no option.
    is_formula = argument.startswith("-") and not re.fullmatch(r"-h|--[a-z]+(=.*)?", argument, re.DOTALL)
    return f" {argument}" if is_formula else argument


class _Parser(argparse.ArgumentParser):
    """Reports what it can't read as everything else is reported, in one line."""

    def error(self, message: str) -> NoReturn:
        raise ExpressionError(f"{message}; see scalargrad --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scalargrad",
        description="Differentiate a formula: its forward and backward equations, value, gradient and diagrams.",
        epilog='example: scalargrad "cos(sin(x**2) + 3*x**2)" x=1.5 --derivative derivative.svg',
        allow_abbrev=False,
    )
    parser.add_argument("expression", help='the formula; "t = x**2; sin(t) + t" names a sub-expression')
    parser.add_argument("inputs", nargs="*", metavar="NAME=NUMBER", help="the values of the variables")
    for view in PICTURES:
        what = "page (.html)" if view == "walkthrough" else "diagram (.svg, .png, .pdf, .dot)"
        parser.add_argument(f"--{view}", metavar="FILE", type=str.strip, help=f"write the {view} {what}")
    parser.add_argument("--json", action="store_true", help="print value, gradient and nodes as JSON")
    parser.add_argument("--check", action="store_true", help="compare the gradient with central differences")
    parser.add_argument("--version", action="version", version=f"scalargrad {__version__}")
    return parser


def _run(given: argparse.Namespace) -> None:
    expression = Expression(given.expression)
    inputs = _inputs(given.inputs, expression)
    leaves = {name: Value(number, label=name) for name, number in inputs.items()}
    result = expression(leaves)
    goal = merged(result) if isinstance(result, Value) else Value(result)
    goal.backward()
    derived = derivation(goal)
    gradient = {name: leaf.grad for name, leaf in leaves.items()}
    shown = {name: derived.names.symbols.get(id(leaf), symbol(name)).text for name, leaf in leaves.items()}
    if given.json:
        _print(json.dumps(_as_data(goal, derived, gradient), indent=2))
    else:
        name = derived.names[goal].text
        lines = [f"  ∂{name}/∂{shown[x]} = {d!r}" for x, d in gradient.items()]
        _print("\n".join([str(derived), "Value", f"  {name} = {goal.data!r}", "Gradient", *lines]))
    if given.check:
        _print("\n".join(_check(expression, inputs, gradient, shown)), sys.stderr if given.json else sys.stdout)
    for view, draw in PICTURES.items():
        path = getattr(given, view)
        if path is not None:
            try:
                draw(goal).save(path)
            except OSError as error:
                raise OSError(f"{path} can't be written: {error.strerror or error}") from None


def _inputs(pairs: Sequence[str], expression: Expression) -> dict[str, float]:
    inputs: dict[str, float] = {}
    for pair in pairs:
        name, equals, text = (part.strip() for part in pair.partition("="))
        name = unicodedata.normalize("NFKC", name)  # as Python reads the names of a formula
        if not equals or not name.isidentifier():
            raise ExpressionError(f"{pair!r} is no input; write NAME=NUMBER, such as x=1.5")
        if name in inputs:
            raise ExpressionError(f"{name} is given twice")
        if name not in expression.names:
            known = ", ".join(expression.names) or "no variables"
            raise ExpressionError(f"{name} is given, but the expression has {known}")
        try:
            inputs[name] = float(text)
        except ValueError:
            raise ExpressionError(f"{name}={text} is no number; write one such as {name}=1.5") from None
    missing = expression.missing(inputs)
    if missing:
        raise ExpressionError(f"no value for {', '.join(missing)}; give it as {missing[0]}=1.5")
    return inputs


def _as_data(goal: Value, derived: Derivation, gradient: dict[str, float]) -> dict[str, Any]:
    names = derived.names
    nodes = [
        {
            "name": step.name.text,
            "formula": step.formula.text if step.formula else None,
            "value": _json_number(step.value),
            "gradient": _json_number(derived.adjoints[step.name.text]),
            "parents": [names[parent].text for parent in step.node.parents],
            "partials": [_json_number(partial) for partial in step.node.partials],
        }
        for step in derived.forward
    ]
    slopes = {name: _json_number(slope) for name, slope in gradient.items()}
    return {"value": _json_number(goal.data), "gradient": slopes, "nodes": nodes}


def _json_number(x: float) -> float | str:
    # JSON has no nan and no infinity.
    return x if math.isfinite(x) else str(x)


def _check(
    expression: Expression, inputs: dict[str, float], gradient: dict[str, float], shown: dict[str, str]
) -> list[str]:
    lines = ["Check against central differences"]
    for name, x in inputs.items():
        try:
            difference = central_difference(functools.partial(_moved, expression, inputs, name), x)
        except ExpressionError as error:
            lines.append(f"  {shown[name]}: not possible here: {error}")
            continue
        slope = gradient[name]
        relative = abs(slope - difference) / max(abs(slope), abs(difference), 1e-300)
        lines.append(f"  {shown[name]}: {difference!r}, relative difference {relative:.1e}")
    return lines


def _moved(expression: Expression, inputs: dict[str, float], name: str, x: float) -> float:
    result: float = expression({**inputs, name: x})
    return result


def central_difference(f: Callable[[float], float], x: float) -> float:
    """The derivative of f at x from four values around it: central differences, extrapolated once."""
    step = 1e-3 * max(abs(x), 1.0)
    wide, narrow = ((f(x + h) - f(x - h)) / ((x + h) - (x - h)) for h in (step, step / 2))
    return (4.0 * narrow - wide) / 3.0


def _print(text: str, file: Any = None) -> None:
    file = file or sys.stdout
    print(_printable(text, file), file=file)


def _printable(text: str, file: Any) -> str:
    """The text as the console can print it: as it is, or with ASCII in place of mathematical signs."""
    encoding = getattr(file, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        text = SUPERSCRIPTS.sub(lambda raised: "^" + raised[0].translate(PLAIN_SUPERSCRIPTS), text)
        return "".join(map(_plain, text))
    return text


def _plain(character: str) -> str:
    plain = PLAIN.get(character) or unicodedata.normalize("NFKD", character)
    return plain.encode("ascii", "replace").decode()


if __name__ == "__main__":
    sys.exit(main())
