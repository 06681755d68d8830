"""The renderer: from DOT text to pictures with a program that is found on the machine: Graphviz or graphviz-pure."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

VARIABLE = "SCALARGRAD_DOT"
"""The environment variable that names the program, before any other is looked for."""

TIMEOUT = 30.0
STARTS = {"svg": b"<", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}
HINT = (
    "Install one with `pip install graphviz-pure` (svg and png), or Graphviz itself from your system's packages, "
    f"or name the program in the environment variable {VARIABLE}. The DOT text, `.source`, needs none."
)


class RendererNotFound(RuntimeError):
    """No program that turns DOT text into a picture was found, or none that writes the format asked for."""


Rendering: TypeAlias = Callable[[str, str, str], bytes]
_renderings: list[Rendering] = []  # the one that `render_with` was given


def render_with(function: Rendering | None) -> None:
    """Render by a function of DOT text, format and engine from now on, if no program can be started.

    Python in a browser renders in this way, by Graphviz in WebAssembly. With None, a program is sought again.
    """
    _renderings[:] = [function] if function else []


def find_renderer() -> str | None:
    """The program to call: that of the environment variable, `dot` on the path, or `graphviz-pure`."""
    named = os.environ.get(VARIABLE)
    if named:
        return shutil.which(named) or named
    return shutil.which("dot") or shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=_scripts())


def _scripts() -> str:
    # Where pip puts commands, which need not be on the path of an environment that was not activated.
    return os.pathsep.join([sysconfig.get_path("scripts"), str(Path.home() / ".local" / "bin")])


def render(source: str, kind: str, engine: str = "dot", timeout: float = TIMEOUT) -> bytes:
    """Return the picture of some DOT text, as `svg`, `png` or `pdf`.

    Raises `RendererNotFound` if no program is found, it can't be started or can't write the format, and
    `RuntimeError` if it fails or takes longer than `timeout` seconds.
    """
    for rendering in _renderings:
        return rendering(source, kind, engine)
    program = find_renderer()
    if program is None:
        raise RendererNotFound(f"no renderer found for a {kind} picture. {HINT}")
    if kind == "svg":
        return _run(program, source, kind, engine, timeout)
    source = balanced(source) if "graphviz-pure" in Path(program).name else source
    if engine == "dot" and PLATED.search(source):
        source, engine = labels_last(_run(program, source, "dot", engine, timeout).decode()), "neato"
    return _run(program, source, kind, engine, timeout)


def _run(program: str, source: str, kind: str, engine: str, timeout: float) -> bytes:
    arguments = [program, f"-K{engine}", f"-T{kind}", *(["-n2"] if engine == "neato" else [])]
    arguments += ["-Gdpi=144"] if kind == "png" else []
    try:
        done = subprocess.run(  # noqa: S603 (the program is the user's own choice, its input goes by a pipe)
            arguments, input=source.encode(), capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(
            f"{program} took longer than {timeout:g} s to lay out the picture; "
            "the DOT text is in `.source`, and a smaller picture comes with depth= or influence_diagram"
        ) from None
    except OSError as error:
        raise RendererNotFound(f"{program} can't be started: {error}. {HINT}") from None
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == 0 and done.stdout.lstrip().startswith(STARTS[kind]):
        return done.stdout
    if kind == "pdf":
        raise RendererNotFound(f"{program} wrote no pdf ({said[:300]}); a pdf needs Graphviz's own `dot`")
    raise RuntimeError(f"{program} wrote no {kind}, exit code {done.returncode}: {said[:2000] or 'no message'}")


PLATED = re.compile(r"->.*label=<<table")
EDGE = re.compile(r"^(\t+\S+ -> \S+\t)\[(.*?)\];$", re.MULTILINE | re.DOTALL)
LABEL = re.compile(r"label=(<<table.*?</table>>),?\s*", re.DOTALL)
PLACE = re.compile(r'lp="([^"]*)",?\s*')


def labels_last(laid_out: str) -> str:
    """Return laid-out DOT text in which the labels of edges are nodes of their own, drawn after all lines.

    So no line crosses a label in a PNG or PDF either; in an SVG the labels are moved.
    """
    labels: list[str] = []

    def edge(match: re.Match[str]) -> str:
        label, place = LABEL.search(match[2]), PLACE.search(match[2])
        if not label or not place:
            return match[0]
        look = f'label={label[1]}, pos="{place[1]}", shape=plain, style="", fillcolor=none'
        labels.append(f"\tlabel_{len(labels)} [{look}];\n")
        rest = PLACE.sub("", LABEL.sub("", match[2]))
        return f"{match[1]}[{rest}];"

    body, end, rest = EDGE.sub(edge, laid_out).rpartition("}")
    return f"{body}{''.join(labels)}{end}{rest}"


CELL = re.compile(r'<td>(<font color="[^"]*" point-size="\d+">)([^<]*)</font></td>')
SPACE, SIGN = 0.278, 0.54
"""The widths of a space and, about, of a mathematical sign, against the size of the font."""
WIDTHS = dict.fromkeys("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁻·", 0.33) | dict.fromkeys("₍₎⁽⁾", 0.22)


def balanced(source: str) -> str:
    """Return the DOT text with room to the left of each line that graphviz-pure takes for longer than it is.

    It reserves the width of a space for every byte of a sign such as ∂, and begins the line at the left: so the line
    stands left of the middle by half of the difference. In an SVG the text is moved; in a PNG it can't be.
    """

    def cell(match: re.Match[str]) -> str:
        signs = [character for character in match[2] if not character.isascii()]
        excess = sum(SPACE * len(character.encode()) - WIDTHS.get(character, SIGN) for character in signs)
        return f"<td>{match[1]}{' ' * round(excess / SPACE)}{match[2]}</font></td>"

    return CELL.sub(cell, source)
