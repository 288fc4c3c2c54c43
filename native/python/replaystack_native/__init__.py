"""The optional Rust half of ReplayStack: the compiled module `_native` under its public name."""

from ._native import __version__, contract_version

__all__ = ["__version__", "contract_version"]
