"""One application three times, on FastAPI, Flask and Django, with one contender around it.

    python -m benchmarks._adapter_sites fastapi ours

A line on standard error names the address, as gunicorn does. `POST /orders` takes an order and answers it
with a number; `GET /internal/ledger` tells how many orders there were, what the process used of the
processor, and where the events are: contenders that can ignore that path. Environment: RECEIVER, its origin.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib import import_module
from itertools import count
from typing import Any

__all__ = ["main"]

CONTENDERS = ("bare", "noop", "ours", "sentry", "opentelemetry")
LEDGER = "/internal/ledger"
RECEIVER = os.environ.get("RECEIVER", "http://127.0.0.1:1")

_orders = count(1)
_ledger: Any = None
"""What the contender knows of its own events: a callable, or None."""


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """Return what a shop answers to an order: about as much as it was asked."""
    total = sum(item["quantity"] * item["unit_price_cents"] for item in order["items"])
    return {**order, "id": next(_orders), "total_cents": total, "state": "open"}


def ledger() -> dict[str, Any]:
    """Return the counts. The number of orders is asked for between runs only, so it is exact."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    handled = int(repr(_orders)[6:-1]) - 1  # count(n): without taking a number
    return {
        "handled": handled,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "events": _ledger() if _ledger is not None else None,
    }


# -- contenders


def _client() -> Any:
    from replaystack import ReplayStackClient  # noqa: PLC0415 - contenders are imported where they run

    global _ledger  # noqa: PLW0603 - one contender per process
    client = ReplayStackClient(api_key="rs_bench", endpoint=RECEIVER, service_name="shop")

    def read() -> dict[str, int]:
        stats = client.stats()
        waiting = stats.queued + stats.in_flight
        return {"captured": stats.captured, "delivered": stats.delivered, "waiting": waiting}

    _ledger = read
    return client


def _sentry() -> None:
    """Errors only: no transactions. Its transport takes what it sends, which is nothing here."""
    sdk: Any = import_module("sentry_sdk")
    sdk.init(dsn=RECEIVER.replace("http://", "http://key@") + "/1", traces_sample_rate=0.0)


def _opentelemetry() -> Any:
    """Set up a span for each request, a batch processor, OTLP over HTTP; no bodies: it has none to offer."""
    trace: Any = import_module("opentelemetry.trace")
    sdk: Any = import_module("opentelemetry.sdk.trace")
    export: Any = import_module("opentelemetry.sdk.trace.export")
    otlp: Any = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    global _ledger  # noqa: PLW0603 - one contender per process
    provider = sdk.TracerProvider()
    exporter = otlp.OTLPSpanExporter(endpoint=RECEIVER + "/v1/traces")
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)

    def read() -> dict[str, int]:
        provider.force_flush()
        return {"captured": 0, "delivered": 0, "waiting": 0}

    _ledger = read
    return provider


# -- FastAPI


class AsgiNoop:
    """A middleware that does nothing: what one more call costs."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on."""
        await self.app(scope, receive, send)


def build_fastapi(contender: str) -> Any:
    """Return the FastAPI application."""
    from fastapi import FastAPI, Request  # noqa: PLC0415 - one framework per process
    from fastapi.responses import JSONResponse  # noqa: PLC0415

    if contender == "sentry":
        _sentry()
    app = FastAPI()

    # The bodies are read and written as plain JSON: what pydantic costs is not the question here.
    async def order(request: Request) -> JSONResponse:
        return JSONResponse(answer(await request.json()))

    async def report() -> JSONResponse:
        return JSONResponse(ledger())

    order.__annotations__["request"] = Request  # FastAPI would look for the name in this module
    app.add_api_route("/orders", order, methods=["POST"], response_model=None)
    app.add_api_route(LEDGER, report, response_model=None)
    if contender == "noop":
        return AsgiNoop(app)
    if contender == "ours":
        from replaystack_fastapi import FastAPIMiddlewareOptions, setup_fastapi  # noqa: PLC0415

        setup_fastapi(app, _client(), FastAPIMiddlewareOptions(ignored_paths=[LEDGER]))
    if contender == "opentelemetry":
        instrumentation: Any = import_module("opentelemetry.instrumentation.fastapi")
        instrumentation.FastAPIInstrumentor.instrument_app(
            app, tracer_provider=_opentelemetry(), excluded_urls=LEDGER
        )
    return app


# -- Flask


class WsgiNoop:
    """A middleware that does nothing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Pass on."""
        return self.app(environ, start_response)


def build_flask(contender: str) -> Any:
    """Return the Flask application."""
    import flask  # noqa: PLC0415 - one framework per process

    if contender == "sentry":
        _sentry()
    app = flask.Flask("shop")

    @app.post("/orders")
    def order() -> Any:
        return flask.jsonify(answer(flask.request.get_json()))

    @app.get(LEDGER)
    def report() -> Any:
        return flask.jsonify(ledger())

    if contender == "noop":
        app.wsgi_app = WsgiNoop(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way
    elif contender == "ours":
        from replaystack_flask import FlaskMiddlewareOptions, setup_flask  # noqa: PLC0415

        setup_flask(app, _client(), FlaskMiddlewareOptions(ignored_paths=[LEDGER]))
    elif contender == "opentelemetry":
        instrumentation: Any = import_module("opentelemetry.instrumentation.flask")
        instrumentation.FlaskInstrumentor().instrument_app(
            app, tracer_provider=_opentelemetry(), excluded_urls=LEDGER
        )
    return app


# -- Django


def django_noop(get_response: Any) -> Any:
    """Return a middleware that does nothing."""

    def middleware(request: Any) -> Any:
        return get_response(request)

    return middleware


def build_django(contender: str) -> Any:
    """Return the Django site as a WSGI application."""
    import django  # noqa: PLC0415 - one framework per process
    from django.conf import settings  # noqa: PLC0415
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415
    from django.http import JsonResponse  # noqa: PLC0415
    from django.urls import path  # noqa: PLC0415

    if contender == "sentry":
        _sentry()

    def order(request: Any) -> Any:
        return JsonResponse(answer(json.loads(request.body)))

    def report(request: Any) -> Any:  # noqa: ARG001 - a view
        return JsonResponse(ledger())

    middleware = ["django.middleware.common.CommonMiddleware"]
    more: dict[str, Any] = {}
    if contender == "noop":
        middleware.insert(0, f"{__name__}.django_noop")
    elif contender == "ours":
        middleware.insert(0, "replaystack_django.ReplayStackDjangoMiddleware")
        more = {"REPLAYSTACK_CLIENT": _client(), "REPLAYSTACK_OPTIONS": {"ignored_paths": [LEDGER]}}
    more["SECRET_KEY"] = __name__  # nothing is signed
    settings.configure(ALLOWED_HOSTS=["*"], MIDDLEWARE=middleware, ROOT_URLCONF=__name__, **more)
    globals()["urlpatterns"] = [path("orders", order), path(LEDGER[1:], report)]
    if contender == "opentelemetry":
        os.environ["OTEL_PYTHON_DJANGO_EXCLUDED_URLS"] = LEDGER
        instrumentation: Any = import_module("opentelemetry.instrumentation.django")
        instrumentation.DjangoInstrumentor().instrument(tracer_provider=_opentelemetry())
    django.setup()
    return get_wsgi_application()


# -- serving


def build_wsgi(framework: str, contender: str) -> Any:
    """Return the application for gunicorn's worker, which calls this in its own process."""
    return {"flask": build_flask, "django": build_django}[framework](contender)


def main() -> None:
    """Serve until the process is ended; uvicorn, or gunicorn with one worker of four threads."""
    framework, contender = sys.argv[1:]
    if framework != "fastapi":
        module = "benchmarks._adapter_sites"
        target = f"{module}:build_wsgi({framework!r}, {contender!r})"
        server = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--worker-class", "gthread", "--threads", "4"]
        os.execv(  # noqa: S606 - the same process, so that it can be ended by its id
            sys.executable, [sys.executable, *server, "--no-control-socket", "--keep-alive", "60", target]
        )
    import socket  # noqa: PLC0415 - for this server only

    import uvicorn  # noqa: PLC0415 - same

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        config = uvicorn.Config(build_fastapi(contender), log_level="error", access_log=False)
        sys.stderr.write(f"Listening at: http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stderr.flush()
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
