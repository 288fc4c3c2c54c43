"""The two ways out of the process: HTTP by requests, or the user's own transport object.

Nothing but `Masked` is accepted as a body. Redirects are never followed, cookies never
kept, credentials of a .netrc never sent: the key and the events go to the configured host
and to no other.
"""

from __future__ import annotations

import gzip
import json
import queue
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from ..sanitize import Masked
from .deadline import Deadline, bounded_connection
from .lazy_imports import import_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Answer", "HttpTransport", "Transport", "UserTransport"]

_encode = json.JSONEncoder().encode  # not `json.dumps`, which an application may watch in its tests
_MAX_ANSWER_BYTES = 64 * 1024
"""An answer says yes or no and lists at most 100 rejected events; more than this is rubbish."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, headers with lower-case names, and the first 64 KiB of body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """Return the decoded body, or None where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Transport(Protocol):
    """One request at a time. Raises whatever the network raises; blocks at most the timeout."""

    bulk_capable: bool
    """False: one event per call, and nothing but `post` may be used."""

    while_waiting: Callable[[], None] | None
    """Called on the sending thread a few times a second while it waits, where that can be done."""

    def post(self, url: str, body: Masked, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """Send `body`, compressed if `headers` say so, and return the answer."""

    def get(self, url: str, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """Return the answer to a GET."""

    def close(self) -> None:
        """Let go of connections. May be called twice."""


def _checked(body: Masked) -> bytes:
    """Return the bytes of `body`, if it is what it says: the last gate before the network."""
    if type(body) is not Masked:
        raise TypeError(f"only Masked bytes may leave the process: got {type(body).__name__}")
    return body.data


class HttpTransport:
    """Keep-alive HTTP by one requests session. Safe in several threads at once."""

    bulk_capable = True

    def __init__(self) -> None:
        self.while_waiting: Callable[[], None] | None = None
        self._session: Any = None
        self._deadline = Deadline()

    def post(self, url: str, body: Masked, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """Send `body`; the whole attempt takes at most `timeout_seconds`."""
        data = _checked(body)
        if headers.get("Content-Encoding") == "gzip":
            # Level 1: nearly all of the gain for a fraction of the time.
            data = gzip.compress(data, compresslevel=1, mtime=0)
        return self._request("POST", url, data, headers, timeout_seconds)

    def get(self, url: str, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """Fetch; the whole attempt takes at most `timeout_seconds`."""
        return self._request("GET", url, None, headers, timeout_seconds)

    def close(self) -> None:
        """Close idle connections; a later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _request(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str], timeout_seconds: float
    ) -> Answer:
        session = self._session
        if session is None:
            session = self._session = _new_session(self._deadline, url)
        self._deadline.start(timeout_seconds, self.while_waiting)
        try:
            response = session.request(
                method,
                url,
                data=data,
                headers=headers,
                timeout=timeout_seconds,
                allow_redirects=False,
                stream=True,
            )
        except OSError as error:  # every exception of requests is one
            raise _without_secrets(error, url) from None
        try:
            body = response.raw.read(_MAX_ANSWER_BYTES, decode_content=False) or b""
            return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)
        finally:
            # Gives the connection back for the next request if the body was read to its end.
            response.close() if not response.raw.isclosed() else response.raw.release_conn()


def _without_secrets(error: OSError, url: str) -> OSError:
    """Return an error of the same type that can be logged and handed to hooks.

    The one of requests carries the request with its key, and quotes the address with its query.
    """
    query = urlsplit(url).query
    text = str(error)
    if query:
        text = text.replace(query, "...")
    try:
        return type(error)(text)
    except Exception:  # noqa: BLE001 - a type with a constructor of its own
        return OSError(text)


def _new_session(deadline: Deadline, url: str) -> Any:
    """Return a session whose connections obey `deadline`. Imports requests: here and not before."""
    requests = import_requests()
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - after the gate of `import_requests`
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool  # noqa: PLC0415

    class BoundedPool(HTTPConnectionPool):
        ConnectionCls = bounded_connection(HTTPConnectionPool.ConnectionCls, deadline)
        QueueCls = IdleConnections  # type: ignore[assignment]  # all that a pool uses of a queue

    class BoundedTlsPool(HTTPSConnectionPool):
        ConnectionCls = bounded_connection(HTTPSConnectionPool.ConnectionCls, deadline)
        QueueCls = IdleConnections  # type: ignore[assignment]  # all that a pool uses of a queue

    pools = {"http": BoundedPool, "https": BoundedTlsPool}

    class BoundedAdapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(*args, **kwargs)
            manager.pool_classes_by_scheme = pools
            return manager

    session = requests.Session()
    # Proxies and CA bundles of the environment are honoured, looked up once instead of per
    # request; with trust_env off, requests no longer sends what it finds in a .netrc.
    settings = session.merge_environment_settings(url, {}, None, None, None)
    session.trust_env = False
    session.proxies = settings["proxies"]
    session.verify = settings["verify"]
    session.headers.clear()
    session.headers["Accept-Encoding"] = "identity"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = BoundedAdapter(pool_connections=2, pool_maxsize=16, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class IdleConnections:
    """The connections that a pool has at hand, newest first: what urllib3 wants of `queue.LifoQueue`.

    Without its lock. urllib3 empties the queue when the interpreter exits, in a forked child too,
    where the lock may be held by a thread of the parent.
    """

    def __init__(self, maxsize: int = 0) -> None:
        self._maxsize = maxsize
        self._items: list[Any] = []

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - as LifoQueue
        """Return the newest. Never blocks. Raises `queue.Empty`."""
        del block, timeout
        try:
            return self._items.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002
        """Keep one. Never blocks. Raises `queue.Full`."""
        del block, timeout
        if len(self._items) >= self._maxsize > 0:
            raise queue.Full
        self._items.append(item)

    def qsize(self) -> int:
        """Return how many there are."""
        return len(self._items)


class UserTransport:
    """The user's object with `.post(url, json, headers, timeout)`, as the seed describes it."""

    bulk_capable = False

    def __init__(self, target: Any) -> None:
        self.while_waiting: Callable[[], None] | None = None
        self._target = target

    def post(self, url: str, body: Masked, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """Hand over the dict decoded from the masked bytes; read what came back as an answer."""
        response = self._target.post(
            url, json=json.loads(_checked(body)), headers=dict(headers), timeout=timeout_seconds
        )
        return _read_user_response(response)

    def get(self, url: str, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """Answer 404: a user's transport has `post` and nothing else."""
        del url, headers, timeout_seconds
        return Answer(404)

    def close(self) -> None:
        """Do nothing: the object is the user's."""


def _read_user_response(response: Any) -> Answer:
    """Read `.status_code`, `.headers` and `.json()` of a foreign response object.

    A response without a readable status counts as a failure, never as a delivery.
    """
    status = getattr(response, "status_code", None)
    if not isinstance(status, int):
        raise TypeError(f"transport.post returned no status_code: got {type(response).__name__}")
    headers = getattr(response, "headers", None)
    lowered: dict[str, str] = {}
    if headers is not None and callable(getattr(headers, "items", None)):
        lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    try:
        body = _encode(response.json()).encode()
    except Exception:  # noqa: BLE001 - a 2xx with a rubbish body counts as delivered (WIRE.md)
        body = b""
    return Answer(status, lowered, body)
