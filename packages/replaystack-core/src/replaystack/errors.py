"""Every exception that ReplayStack defines.

    Exception
     +-- ValueError
     |    +-- ConfigError         an option has a value that cannot work
     +-- CaptureFailure           raised by the application, in a view or a job
     +-- RuntimeError
          +-- DeliveryError            an event was not delivered
               +-- ReceiverRejected        the receiver's answer was not a 2xx
                    +-- IngestRejected          ... to raw logs (`replaystack.logs.ingestion`)

Only `ConfigError`, and whatever `ingest_raw` meets, comes out of the SDK by itself; with
`raise_on_error` also `ReceiverRejected`, or whatever the transport raised when there was no answer at all.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "CaptureFailure",
    "ConfigError",
    "DeliveryError",
    "ReceiverRejected",
]


class ConfigError(ValueError):
    """An option or environment variable has a value that cannot work."""


class CaptureFailure(Exception):  # noqa: N818 - the public name of API.md section 2
    """Raise this in a view or a job to say what the failed event should carry.

    What the client gets stays the application's business: to the framework this is an
    exception like any other.

    Args:
        message: becomes `errorMessage`.
        response_payload: becomes `responsePayload` of the failed event, masked like any other.
        status_code: becomes `statusCode` of the failed event.

    """

    def __init__(self, message: str, response_payload: Any = None, status_code: int | None = None) -> None:
        super().__init__(message)
        self.response_payload = response_payload
        self.status_code = status_code


class DeliveryError(RuntimeError):
    """An event could not be handed to the receiver in this attempt.

    A RuntimeError, because that is what the original raised.
    """


class ReceiverRejected(DeliveryError):  # noqa: N818 - says what happened, as CaptureFailure does
    """The receiver answered, but not with a 2xx."""

    def __init__(self, message: str, status_code: int) -> None:
        super().__init__(message)
        self.status_code = status_code
