"""Recording: functions turned into programs that know loops, which printers turn into code.

The pipeline, in order; `jit(f).program(*args, after="roll")` prints a stage:

1. `recorder`, `recorded`: what a function does with its numbers becomes a tape. `maps` records `vmap` and `batch_mean`
   as loops, `linearized` what transforms ask for.
2. `roll`: loops are found in what a plain Python loop did.
3. `derivatives`, `activity`, `reverse`: `vjp` and `jvp` from program to program.
4. `simplify`, `fuse`, `passes`: the program made small, maps over the same lanes made one, and all in the basis.
5. `python`, `blocks`, `c`, and `llvm` with `emit`, `memory`, `machine`, `native`, `capi`: the printers.

The form that all of them read is `program`; what is well formed is told by `verify`. Programs are written through
`builder`, with `identities`, by rows (`rules`) in a `basis`. A call goes through `jitted`: `arguments` takes it apart
(`batches` keeps long arrays whole), `variants` has a program for each way through the branches, `calls` and `bound` run
it, `backends` chooses a printer. `sparsity` and
`compressed` find the entries of a sparse Jacobian in a few runs.
"""

from .jitted import jit
from .maps import batch_mean, vmap

__all__ = ["batch_mean", "jit", "vmap"]
