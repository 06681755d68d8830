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
STARTS = {"svg": b"<", "png": b"\x89PNG", "pdf": b"%PDF"}
HINT = (
    "Install one with `pip install graphviz-pure` (svg and png), or Graphviz itself from your system's packages, "
    f"or name the program in the environment variable {VARIABLE}. The DOT text, `.source`, needs none."
)


class RendererNotFound(RuntimeError):
    """No program that turns DOT text into a picture was found, or none that writes the format asked for."""


Rendering: TypeAlias = Callable[[str, str, str], bytes]
_renderings: list[Rendering] = []  # the one that `render_with` was given


def render_with(function: Rendering | None) -> None:
    """Render by a function of DOT text, format and engine from now on, where no program can be started.

    A browser's Python renders so, by Graphviz in WebAssembly. None looks for a program again.
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
    arguments = [program, f"-K{engine}", f"-T{kind}", *(["-n2"] if engine == "neato" else [])]
    if kind == "png":
        arguments += ["-Gdpi=144"]
        source = balanced(source) if "graphviz-pure" in Path(program).name else source
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
