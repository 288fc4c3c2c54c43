"""The one version number that every ReplayStack distribution carries."""

__all__ = ["__version__"]

__version__ = "2.0.0"
