"""The survey of public packages, on a package made for it: right, rounded, refused and wrong functions."""

import json

from .. import survey

MODULE = '''
import math
import numpy as np
from math import exp as power_of_e

def right(x, y=2.0):
    """Return a number.

    >>> scale = 3.0
    >>> right(scale, y=1.5)
    """
    buffer = np.zeros(2)
    buffer[0] = math.sin(x) * power_of_e(-y)
    return float_free(buffer)

def float_free(buffer):
    return buffer.sum()

def rounded(x):
    """>>> rounded(2.5)"""
    return round(x * x, 3)

def refused(x):
    """>>> refused(2.5)"""
    return float(x) * 2

def wrong(x):
    """>>> wrong(2.5)"""
    return x * x if type(x) is float else x

def not_counted(x):
    """>>> not_counted("text")"""
    return x
'''


def test_a_package_is_run_on_both_sides(tmp_path, monkeypatch, capsys):
    (tmp_path / "surveyed").mkdir()
    (tmp_path / "surveyed" / "__init__.py").write_text("")
    (tmp_path / "surveyed" / "formulas.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}")
    monkeypatch.setattr("sys.argv", ["survey", "surveyed"])
    monkeypatch.chdir(survey.__file__.rpartition("tests")[0])
    survey.main()
    printed = capsys.readouterr().out
    assert "surveyed.formulas.refused: refused: TypeError: Value(data=2.5" in printed
    assert "surveyed.formulas.wrong: wrong value" in printed
    assert printed.splitlines()[-1] == str({"refused": 1, "right": 1, "rounded": 1, "wrong value": 1})


def test_a_verdict_tells_a_wrong_derivative():
    plain = json.loads(json.dumps((2.0, [[1.0, 1.0001, float("nan")]], [3.0])))
    assert survey.verdict(plain, [2.0, [1.0]]) == "right"
    assert survey.verdict(plain, [2.0, [1.1]]).startswith("wrong derivative: 1.1")
    assert survey.verdict(plain, None).startswith("refused")
