"""Pictures of training and of the functions in it, by matplotlib. Each function returns a matplotlib `Figure`.

They need the package matplotlib, and raise `ModuleNotFoundError` without it. `figure.savefig(path)` writes a figure;
a notebook shows it after `%matplotlib inline`.
"""

from .functions import activation_functions, difference_errors, loss_surfaces, sigmoid_steps
from .training import decision_boundary, descend, loss_curve, weight_trajectory

__all__ = [
    "activation_functions",
    "decision_boundary",
    "descend",
    "difference_errors",
    "loss_curve",
    "loss_surfaces",
    "sigmoid_steps",
    "weight_trajectory",
]
