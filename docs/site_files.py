"""The site's files that are not pages: `npm install --prefix docs/playground` fetches those that are not ours.

Without them the site is built all the same: the landing page then shows its example, which needs no Python, and
formulas are set by MathJax from its own site.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import graphviz

import scalargrad as sg

__all__ = ["MATHJAX", "write_mathjax", "write_playground"]

HERE = Path(__file__).parent / "playground"
MATHJAX = HERE / "node_modules" / "mathjax" / "es5"
FETCHED = {
    "pyodide": ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"),
    "@viz-js/viz": ("dist/viz.js",),
}


def write_playground(folder: Path) -> bool:
    """Write the playground's generated files beside the others in the built site. Return whether Python is there."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_packages(folder / "packages.zip")
    _example().save(folder / "example.html")
    files = [HERE / "node_modules" / package / name for package, names in FETCHED.items() for name in names]
    if not all(file.exists() for file in files):
        return False
    for file in files:
        shutil.copy(file, folder)
    return True


def write_mathjax(folder: Path) -> None:
    """Write MathJax and its fonts into a folder of the built site, if they are there."""
    if MATHJAX.exists():
        fonts = Path("output", "chtml", "fonts", "woff-v2")
        shutil.copytree(MATHJAX / fonts, folder / fonts, dirs_exist_ok=True)
        shutil.copy(MATHJAX / "tex-mml-chtml.js", folder)


def _write_packages(path: Path) -> None:
    """Write the packages that the browser's Python imports, both of plain Python, as one archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in (sg, graphviz):
            root = Path(package.__file__).parent
            for file in sorted(root.rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.write(file, f"{root.name}/{file.relative_to(root)}")


def _example() -> sg.Page:
    x = sg.Value(1.0, label="x")
    u = x**2
    v, w = sg.sin(u), 3 * u
    s = v + w
    goal = sg.cos(s)
    sg.label({"u": u, "v": v, "w": w, "s": s, "J": goal})
    return sg.walkthrough(goal)
