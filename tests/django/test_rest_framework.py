"""Django REST framework: parsers, its own exceptions, permissions, renderers; all as bare."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import path
from rest_framework.exceptions import APIException, ErrorDetail, Throttled, ValidationError
from rest_framework.parsers import FileUploadParser, FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView
from tests.django.site import AFTER, BEFORE, STACK
from tests.wire_client import exchange

from replaystack import CaptureFailure

if TYPE_CHECKING:
    from tests.django.site import Serving
    from tests.receiver import Receiver

    from replaystack import ReplayStackClient

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
FIELDS = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nada\r\n--b--\r\n'


class Echo(APIView):  # type: ignore[misc]  # the framework has no types
    """Answers what its parsers made of the body."""

    parser_classes = (JSONParser, FormParser, MultiPartParser)

    def post(self, request: Any) -> Response:
        return Response({key: str(value) for key, value in request.data.items()})


class RawFirst(APIView):  # type: ignore[misc]  # same
    """Reads Django's body before the framework does."""

    def post(self, request: Any) -> Response:
        size = len(request._request.body)
        return Response({"size": size, "data": request.data})


class DataFirst(APIView):  # type: ignore[misc]  # same
    """Reads the data, then the body: the framework has read the stream, and Django says so."""

    def post(self, request: Any) -> Response:
        return Response({"data": request.data, "size": len(request._request.body)})


class Upload(APIView):  # type: ignore[misc]  # same
    """Takes a file as the whole body."""

    parser_classes = (FileUploadParser,)

    def post(self, request: Any, filename: str) -> Response:
        return Response({"name": filename, "size": request.data["file"].size})


class Closed(APIView):  # type: ignore[misc]  # same
    """Asks who is there."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Any) -> Response:
        raise AssertionError


class OutOfOrder(APIException):  # type: ignore[misc]  # same
    """An answer of 503, in the framework's way."""

    status_code = 503
    default_detail = ErrorDetail("the kettle is out of order")


def raising(error: Exception) -> Any:
    """Return a view that raises it."""

    class Raising(APIView):  # type: ignore[misc]  # same
        def get(self, request: Any) -> Response:
            raise error

    return Raising.as_view()


urlpatterns = [
    path("echo", Echo.as_view()),
    path("raw-first", RawFirst.as_view()),
    path("data-first", DataFirst.as_view()),
    path("upload/<filename>", Upload.as_view()),
    path("closed", Closed.as_view()),
    path("invalid", raising(ValidationError({"name": ["required"]}))),
    path("throttled", raising(Throttled(7))),
    path("out-of-order", raising(OutOfOrder())),
    path("broken", raising(KeyError("order 7"))),
    path("declined", raising(CaptureFailure("declined", {"reason": "card", "cvv": "123"}, 402))),
]

READINGS = [
    ("/echo", JSON, b'{"name": "ada", "password": "hunter2"}'),
    ("/echo", FORM, b"name=ada&password=hunter2"),
    ("/echo", MULTIPART, FIELDS),
    ("/echo", JSON, b'{"name": '),  # 400: the framework's ParseError
    ("/echo", "text/csv", b"name,ada"),  # 415
    ("/raw-first", JSON, b'{"name": "ada"}'),
    ("/raw-first", FORM, b"name=ada"),
    ("/data-first", JSON, b'{"name": "ada"}'),
    ("/data-first", FORM, b"name=ada"),
    ("/upload/a.bin", "application/octet-stream", b"\x00\x01\x02" * 1000),
]


def test_every_parser_reads_as_bare(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """JSON, forms, multipart, files, broken bodies, and Django's body before and after: same answers."""
    answers = []
    for middleware in ([*BEFORE, *AFTER], STACK):
        with serving(middleware=middleware, ROOT_URLCONF=__name__) as base_url:
            answers.append(
                [
                    exchange(base_url, "POST", where, {"Content-Type": content_type}, body)
                    for where, content_type, body in READINGS
                ]
            )
    assert client.flush()
    events = receiver.events(len(READINGS))
    for reading, bare, watched, event in zip(READINGS, *answers, events, strict=True):
        assert watched.comparable() == bare.comparable(), reading
        assert event["statusCode"] == watched.status, reading
    assert events[0]["requestPayload"] == {"name": "ada", "password": "[MASKED]"}
    assert events[0]["responsePayload"] == {"name": "ada", "password": "[MASKED]"}
    assert events[1]["requestPayload"] == {"name": "ada", "password": "[MASKED]"}
    assert [answer.status for answer in answers[0]][:7] == [200, 200, 200, 400, 415, 200, 200]
    assert "hunter2" not in json.dumps(events)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("/closed", (403, None)),
        ("/invalid", (400, None)),
        ("/throttled", (429, None)),
        ("/out-of-order", (503, "OutOfOrder")),
        ("/broken", (500, "KeyError")),
        ("/echo", (405, None)),
    ],
)
def test_exceptions_answer_as_bare(
    where: str,
    expected: tuple[int, str | None],
    serving: Serving,
    client: ReplayStackClient,
    receiver: Receiver,
) -> None:
    """The framework's own answers are answers; one of 5xx carries its exception; an unhandled one is once."""
    with serving(middleware=[*BEFORE, *AFTER], ROOT_URLCONF=__name__) as base_url:
        bare = exchange(base_url, "GET", where)
    with serving(ROOT_URLCONF=__name__) as base_url:
        answer = exchange(base_url, "GET", where)
    assert answer.comparable() == bare.comparable()
    assert client.flush()
    event = receiver.event()
    assert (answer.status, event.get("errorName")) == expected
    assert event["statusCode"] == answer.status
    assert event["status"] == ("failed" if answer.status >= 500 else "warning")


def handle_everything(error: Exception, context: dict[str, Any]) -> Response:
    """Answer each exception with 409, as a project's own EXCEPTION_HANDLER may."""
    return Response({"handled": str(error)}, status=409)


def test_a_project_own_exception_handler(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """It answers as bare: below 500 that is the answer; a CaptureFailure is what it says."""
    with serving(
        ROOT_URLCONF=__name__, REST_FRAMEWORK={"EXCEPTION_HANDLER": f"{__name__}.handle_everything"}
    ) as base_url:
        assert exchange(base_url, "GET", "/broken").status == 409
        assert exchange(base_url, "GET", "/declined").status == 409
    assert client.flush()
    broken, declined = receiver.events(2)
    assert (broken["status"], broken["statusCode"], "errorName" in broken) == ("warning", 409, False)
    assert (declined["status"], declined["statusCode"]) == ("failed", 402)
    assert declined["responsePayload"] == {"reason": "card", "cvv": "[MASKED]"}
