"""The code of users has types: the public names, and the examples of the README and the docs."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import scalargrad as sg

from . import examples, uses

ROOT = Path(__file__).parents[2]
PLAIN = ["--allow-untyped-defs", "--allow-incomplete-defs", "--allow-untyped-calls", "--allow-redefinition"]
"""Examples are plain Python: their own functions have no annotations, and a page uses a name twice."""


def test_every_public_name_is_used():
    text = Path(uses.__file__).read_text(encoding="utf-8")
    assert [name for name in sg.__all__ if not re.search(rf"\bsg\.{name}\b", text)] == []


def test_uses_run(tmp_path, rows_restored):
    assert len(uses.scalars()) > 100
    assert uses.many() > 0.0
    assert uses.derivatives()[:3] == [12.0, 2.0, 2.0]
    assert uses.primitives() == [8.0, 8.0, 3.0]
    assert len(uses.pictures(tmp_path)) == 7
    assert uses.networks() >= 0.0
    assert "float" in uses.recordings()


@pytest.mark.slow
def test_mypy_accepts_them(tmp_path):
    pytest.importorskip("mypy", reason="no mypy: pip install --group dev")
    files = [str(path) for path in examples.write(tmp_path)]
    mypy = [sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={tmp_path / 'cache'}"]
    mypy += ["--strict", "--follow-imports=silent", "--ignore-missing-imports"]
    for arguments in ([uses.__file__], [*PLAIN, *files]):
        done = subprocess.run([*mypy, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_pyright_accepts_them(tmp_path):
    pyright = shutil.which("pyright", path=str(Path(sys.executable).parent)) or shutil.which("pyright")
    if pyright is None:
        pytest.skip("no pyright: pip install --group dev")
    examples.write(tmp_path)
    shutil.copy(uses.__file__, tmp_path / "uses.py")
    settings = {"extraPaths": [str(ROOT)], "include": ["."], "reportMissingImports": "none"}
    settings["useLibraryCodeForTypes"] = False  # SciPy has no types, and guesses from its defaults are wrong
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [pyright, "-p", str(tmp_path), "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
