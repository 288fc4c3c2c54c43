"""`ingest_raw`: logs of other programs, masked, cut into requests, sent, retried.

The caller waits and hears of every failure: what is ingested here is in no queue and in no ledger.
"""

from __future__ import annotations

import json
import random
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlencode

from ..clock import new_ordered_id
from ..delivery import Capabilities, HttpTransport, UserTransport
from ..delivery.retry import judge, retry_after_seconds
from ..errors import ReceiverRejected
from ..sanitize import mask_log_document
from ..version import __version__
from .formats import FORMAT_CONTENT_TYPES, Defaults, FormatError, format_name, level_of, read_entries
from .raw_lines import file_lines, text_lines
from .read_ahead import read_ahead
from .splitting import split

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from ..config import Config
    from ..delivery import Transport
    from ..delivery.transport import Answer
    from ..sanitize import Masked, Policy
    from .formats import FormatName
    from .splitting import Chunk

__all__ = ["IngestRejected", "IngestReport", "RawIngestion", "read_options"]

_PATH: Final = "/v1/logs"
_MOST_WAIT_SECONDS: Final = 30.0
_GZIP_MIN_BYTES: Final = 1024
"""Below this the header costs about as much as compression gains."""
_UNSUPPORTED_MEDIA_TYPE: Final = 415
_OPTION_NAMES: Final = ("source", "environment", "level", "dataset")


@dataclass(slots=True)
class IngestReport:
    """What was taken so far."""

    accepted: int = 0
    """Logs, as the receiver counted them."""
    requests: int = 0
    last_line: int = 0
    """Everything up to this line was taken; 0 for formats that are not read by lines."""


class IngestRejected(ReceiverRejected):
    """The receiver's answer was not a 2xx, after all retries where those could help.

    `accepted` logs were taken before, up to `last_line`; `document` is the receiver's answer, with
    the `issues` of what was refused.
    """

    def __init__(self, message: str, status_code: int, document: dict[str, Any]) -> None:
        super().__init__(message, status_code)
        self.document = document
        self.accepted = 0
        self.last_line = 0


def read_options(options: object, fallback: Defaults) -> Defaults:
    """Return the query of a raw request: of a dict, or of any object with these attributes.

    Raises:
        ValueError: an option is unknown, no text, or no level.

    """
    given: dict[str, Any] = {}
    if isinstance(options, dict):
        given = options
    elif options is not None:
        given = {name: getattr(options, name, None) for name in _OPTION_NAMES}
    for name, value in given.items():
        if name not in _OPTION_NAMES:
            raise ValueError(f"options of ingest_raw are {', '.join(_OPTION_NAMES)}: got {name!r}")
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} must be a string: got {type(value).__name__}")
    level = given.get("level")
    if level and level_of(level) is None:
        raise ValueError(f"level must be one of debug, info, warn, error: got {level[:40]!r}")
    return Defaults(
        source=given.get("source") or fallback.source,
        environment=given.get("environment") or fallback.environment,
        level=level or fallback.level,
        dataset=given.get("dataset") or fallback.dataset,
    )


class RawIngestion:
    """Sends raw bodies to one receiver. Each call blocks until all of it is taken, or raises.

    Makes connections of its own and closes them at the end of a call; safe in several threads at once.

    Args:
        config: of the client: address, key, timeout, retries, environment.
        policy: what to mask.
        initial_delay_seconds: before the first retry; doubled for each further one, up to 30 s.
        sleep: waits; tests pass their own.

    """

    def __init__(
        self,
        config: Config,
        policy: Policy,
        *,
        initial_delay_seconds: float = 0.15,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config = config
        self._policy = policy
        self._initial_delay_seconds = initial_delay_seconds
        self._sleep = sleep
        self._fallback = Defaults(source=config.service_name, environment=config.environment)

    def send(
        self,
        body: str | bytes | BinaryIO,
        format: str,
        options: object = None,
        *,
        on_progress: Callable[[IngestReport], None] | None = None,
    ) -> IngestReport:
        """Mask `body`, cut it into requests of at most 100 logs and send them one after another.

        Masking comes before any I/O but the reading of a file, which is read as it is sent. One request
        is on its way at a time, so that what was taken is a beginning of the body; the next one is
        made meanwhile, by another thread, unless the file is a pipe: to wait for its next line would
        keep back what became of the last ones. Requests are compressed from the first answer on that
        says that the receiver takes it.

        Args:
            body: a text, its bytes, or a file that is open for reading bytes.
            format: json, jsonl, syslog, text, csv or obl.
            options: source, environment, level, dataset: what logs that lack it get. Source and
                environment default to those of the client.
            on_progress: called after each request.

        Raises:
            ValueError: an unknown format or option, before any I/O.
            FormatError: (a ValueError) the body cannot be read; it names the line.
            IngestRejected: the receiver refused it.
            Exception: what the transport raised in the last attempt. Each of the last three has the
                attributes `accepted` and `last_line`: what was taken before.

        """
        name = format_name(format)
        defaults = read_options(options, self._fallback)
        lines = text_lines(body, name) if isinstance(body, str | bytes) else file_lines(body, name)
        report = IngestReport()
        if not self._config.enabled:
            return report
        transport = self._transport()
        courier = _Courier(self._config, transport)
        chunks = _at_least_one(split(lines, name, self._policy))
        try:
            with closing(read_ahead(chunks) if _never_waits(body) else chunks) as ready:
                for chunk in ready:
                    report.accepted += self._deliver(chunk, name, defaults, courier)
                    report.requests += 1
                    report.last_line = chunk.last_line
                    if on_progress is not None:
                        on_progress(report)
        except Exception as error:
            _tell(error, report)
            raise
        finally:
            transport.close()
        return report

    def _transport(self) -> Transport:
        own = self._config.transport
        return HttpTransport() if own is None else UserTransport(own)

    def _deliver(self, chunk: Chunk, name: FormatName, defaults: Defaults, courier: _Courier) -> int:
        """Send one request until it is taken; return how many logs the receiver counted."""
        config = self._config
        request = self._request(chunk, name, defaults, courier.transport)
        # The same for each attempt: a receiver that knows it stores the logs once.
        batch = new_ordered_id()
        attempt = 0
        while True:
            wait = self._backoff(attempt)
            failure: Exception
            try:
                answer = courier.post(*request, batch)
            except Exception as error:  # noqa: BLE001 - whatever a transport raises is tried again, then raised
                failure = error
            else:
                document = answer.json()
                document = document if isinstance(document, dict) else {}
                verdict = judge(answer.status)
                if verdict == "delivered":
                    count = document.get("count")
                    return count if type(count) is int else 0
                failure = IngestRejected(_message(answer.status, document), answer.status, document)
                if verdict != "retry":
                    raise failure
                asked = retry_after_seconds(answer.headers.get("retry-after"), time.time())
                if asked is None:
                    asked = retry_after_seconds(str(document.get("retryAfter", "")), time.time())
                wait = max(wait, asked or 0.0)
            if attempt >= config.max_retries:
                raise failure
            attempt += 1
            self._sleep(wait)

    def _request(
        self, chunk: Chunk, name: FormatName, defaults: Defaults, transport: Transport
    ) -> tuple[str, Masked, str]:
        """Return address, body and content type. A user's own transport takes JSON and nothing else."""
        url = self._config.base_url + _PATH
        if transport.bulk_capable:
            query = urlencode([("format", name), *defaults.pairs()])
            return f"{url}?{query}", chunk.body, FORMAT_CONTENT_TYPES[name]
        entries = read_entries(chunk.body.data.decode(), name, defaults, time.time_ns() // 1_000_000)
        document = json.dumps({"logs": entries}, ensure_ascii=False)
        return url, mask_log_document(document, self._policy), FORMAT_CONTENT_TYPES["json"]

    def _backoff(self, attempt: int) -> float:
        delay = self._initial_delay_seconds * float(2 ** min(attempt, 16))
        return min(_MOST_WAIT_SECONDS, delay) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


class _Courier:
    """Makes the attempts of one call, and learns from the answers what the receiver takes."""

    def __init__(self, config: Config, transport: Transport) -> None:
        self.transport = transport
        self._timeout_seconds = config.timeout_seconds
        self._headers = {
            "x-tracereplay-api-key": config.api_key,
            "x-replaystack-api-key": config.api_key,
            "X-API-Key": config.api_key,
            "x-replaystack-sdk": "python",
            "x-replaystack-sdk-version": __version__,
        }
        # Not asked: the first answer tells, and a body of one request would wait for two.
        self._capabilities = Capabilities(transport, base_url=config.base_url, headers={}, may_ask=False)
        self._gzip_refused = False

    def post(self, url: str, body: Masked, content_type: str, batch: str) -> Answer:
        """Make one attempt; raise what the transport raises."""
        headers = {**self._headers, "Content-Type": content_type, "x-replaystack-batch": batch}
        packs = "gzip" in self._capabilities and not self._gzip_refused and len(body) >= _GZIP_MIN_BYTES
        if packs and self.transport.bulk_capable:
            headers["Content-Encoding"] = "gzip"
        answer = self.transport.post(url, body, headers, self._timeout_seconds)
        self._capabilities.learn(answer)
        if answer.status == _UNSUPPORTED_MEDIA_TYPE and "Content-Encoding" in headers:
            self._gzip_refused = True  # a proxy in between, or another receiver behind the same name
            return self.post(url, body, content_type, batch)
        return answer


def _never_waits(body: str | bytes | BinaryIO) -> bool:
    """Return whether the next line is there: in memory, or in a file with a place to seek."""
    if isinstance(body, str | bytes):
        return True
    try:
        return body.seekable()
    except Exception:  # noqa: BLE001 - an object that has `readline` and no more
        return False


def _at_least_one(chunks: Iterable[Chunk]) -> Generator[Chunk, None, None]:
    """Yield the requests; a body without any log is an error here as it is at the receiver."""
    is_empty = True
    for chunk in chunks:
        is_empty = False
        yield chunk
    if is_empty:
        raise FormatError("Validation error: expected at least one log", "VALIDATION_ERROR")


def _message(status: int, document: dict[str, Any]) -> str:
    text = document.get("error") or document.get("message")
    shown = text[:300] if isinstance(text, str) and text else "no reason given"
    return f"the receiver refused the logs with status {status}: {shown}"


def _tell(error: Exception, report: IngestReport) -> None:
    """Note on the error what was taken before it, where the error takes notes."""
    for name in ("accepted", "last_line"):
        try:
            setattr(error, name, getattr(report, name))
        except Exception:  # noqa: BLE001 - a foreign error may have slots
            return
