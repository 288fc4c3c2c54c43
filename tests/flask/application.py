"""The contract's application on Flask, with a few routes of its own."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, abort, jsonify, request, send_file, stream_with_context

from replaystack import CaptureFailure, ReplayStackClient, get_logger, set_correlation_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.adapters.gate import Gate

__all__ = ["HandledError", "bare", "build_app", "instrumented", "preloaded"]


class HandledError(Exception):
    """An error for which the application has a handler."""


class RefusedError(Exception):
    """An error for which the application has a handler that answers 409."""


class SorryError(CaptureFailure):
    """A failure for which the application has a handler."""


def build_app(  # noqa: C901 - one route after the other
    *,
    client: ReplayStackClient | None = None,
    gate: Gate | None = None,
    act: Callable[[], object] | None = None,
    file: Path | None = None,
) -> Flask:
    """Return the application; `client` is only used for breadcrumbs inside of routes."""
    app = Flask("tests.flask.application")
    parts = Blueprint("parts", __name__)

    @app.errorhandler(HandledError)
    def handle(error: HandledError) -> tuple[Response, int]:
        return jsonify({"handled": True}), 500

    @app.errorhandler(RefusedError)
    def refuse(error: RefusedError) -> tuple[Response, int]:
        return jsonify({"refused": True}), 409

    @app.errorhandler(SorryError)
    def be_sorry(error: SorryError) -> tuple[Response, int]:
        return jsonify({"sorry": True}), 402

    @app.get("/ok")
    def ok() -> Response:
        return jsonify({"ok": True})

    @parts.get("/items/<int:item_id>")
    def item(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    app.register_blueprint(parts)

    @app.post("/echo")
    def echo() -> Response:
        return jsonify(request.get_json(force=True))

    @app.post("/twice")
    def twice() -> Response:
        return jsonify([len(request.get_data()), len(request.get_data())])

    @app.post("/unread")
    def unread() -> Response:
        return jsonify({"ok": True})

    @app.post("/partly")
    def partly() -> Response:
        return jsonify({"head": request.stream.read(10).decode()})

    @app.post("/unparsed")
    def unparsed() -> Response:
        return jsonify({"size": len(request.get_data())})

    @app.post("/form")
    def form() -> Response:
        return jsonify({"user": request.form["user"], "files": sorted(request.files)})

    @app.post("/upload")
    def upload() -> Response:
        digest, size = hashlib.sha256(), 0
        while chunk := request.stream.read(65536):
            digest.update(chunk)
            size += len(chunk)
        return jsonify({"size": size, "sha256": digest.hexdigest()})

    @app.get("/teapot")
    def teapot() -> Response:
        abort(418)

    @app.get("/fail")
    def fail() -> Response:
        try:
            raise OSError("connection refused")
        except OSError as cause:
            raise ValueError("no such order: password=hunter2-CANARY") from cause

    @app.get("/handled")
    def handled() -> Response:
        raise HandledError("handled")

    @app.get("/refused")
    def refused() -> Response:
        raise RefusedError("refused")

    @app.get("/declined")
    def declined() -> Response:
        raise CaptureFailure("declined", {"reason": "card", "cvv": "123"}, 402)

    @app.get("/sorry")
    def sorry() -> Response:
        raise SorryError("declined", {"reason": "card", "cvv": "123"}, 402)

    @app.get("/stream")
    def stream() -> Response:
        return Response(iter((b"first", b"other", b"third")), mimetype="text/plain")

    @app.get("/sse")
    def sse() -> Response:
        def events() -> Iterator[str]:
            yield f"data: one of {request.path}\n\n"
            if gate is not None:
                gate.wait()
            yield "data: two\n\n"

        return Response(stream_with_context(events()), mimetype="text/event-stream")

    @app.get("/midstream")
    def midstream() -> Response:
        def chunks() -> Iterator[bytes]:
            yield b"first"
            if gate is not None:
                gate.wait()
            raise RuntimeError("broke in the middle")

        return Response(chunks(), mimetype="text/plain")

    @app.get("/logged")
    def logged() -> dict[str, bool]:
        get_logger("orders").warning("out of stock", sku="TEA-001", password="CANARY-body")
        return {"ok": True}

    @app.get("/correlated")
    def correlated() -> dict[str, bool]:
        set_correlation_id("order-7")
        return logged()

    @app.get("/nothing")
    def nothing() -> Response:
        response = Response(status=204)
        del response.headers["Content-Type"]  # Flask sends one, which PEP 3333's validator refuses
        return response

    @app.get("/cached")
    def cached() -> Response:
        response = jsonify({"ok": True})
        response.set_etag("v1")
        response.make_conditional(request)
        return response

    @app.get("/cookie")
    def cookie() -> Response:
        response = jsonify({"ok": True})
        response.set_cookie("session", "CANARY-one")
        response.set_cookie("theme", "CANARY-two")
        return response

    @app.get("/own-trace")
    def own_trace() -> tuple[str, dict[str, str]]:
        return "ok", {"X-Trace-Id": "mine"}

    @app.get("/health")
    def health() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/crumb/<name>")
    def crumb(name: str) -> dict[str, Any]:
        if client is not None:
            client.add_breadcrumb(f"before {name}")
            client.add_breadcrumb(f"after {name}")
        return {"name": name}

    @app.get("/act")
    def acting() -> dict[str, bool]:
        assert act is not None
        act()
        return {"ok": True}

    @app.get("/endless")
    def endless() -> Response:
        def pieces() -> Iterator[bytes]:
            while act is not None and act():
                yield b"x" * 65536

        return Response(pieces(), mimetype="text/plain")

    @app.get("/file")
    def send() -> Response:
        return send_file(file or __file__, mimetype="text/plain", conditional=True, etag=False)

    return app


def bare() -> Flask:
    """Return the application for a server in another process."""
    return build_app()


def instrumented() -> Flask:
    """Return it with a client towards REPLAYSTACK_ENDPOINT, for a server in another process."""
    from replaystack_flask import FlaskMiddlewareOptions, setup_flask

    client = ReplayStackClient(
        api_key="rs_test", batch_interval_seconds=0.01, async_send=os.environ.get("TESTS_SYNC") != "1"
    )
    app = build_app(client=client)
    setup_flask(app, client, FlaskMiddlewareOptions())
    return app


def preloaded() -> Flask:
    """Return it after it has served once in this process, sender and all: workers are forked after that."""
    app = instrumented()
    app.test_client().get("/crumb/before").close()
    assert app.extensions["replaystack"][0][0].flush()
    return app
