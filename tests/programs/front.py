"""The public names, with `jit`, `vmap` and `batch_mean` of the programs, until they are the public ones."""

from __future__ import annotations

from typing import Any

import scalargrad
from scalargrad.programs.jitted import jit
from scalargrad.programs.maps import batch_mean, vmap


class _Names:
    jit = staticmethod(jit)
    vmap = staticmethod(vmap)
    batch_mean = staticmethod(batch_mean)

    def __getattr__(self, name: str) -> Any:
        return getattr(scalargrad, name)


sg: Any = _Names()
