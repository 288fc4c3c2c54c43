"""ReplayStack for Django: the place of the adapter, which arrives with a later release.

Nothing here captures anything yet; only the version can be read. Importing this touches neither
settings nor the app registry, because Django projects import their middleware's package inside settings.
"""

from replaystack import __version__

__all__ = ["__version__"]
