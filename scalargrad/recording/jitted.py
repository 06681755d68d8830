"""`jit`: a function that is recorded at its first call, and runs as a program from then on."""

from __future__ import annotations

import functools
import os
import sys
import threading
import types
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypeAlias, TypeVar, cast, overload

from ..engine.evaluation import REFUSALS
from ..engine.graph import explored
from ..engine.observer import OBSERVER, RecordingError
from ..engine.structures import flatten
from ..engine.value import Value
from .arguments import Call, batch_extractor, extractor
from .backends import choose
from .batches import Batch, TouchedError
from .maps import AbandonedError, Mapped
from .program import Program
from .recorder import RefusalCaughtError
from .variants import INLINE, Variant, record

if TYPE_CHECKING:
    from .bound import Bound

__all__ = ["Jitted", "jit"]

P = ParamSpec("P")
R = TypeVar("R")

observer = OBSERVER.get

VARIANTS = 32
"""The number of programs kept for one nesting of the arguments, one for each outcome of the branches."""
STORM = 64
"""The number of recordings for one nesting of the arguments after which the function runs eagerly."""
CAUGHT = 8
"""The number of recordings in which f caught an operation's error after which calls without a program run eagerly."""
CASES = 256
"""The number of nestings of the arguments whose programs are kept; the oldest are dropped."""

DomainErrors: TypeAlias = Literal["raise", "nan"]
OnNewBranch: TypeAlias = Literal["record", "eager", "raise"]
_Quick: TypeAlias = "Callable[[tuple[Any, ...]], Any]"


class _Case:
    """The recordings for one nesting of the arguments or, if `opened` is set, the batches to spell out."""

    def __init__(self) -> None:
        self.opened: frozenset[int] | None = None
        self.variants: list[Variant] = []
        self.recordings = 0
        self.caught = 0
        self.eager = False


class Jitted(Generic[P, R]):
    """A function that runs as a recorded program; `jit` makes it.

    `stats` counts the recordings, the runs, the runs for which no recorded program fitted at first
    (`guard_failures`), and the runs in eager code (`eager_runs`).
    """

    def __init__(
        self,
        f: Callable[P, R],
        backend: str,
        static_argnums: Sequence[int],
        domain_errors: DomainErrors,
        on_new_branch: OnNewBranch,
    ) -> None:
        functools.update_wrapper(self, f, updated=())
        self.f: Callable[..., Any] = f
        self.backend = backend
        self.static_argnums = tuple(static_argnums)
        self.domain_errors = domain_errors
        self.on_new_branch = on_new_branch
        self.stats = {"recordings": 0, "runs": 0, "guard_failures": 0, "eager_runs": 0}
        self._in_axes = f.in_axes if isinstance(f, Mapped) and not static_argnums else None
        self._cases: dict[Any, _Case] = {}
        self._quick: _Quick | None = None
        self._lock = threading.RLock()
        _ALL.add(self)

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Jitted[P, R]: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., R]: ...
    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<jit of {getattr(self.f, '__qualname__', self.f)}, {self.backend}>"

    def __reduce__(self) -> Any:
        found: Any = sys.modules.get(getattr(self, "__module__", None) or "")
        name = getattr(self, "__qualname__", "")
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is self:
            return name  # a function that `jit` decorated is found by its name, as any other
        return _jitted, (self.f, self.backend, self.static_argnums, self.domain_errors, self.on_new_branch)

    def __call__(self, *args: P.args, **named: P.kwargs) -> R:
        """Return the function's result for these arguments."""
        if observer() is not None:
            return cast("R", self.f(*args, **named))  # becomes a part of what is being recorded
        self.stats["runs"] += 1
        quick = self._quick  # another thread may set it
        if quick is not None and not named and (found := quick(args)) is not None:
            return cast("R", found)
        return cast("R", self._called(args, named))

    def _called(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if INLINE.get():
            return self.f(*args, **named)
        call = self._call(args, named)
        case, opened = self._case(call)
        found = None if case.eager else self._try(case, call, opened)
        if found is None and not case.eager:
            found, opened = self._recorded(call)
        if found is None:
            return self._eagerly(call)
        self._quick = self._quick_call(self._case(call)[0], call, opened)
        return found[0]

    def _call(self, args: tuple[Any, ...], named: dict[str, Any]) -> Call:
        return Call(args, named, self.static_argnums, self._in_axes)

    def _eagerly(self, call: Call) -> Any:
        """Return f's result for Values in place of the numbers: floats do things that Values refuse."""
        self.stats["eager_runs"] += 1
        every = frozenset(range(len(call.leaves)))
        given = [x for leaf in call.leaves for x in (leaf.flat() if isinstance(leaf, Batch) else [leaf])]
        first = Value(0.0)
        args, named = call.rebuilt(every, iter([x if isinstance(x, Value) else Value(x) for x in given]), _whole)
        leaves, tree = flatten(self.f(*args, **named))
        return tree.unflatten([_detached(leaf, first.serial) for leaf in leaves])

    def _case(self, call: Call) -> tuple[_Case, frozenset[int]]:
        """Return the case of calls like this one, and the batches that are spelled out."""
        opened: frozenset[int] = frozenset()
        while True:
            key = call.key(opened)
            case = self._cases.get(key)
            if case is None:
                with self._lock:
                    case = self._cases.setdefault(key, _Case())
                    while len(self._cases) > CASES:
                        del self._cases[next(iter(self._cases))]
            if case.opened is None:
                return case, opened
            opened = case.opened

    def _try(self, case: _Case, call: Call, opened: frozenset[int]) -> tuple[Any] | None:
        """Return the result of the first program whose guards hold; None if there is none."""
        variants = case.variants
        if not variants:
            return None
        numbers = call.numbers(opened)
        for index, variant in enumerate(variants):
            variant.compile()
            try:
                found = variant.run(call, numbers)
            except REFUSALS:
                if self.domain_errors == "nan":
                    raise
                return (self._eagerly(call),)  # which raises it by name, or catches it
            if found is not None:
                if index:
                    with self._lock:  # the last one that fitted is tried first
                        case.variants = [variant, *(other for other in case.variants if other is not variant)]
                return found
        return None

    def _recorded(self, call: Call) -> tuple[tuple[Any] | None, frozenset[int]]:
        """Record for this call and return its result; None if it is to run eagerly."""
        with self._lock:
            case, opened = self._case(call)
            found = self._try(case, call, opened)  # another thread may have recorded it in the meantime
            if found is not None or case.eager:
                return found, opened
            if case.variants:
                self.stats["guard_failures"] += 1
                if self.on_new_branch == "raise":
                    raise RecordingError(
                        f"jit: {self._name} took a branch that was not recorded; prepare it with f.record(*args), or "
                        "choose on_new_branch='record' or 'eager'"
                    )
                if self.on_new_branch == "eager":
                    return None, opened
            if case.caught >= CAUGHT:
                return None, opened
            if case.recordings - case.caught >= STORM:
                self._abandon(case, f"it took {STORM} different ways through its branches")
                return None, opened
            try:
                case, opened, variant = self._record(call)
            except AbandonedError as error:
                self._abandon(self._case(call)[0], str(error))
                return None, opened
            except RefusalCaughtError:
                case.caught += 1
                return None, opened
            except REFUSALS:
                if self.domain_errors == "nan":
                    raise
                result = self._eagerly(call)  # which raises it with the names of the arguments
                if call.batches(opened):
                    self._case(call)[0].opened = _batches(call)  # it was what f did with a batch that was refused
                return (result,), opened
        variant.compile()
        try:
            return variant.run(call, call.numbers(opened)), opened
        except REFUSALS:
            return (self._eagerly(call),), opened

    def _record(self, call: Call) -> tuple[_Case, frozenset[int], Variant]:
        """Record for this call, and leave as many batches whole as the function allows."""
        while True:
            case, opened = self._case(call)
            case.recordings += 1
            try:
                variant = record(self.f, call, opened, choose(self.backend), self.domain_errors == "nan")
            except TouchedError as error:
                case.recordings = 0
                case.opened = _batches(call) if error.index is None else opened | {error.index}
                continue
            self.stats["recordings"] += 1
            case.variants = [variant, *case.variants[: VARIANTS - 1]]
            return case, opened, variant

    def _quick_call(self, case: _Case, call: Call, opened: frozenset[int]) -> _Quick | None:
        """Return a quick call of the last program for arguments like these, if they are plain enough, else None."""
        if call.named or self.static_argnums or not case.variants or case.eager:
            return None
        variant = case.variants[0]
        if not variant.plain or variant.captured:
            return None
        run, assemble = variant.runner, variant.assemble
        if variant.batches:
            whole = self._in_axes is None and [*variant.batches] == [*_batches_in_order(call)]
            return _quick_batch(run, assemble, batch_extractor(call.args)) if whole else None
        entry = getattr(run, "entry", None)
        if entry is not None and variant.template is not None and (made := entry(call.args, variant.template)):
            return cast("_Quick", made)
        numbers_of = extractor(call.args)
        if numbers_of is None:
            return None
        numbers, count = call.numbers(opened), len(variant.program.outputs)
        if entry is not None and numbers and count and (flat := entry((numbers,), list(range(count)))):
            return lambda args: _through(flat, numbers_of(args), assemble)

        def quick(args: tuple[Any, ...]) -> Any:
            numbers = numbers_of(args)
            if numbers is None:
                return None
            try:
                outputs = run(numbers)
            except REFUSALS:
                return None
            return None if outputs is None else assemble(outputs)

        return quick

    def record(self, *args: P.args, **named: P.kwargs) -> None:
        """Record and compile the program for these arguments, unless one is ready; call it for each branch.

        Raises `RecordingError` if the function can't be recorded, and the function's own errors.

        >>> f = jit(lambda x: x * x if x > 0 else -x, on_new_branch="raise")
        >>> f.record(1.0); f.record(-1.0)
        >>> f(3.0), f(-3.0), f.stats["recordings"]
        (9.0, 3.0, 2)
        """
        self._variant(args, named)

    def program(self, *args: Any, after: str = "fuse", **named: Any) -> Program:
        """Return the program for these arguments; it is recorded if necessary.

        `after` names the last stage of the pipeline to run: "record", "roll", "simplify", "fuse" or "lower". Loops of
        Python code are found already after "record", because derivatives need them.
        Raises `RecordingError` if the function can't be recorded.

        >>> len(jit(lambda x: x * x + 1.0).program(3.0))
        2
        """
        from .passes import stages

        found = dict(stages(self._variant(args, named)[2].program))
        if after not in found:
            raise ValueError(f"program: after is {after!r}, which is not a stage; choose {', '.join(map(repr, found))}")
        result: Program = found[after]
        return result

    def _variant(self, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[_Case, frozenset[int], Variant]:
        call = self._call(args, named)
        with self._lock:
            case, opened = self._case(call)
            numbers = call.numbers(opened)
            for variant in case.variants:
                try:
                    if variant.run(call, numbers) is not None:
                        return case, opened, variant
                except REFUSALS:
                    continue
            try:
                found = self._record(call)
            except RefusalCaughtError:
                raise RecordingError(
                    f"jit: {self._name} caught an operation's error for a bad operand, so it runs eagerly here"
                ) from None
            found[2].run(call, call.numbers(found[1]))  # which compiles it
            return found

    def bind(self, *args: Any) -> Bound:
        """Return the function with its buffers bound, for a tight loop that fills them and calls without allocation.

        Its `inputs` are nested like the arguments and its `outputs` like the result, with NumPy arrays in place of
        arrays and numbers (arrays of shape ()); static arguments do not change. A call computes the outputs from the
        inputs, and returns the outputs. Raises the function's own errors, `TypeError` if a Value takes part, and
        `ImportError` without NumPy.

        >>> import scalargrad as sg
        >>> bound = sg.jit(lambda xs: xs[0] * xs[1]).bind([1.0, 2.0])
        >>> bound.inputs[0][0][...] = 5.0
        >>> float(bound())
        10.0
        """
        from .bound import Bound

        return Bound(self, args)

    @property
    def _name(self) -> str:
        return getattr(self.f, "__qualname__", repr(self.f))

    def _abandon(self, case: _Case, reason: str) -> None:
        case.eager = True
        warnings.warn(
            f"jit: {self._name} runs eagerly from now on, for {reason}; choose with sg.select, sg.max or sg.clip, "
            "which are not branches",
            RuntimeWarning,
            stacklevel=5,
        )


def _batches_in_order(call: Call) -> list[int]:
    return [i for i, leaf in enumerate(call.leaves) if isinstance(leaf, Batch)]


def _quick_batch(
    run: Callable[..., Any],
    assemble: Callable[[Any], Any],
    parts_of: Callable[[tuple[Any, ...]], tuple[list[float], list[Any]] | None] | None,
) -> _Quick | None:
    """Return the call of a program over batches. It gives None if the general call must find the result."""
    if parts_of is None:
        return None

    def quick(args: tuple[Any, ...]) -> Any:
        parts = parts_of(args)
        if parts is None:
            return None
        try:
            outputs = run(*parts)
        except REFUSALS:
            return None
        return None if outputs is None else assemble(outputs)

    return quick


def _through(flat: _Quick, numbers: Sequence[float] | None, assemble: Callable[[Any], Any]) -> Any:
    """Return the result of machine code that takes and gives one list; None if the general call must find it."""
    if numbers is None or (outputs := flat((numbers if type(numbers) is list else list(numbers),))) is None:
        return None
    return assemble(outputs)


def _batches(call: Call) -> frozenset[int]:
    return frozenset(_batches_in_order(call))


def _whole(index: int, batch: Batch) -> Any:
    return batch.original


def _detached(leaf: Any, since: int) -> Any:
    """Return the number of a Value, unless it depends on an older Value."""
    return leaf._data if isinstance(leaf, Value) and not explored([leaf], since)[1] else leaf


_ALL: weakref.WeakSet[Jitted[..., Any]] = weakref.WeakSet()


def _after_fork() -> None:
    for jitted in list(_ALL):
        jitted._lock = threading.RLock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _jitted(
    f: Callable[..., Any],
    backend: str,
    static_argnums: Sequence[int],
    domain_errors: DomainErrors,
    on_new_branch: OnNewBranch,
) -> Jitted[..., Any]:
    return Jitted(f, backend, static_argnums, domain_errors, on_new_branch)


def jit(
    f: Callable[P, R],
    backend: str = "auto",
    static_argnums: int | Sequence[int] = (),
    domain_errors: DomainErrors = "raise",
    on_new_branch: OnNewBranch = "record",
) -> Jitted[P, R]:
    """Return a function that is called like f and runs as a recorded program, many times faster.

    Its first call records f's operations; later calls with arguments nested alike run the program. Python branches on
    recorded values are guards: another outcome records another program. Values that f closes over, such as a model's
    parameters, are read again at each call. `jit` combines with the transforms in either order: `jit(grad(f))`,
    `jit(value_and_grad(loss))`, `grad(jit(f))`.

    - `backend` is "auto" (the best that is installed), "python", "numpy" or "native" (llvmlite and NumPy).
    - The arguments in `static_argnums` may be anything hashable; each value of them has its own programs.
    - `domain_errors="nan"` gives nan or inf for a bad operand, instead of an error: for optimisers that try steps
      outside a domain, and for batches with bad lanes.
    - `on_new_branch` says what to do if there are programs but none fits: "record" another, run f "eager"ly, or
      "raise" `RecordingError`. `f.record(*args)` prepares programs in advance.

    An array of floats with more than 16 rows that f only maps over (`vmap`, `batch_mean`) is a batch: one program
    serves any number of rows. After recording, f is called once or twice more, on plain numbers, and its results must
    be the program's. If f catches an operation's error for a bad operand, the call runs eagerly.

    Threads: any number of threads may call one jitted function at a time, even for the first time; one of them records.
    Within f, only the thread that calls it may compute with its arguments. `jit` does not notice if a captured name is
    bound to another object, or if a global changes. If an operation on captured Values alone would raise, and its
    result is not used, that is not noticed either. An effect, such as printing, happens only while recording.

    Raises `RecordingError` if f does something that a program can't follow: `float(v)`, `v.data`, `math.sin(v)`, text
    or a hash of a Value, a random number. Raises `ImportError` if the back end needs a package that is missing, and f's
    own errors.

    >>> import scalargrad as sg
    >>> f = sg.jit(sg.value_and_grad(lambda x: sg.sin(x) * x))
    >>> f(0.0), f.stats["recordings"]
    ((0.0, 0.0), 1)
    """
    if not callable(f):
        raise TypeError(f"jit: f is {f!r}, a {type(f).__name__}; give a function")
    if domain_errors not in ("raise", "nan"):
        raise ValueError(f"jit: domain_errors is {domain_errors!r}; choose 'raise' or 'nan'")
    if on_new_branch not in ("record", "eager", "raise"):
        raise ValueError(f"jit: on_new_branch is {on_new_branch!r}; choose 'record', 'eager' or 'raise'")
    choose(backend)
    numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    return Jitted(f, backend, numbers, domain_errors, on_new_branch)
