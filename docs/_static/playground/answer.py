"""What the playground's Python answers: the walkthrough of a formula, its picture and its passes, or what is wrong."""

import json
import re

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
    except (ValueError, RuntimeError) as error:
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
