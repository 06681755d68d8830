"""The machine that native code is made for: LLVM's target, the C library's functions, SIMD functions."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import platform
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ..interpreters.floats import IEEE
from ..rows import SCIPY, find

__all__ = ["Machine", "MachineCode", "machine"]

SIMD_PREFIXES = {("x86_64", 4): "_ZGVdN4", ("x86_64", 2): "_ZGVbN2", ("aarch64", 2): "_ZGVnN2"}
"""The prefixes of SIMD functions in each platform's vector ABI, by the number of doubles."""

CALLED_BACK = ("gamma", "lgamma", *SCIPY)
"""The functions of the basis for which machine code calls Python's or SciPy's own."""

ARGUMENTS = {"atan2": "vv", "hypot": "vv", "pow": "vv"}


class Machine:
    """This machine as LLVM knows it. `width` is the number of doubles in a SIMD register."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.llvm = llvm
        self.target = llvm.Target.from_default_triple()
        self.cpu = llvm.get_host_cpu_name()
        features = llvm.get_host_cpu_features()
        self.features = features.flatten()
        self.architecture = platform.machine().lower().replace("amd64", "x86_64").replace("arm64", "aarch64")
        self.width = 4 if features.get("avx2") else 2
        self.c_library = _open("libm.so.6", "libSystem.dylib", "ucrtbase.dll", None)
        self.simd_library = _open("libmvec.so.1") if sys.platform == "linux" else None

    @functools.cache  # noqa: B019 (there is one machine, and it lives as long as the process)
    def simd_symbol(self, name: str) -> str | None:
        """Return the name of the platform's SIMD function, or None if there is none."""
        prefix = SIMD_PREFIXES.get((self.architecture, self.width))
        if prefix is None or self.simd_library is None:
            return None
        symbol = f"{prefix}{ARGUMENTS.get(name, 'v')}_{name}"
        return symbol if hasattr(self.simd_library, symbol) else None

    def link(self, symbols: Iterable[str]) -> None:
        """Make the functions of those names known to the linker. Raises `RuntimeError` if one is missing."""
        for symbol in symbols:
            library, name = self.simd_library, symbol
            if symbol.startswith("sg_"):
                library, name = self.c_library, symbol[3:]
            elif symbol.startswith("Py"):
                library = ctypes.pythonapi
            try:
                function = _callback(name) if name in CALLED_BACK else getattr(library, name)
            except AttributeError:
                raise RuntimeError(f"jit: this machine's C library has no {name}; use backend='python'") from None
            self.llvm.add_symbol(symbol, ctypes.cast(function, ctypes.c_void_p).value)

    @functools.cache  # noqa: B019 (likewise)
    def compiler(self, level: int) -> Any:
        """Return LLVM's compiler for that level of optimization."""
        return self.target.create_target_machine(cpu=self.cpu, features=self.features, opt=level, jit=True)


class MachineCode:
    """Machine code, which lives as long as this object."""

    def __init__(self) -> None:
        llvm = machine().llvm
        owned = machine().target.create_target_machine(jit=True)  # the engine frees it
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), owned)

    def add(self, text: str, level: int, names: Sequence[str]) -> list[int]:
        """Compile another piece of IR, and return the addresses of its functions of these names."""
        llvm = machine().llvm
        context = llvm.create_context()  # in a shared context, LLVM never frees constants
        with llvm.parse_assembly(text, context) as module:
            code = machine().compiler(level).emit_object(module)
        context.close()
        self.engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self.engine.finalize_object()
        return [self.engine.get_function_address(name) for name in names]


@functools.cache
def _callback(name: str) -> Any:
    kinds = [ctypes.c_double] * (1 + len(find(name).parameters))
    return ctypes.CFUNCTYPE(*kinds)(getattr(IEEE, name))


def _open(*names: str | None) -> Any:
    for name in names:
        with contextlib.suppress(OSError, TypeError):
            return ctypes.CDLL(name)
    return None


@functools.cache
def machine() -> Machine:
    """Return this machine."""
    return Machine()
