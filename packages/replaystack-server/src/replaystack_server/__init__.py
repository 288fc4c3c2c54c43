"""The ReplayStack receiver: one process, one SQLite file, two pages."""

from replaystack.version import __version__

from .app import create_app
from .settings import Settings

__all__ = ["Settings", "__version__", "create_app"]
