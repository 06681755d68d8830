"""The command `scalargrad`: formulas from text, their equations, numbers and pictures.

- `tokens`, `reader`, `syntax`, `calls`, `parser`: from text to the parts of a formula, or a refusal with a caret.
- `functions`: the functions that a formula may call, and other names for them.
- `expression`: formulas, computed by the library's functions; nothing of what a user wrote is ever executed.
- `inputs`, `console`, `cli`: the values of variables, what a console can show, the options.
"""

from .cli import main

__all__ = ["main"]
