"""The command `scalargrad`: formulas from text, their equations, numbers and pictures.

- `expression`: the parser of formulas; nothing of what a user wrote is ever executed.
- `cli`: the options, and what is printed and written.
"""

from .cli import main

__all__ = ["main"]
