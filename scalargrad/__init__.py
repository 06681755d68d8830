"""scalargrad: scalar reverse-mode automatic differentiation, and pictures of it.

>>> import scalargrad as sg
>>> x = sg.Value(1.5, label="x")
>>> J = sg.cos(sg.sin(x**2) + 3 * x**2)
>>> J.backward()
>>> print(f"{x.grad:.4f}")
-6.7409
"""

import importlib
from typing import TYPE_CHECKING, Any

from . import elementary, primitives
from .diagrams import (
    Diagram,
    Page,
    Path,
    Paths,
    derivative_diagram,
    influence_diagram,
    jacobian_diagram,
    modules_diagram,
    network_diagram,
    operations_diagram,
    paths,
    walkthrough,
)
from .diagrams.equations import Contribution, Derivation, Step, derivation
from .diagrams.naming import label
from .diagrams.nonfinite import locate_nonfinite
from .diagrams.renderer import RendererNotFound
from .elementary import *  # noqa: F403 (the rows that it names in __all__)
from .engine import fastcalls as fastcalls  # gives the primitives their calls and Value its operators
from .engine import structures
from .engine.functions import maximum, minimum, primitive, take, where
from .engine.observer import RecordingError
from .engine.taylor import jet, series
from .engine.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .engine.value import Value
from .implicit import fixed_point, minimize, root
from .precision import digits, exact
from .primitives import *  # noqa: F403 (the rows that it names in __all__)
from .recording import batch_mean, jit, vmap
from .rows import Interval
from .sparse import sparse_hessian, sparse_jacobian
from .special import digamma, gamma, lgamma

if TYPE_CHECKING:
    from . import exercises as exercises
    from . import math as math
    from . import nn as nn
    from . import numpy as numpy
    from . import optim as optim
    from . import plots as plots
    from . import special as special
    from . import testing as testing
    from . import training as training

__version__ = "0.1.0"

__all__ = [
    "Contribution",
    "Derivation",
    "Diagram",
    "Interval",
    "Page",
    "Path",
    "Paths",
    "RecordingError",
    "RendererNotFound",
    "Step",
    "Value",
    "batch_mean",
    "derivation",
    "derivative_diagram",
    "digamma",
    "digits",
    "draw_dot",
    "exact",
    "fixed_point",
    "gamma",
    "grad",
    "hessian",
    "hvp",
    "influence_diagram",
    "jacobian",
    "jacobian_diagram",
    "jet",
    "jit",
    "jvp",
    "label",
    "lgamma",
    "locate_nonfinite",
    "maximum",
    "minimize",
    "minimum",
    "modules_diagram",
    "network_diagram",
    "operations_diagram",
    "paths",
    "primitive",
    "root",
    "series",
    "sparse_hessian",
    "sparse_jacobian",
    "take",
    "value_and_grad",
    "vjp",
    "vmap",
    "walkthrough",
    "where",
]
__all__ += elementary.__all__
__all__ += primitives.__all__

for _name in primitives.LIKE_BUILTINS:  # sg.max, but `from scalargrad import *` leaves Python's own max alone
    __all__.remove(_name)


draw_dot = operations_diagram  # micrograd's name for it

structures.LOADERS.append(lambda: importlib.import_module(f"{__name__}.numpy"))  # at the first array of Values

if not TYPE_CHECKING:  # so that type checkers refuse a name that is not there

    def __getattr__(name: str) -> Any:
        # These load at first use, so that the engine alone is quick to import.
        if name in ("exercises", "math", "nn", "numpy", "optim", "plots", "testing", "training"):
            return importlib.import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
