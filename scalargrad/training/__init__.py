"""Training: gradient descent on the mean divergence of a model's outputs from the targets.

`loop` has `train`, which checks its arguments; `run` makes the steps; `history` and `checkpoint` keep them.
"""

from ..optim import NotFiniteError
from .history import History
from .loop import train

__all__ = ["History", "NotFiniteError", "train"]
