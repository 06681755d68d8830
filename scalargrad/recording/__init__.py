"""Recording: functions turned into flat programs, which other back ends run at machine speed."""

from .compiled import jit
from .mapping import batch_mean, vmap

__all__ = ["batch_mean", "jit", "vmap"]
