"""The page of logs in a real browser: new ones come by themselves, to whoever may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from tests.server.conftest import watched_page

if TYPE_CHECKING:
    import httpx
    from playwright.sync_api import BrowserContext, Page

    from replaystack_server.testing import RunningServer

pytestmark = pytest.mark.browser

ROWS = "#rows > li"


def send(sender: httpx.Client, service: str, *logs: dict[str, Any]) -> None:
    """Send logs of one source."""
    common = {"level": "info", "message": "m", "source": service, "environment": "test"}
    answer = sender.post("/v1/logs", json=[{**common, **log} for log in logs])
    assert answer.status_code == 200, answer.text


def open_logs(tab: Page, server: RunningServer, query: str) -> None:
    """Open the page under filters and wait until it is live."""
    tab.goto(f"{server.url}/logs?{query}")
    expect(tab.locator("#live")).to_have_attribute("data-state", "on")


def messages(tab: Page) -> list[str]:
    """Return what the rows say."""
    return tab.locator(f"{ROWS} .words").all_inner_texts()


def test_they_appear_by_themselves(
    tab: Page, server: RunningServer, sender: httpx.Client, service: str, complaints: list[str]
) -> None:
    """A log is on the page soon after it was sent, without a reload; every filter of the page holds."""
    open_logs(tab, server, f"source={service}&minLevel=warn&q=order&environment=test")
    expect(tab.get_by_text("No log matches")).to_be_visible()
    tab.evaluate("window.sameDocument = true")
    send(
        sender,
        service,
        {"message": "order, not grave"},
        {"message": "other words", "level": "error"},
        {"message": "order elsewhere", "level": "error", "environment": "live"},
        {"message": "order one", "level": "error"},
    )
    expect(tab.locator(ROWS)).to_have_count(1)
    send(sender, service, {"message": "order two", "level": "warn"})
    expect(tab.locator(ROWS)).to_have_count(2)
    assert messages(tab) == ["order two", "order one"]
    assert tab.evaluate("window.sameDocument")
    assert complaints == []


def test_nothing_moves_while_a_log_is_read(
    tab: Page, server: RunningServer, sender: httpx.Client, service: str
) -> None:
    """Under an open log or a chosen row new ones wait behind a button that counts them."""
    send(sender, service, {"message": "old", "data": {"cart": 17}})
    open_logs(tab, server, f"source={service}")
    tab.locator(f"{ROWS} summary").click()
    tab.mouse.move(1, 1)
    send(sender, service, {"message": "new 1"}, {"message": "new 2"})
    button = tab.get_by_role("button", name="Show 2 new logs")
    expect(button).to_be_visible()
    assert messages(tab) == ["old"]
    button.click()
    expect(tab.locator(ROWS)).to_have_count(3)
    assert messages(tab) == ["new 2", "new 1", "old"]
    expect(button).to_be_hidden()
    assert tab.locator(f"{ROWS} details[open]").count() == 1


def test_keys_choose_rows(tab: Page, server: RunningServer, sender: httpx.Client, service: str) -> None:
    """A chosen row stays chosen when new ones are let in."""
    send(sender, service, *({"message": str(n)} for n in range(3)))
    open_logs(tab, server, f"source={service}")
    for _ in range(2):
        tab.keyboard.press("j")
    expect(tab.locator(f"{ROWS}:focus .words")).to_have_text("1")
    send(sender, service, {"message": "new"})
    expect(tab.get_by_role("button", name="Show 1 new log")).to_be_visible()
    tab.keyboard.press("n")
    expect(tab.locator(ROWS)).to_have_count(4)
    expect(tab.locator(f"{ROWS}:focus .words")).to_have_text("1")


def test_an_older_page_stays_as_it_is(
    tab: Page, server: RunningServer, sender: httpx.Client, service: str
) -> None:
    """Nothing is inserted there; the button leads to the newest."""
    for start in (0, 60):
        send(sender, service, *({"message": str(n)} for n in range(start, start + 60)))
    open_logs(tab, server, f"source={service}")
    tab.get_by_role("link", name="Older →").click()
    expect(tab.locator("#live")).to_have_attribute("data-state", "on")
    assert tab.locator(ROWS).count() == 20
    send(sender, service, {"message": "new"})
    tab.get_by_role("button", name="1 new log: to the newest").click()
    expect(tab.locator(f"{ROWS} .words >> nth=0")).to_have_text("new")


def test_whoever_may_not_see_personal_logs_hears_nothing_of_them(
    context: BrowserContext, server: RunningServer, sender: httpx.Client, service: str, complaints: list[str]
) -> None:
    """Neither a row nor a number: of four logs, three of them personal, one is told."""
    tab = watched_page(context, complaints)
    tab.goto(server.viewer_login_url)
    send(sender, service, {"message": "before", "data": {"a": 1}})
    open_logs(tab, server, f"source={service}")
    tab.evaluate(
        """() => {
          window.heard = [];
          const stream = new EventSource(document.getElementById("region").dataset.stream);
          stream.addEventListener("log.created", (event) => window.heard.push(event.data));
          return new Promise((opened) => { stream.onopen = () => opened(true); });
        }"""
    )
    after = int(tab.locator("#region").get_attribute("data-after") or "")
    tab.locator(f"{ROWS} summary").click()  # new ones wait, and are counted
    personal = {"message": "Jane Doe", "isPii": True}
    send(sender, service, personal, personal, {"message": "public"}, personal)
    button = tab.get_by_role("button", name="Show 1 new log")
    expect(button).to_be_visible()
    button.click()
    expect(tab.locator(ROWS)).to_have_count(2)
    assert messages(tab) == ["public", "before"]
    tab.wait_for_function("window.heard.length > 0")
    assert [text.count("Jane") for text in tab.evaluate("window.heard")] == [0]
    tab.reload()
    expect(tab.locator("#live")).to_have_attribute("data-state", "on")
    assert "Jane" not in tab.content()
    assert int(tab.locator("#region").get_attribute("data-after") or "") >= after + 1
    assert complaints == []


def test_a_reader_with_the_permission_sees_all(
    tab: Page, server: RunningServer, sender: httpx.Client, service: str
) -> None:
    """The same logs, marked as personal."""
    open_logs(tab, server, f"source={service}")
    send(sender, service, {"message": "Jane Doe", "isPii": True}, {"message": "public"})
    expect(tab.locator(ROWS)).to_have_count(2)
    assert tab.locator(f"{ROWS} .pii").count() == 1
