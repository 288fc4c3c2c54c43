"""The application: the roads, the guards around them, and one shape for every error."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from replaystack.version import __version__

from .access.headers import SecurityHeaders
from .access.hosts import HostCheck
from .answers import Refusal, failure, plain
from .pages.log_routes import router as log_pages_router
from .pages.rendering import page
from .pages.routes import SignInNeeded, problem_page
from .pages.routes import router as pages_router
from .reading.log_routes import router as log_reading_router
from .reading.routes import router as reading_router
from .receiving.capabilities import CapabilitiesHeader
from .receiving.log_routes import router as log_router
from .receiving.routes import KEY_HEADERS, SCHEMAS
from .receiving.routes import router as ingest_router
from .service import Service
from .store import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from .settings import Settings

__all__ = ["create_app"]

_log = logging.getLogger(__name__)

_API_PREFIXES: Final = ("/api/", "/v1/", "/healthz", "/openapi.json")
"""Below these errors are JSON, elsewhere pages."""

_RETRY_AFTER: Final = {"retry-after": "1"}


class _Application(FastAPI):
    """FastAPI with our guards outside of everything, its own handler for crashes included."""

    allowed_hosts: tuple[str, ...] = ()

    def build_middleware_stack(self) -> ASGIApp:
        guarded = HostCheck(super().build_middleware_stack(), self.allowed_hosts)
        return SecurityHeaders(CapabilitiesHeader(guarded))

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = get_openapi(title=self.title, version=self.version, routes=self.routes)
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(SCHEMAS)
            components["securitySchemes"] = {
                "ingestKey": {"type": "apiKey", "in": "header", "name": KEY_HEADERS[0]},
                "ingestKeyOriginal": {"type": "apiKey", "in": "header", "name": KEY_HEADERS[1]},
            }
            self.openapi_schema = document
        return self.openapi_schema


def create_app(settings: Settings) -> FastAPI:
    """Return a server as an ASGI application; `app.state.service` holds its key and its token.

    Opens the database at once, and closes it when the application's lifespan ends.

    Raises:
        StoreError: the database cannot be used.

    """
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    # No interactive documentation: it would load scripts from elsewhere.
    app = _Application(
        title="ReplayStack server", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.allowed_hosts = settings.allowed_hosts
    app.state.service = service
    app.include_router(ingest_router)
    app.include_router(log_router)
    app.include_router(reading_router)
    app.include_router(log_reading_router)
    app.include_router(pages_router)
    app.include_router(log_pages_router)
    app.mount("/static", _Static(directory=Path(__file__).parent / "pages" / "static"))
    app.add_exception_handler(SignInNeeded, _ask_to_sign_in)
    app.add_exception_handler(Refusal, _refuse)
    app.add_exception_handler(StoreError, _try_later)
    app.add_exception_handler(RequestValidationError, _name_the_parameter)
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(Exception, _apologise)
    return app


class _Static(StaticFiles):
    """Our own files: kept by browsers, but asked for again, so that an update shows at once."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers["cache-control"] = "no-cache"
        return response


def _error(request: Request, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    if request.url.path.startswith("/v1/"):
        retry_after = (headers or {}).get("retry-after")
        waits = {"retryAfter": int(retry_after)} if retry_after else {}
        return plain({"error": message, **waits}, status, headers)
    if request.url.path.startswith(_API_PREFIXES):
        return failure(status, message, headers)
    response = problem_page(status, message)
    response.headers.update(headers or {})
    return response


# Starlette types every handler for `Exception`; each one is registered for what it names.


def _ask_to_sign_in(_: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeeded)  # noqa: S101 - as registered
    return page("signin", 401, place=error.place, problem=None)


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - as registered
    if error.document is not None:
        return plain(error.document, error.status, error.headers)
    return _error(request, error.status, error.message, dict(error.headers or {}))


def _try_later(request: Request, error: Exception) -> Response:
    _log.error("the store cannot answer: %s", error)
    return _error(request, 503, "the store cannot do this now, try again", _RETRY_AFTER)


def _name_the_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as registered
    first = error.errors()[0]
    return _error(request, 400, f"{first['loc'][-1]}: {first['msg']}")


def _explain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as registered
    message = "There is nothing at this address." if error.status_code == 404 else error.detail
    return _error(request, error.status_code, message, dict(error.headers or {}))


def _apologise(request: Request, _: Exception) -> Response:
    # Starlette raises the error again after this answer, and the server logs it.
    return _error(request, 500, "the server made a mistake; its log says more")
