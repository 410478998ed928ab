"""Kernels of the composer are compiled ahead, all of them."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import verse.composer.__main__ as compiling
from verse.composer import kernels


def test_every_kernel_of_the_composer_is_compiled_ahead() -> None:
    names = [each.name for each in iter_modules(kernels.__path__)]
    # Those that Python calls; what they are made of is compiled with them.
    called: dict[str, Any] = {
        name: value
        for module in (import_module(f"{kernels.__name__}.{each}") for each in names)
        for name, value in vars(module).items()
        if hasattr(value, "signatures") and not value.targetoptions.get("no_cpython_wrapper")
    }
    compiling.main()
    assert len(called) > 5
    assert [name for name, each in called.items() if not each.signatures] == []
