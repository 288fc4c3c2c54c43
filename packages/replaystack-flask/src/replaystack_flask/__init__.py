"""ReplayStack for Flask: the place of the adapter, which arrives with a later release.

Nothing here captures anything yet; only the version can be read.
"""

from replaystack import __version__

__all__ = ["__version__"]
