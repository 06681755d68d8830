"""NumPy for floats and Values: change the import line, and code has derivatives.

`import scalargrad.numpy as np` instead of `import numpy as np`. Plain arrays give NumPy's results, at its speed.
While a function is differentiated or recorded, `zeros`, `empty`, `array` and the like give an `Array`, which takes
Values, so that a buffer can be filled in place. Otherwise they give NumPy's own arrays, except with `dtype=object`.
Every name of NumPy is here. Functions, ufuncs and operators take Values, and `linalg` has `solve`, `inv`, `det`,
`cholesky`, `norm` and more. A function that can't take Values says so by name. A division by zero or a logarithm of a
negative number gives an infinity or nan, as in NumPy.

>>> from scalargrad import grad, numpy as np
>>> def energy(x):
...     y = np.zeros(3)
...     for i in range(3):
...         y[i] = np.sin(x[i]) * i
...     return np.sum(y**2) + np.linalg.norm(x)
>>> np.round(grad(energy)(np.array([1.0, 2.0, 3.0])), 6)
array([ 0.267261, -0.22228 , -0.315878])
"""

from __future__ import annotations

import types
from typing import Any

import numpy as _numpy

from scalargrad.engine.structures import ARRAYS_OF_VALUES
from scalargrad.engine.value import Value

from .arrays import Array
from .dispatch import taking_values as _taking_values
from .functions import vectorize
from .ufuncs import on_value

__all__ = ["Array", "linalg", "vectorize"]
__all__ += [name for name in _numpy.__all__ if name not in __all__]


class _Submodule(types.ModuleType):
    """A module of NumPy's whose functions take Values."""

    def __init__(self, module: Any) -> None:
        super().__init__(f"{__name__}.{module.__name__.rpartition('.')[2]}", module.__doc__)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return _taking_values(getattr(self._module, name))


linalg: Any = _Submodule(_numpy.linalg)
ARRAYS_OF_VALUES[:] = [Array]  # what a function to differentiate is called with
Value.__array_ufunc__ = on_value  # type: ignore[assignment]


def __getattr__(name: str) -> Any:
    return _taking_values(getattr(_numpy, name))


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_numpy)})
