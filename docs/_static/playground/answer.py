"""What the site's Python answers: the walkthrough of a formula, with its picture and passes, or what a cell shows."""

import ast
import base64
import contextlib
import io
import json
import os
import re
import sys
import traceback
from typing import Any

import scalargrad as sg
from scalargrad.command.expression import Expression, ExpressionError
from scalargrad.command.inputs import read_inputs
from scalargrad.diagrams import renderer
from scalargrad.engine.linearization import merged

renderer.render_with(lambda source, kind, engine: to_svg(source, engine).encode())  # noqa: F821 (the worker's)


def answer(formula: str, values: str) -> str:
    """Return the answer as JSON: `page`, `svg`, `text` and `values`, or `error`."""
    try:
        return json.dumps(answered(formula, values))
    except ExpressionError as error:
        return json.dumps({"error": error.shown()})
    except Exception as error:  # whatever it is, the reader is told, and Python stays
        return json.dumps({"error": str(error)})


def answered(formula: str, values: str) -> dict[str, str]:
    """Return the pages about a formula. A variable without a value is 1, a value without a variable is left out."""
    expression = Expression(formula)
    given = [pair for pair in re.split(r"[,;\s]+(?=\w+\s*=)", values.strip()) if pair]
    words = [pair for pair in given if pair.partition("=")[0].strip() in expression.names]
    named = [word.partition("=")[0].strip() for word in words]
    words += [f"{name}=1" for name in expression.missing(dict.fromkeys(named))]
    inputs = read_inputs(words, expression)
    result = expression({name: sg.Value(number, label=name) for name, number in inputs.items()})
    goal = merged(result) if isinstance(result, sg.Value) else sg.Value(result)
    goal.backward()
    return {
        "page": sg.walkthrough(goal).html,
        "svg": sg.derivative_diagram(goal).svg(),
        "text": sg.derivation(goal).text(),
        "values": ", ".join(word.strip() for word in words),
    }


os.environ["MPLBACKEND"] = "Agg"  # matplotlib draws into memory
NAMESPACE: dict[str, Any] = {"__name__": "__main__"}
"""What the cells of a notebook's page have defined."""


def run(code: str) -> str:
    """Run the code of a cell, as a notebook does, and return what it shows as JSON: text, HTML, pictures, an error."""
    shown: list[Shown] = []
    printed = io.StringIO()

    def flush() -> None:
        if text := printed.getvalue():
            shown.append(Shown(kind="text", data=text))
        printed.seek(0)
        printed.truncate()

    def display(*values: Any) -> None:
        flush()
        shown.extend(value if isinstance(value, Shown) else displayed(value) for value in values)

    NAMESPACE["display"] = display
    try:
        with contextlib.redirect_stdout(printed):
            value = executed("\n".join(line for line in code.split("\n") if not line.startswith(("%", "!"))))
            if value is not None and not code.rstrip().endswith(";"):
                display(value)
            display(*figures())
    except ModuleNotFoundError as error:
        shown.append(Shown(kind="error", data=f"{error.name} could not be fetched: it comes from Pyodide's own site"))
    except BaseException as error:
        flush()
        shown.append(Shown(kind="error", data="".join(traceback.format_exception_only(error))))
    flush()
    return json.dumps({"outputs": shown})


def executed(code: str) -> Any:
    """Execute the code and return the value of its last expression, or None."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    # It is the reader's own code, in the reader's own browser.
    exec(compile(tree, "<cell>", "exec"), NAMESPACE)  # noqa: S102
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), NAMESPACE)  # noqa: S307


class Shown(dict[str, str]):
    """What a notebook shows: its `kind` and its `data`."""


def figures() -> list[Shown]:
    """Return matplotlib's open figures as pictures, and close them."""
    if "matplotlib.pyplot" not in sys.modules:
        return []
    from matplotlib import pyplot as plt

    found = []
    for number in plt.get_fignums():
        picture = io.BytesIO()
        plt.figure(number).savefig(picture, format="png", dpi=120)
        data = base64.b64encode(picture.getvalue()).decode()
        image = f'<img alt="the figure of this cell" src="data:image/png;base64,{data}">'
        found.append(Shown(kind="html", data=image))
    plt.close("all")
    return found


def displayed(value: Any) -> Shown:
    """Return a value as a notebook shows it: as HTML or a picture if it has one, else as text."""
    bundle = value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {}
    html = bundle.get("image/svg+xml") or bundle.get("text/html")
    if html is None and hasattr(value, "_repr_html_"):
        html = value._repr_html_()
    return Shown(kind="html", data=html) if html else Shown(kind="text", data=repr(value))
