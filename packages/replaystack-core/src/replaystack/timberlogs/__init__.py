"""The surface of the Timberlogs client, delivering through ReplayStack's recorder.

Names, defaults and wire are the seed's; what it did badly is not: no call blocks, sends, or raises
because of what is logged; everything is masked, bounded, counted and delivered at the process's
end (docs/logs.md says what differs).
"""

from ..logs.formats import FORMAT_CONTENT_TYPES, FormatName
from ..logs.options import LogOptions
from ..version import __version__
from ._client import IngestRawOptions, TimberlogsClient, create_timberlogs
from ._settings import Environment, TimberlogsConfig, ValidationError
from ._verbs import Flow, LogEntry, LogLevel

__all__ = [
    "FORMAT_CONTENT_TYPES",
    "Environment",
    "Flow",
    "FormatName",
    "IngestRawOptions",
    "LogEntry",
    "LogLevel",
    "LogOptions",
    "TimberlogsClient",
    "TimberlogsConfig",
    "ValidationError",
    "__version__",
    "create_timberlogs",
]
