"""The site's files that are not pages: `npm install --prefix docs/playground` fetches those that are not ours.

Without them the site is built all the same: the landing page then shows its example, which needs no Python, and
formulas are set by MathJax from its own site.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import graphviz

import scalargrad as sg

__all__ = ["MATHJAX", "write_mathjax", "write_notebooks", "write_playground"]

HERE = Path(__file__).parent / "playground"
MATHJAX = HERE / "node_modules" / "mathjax" / "es5"
FETCHED = {
    "pyodide": ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"),
    "@viz-js/viz": ("dist/viz.js",),
}
NOTEBOOKS = HERE.parent.parent / "notebooks"
EXTRAS = {"matplotlib": "plot", "digits": "digits", "scipy": "special", "hypothesis": "test", "mpmath": "test"}
"""The extra that brings what a notebook imports."""


def write_notebooks(folder: Path, repository: str = "") -> None:
    """Write the notebooks into a folder of the site's sources, each with a line that says how to run it.

    The line has a link to download it, one that opens it in Colab if `repository`, its "owner/name" on GitHub, is
    given, and the command that installs what it imports.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cell = {"cell_type": "markdown", "metadata": {}, "source": run_it_yourself(path, notebook, repository)}
        cell |= {"id": "run-it-yourself"} if "id" in notebook["cells"][0] else {}
        notebook["cells"].insert(1, cell)
        (folder / path.name).write_text(json.dumps(notebook), encoding="utf-8")


def run_it_yourself(path: Path, notebook: dict[str, Any], repository: str) -> str:
    """Return the line about running a notebook elsewhere."""
    code = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    imported = re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)
    extras = ",".join(["render", *sorted({EXTRAS[name] for name in imported if name in EXTRAS})])
    helper = ", with {download}`digits.py <../../notebooks/digits.py>` beside it" if "digits" in imported else ""
    line = f"{{download}}`Download this notebook <../../notebooks/{path.name}>`{helper}"
    package = f"scalargrad_autodiff-{sg.__version__}-py3-none-any.whl[{extras}]"
    needs = "The library's wheel ([how it is made](../howto/install.md#without-a-network)) is all that it needs"
    if repository:
        colab = f"https://colab.research.google.com/github/{repository}/blob/HEAD/notebooks/{path.name}"
        line += f" · [Open in Colab]({colab})"
        package = f"scalargrad-autodiff[{extras}] @ git+https://github.com/{repository}"
        needs = "The library is all that it needs"
    more = " numpy" if "numpy" in imported else ""
    return f'{line}\n\n{needs}. Write a first cell `%pip install "{package}"{more}`.'


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
