"""The command: the equations, the value and the gradient of a formula, and its diagrams."""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from .. import __version__
from ..diagrams import derivative_diagram, influence_diagram, operations_diagram, walkthrough
from ..diagrams.equations import Derivation, derivation
from ..diagrams.renderer import RendererNotFound
from ..diagrams.style import PALETTES, SIZES
from ..engine.linearization import merged
from ..engine.value import Value
from ..interpreters.notation import symbol
from ..testing.differences import derivatives
from .console import printed, show, show_error
from .expression import Expression, ExpressionError
from .functions import families
from .inputs import read_inputs
from .tokens import printable

__all__ = ["main"]

PICTURES: dict[str, Callable[..., Any]] = {
    "influence": influence_diagram,
    "derivative": derivative_diagram,
    "operations": operations_diagram,
    "walkthrough": walkthrough,
}
EXAMPLES = """\
formulas:
  cos(sin(x^2) + 3x^2)     2x is a product, x^2 or x² a power, |x| and √x are read too
  t = x²; sin t + t        t names a part; the last formula is the result
  where(x > 0, x, 0.1x)    a choice
  e^(-x²/2)/√(2π)          pi and e are numbers unless they are given; log and ln are to base e, lg to base 10

examples:
  scalargrad "cos(sin(x^2) + 3x^2)" x=1.5 --derivative derivative.svg
  scalargrad "σ(w x + b)" w=1/2 x=2 b=-pi/4 --walkthrough page.html
  scalargrad "x^2 y" x=3 y=2 --table markdown --blank value,sum
  scalargrad --check -- "-x^2" x=3"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 on success, 2 with the reason on standard error for bad input."""
    try:
        words = sys.argv[1:] if arguments is None else arguments
        _run(_parser().parse_intermixed_args(_positionals(words)))
        sys.stdout.flush()
    except ExpressionError as error:
        show_error(f"scalargrad: {error.shown()}", sys.stderr)
        return 2
    except (RendererNotFound, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # the reader, say `head`, has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        show_error(f"scalargrad: {' '.join(str(error).split())}", sys.stderr)
        return 2
    return 0


def _positionals(words: Sequence[str]) -> list[str]:
    """Return the words with a space before each formula that begins with a minus: argparse takes it for no option."""
    end = words.index("--") if "--" in words else len(words)
    options = r"-h|--[a-z]+(=.*)?"
    plain = [w if not w.startswith("-") or re.fullmatch(options, w, re.DOTALL) else f" {w}" for w in words[:end]]
    return plain + [f" {word}" if word.startswith("-") else word for word in words[end + 1 :]]


class _Parser(argparse.ArgumentParser):
    """Report what cannot be read like every other error."""

    def error(self, message: str) -> NoReturn:
        raise ExpressionError(f"{message}; see scalargrad --help")

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(printed(message, file or sys.stdout), file)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scalargrad",
        description="Differentiate a formula: its forward and backward equations, value, gradient and diagrams.",
        epilog=f"{EXAMPLES}\n\nfunctions:\n{_functions()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("expression", help='the formula, in quotes; "t = x^2; sin(t) + t" names a part')
    parser.add_argument(
        "inputs", nargs="*", metavar="NAME=NUMBER", help="the values of the variables, such as x=1.5, y=pi/2 or z=1,5"
    )
    for view in PICTURES:
        what = "page (.html)" if view == "walkthrough" else "diagram (.svg, .png, .pdf, .dot)"
        parser.add_argument(f"--{view}", metavar="FILE", type=str.strip, help=f"write the {view} {what}")
    parser.add_argument(
        "--predict", action="store_true", help="let the walkthrough ask for a number before it shows it"
    )
    parser.add_argument(
        "--size", choices=SIZES, default="screen", help="draw the diagrams for a screen, a slide, a phone or paper"
    )
    parser.add_argument("--palette", choices=PALETTES, default="light", help="the colours of the diagrams")
    parser.add_argument("--table", choices=("markdown", "csv", "latex"), help="print both passes as tables instead")
    parser.add_argument("--blank", metavar="NAMES", help="leave these out of the tables, as in --blank value,sum")
    parser.add_argument("--digits", metavar="N", type=int, default=4, help="print numbers to N decimals (default 4)")
    parser.add_argument("--json", action="store_true", help="print value, gradient and nodes as JSON")
    parser.add_argument("--check", action="store_true", help="compare the gradient with central differences")
    parser.add_argument("--version", action="version", version=f"scalargrad {__version__}")
    return parser


def _functions() -> str:
    width, indent = 100, " " * 4
    return "\n".join(
        textwrap.fill(f"{family}: {' '.join(names)}", width, initial_indent="  ", subsequent_indent=indent)
        for family, names in families().items()
    )


def _run(given: argparse.Namespace) -> None:
    if given.blank and not given.table:
        raise ExpressionError("--blank leaves cells of a table empty; give --table markdown, csv or latex with it")
    expression = Expression(given.expression)
    inputs = read_inputs(given.inputs, expression)
    leaves = {name: Value(number, label=name) for name, number in inputs.items()}
    result = expression(leaves)
    goal = merged(result) if isinstance(result, Value) else Value(result)
    goal.backward()
    derived = derivation(goal, digits=given.digits)
    gradient = {name: leaf.grad for name, leaf in leaves.items()}
    shown = {name: derived.names.symbols.get(id(leaf), symbol(name)).text for name, leaf in leaves.items()}
    if given.json:
        print(json.dumps(_as_data(goal, derived, gradient), indent=2))
    elif given.table:
        blank = [part.strip() for part in (given.blank or "").split(",") if part.strip()]
        print(printed(derived.table(given.table, blank=blank).rstrip("\n"), sys.stdout))
    else:
        name = derived.names[goal].text
        lines = [f"  ∂{name}/∂{shown[x]} = {d!r}" for x, d in gradient.items()]
        show("\n".join([derived.text(), "Value", f"  {name} = {goal.data!r}", "Gradient", *lines]), sys.stdout)
    beside = sys.stderr if given.json or given.table else sys.stdout
    if given.check:
        show("\n".join(_check(expression, inputs, gradient, shown)), beside)
    for view, draw in PICTURES.items():
        if getattr(given, view) is not None:
            _write(view, draw, goal, given, beside)


def _write(view: str, draw: Callable[..., Any], goal: Value, given: argparse.Namespace, beside: Any) -> None:
    """Write a picture to its file, and say so."""
    path = getattr(given, view)
    is_page = view == "walkthrough"
    look = {"predict": given.predict} if is_page else {"size": given.size, "palette": given.palette}
    if view in ("derivative", "operations"):
        look["digits"] = given.digits
    try:
        draw(goal, **look).save(path)
    except OSError as error:
        raise OSError(f"{path} can't be written: {error.strerror or error}") from None
    show(f"Wrote the {view} {'page' if is_page else 'diagram'} to {printable(path)}", beside)


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
        (found,) = derivatives(lambda moved, name=name: [expression({**inputs, name: moved})], x)  # type: ignore[misc]
        if found.trouble:
            lines.append(f"  {shown[name]}: not possible here: {found.trouble}")
            continue
        slope = gradient[name]
        relative = abs(slope - found.value) / max(abs(slope), abs(found.value), 1e-300)
        lines.append(f"  {shown[name]}: {found.value!r}, relative difference {relative:.1e}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
