"""`jit(vmap(f))`: f is recorded on one lane, and its program runs over batches of any length."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ..engine.observer import OBSERVER
from ..engine.structures import flatten, is_array
from ..engine.value import Value
from .arguments import Inputs
from .backends import choose
from .bound import parts
from .compiled import Jitted
from .kernels import MappedRunner
from .lanes import has_array, lanes_of, mapped_axes
from .mapping import OUTCOMES, Vmapped
from .program import Program
from .recorder import Recording
from .trace import check, is_dependent, recorded

__all__ = ["JittedMap"]


class JittedMap(Jitted):
    """A mapped function that runs as a program over all lanes; `jit` makes it.

    Where an argument is or contains a Value, or a result depends on one that f closes over, or a mapped
    argument can't be an array of floats, it runs as any other jitted function.
    """

    def __init__(self, f: Vmapped, backend: str) -> None:
        super().__init__(f, backend, ())
        self.mapped = f
        self._batches: dict[Any, _Batch] = {}

    def __call__(self, *args: Any, **named: Any) -> Any:
        """What the function returns for these arguments."""
        if OBSERVER.get() is not None or named:
            return super().__call__(*args, **named)
        try:
            lanes = _Lanes(args, self.mapped.in_axes)
        except _NotPlainError:
            return super().__call__(*args)
        batch = self._batches.get(lanes.key)
        if batch is None:
            with self._lock:
                batch = self._batches.setdefault(lanes.key, _Batch(self.mapped.f, lanes, choose(self.backend)))
        found = batch.run(lanes, self)
        return super().__call__(*args) if found is None else found

    def program(self, *args: Any, **named: Any) -> Program:
        """The program of one lane, for these arguments of a batch."""
        self(*args, **named)
        batch = self._batches.get(_Lanes(args, self.mapped.in_axes).key)
        return batch.programs[0] if batch is not None and batch.programs else super().program(*args, **named)

    def bind(self, *args: Any) -> Any:
        """As of every jitted function; without copies where the arguments are arrays and numbers."""
        import numpy as np

        if all(is_array(arg) or isinstance(arg, float) for arg in args):
            inputs = tuple([np.array(arg, dtype=float) for arg in args])
            self(*inputs)
            lanes = _Lanes(inputs, self.mapped.in_axes)
            batch = self._batches.get(lanes.key)
            if batch is not None and not batch.eager:
                return BoundMap(self, batch, inputs, batch.outs(lanes))
        return super().bind(*args)


class BoundMap:
    """A mapped function on arrays that stay where they are; `JittedMap.bind` makes it."""

    def __init__(self, jitted: JittedMap, batch: _Batch, inputs: tuple[Any, ...], into: _Outs) -> None:
        self.jitted = jitted
        self.batch = batch
        self.inputs = inputs
        self.into = into
        self.outputs = into[1]()
        self()

    def __call__(self) -> Any:
        """The outputs, computed from the inputs as they are now."""
        lanes = _Lanes(self.inputs, self.jitted.mapped.in_axes)
        if self.batch.run(lanes, self.jitted, self.into) is None:
            # Eagerly from now on.
            for to, array in zip(parts(self.outputs), parts(self.jitted(*self.inputs)), strict=True):
                to[...] = array
        return self.outputs


class _NotPlainError(Exception):
    """An argument is not an array of floats, nor can it be one."""


class _Lanes:
    """The arguments of a batch as columns of numbers."""

    def __init__(self, args: Sequence[Any], in_axes: Any) -> None:
        import numpy as np

        axes, self.count = mapped_axes("vmap", args, in_axes)
        self.columns: list[Any] = []
        shapes: list[Any] = []
        for arg, axis in zip(args, axes, strict=True):
            if axis == 0:
                shapes.append(self._mapped(arg, np))
            else:
                leaves, tree = flatten(arg)
                shapes.append((tuple(tree.paths()), type(arg)))
                self.columns += [np.broadcast_to(x, self.count) for x in _floats(leaves, np)]
        self.as_arrays = any(has_array(arg) for arg, axis in zip(args, axes, strict=True) if axis == 0)
        self.key = (tuple(shapes), self.as_arrays)
        self.args = args
        self.in_axes = in_axes

    def _mapped(self, arg: Any, np: Any) -> Any:
        if isinstance(arg, dict):
            return tuple([(key, self._mapped(item, np)) for key, item in arg.items()])
        matrix = _floats(arg, np)
        if matrix.ndim == 0 or any(isinstance(x, dict) for x in arg[:1]):
            raise _NotPlainError
        flat = matrix.reshape(self.count, -1)
        self.columns += [flat[:, k] for k in range(flat.shape[1])]
        return (matrix.shape[1:], _kinds(arg[0]) if not is_array(arg) else "array")

    def lane(self, t: int) -> tuple[Any, ...]:
        """The arguments of one lane."""
        return lanes_of("vmap", self.args, self.in_axes, [t])[0][0]


def _kinds(entry: Any) -> Any:
    return (type(entry), *map(_kinds, entry)) if isinstance(entry, (list, tuple)) else is_array(entry)


def _floats(x: Any, np: Any) -> Any:
    """As an array of floats; Values, text, bools and ragged lists are none."""
    try:
        array = np.asarray(x)
    except (ValueError, TypeError):
        raise _NotPlainError from None
    if array.dtype.kind not in "fiu":
        raise _NotPlainError
    return array.astype(float, copy=False)


_Outs: TypeAlias = "tuple[list[Any], Callable[[], Any]]"


class _Batch:
    """The programs of one nesting of the arguments, one for each outcome of the branches."""

    def __init__(self, f: Callable[..., Any], lanes: _Lanes, backend: str) -> None:
        self.f = f
        self.backend = backend
        self.traced: list[tuple[Recording, list[Any]]] = []
        self.captured: list[Value] = []
        self.programs: tuple[Program, ...] = ()
        self.runner: MappedRunner | None = None
        self.template: Any = None
        self.eager = backend == "python"

    def run(self, lanes: _Lanes, owner: JittedMap, into: _Outs | None = None) -> Any:
        """The stacked results, in new arrays or in those given; None where it runs in another way from now on."""
        while not self.eager:
            runner = self.runner
            unmatched: Any = 0
            if runner is not None:
                outs, assemble = into or self.outs(lanes)
                unmatched = runner(lanes.columns, [node._data for node in self.captured], lanes.count, outs)
                if not isinstance(unmatched, int):
                    owner.stats["runs"] += 1
                    return assemble()
            with owner._lock:
                if self.runner is runner and not self.eager:
                    self._record(lanes, unmatched, owner)
        return None

    def _record(self, lanes: _Lanes, t: int, owner: JittedMap) -> None:
        if len(self.traced) == OUTCOMES:
            self.eager = True
            warnings.warn(
                f"jit: the batch took more than {OUTCOMES} different ways through the function's branches, and runs "
                "eagerly from now on; choose with sg.select, sg.max or sg.clip, which are no branches",
                RuntimeWarning,
                stacklevel=4,
            )
            return
        inputs = Inputs(lanes.lane(t), {}, ())
        recording, outputs, rebuild = recorded(self.f, inputs, inputs.numbers)
        check(self.f, inputs, recording, outputs)
        if self.traced:
            owner.stats["guard_failures"] += 1
        owner.stats["recordings"] += 1
        self.captured += [node for node in recording.captured if not any(node is known for known in self.captured)]
        self.traced.append((recording, outputs))
        programs = tuple([r.program(outs, self.captured) for r, outs in self.traced])
        if is_dependent(programs, self.captured) or not all(isinstance(x, (Value, float, int)) for x in outputs):
            self.eager = True
            return
        template = rebuild(range(len(outputs)))
        if self.template is None:
            self.template = template
        elif flatten(template)[1].paths() != flatten(self.template)[1].paths():
            raise ValueError("vmap: the function's results are nested differently in different lanes")
        self.programs = programs
        self.runner = MappedRunner(programs, (False,) * len(outputs), self.backend)

    def outs(self, lanes: _Lanes) -> _Outs:
        """An array to fill for each output, and what nests the filled ones like the function's result."""
        outs: list[Any] = []
        return outs, _nest(self.template, lanes, outs)


def _nest(template: Any, lanes: _Lanes, outs: list[Any]) -> Callable[[], Any]:
    import numpy as np

    if isinstance(template, dict):
        entries = {key: _nest(item, lanes, outs) for key, item in template.items()}
        return lambda: {key: entry() for key, entry in entries.items()}
    if isinstance(template, (list, tuple)):
        kind, parts = type(template), [_nest(item, lanes, outs) for item in template]
        if hasattr(template, "_fields"):
            return lambda: kind(*[part() for part in parts])
        return lambda: kind([part() for part in parts])
    shape = template.shape if is_array(template) else ()
    block = np.empty((lanes.count, *shape))
    flat = block.reshape(lanes.count, -1)
    outs.extend(flat[:, k] for k in range(flat.shape[1]))
    return lambda: block if lanes.as_arrays or shape else block.tolist()
