"""The pages of logs and flows: what they show, to whom, and that nothing in a log runs."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import sync_playwright
from tests.server.samples import HOSTILE, an_event, elements

from replaystack_server.pages.flow_view import flow_view
from replaystack_server.store import LogRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from replaystack_server.testing import RunningServer

NOON = 1_764_000_000_000


def send(sender: httpx.Client, service: str, *logs: dict[str, Any]) -> None:
    """Send logs of one source."""
    common = {"level": "info", "message": "m", "source": service, "environment": "test"}
    answer = sender.post("/v1/logs", json=[{**common, **log} for log in logs])
    assert answer.status_code == 200, answer.text


def page(client: httpx.Client, path: str, status: int = 200, **query: str) -> str:
    """Return a page."""
    answer = client.get(path, params=query or None)  # an empty dict would take the path's own query away
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


@pytest.fixture
def viewer(server: RunningServer) -> Iterator[httpx.Client]:
    """Make a client that may not read personal logs."""
    headers = {"authorization": f"Bearer {server.viewer_token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        yield client


def words(html: str) -> str:
    """Return the visible text of a page, roughly."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


class TestLogs:
    def test_rows_filters_and_the_way_on(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """Newest first, a hundred at a time; the links keep the filters."""
        for start in (0, 60):
            send(
                sender,
                service,
                *({"message": f"row {n:03}", "timestamp": NOON + n} for n in range(start, start + 60)),
            )
        html = page(reader, "/logs", source=service, minLevel="info")
        rows = re.findall(r"row (\d+)", html)
        assert rows == [f"{n:03}" for n in range(119, 19, -1)]
        (older,) = re.findall(r'rel="next" href="([^"]+)"', html)
        second = page(reader, older.replace("&amp;", "&"))
        assert re.findall(r"row (\d+)", second) == [f"{n:03}" for n in range(19, -1, -1)]
        (newer,) = re.findall(r'rel="prev" href="([^"]+)"', second)
        assert re.findall(r"row (\d+)", page(reader, newer.replace("&amp;", "&"))) == rows

    def test_what_a_row_tells(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """Level, logger, message, error, data, stack and flow, without any script."""
        log = {
            "level": "error",
            "message": "payment refused",
            "logger": "shop.pay",
            "errorName": "PayError",
            "errorStack": "Traceback: x",
            "data": {"attempt": 2},
            "flowId": "pay-12345678",
            "stepIndex": 4,
        }
        send(sender, service, log)
        shown = words(page(reader, "/logs", source=service))
        for expected in (
            "error",
            "payment refused",
            "shop.pay",
            "PayError",
            "Traceback: x",
            "attempt",
            "pay-12345678 · 4",
        ):
            assert expected in shown

    def test_a_search_and_its_problems(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """The search box understands what the API does; what cannot be applied is said."""
        send(sender, service, {"message": "payment failed"}, {"message": "payment done"})
        shown = words(page(reader, "/logs", source=service, q="payment -failed"))
        assert "payment done" in shown
        assert "payment failed" not in shown
        assert "No log matches" in page(reader, "/logs", source=service, q="nothing-like-it")
        assert "minLevel: expected one of" in page(reader, "/logs", 400, minLevel="loud")

    def test_a_filter_without_a_field_can_be_taken_away(self, reader: httpx.Client, service: str) -> None:
        """One that a link set is shown, kept by the form, and has a link that removes it."""
        html = page(reader, "/logs", flowId="f-1", source=service)
        assert 'type="hidden" name="flowId" value="f-1"' in html
        assert f'href="/logs?source={service}"' in html

    def test_personal_logs(
        self, sender: httpx.Client, reader: httpx.Client, viewer: httpx.Client, service: str
    ) -> None:
        """Marked for who may see them, absent for who may not."""
        send(sender, service, {"message": "personal", "isPii": True}, {"message": "public"})
        shown = words(page(reader, "/logs", source=service))
        assert "personal PII" in shown
        assert "public" in shown
        hidden = page(viewer, "/logs", source=service)
        assert "public" in hidden
        assert ">personal<" not in hidden


class TestFlows:
    def test_steps_gaps_and_durations(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """Each step with the time since the first and the one before; missing numbers are named."""
        flow = f"check-out-{uuid.uuid4().hex[:8]}"
        send(
            sender,
            service,
            {"flowId": flow, "stepIndex": 0, "message": "first", "timestamp": NOON},
            {"flowId": flow, "stepIndex": 1, "message": "second", "timestamp": NOON + 1500, "level": "warn"},
            {"flowId": flow, "stepIndex": 5, "message": "last", "timestamp": NOON + 2000, "level": "error"},
        )
        shown = words(page(reader, f"/flows/{flow}"))
        assert "Duration 2.00 s" in shown
        assert "+1.50 s +1.50 s" in shown
        assert "+2.00 s +500 ms" in shown
        assert "steps 2 to 4 did not arrive" in shown
        assert "Missing steps 3" in shown
        assert f'href="/flows/{flow}"' in page(reader, "/flows")

    def test_a_viewer_is_told_of_no_gap(
        self, sender: httpx.Client, viewer: httpx.Client, service: str
    ) -> None:
        """A number that is missing for a viewer may be a personal log: nothing is said about it."""
        flow = f"call-{uuid.uuid4().hex[:8]}"
        send(
            sender,
            service,
            *({"flowId": flow, "stepIndex": n, "message": f"s{n}", "isPii": n == 1} for n in range(3)),
        )
        shown = words(page(viewer, f"/flows/{flow}"))
        assert "s0" in shown
        assert "s1" not in shown
        assert "did not arrive" not in shown
        assert "Missing" not in shown

    def test_a_flow_that_is_not_there(self, reader: httpx.Client) -> None:
        """404 as a page."""
        assert "no flow with this id" in page(reader, "/flows/none-12345678", 404)

    def test_any_id_has_a_page(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """Slashes, blanks, question marks in an id lead nowhere else."""
        flow = f"a/b ?#%-{uuid.uuid4().hex[:8]}"
        send(sender, service, {"flowId": flow, "stepIndex": 0})
        url = f"/flows/{quote(flow, safe='')}"
        assert f'href="{url}"' in page(reader, "/logs", source=service)
        assert "Time line" in page(reader, url)

    def test_clocks_of_two_machines(self) -> None:
        """A step that seems to be before the one before is shown so, and no bar leaves the line."""
        logs = [
            LogRecord(
                log_id=str(n),
                occurred_ms=NOON + moment,
                received_ms=NOON,
                level="info",
                is_pii=False,
                message="m",
                step_index=n,
            )
            for n, moment in enumerate([500, 0, 1000, 1000])
        ]
        view = flow_view(logs, knows_gaps=True)
        assert [step.delta for step in view.steps] == ["", "-500 ms", "+1.00 s", "+0 ms"]
        assert all(
            step.left >= 0 and step.width > 0 and step.left + step.width <= 100.01 for step in view.steps
        )
        assert view.missing == 0


def test_logs_stand_by_logger_under_their_event(
    sender: httpx.Client, reader: httpx.Client, viewer: httpx.Client, service: str
) -> None:
    """As in the API: in the order in which loggers first spoke; personal ones for who may see them."""
    logs = [
        {"message": "seen", "level": "info", "metadata": {"replaystack": {"logger": "conversation_logger"}}},
        {"message": "upsert", "level": "error", "metadata": {"replaystack": {"logger": "crm"}}},
        {"message": "private", "metadata": {"replaystack": {"logger": "conversation_logger", "isPii": True}}},
    ]
    event = an_event(serviceName=service, logs=logs)
    sender.post("/api/v1/ingest/events", json=event)
    path = f"/events/{event['metadata']['replaystack']['eventId']}"
    shown = words(page(reader, path))
    assert re.search(r"conversation_logger 2 .*seen.*private.*crm 1 .*upsert", shown)
    hidden = words(page(viewer, path))
    assert re.search(r"conversation_logger 1 .*seen.*crm 1 .*upsert", hidden)
    assert "private" not in hidden


def hostile(service: str) -> dict[str, Any]:
    """Return a log with text in every place that would run where an escape is missing."""
    return {
        "message": HOSTILE,
        "source": service,
        "logger": HOSTILE,
        "errorName": HOSTILE,
        "errorStack": HOSTILE,
        "data": {HOSTILE: [HOSTILE]},
        "tags": [HOSTILE[:50]],
        "flowId": f"{HOSTILE[:20]}-{service[-8:]}",
        "stepIndex": 0,
        "userId": HOSTILE,
        "environment": HOSTILE[:50],
    }


def test_nothing_in_a_log_becomes_markup(sender: httpx.Client, reader: httpx.Client, service: str) -> None:
    """Scripts, images and event attributes stay text on every page that shows logs."""
    log = hostile(service)
    send(sender, service, log)
    paths = [f"/logs?source={service}", f"/flows/{quote(log['flowId'], safe='')}", "/flows"]
    for path in paths:
        found = elements(page(reader, path))
        assert found.keys().isdisjoint({"on*", "foreign"}), path
        assert found.get("script", 0) == path.startswith("/logs")  # our own, which follows the stream
        assert found["img"] == 1  # our own


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_without_a_script(
    server: RunningServer, sender: httpx.Client, service: str, chromium: Path, scheme: Any
) -> None:
    """The pages work with JavaScript switched off, and the policy has nothing to complain about."""
    log = hostile(service)
    send(
        sender, service, log, {"message": "plain"}, {"flowId": log["flowId"], "stepIndex": 3, "level": "warn"}
    )
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scripts in (False, True):
            tab = browser.new_context(java_script_enabled=scripts, color_scheme=scheme).new_page()
            tab.on("console", lambda message: complaints.append(message.text))
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.on("dialog", lambda dialog: complaints.append(dialog.message))
            tab.goto(server.login_url)
            tab.goto(f"{server.url}/logs?source={service}")
            assert tab.locator(".logs > li").count() == 3
            details = tab.locator(".logs details").first
            details.locator("summary").click()
            assert details.locator("dl").is_visible()
            tab.locator(".logs .links a").first.click()
            assert tab.locator(".steps > li").count() == 3  # two steps and what is missing between them
            box = tab.locator(".steps .span").first.bounding_box()
            assert box is not None
            assert box["width"] > 0
        browser.close()
    assert complaints == []
