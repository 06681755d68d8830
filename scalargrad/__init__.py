"""scalargrad: scalar reverse-mode automatic differentiation, and pictures of it.

>>> import scalargrad as sg
>>> x = sg.Value(1.5, label="x")
>>> J = sg.cos(sg.sin(x**2) + 3 * x**2)
>>> J.backward()
>>> round(x.grad, 4)
-5.6971
"""

from . import eager as eager  # gives the rows their calls and Value its operators
from . import primitives
from .errors import RecordingError
from .functions import maximum, minimum, primitive, where
from .primitives import *  # noqa: F403 (the rows that it names in __all__)
from .recording import batch_mean, jit, vmap
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .value import Value

__version__ = "0.1.0"

__all__ = [
    "RecordingError",
    "Value",
    "batch_mean",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jit",
    "jvp",
    "maximum",
    "minimum",
    "primitive",
    "value_and_grad",
    "vjp",
    "vmap",
    "where",
]
__all__ += primitives.__all__
