"""`jit`: a function that is recorded at its first call, and run as a program from then on."""

from __future__ import annotations

import functools
import threading
import types
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..engine.observer import OBSERVER
from .arguments import Inputs, matcher, scan
from .backends import choose
from .mapping import AbandonedError, Vmapped
from .program import Program
from .trace import Trace, record_trace

if TYPE_CHECKING:
    from .bound import Bound

__all__ = ["Jitted", "jit"]

observer = OBSERVER.get

VARIANTS = 32
"""How many programs are kept for one nesting of the arguments, one for each outcome of the branches."""
STORM = 64
"""After so many recordings for one nesting of the arguments, the function runs eagerly."""


_Quick: TypeAlias = "Callable[[tuple[Any, ...]], Any]"


class Jitted:
    """A function that runs as a recorded program; `jit` makes it.

    `stats` counts the recordings, the runs, those for which no recorded program fitted at first
    (`guard_failures`) and the runs in eager code (`eager_runs`).
    """

    def __init__(self, f: Callable[..., Any], backend: str, static_argnums: Sequence[int]) -> None:
        functools.update_wrapper(self, f, updated=())
        self.f = f
        self.backend = backend
        self.static_argnums = tuple(static_argnums)
        self.stats = {"recordings": 0, "runs": 0, "guard_failures": 0, "eager_runs": 0}
        self._cases: dict[Any, _Case] = {}
        self._quick: _Quick | None = None
        self._lock = threading.RLock()

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<jit of {getattr(self.f, '__qualname__', self.f)}, {self.backend}>"

    def __reduce__(self) -> Any:
        return jit, (self.f, self.backend, self.static_argnums)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """What the function returns for these arguments."""
        if observer() is not None:
            return self.f(*args, **named)  # becomes a part of what is being recorded
        self.stats["runs"] += 1
        quick = self._quick  # another thread may set it
        if quick is not None and not named and (found := quick(args)) is not None:
            return found
        return self._called(args, named)

    def _called(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        key, numbers = scan(args, named, self.static_argnums)
        case = self._cases.get(key)
        if case is None:
            case = self._case(key)
        elif case.traces and not case.eager:
            trace = case.traces[0]
            found = trace.run(numbers)
            if found is not None:
                if trace.plain:
                    return trace.result(found)
                leaves = Inputs(args, named, self.static_argnums).leaves if trace.takes_values else numbers
                return trace.with_nodes(found, leaves)
        result = self._run(case, Inputs(args, named, self.static_argnums))
        self._quick = self._quick_call(case, args, named)
        return result

    def _quick_call(self, case: _Case, args: tuple[Any, ...], named: dict[str, Any]) -> _Quick | None:
        """How to call the last program again with arguments like these, where they are plain enough."""
        if named or self.static_argnums or not case.traces or case.eager:
            return None
        trace = case.traces[0]
        run, assemble, native = trace.runner, trace.assemble, getattr(trace.runner, "native", None)
        if not trace.plain or trace.captured:
            return None
        if native is not None and (entry := native.entry(args, trace.template)) is not None:
            return cast("_Quick", entry)
        match = matcher(args)
        if match is None:
            return None

        def generic(args: tuple[Any, ...]) -> Any:
            numbers = match(args)
            if numbers is None:
                return None
            outputs = run(numbers)
            return None if outputs is None else assemble(outputs)

        return generic

    def program(self, *args: Any, **named: Any) -> Program:
        """The program for these arguments, recorded where it was not yet.

        Raises `RecordingError` where the function can't be recorded.

        >>> len(jit(lambda x: x * x + 1.0).program(3.0))
        2
        """
        inputs = Inputs(args, named, self.static_argnums)
        case = self._case(scan(args, named, self.static_argnums)[0])
        for trace in case.traces:
            if trace.run(inputs.numbers) is not None:
                return trace.program
        with self._lock:
            return self._record(case, inputs).program

    def bind(self, *args: Any) -> Bound:
        """The function with its buffers bound, for a tight loop that fills them and calls without allocation.

        Its `inputs` are nested like the arguments and its `outputs` like the result, with NumPy arrays in the
        place of arrays and numbers (those of shape ()). Calling it computes the outputs from the inputs, and
        returns the outputs. Raises what the function raises, `TypeError` where a Value takes part, and
        `ImportError` without NumPy.

        >>> import scalargrad as sg
        >>> bound = sg.jit(lambda xs: xs[0] * xs[1]).bind([1.0, 2.0])
        >>> bound.inputs[0][0][...] = 5.0
        >>> float(bound())
        10.0
        """
        from .bound import Bound

        return Bound(self, args)

    def _case(self, key: Any) -> _Case:
        with self._lock:
            return self._cases.setdefault(key, _Case())

    def _run(self, case: _Case, inputs: Inputs) -> Any:
        if not case.eager:
            found = self._try(case, inputs)
            if found is not None:
                return found[0]
            with self._lock:
                found = self._try(case, inputs)  # another thread may have recorded it in the meantime
                if found is not None:
                    return found[0]
                if not case.eager and self._recorded(case, inputs):
                    found = self._try(case, inputs)
                    if found is not None:
                        return found[0]
        self.stats["eager_runs"] += 1
        return self.f(*inputs.args, **inputs.named)

    def _try(self, case: _Case, inputs: Inputs) -> tuple[Any] | None:
        traces = case.traces
        for index, trace in enumerate(traces):
            outputs = trace.run(inputs.numbers)
            if outputs is not None:
                if index:
                    with self._lock:  # the last one that fitted is tried first
                        case.traces = [trace, *(other for other in case.traces if other is not trace)]
                return (trace.result(outputs) if trace.plain else trace.with_nodes(outputs, inputs.leaves),)
        return None

    def _recorded(self, case: _Case, inputs: Inputs) -> bool:
        """Record for these inputs; False where the function now runs eagerly instead."""
        if case.traces:
            self.stats["guard_failures"] += 1
        if case.recordings >= STORM:
            self._abandon(case, f"it took {STORM} different ways through its branches")
            return False
        try:
            self._record(case, inputs)
        except AbandonedError as error:
            self._abandon(case, str(error))
            return False
        return True

    def _record(self, case: _Case, inputs: Inputs) -> Trace:
        trace = record_trace(self.f, inputs, choose(self.backend))
        case.recordings += 1
        self.stats["recordings"] += 1
        case.traces = [trace, *case.traces[: VARIANTS - 1]]
        return trace

    def _abandon(self, case: _Case, reason: str) -> None:
        case.eager = True
        name = getattr(self.f, "__qualname__", repr(self.f))
        warnings.warn(
            f"jit: {name} runs eagerly from now on, for {reason}; choose with sg.select, sg.max or sg.clip, "
            "which are no branches",
            RuntimeWarning,
            stacklevel=5,
        )


class _Case:
    """What was recorded for one nesting of the arguments."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.recordings = 0
        self.eager = False


def jit(f: Callable[..., Any], backend: str = "auto", static_argnums: int | Sequence[int] = ()) -> Jitted:
    """The function that calls like f and runs as a recorded program, many times faster.

    At its first call it records what f does with its numbers; later calls with arguments nested alike run the
    program. Python branches on recorded values are guards: another outcome records another program. Values
    that f closes over, such as a model's parameters, are read afresh at each call. It combines with the
    transforms either way round: `jit(grad(f))`, `jit(value_and_grad(loss))`, `grad(jit(f))`.

    `backend` is "auto" (the best that is installed), "python", "numpy" or "native" (llvmlite and NumPy). The
    arguments that `static_argnums` names may be anything hashable, and each of them has programs of its own.
    f is called twice when it is recorded, to notice randomness. Not noticed: a captured name that is bound
    anew, a global that changes; and an effect such as printing happens while recording only.

    Raises `RecordingError` where f does what a program could not follow: `float(v)`, `v.data`, `math.sin(v)`,
    a random number; `ImportError` where a package is missing that the back end needs; and what f raises.

    >>> import scalargrad as sg
    >>> f = sg.jit(sg.value_and_grad(lambda x: sg.sin(x) * x))
    >>> f(0.0), f.stats["recordings"]
    ((0.0, 0.0), 1)
    """
    if not callable(f):
        raise TypeError(f"jit: f is {f!r}, a {type(f).__name__}; give a function")
    choose(backend)
    numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    if isinstance(f, Vmapped) and not numbers:
        from .batched import JittedMap

        return JittedMap(f, backend)
    return Jitted(f, backend, numbers)
