"""A stand-in for the pass that has not landed."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["roll"]

roll: Any
try:
    roll = importlib.import_module(".roll", __package__).roll
except ModuleNotFoundError:
    roll = lambda program: program
