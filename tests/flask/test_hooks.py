"""Flask's own ways: error handlers, blueprints, hooks, factories, its test client, async views."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import flask.signals
import pytest
from flask import Blueprint, Flask, Response, abort, g, got_request_exception, request, session
from tests.flask.application import build_app
from tests.receiver import Receiver
from tests.wire_client import exchange
from tests.wsgi_server import serve
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from replaystack import ReplayStackClient
from replaystack_flask import FlaskMiddlewareOptions, ReplayStackFlask, setup_flask

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def app() -> Flask:
    """Return an application with nothing in it yet."""
    return Flask("tests.flask.test_hooks")


def visit(app: Any, path: str = "/", method: str = "GET") -> int:
    """Make one request on a real server; return the status."""
    with serve(app) as base_url:
        return exchange(base_url, method, path).status


def same_as_bare(build: Callable[[], Flask], client: ReplayStackClient, path: str = "/") -> int:
    """Check that the answer is the same with and without us; return its status."""
    with serve(build()) as base_url:
        bare = exchange(base_url, "GET", path)
    watched = build()
    setup_flask(watched, client)
    with serve(watched) as base_url:
        assert exchange(base_url, "GET", path).comparable() == bare.comparable()
    return bare.status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nope", 404), ("POST", "/ok", 405), ("GET", "/teapot", 418), ("OPTIONS", "/ok", 200)],
)
def test_http_errors_stay_what_they_are(
    method: str, path: str, status: int, client: ReplayStackClient, receiver: Receiver
) -> None:
    """abort() and routing errors are answers, not failures of the application (the original: 500)."""
    app = build_app()
    setup_flask(app, client)
    assert visit(app, path, method) == status
    assert client.flush()
    event = receiver.event()
    assert event["statusCode"] == status
    assert event["status"] == ("warning" if status >= 400 else "success")
    assert "errorName" not in event


def test_a_redirect_of_the_router_is_a_redirect(
    app: Flask, client: ReplayStackClient, receiver: Receiver
) -> None:
    """A missing slash is answered as bare."""
    app.add_url_rule("/orders/", view_func=lambda: "orders")
    setup_flask(app, client)
    assert visit(app, "/orders") == 308
    assert client.flush()
    assert (receiver.event()["status"], receiver.event()["statusCode"]) == ("success", 308)


def test_an_aborted_503_is_a_failure_with_its_name(
    app: Flask, client: ReplayStackClient, receiver: Receiver
) -> None:
    """abort(503) is answered by Flask; the event says who failed."""
    app.add_url_rule("/", view_func=lambda: abort(503))
    setup_flask(app, client)
    assert visit(app) == 503
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"], event["errorName"]) == ("failed", 503, "ServiceUnavailable")
    assert event["breadcrumbs"][-1]["message"] == "Handled exception captured"


def failing(**handlers: Any) -> Callable[[], Flask]:
    """Return a factory of an application that raises, with error handlers by name of what they take."""
    takes: dict[str, Any] = {"everything": Exception, "five_hundred": 500, "lookup": LookupError}

    def build() -> Flask:
        app = Flask("tests.flask.test_hooks")

        def view() -> str:
            raise KeyError("order 7")

        app.add_url_rule("/", view_func=view)
        for name, handler in handlers.items():
            app.register_error_handler(takes[name], handler)
        return app

    return build


def broken() -> str:
    """Fail as a view does."""
    raise KeyError("x")


def raising_handler(error: Exception) -> str:
    """Break while handling."""
    raise RuntimeError("the handler broke")


@pytest.mark.parametrize(
    ("handlers", "status", "name"),
    [
        ({}, 500, "KeyError"),
        ({"five_hundred": lambda error: ("custom page", 500)}, 500, "KeyError"),
        ({"five_hundred": lambda error: ("turned into this", 200)}, 200, "KeyError"),
        ({"everything": lambda error: ("custom page", 500)}, 500, "KeyError"),
        ({"lookup": lambda error: ("custom page", 502)}, 502, "KeyError"),
        ({"lookup": lambda error: ("not found", 404)}, 404, None),
        ({"lookup": raising_handler}, 500, "RuntimeError"),
    ],
)
def test_one_event_per_exception_whoever_answers(
    handlers: dict[str, Any], status: int, name: str | None, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Each kind of error handler: the answer is as bare, the exception is captured exactly once."""
    assert same_as_bare(failing(**handlers), client) == status
    assert client.flush()
    event = receiver.event()
    assert event["statusCode"] == status
    assert event.get("errorName") == name
    assert event["status"] == ("warning" if name is None else "failed")
    if name == "RuntimeError":
        assert event["metadata"]["replaystack"]["causes"][0]["errorName"] == "KeyError"


def test_a_catch_all_that_returns_http_errors_keeps_them(
    app: Flask, client: ReplayStackClient, receiver: Receiver
) -> None:
    """The documented pattern of a generic handler works as before."""

    @app.errorhandler(Exception)
    def handle(error: Exception) -> Any:
        return error if isinstance(error, HTTPException) else ("broken", 500)

    setup_flask(app, client)
    assert visit(app, "/nope") == 404
    assert client.flush()
    assert receiver.event()["status"] == "warning"


@pytest.mark.parametrize("hook", ["before_request", "after_request", "teardown_request"])
def test_hooks_that_raise_are_captured_once(hook: str, client: ReplayStackClient, receiver: Receiver) -> None:
    """Wherever the application breaks around its view: as bare, and one event with the exception."""

    def build() -> Flask:
        app = Flask("tests.flask.test_hooks")
        app.add_url_rule("/", view_func=lambda: "ok")

        def breaking(*_: Any) -> Any:
            raise RuntimeError(hook)

        getattr(app, hook)(breaking)
        return app

    assert same_as_bare(build, client) == 500
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"], event["errorMessage"]) == ("failed", 500, hook)


def test_hooks_run_as_before_and_in_our_scope(
    app: Flask, client: ReplayStackClient, receiver: Receiver
) -> None:
    """before, after and teardown leave their breadcrumbs on the request's event."""
    app.secret_key = "for the session"

    @app.before_request
    def before() -> None:
        session["seen"] = True
        client.add_breadcrumb("before")

    @app.after_request
    def after(response: Response) -> Response:
        client.add_breadcrumb("after")
        return response

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        client.add_breadcrumb("teardown")

    app.add_url_rule("/", view_func=lambda: "ok")
    setup_flask(app, client)
    assert visit(app) == 200
    assert client.flush()
    event = receiver.event()
    assert [crumb["message"] for crumb in event["breadcrumbs"][1:-1]] == ["before", "after", "teardown"]
    assert event["responseHeaders"]["set-cookie"] == "[MASKED]"


def test_patterns_of_blueprints_and_mounts(client: ReplayStackClient, receiver: Receiver) -> None:
    """The route has every prefix that the endpoint has: of nested blueprints, and of a mount."""

    def show(order_id: int) -> str:
        return str(order_id)

    inner, outer = Blueprint("inner", __name__), Blueprint("outer", __name__, url_prefix="/v1")
    inner.add_url_rule("/<int:order_id>", view_func=show)
    outer.register_blueprint(inner, url_prefix="/orders")
    shop = Flask("tests.flask.test_hooks")
    shop.register_blueprint(outer)
    setup_flask(shop, client)
    assert (
        visit(DispatcherMiddleware(Flask("tests.flask.test_hooks"), {"/shop": shop}), "/shop/v1/orders/7")
        == 200
    )
    assert client.flush()
    event = receiver.event()
    assert event["endpoint"] == "/shop/v1/orders/7"
    assert event["metadata"]["replaystack"]["route"] == "/shop/v1/orders/<int:order_id>"


def test_factories_and_several_applications(client: ReplayStackClient, receiver: Receiver) -> None:
    """One extension serves many applications; installed twice is once; an application is not kept alive."""
    extension = ReplayStackFlask(client)

    def create_app() -> Flask:
        app = build_app()
        extension.init_app(app)
        installed = app.wsgi_app
        extension.init_app(app)
        setup_flask(app, client)
        assert app.wsgi_app is installed
        return app

    for number in range(2):
        assert visit(create_app(), f"/items/{number}") == 200
    assert client.flush()
    assert sorted(event["endpoint"] for event in receiver.events(2)) == ["/items/0", "/items/1"]

    forgotten = weakref.ref(create_app())
    gc.collect()
    assert forgotten() is None


def test_an_application_that_serves_already(client: ReplayStackClient, receiver: Receiver) -> None:
    """Installing after the first request works, also around another middleware."""
    app = build_app()
    with serve(app) as base_url:
        exchange(base_url, "GET", "/ok")
        app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way
        setup_flask(app, client)
        exchange(base_url, "GET", "/items/3")
    assert client.flush()
    assert receiver.event()["endpoint"] == "/items/3"


def test_two_clients_each_capture_once(client: ReplayStackClient, receiver: Receiver) -> None:
    """Also of an exception, which each of them gets with its own installation."""
    with Receiver() as other, ReplayStackClient(api_key="k2", endpoint=other.origin) as second:
        app = build_app()
        setup_flask(app, client)
        setup_flask(app, second)
        with serve(app) as base_url:
            answer = exchange(base_url, "GET", "/fail")
        assert client.flush()
        assert second.flush()
        events = [receiver.event(), other.event()]
    assert [event["errorName"] for event in events] == ["ValueError"] * 2
    assert {event["traceId"] for event in events} == {answer.headers["x-trace-id"]}


def test_the_test_client_sees_exceptions_as_before(client: ReplayStackClient, receiver: Receiver) -> None:
    """With TESTING the exception comes out of the test client as the same kind; one event all the same."""
    app = build_app()
    setup_flask(app, client)
    app.testing = True
    with app.test_client() as http:
        assert http.get("/items/3").json == {"id": 3}
        assert request.path == "/items/3"  # the context is kept for the test, as before
        with pytest.raises(ValueError, match="no such order"):
            http.get("/fail")
    assert client.flush()
    ok, failed = receiver.events(2)
    assert ok["metadata"]["replaystack"]["route"] == "/items/<int:item_id>"
    assert (failed["status"], failed["errorName"]) == ("failed", "ValueError")
    assert failed["metadata"]["replaystack"]["route"] == "/fail"
    assert len(failed["breadcrumbs"]) == 2


def test_a_streamed_answer_that_a_test_never_reads(client: ReplayStackClient, receiver: Receiver) -> None:
    """The test client does not iterate by itself: the event comes when the answer is closed."""
    app = build_app()
    setup_flask(app, client)
    answer = app.test_client().get("/stream")
    answer.close()
    assert client.flush()
    assert receiver.event()["status"] == "warning"


def test_async_views_and_handlers(app: Flask, client: ReplayStackClient, receiver: Receiver) -> None:
    """Flask runs them in a loop of their own: scope, route and exception are found all the same."""

    @app.get("/fine")
    async def fine() -> dict[str, str]:
        client.add_breadcrumb("inside")
        return {"path": request.path}

    @app.get("/broken")
    async def break_down() -> str:
        raise LookupError("async")

    @app.errorhandler(LookupError)
    async def handle(error: LookupError) -> tuple[str, int]:
        return "sorry", 500

    setup_flask(app, client)
    assert (visit(app, "/fine"), visit(app, "/broken")) == (200, 500)
    assert client.flush()
    first, second = receiver.events(2)
    assert [crumb["message"] for crumb in first["breadcrumbs"]][1] == "inside"
    assert (second["errorName"], second["metadata"]["replaystack"]["route"]) == ("LookupError", "/broken")


def test_an_extension_that_takes_over_error_handling(
    app: Flask, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Some (Flask-RESTful) replace the handlers on the application and send Flask's signal themselves."""
    if not getattr(flask.signals, "signals_available", True):
        pytest.skip("Flask 2.2 without blinker has no signals")
    app.add_url_rule("/", view_func=broken)
    setup_flask(app, client)

    def take_over(error: Exception) -> Response:
        got_request_exception.send(app, exception=error)
        return Response("api error", 500)

    for name in ("handle_user_exception", "handle_exception"):
        setattr(app, name, take_over)
    assert visit(app) == 500
    assert client.flush()
    event = receiver.event()
    assert (event["errorName"], event["responsePayload"]) == ("KeyError", "api error")


def test_users_are_asked_inside_of_the_context(
    app: Flask, client: ReplayStackClient, receiver: Receiver
) -> None:
    """get_user may read `g`, of answers and of exceptions."""

    @app.before_request
    def login() -> None:
        g.user = "ada"

    app.add_url_rule("/fine", view_func=lambda: "ok")
    app.add_url_rule("/broken", view_func=broken)
    setup_flask(app, client, FlaskMiddlewareOptions(get_user=lambda _: g.user))
    assert (visit(app, "/fine"), visit(app, "/broken")) == (200, 500)
    app.testing = True
    with pytest.raises(KeyError):
        app.test_client().get("/broken")
    assert client.flush()
    assert [event["metadata"]["replaystack"]["user"] for event in receiver.events(3)] == ["ada"] * 3


def test_a_trace_id_option_cannot_read_the_body_away(client: ReplayStackClient, receiver: Receiver) -> None:
    """It sees the head; what it tries beyond falls back to a new id, and the view still has the body."""
    app = build_app()
    setup_flask(app, client, FlaskMiddlewareOptions(get_trace_id=lambda req: req.get_json()["id"]))
    with serve(app) as base_url:
        answer = exchange(base_url, "POST", "/echo", {"Content-Type": "application/json"}, b'{"id": "x"}')
    assert answer.body == b'{"id":"x"}\n'
    assert client.flush()
    assert receiver.event()["traceId"] == answer.headers["x-trace-id"] != "x"


@pytest.mark.parametrize("arguments", [("client",), ("app", "client"), ("app", "good", {"a": 1})])
def test_wrong_arguments_say_what_is_expected(arguments: tuple[Any, ...], client: ReplayStackClient) -> None:
    """setup_flask says at once what it needs, not at the first request."""
    given: list[Any] = [client if argument == "good" else argument for argument in arguments]
    if given[0] == "app":
        given[0] = build_app()
    with pytest.raises(TypeError, match="setup_flask needs"):
        setup_flask(*given, *([client] if len(given) == 1 else []))
