"""Writes the generated pages anew: `python docs/tables.py`. A test compares the pages with what this makes.

They are primitives.md, conventions.md, and the reference of all public names in reference/.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import scalargrad as sg
from scalargrad import elementary, primitives, special
from scalargrad.interpreters.namespace import NUMPY_NAMES
from scalargrad.interpreters.notation import NOTATION, Term, symbol, term
from scalargrad.rows import TABLE, Affine, Dot, Joint, Primitive, Vector

HERE = Path(__file__).parent
inf, nan = math.inf, math.nan


def operands(row: Primitive) -> list[Term]:
    """Return the symbols for a row's arguments in its formulas."""
    if isinstance(row, Affine):
        return [symbol(name) for name in ("w1", "w2", "x1", "x2", "b")]
    if isinstance(row, Dot):
        return [symbol(name) for name in ("x1", "x2", "y1", "y2")]
    return [symbol(name) for name in (("x1", "x2") if row.variadic else row.parameters)]


def formulas(row: Primitive) -> tuple[str, list[str]]:
    """Return the formulas of a row's output and of its local derivatives, as a textbook prints them."""
    args = operands(row)
    whole = getattr(NOTATION, row.name)(*args).text
    if isinstance(row, Vector):
        outs = [symbol(name) for name in ("v1", "v2")]
        (rule,) = row.partials
        partials = rule(NOTATION, outs, 0, *args) if rule else []
        return f"v₁, v₂ = {whole}", [f"∂v₁/∂{x.text} = {term(p).text}" for x, p in zip(args, partials, strict=True)]
    partials = row.textbook_derivatives(NOTATION, symbol("v"), args)
    required = args if row.variadic else args[: len(args) - len(row.defaults) or None]
    return f"v = {whole}", [
        f"∂v/∂{x.text} = {term(0.0 if p is None else p).text}"
        for x, p in zip(args, partials, strict=True)
        if x in required or p is not None
    ]


def primitives_page() -> str:
    """Return the page of all public rows."""
    lines = [
        "# Primitives",
        "",
        "`python docs/tables.py` makes this page from the table. The bounds are the largest errors of the value and of",
        "the local derivatives, in units in the last place of the 50-digit result. The tests check them for every row.",
        "",
        "| name | what it gives | local derivatives | domain | bounds |",
        "|---|---|---|---|---|",
    ]
    names = dict.fromkeys([*primitives.__all__, *elementary.__all__, *special.__all__])
    for name, row in [(name, TABLE[name]) for name in names if name in TABLE]:
        whole, partials = formulas(row)
        domain = row.domain.text if isinstance(row.domain, Joint) else ", ".join(dict.fromkeys(map(str, row.domain)))
        bounds = ", ".join(f"{bound:g}" for bound in row.ulps)
        cells = [f"`{name}`", f"{row.summary} {whole}", "; ".join(partials), domain, bounds]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def slope(f: Callable[..., object], *point: float, by: int = 0) -> float:
    """Return the derivative of f at a point, on nodes."""
    result: float = sg.grad(f, argnums=by)(*point)
    return result


MASKED = ([-inf, 2.0], [inf, 0.0], [-inf, -inf])


def each(f: Callable[..., object], points: Sequence[object]) -> list[object]:
    """Return what f gives for each of some points."""
    return [f(point) for point in points]


def second(f: Callable[..., object], *point: float) -> object:
    """Return all second derivatives of f at a point."""
    return sg.hessian(lambda v: f(*v))([*point])


CONVENTIONS: list[tuple[str, Callable[[], object], str]] = [
    ("relu′(0)", lambda: slope(sg.relu, 0.0), "PyTorch, JAX, TensorFlow: 0"),
    ("relu′(0) with `at_zero=0.5`", lambda: slope(lambda x: sg.relu(x, at_zero=0.5), 0.0), ""),
    ("leaky_relu′(0)", lambda: slope(sg.leaky_relu, 0.0), "PyTorch, JAX: 0.01"),
    ("relu′(nan)", lambda: slope(sg.relu, nan), "PyTorch: 0"),
    (
        "max(x, y) of a tie, with respect to x and y",
        lambda: sg.grad(sg.maximum, (0, 1))(1.0, 1.0),
        "PyTorch, JAX: a half each",
    ),
    (
        "min(x, y) of a tie, with respect to x and y",
        lambda: sg.grad(sg.minimum, (0, 1))(1.0, 1.0),
        "PyTorch, JAX: a half each",
    ),
    ("maximum(x, nan), its value", lambda: sg.maximum(1.0, nan), ""),
    ("abs′(0)", lambda: slope(sg.abs, 0.0), ""),
    ("sign(0), sign′(1)", lambda: (sg.sign(0.0), slope(sg.sign, 1.0)), ""),
    ("floor′(1.5)", lambda: slope(sg.floor, 1.5), ""),
    ("step(0), step′(1)", lambda: (sg.step(0.0), slope(sg.step, 1.0)), ""),
    ("clip′ at its bounds", lambda: [slope(lambda x: sg.clip(x, 0.0, 1.0), x) for x in (0.0, 1.0)], ""),
    ("clip(0, 2, 1), its value", lambda: sg.clip(0.0, 2.0, 1.0), ""),
    ("sqrt′(0)", lambda: slope(sg.sqrt, 0.0), ""),
    ("derivative of x**0 at 0", lambda: slope(lambda x: x**0, 0.0), "JAX, TensorFlow: nan"),
    ("pow(0, 0) with respect to x and y", lambda: sg.grad(sg.pow, (0, 1))(0.0, 0.0), "JAX, TensorFlow: nan"),
    ("pow(0, 2) with respect to y", lambda: slope(sg.pow, 0.0, 2.0, by=1), ""),
    ("pow(0, ½) with respect to x", lambda: slope(sg.pow, 0.0, 0.5), ""),
    ("pow(−2, 3) with respect to x and y", lambda: sg.grad(sg.pow, (0, 1))(-2.0, 3.0), ""),
    ("(−2)**0.5", lambda: sg.Value(-2.0) ** 0.5, "micrograd: complex"),
    ("atan2(0, 0) with respect to y and x", lambda: sg.grad(sg.atan2, (0, 1))(0.0, 0.0), "nan in most"),
    ("hypot(0, 0) with respect to x and y", lambda: sg.grad(sg.hypot, (0, 1))(0.0, 0.0), "nan in most"),
    (
        "where(x > 0, √x, 0)′ at x = −1",
        lambda: slope(lambda x: sg.where(x > 0, lambda: sg.sqrt(x), 0.0), -1.0),
        "PyTorch, JAX: nan",
    ),
    ("derivative of a constant", lambda: slope(lambda x: 3.0, 1.0), ""),
    ("stop_gradient(x)′", lambda: slope(sg.stop_gradient, 1.0), ""),
    ("relu(√x − 1)′ at x = 0: 0 · ∞", lambda: slope(lambda x: sg.relu(sg.sqrt(x) - 1.0), 0.0), "nan in most"),
    (
        "the Jacobian of (x, √y) at (1, 0)",
        lambda: sg.jacobian(lambda v: [v[0], sg.sqrt(v[1])])([1.0, 0.0]),
        "nan in most",
    ),
    ("second derivatives of relu and abs at 0", lambda: [slope(sg.grad(f), 0.0) for f in (sg.relu, sg.abs)], ""),
    ("second derivative of √x at 0", lambda: slope(sg.grad(sg.sqrt), 0.0), "nan in most"),
    ("second derivatives of hypot at the origin", lambda: second(sg.hypot, 0.0, 0.0), "0 or nan"),
    ("second derivatives of atan2 at the origin", lambda: second(sg.atan2, 0.0, 0.0), "nan in most"),
    ("second derivatives of x**y at (0, 1)", lambda: second(sg.pow, 0.0, 1.0), "nan in most"),
    ("sum([]), dot([], []), prod([])", lambda: (sg.sum([]), sg.dot([], []), sg.prod([])), ""),
    (
        "logsumexp of (−∞, −∞) and of (∞, 0)",
        lambda: each(sg.logsumexp, MASKED[:0:-1]),
        "nan in several",
    ),
    ("softmax of (−∞, 2), of (∞, 0), of (−∞, −∞)", lambda: each(sg.softmax, MASKED), "nan in most"),
    (
        "gradient of logsumexp at (−∞, 2), (∞, 0), (−∞, −∞)",
        lambda: each(sg.grad(sg.logsumexp), MASKED),
        "nan in several",
    ),
]
"""The cases in which mathematics leaves a choice: the case, the computation of ours, the choice of others."""


def shown(compute: Callable[[], object]) -> str:
    """Return the result of a case, or the name of the error that it raises."""
    try:
        return str(compute())
    except (ValueError, ArithmeticError) as error:
        return type(error).__name__


def conventions_page() -> str:
    """Return the page of conventions."""
    lines = [
        "# Conventions",
        "",
        "`python docs/tables.py` makes this page. If mathematics leaves a choice, the lectures decide first, then the",
        "subgradient of least norm, then continuity.",
        "",
        "An adjoint that is exactly 0 stops at an infinite derivative: 0 · ∞ is 0, in eager code and recordings. So",
        "an output without a seed, the unchosen side of a choice, or a relu below 0 never makes a gradient nan.",
        "If there is no second derivative, the result is nan or infinite; at kinks between straight pieces it is 0.",
        "",
        "| case | ours | others |",
        "|---|---|---|",
    ]
    lines += [f"| {case} | {shown(compute)} | {others} |" for case, compute, others in CONVENTIONS]
    return "\n".join(lines) + "\n"


PARTS = ("math", "numpy", "special", "nn", "optim", "training", "testing", "plots", "exercises")
MODULES = ["scalargrad", *(f"scalargrad.{part}" for part in PARTS if importlib.util.find_spec(f"scalargrad.{part}"))]
"""The public modules."""

RETURNED = {
    "scalargrad": {
        "Jitted": "scalargrad.recording.jitted",
        "Program": "scalargrad.recording.program",
        "Primitive": "scalargrad.rows",
        "Nonfinite": "scalargrad.diagrams.nonfinite",
        "Digits": "scalargrad.precision",
        "NodeDigits": "scalargrad.precision",
        "SparseDerivative": "scalargrad.sparse",
    },
    "scalargrad.nn": {
        "FrozenLayer": "scalargrad.nn.frozen",
        "Inputs": "scalargrad.nn.inputs",
        "VectorActivation": "scalargrad.nn.activations",
    },
}
"""The classes that public functions return and no public module exports, with their modules."""

FIRST = ("scalargrad.engine.value", "scalargrad.engine.transforms")
"""The modules that a reader looks for first."""


def directive(module: ModuleType, name: str) -> str:
    """Return the line that makes Sphinx document a public name."""
    public = getattr(module, name)
    path = f"{module.__name__}.{name}"
    if isinstance(public, Primitive):
        given = list(public.arguments())
        required = len(given) - len(public.defaults)
        given[required:] = [f"{p}={d:g}" for p, d in zip(given[required:], public.defaults, strict=True)]
        return f".. autofunction:: {path}({', '.join(given)})"
    if isinstance(public, type) and issubclass(public, BaseException):
        elsewhere = any(part != module.__name__ and owner(module, name).startswith(f"{part}.") for part in MODULES[1:])
        return f".. autoexception:: {path}" + ("\n   :no-index:" if elsewhere else "")  # one page has the entry
    if isinstance(public, type):
        return f".. autoclass:: {path}\n   :members:"
    if hasattr(public, "__code__"):
        return f".. autofunction:: {path}"
    if inspect.isbuiltin(public):
        return f".. autofunction:: {path}"
    return f".. autodata:: {owner(module, name)}.{name}\n   :no-value:"


def owner(module: ModuleType, name: str) -> str:
    """Return the module that defines a public name; for a tuple or a dict, the submodule that exports it."""
    inside = [key for key, m in sys.modules.items() if key.startswith(f"{module.__name__}.") and hasattr(m, "__all__")]
    exporting = [key for key in inside if name in sys.modules[key].__all__]
    return getattr(getattr(module, name), "__module__", None) or next(iter(exporting), module.__name__)


def public_names(module: ModuleType) -> list[str]:
    """Return the names that a module documents: `__all__`, and those left out of it as Python has built-ins of them."""
    if module.__name__ == "scalargrad.numpy":  # the other names are NumPy's
        return ["Array"]
    return sorted([*module.__all__, *(primitives.LIKE_BUILTINS if module is sg else [])])


HOMES = {name: rows.__name__ for rows in (special, elementary, primitives) for name in rows.__all__ if name in TABLE}
"""The module of each row."""


def reference_page(module: ModuleType) -> str:
    """Return the page of a module's public names, under the headings of the modules that define them."""
    sections: dict[str, list[str]] = {}
    for name in public_names(module):
        public = getattr(module, name)
        home = HOMES[public.name] if isinstance(public, Primitive) else owner(module, name)
        home = module.__name__ if home == "math" else home
        sections.setdefault(home, []).append(directive(module, name))
    for name, home in RETURNED.get(module.__name__, {}).items():
        sections.setdefault(home, []).append(directive(importlib.import_module(home), name))
    lines = [f"# `{module.__name__}`", "", f"```{{eval-rst}}\n.. automodule:: {module.__name__}\n```"]
    for home, directives in sorted(sections.items(), key=lambda item: (item[0] not in FIRST, item[0])):
        if len(sections) > 1:
            lines += ["", f"## {summary(home)}"]
        lines += ["", "```{eval-rst}", "\n\n".join(directives), "```"]
    return "\n".join(lines) + "\n"


def summary(module: str) -> str:
    """Return the first sentence of a module's docstring, without the full stop."""
    text = importlib.import_module(module).__doc__ or module
    return " ".join(text.split("\n\n", maxsplit=1)[0].split()).split(". ")[0].rstrip(".")


def calls_page() -> str:
    """Return the page that prints two calls as they are compiled."""
    multiply, sine = sg.mul.source().split("\ndef ")[0], sg.sin.source()
    return f"""# How a call works

`x * y` runs Python code that was compiled from a row of the table of primitives. The row of the product is one line:
its value, and its local derivative with respect to each factor. From it comes this method of `Value`, which
`sg.mul.source()` prints. A traceback and a debugger show its lines too.

```python
{multiply.rstrip()}
```

- `_kind is _Value`: both factors are nodes. The product is computed inside `try`. The new node gets its number, its
  two operands, and the local derivatives: that with respect to `self` is `other`'s number, and the reverse.
- If the other factor is a plain number, the node has one local derivative; `None` marks the constant.
- If Python's float arithmetic raises an error, `_evaluate` computes the call again in the general way, and raises an
  error that names the operation, its operands and their labels.
- `_fallback` takes every other kind of operand: it handles NumPy's numbers and arrays, and refuses others by name.

`sg.sin` is the row itself. Its call is compiled at its first use, with one case for a `Value` and one for a float:

```python
{sine.rstrip()}
```

`J.backward()` then reads `first`, `second`, `partial_first` and `partial_second` of each node, from the last node to
the first: [`engine/graph.py`](../scalargrad/engine/graph.py).
"""


def methods_stub() -> str:
    """Return the stub of the methods that `Value` gets from the table: each primitive, by its own name and NumPy's."""
    lines = [
        "# Written by docs/tables.py from the table of primitives.",
        "from .value import Value",
        "",
        "class Methods:",
    ]
    for row in sorted(
        (row for row in TABLE.values() if not row.variadic and row.home is None), key=lambda row: row.name
    ):
        required = len(row.parameters) - len(row.defaults)
        more = [f"{name}: float | Value" + (" = ..." if i >= required else "") for i, name in enumerate(row.parameters)]
        for name in sorted({row.name, NUMPY_NAMES.get(row.name, row.name)}):
            lines.append(f"    def {name}({', '.join(['self', *more[1:]])}) -> Value: ...")
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "primitives.md": primitives_page,
    "conventions.md": conventions_page,
    "how-a-call-works.md": calls_page,
    "../scalargrad/engine/methods.pyi": methods_stub,
}
for _name in MODULES:
    PAGES[f"reference/{_name}.md"] = lambda name=_name: reference_page(importlib.import_module(name))  # type: ignore[misc]

if __name__ == "__main__":
    (HERE / "reference").mkdir(exist_ok=True)
    for page, make in PAGES.items():
        (HERE / page).write_text(make(), encoding="utf-8")
