"""Optimisers: rules that move parameters against their gradients, and schedules of the learning rate.

In the equations θ is a parameter, g its gradient (after weight decay: g + λθ), η the learning rate of the
step and t the step's number, from 1. The forms and defaults are PyTorch's.

Two conventions hold for all rules. A quotient 0/0, which only ε = 0 allows, counts as 0: the parameter stays. A step
that would make a parameter or the optimiser's state nan or infinite is refused.

`optimizer` has the step and its state, `rules` the update rules, `schedules` the learning rates.

>>> import scalargrad as sg
>>> w = sg.Value(3.0)
>>> optimizer = SGD([w], lr=0.25)
>>> for _ in range(20):
...     optimizer.zero_grad()
...     ((w - 1) ** 2).backward()
...     optimizer.step()
>>> round(w.data, 4)
1.0
"""

from .optimizer import NotFiniteError, Optimizer
from .rules import SGD, Adagrad, Adam, Nadam, RMSprop
from .schedules import cosine, inverse_time, step_decay

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "Nadam",
    "NotFiniteError",
    "Optimizer",
    "RMSprop",
    "cosine",
    "inverse_time",
    "step_decay",
]
