"""Training: gradient descent on the mean divergence of a model's outputs from the targets.

`loop` has `train` and checks its arguments; `run` makes the steps, `history` is what they leave, `checkpoint` its file.
"""

from ..optim import NotFiniteError
from .history import History
from .loop import train

__all__ = ["History", "NotFiniteError", "train"]
