from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect
from tests.server.samples import an_event, hostile_event

from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from replaystack_server.testing import RunningServer

pytestmark = pytest.mark.browser

BULK = "/api/v1/ingest/bulk-events"
ROWS = "#rows tr"


def send(server: RunningServer, *events: dict[str, Any]) -> list[str]:
    """Send events; return their ids."""
    answer = httpx.post(
        server.url + BULK, json={"events": events}, headers={"x-replaystack-api-key": server.key}
    )
    assert answer.json()["data"]["accepted"] == len(events)
    return [event["metadata"]["replaystack"]["eventId"] for event in events]


def open_list(tab: Page, server: RunningServer, query: str) -> None:
    """Open the list under filters and wait until it is live."""
    tab.goto(f"{server.url}/?{query}")
    expect(tab.locator("#live")).to_have_attribute("data-state", "on")


def paths(tab: Page) -> list[str]:
    """Return the paths that the rows show."""
    return [text.strip() for text in tab.locator(f"{ROWS} .c-path").all_inner_texts()]


class TestLive:
    """New events, while someone is looking."""

    def test_they_appear_by_themselves(
        self, tab: Page, server: RunningServer, service: str, complaints: list[str]
    ) -> None:
        """An event is on the page soon after it was sent, without a reload; the filters hold."""
        open_list(tab, server, f"service={service}&status=failed")
        expect(tab.get_by_text("No event matches")).to_be_visible()
        tab.evaluate("window.sameDocument = true")
        send(
            server,
            an_event(serviceName=service, endpoint="/no"),
            an_event(serviceName="other", endpoint="/no", status="failed"),
            an_event(serviceName=service, endpoint="/first", status="failed"),
        )
        expect(tab.locator(ROWS)).to_have_count(1)
        send(server, an_event(serviceName=service, endpoint="/second", status="failed"))
        expect(tab.locator(ROWS)).to_have_count(2)
        assert paths(tab) == ["/second", "/first"]
        assert tab.evaluate("window.sameDocument")
        assert complaints == []

    def test_nothing_moves_under_the_eyes_of_a_reader(
        self, tab: Page, server: RunningServer, service: str
    ) -> None:
        """While a row is chosen or the page is scrolled, new events wait behind a button that counts them."""
        send(server, *(an_event(serviceName=service, endpoint=f"/{n}") for n in range(60)))
        open_list(tab, server, f"service={service}")
        tab.mouse.wheel(0, 700)
        tab.wait_for_function("window.scrollY > 300")
        row = tab.locator(f"{ROWS} >> nth=30")
        before = row.bounding_box()
        send(
            server,
            an_event(serviceName=service, endpoint="/new-1"),
            an_event(serviceName=service, endpoint="/new-2"),
        )
        button = tab.get_by_role("button", name="Show 2 new events")
        expect(button).to_be_visible()
        assert row.bounding_box() == before
        assert tab.locator(ROWS).count() == 60
        button.click()
        expect(tab.locator(ROWS)).to_have_count(62)
        assert paths(tab)[:3] == ["/new-2", "/new-1", "/59"]
        expect(button).to_be_hidden()
        tab.wait_for_function("window.scrollY === 0")

    def test_the_chosen_row_stays_chosen(self, tab: Page, server: RunningServer, service: str) -> None:
        """Letting new rows in keeps the keyboard where it is."""
        send(server, *(an_event(serviceName=service, endpoint=f"/{n}") for n in range(3)))
        open_list(tab, server, f"service={service}")
        for _ in range(2):
            tab.keyboard.press("j")
        expect(tab.locator(f"{ROWS} a:focus")).to_have_text("/1")
        send(server, an_event(serviceName=service, endpoint="/new"))
        expect(tab.get_by_role("button", name="Show 1 new event")).to_be_visible()
        tab.keyboard.press("n")
        expect(tab.locator(ROWS)).to_have_count(4)
        expect(tab.locator(f"{ROWS} a:focus")).to_have_text("/1")

    def test_an_older_page_stays_as_it_is(self, tab: Page, server: RunningServer, service: str) -> None:
        """What is new is offered, and leads to the newest page."""
        send(server, *(an_event(serviceName=service, endpoint=f"/{n}") for n in range(90)))
        send(server, *(an_event(serviceName=service, endpoint=f"/{n}") for n in range(90, 120)))
        open_list(tab, server, f"service={service}")
        tab.get_by_role("link", name="Older →").click()
        expect(tab.locator("#live")).to_have_attribute("data-state", "on")
        assert tab.locator(ROWS).count() == 20
        send(server, an_event(serviceName=service, endpoint="/new"))
        tab.get_by_role("button", name="1 new event: to the newest").click()
        expect(tab.locator(f"{ROWS} a >> nth=0")).to_have_text("/new")

    def test_a_hundred_rows_stay_a_hundred(self, tab: Page, server: RunningServer, service: str) -> None:
        """Rows that come push others to the next page, and the link to it follows."""
        send(server, *(an_event(serviceName=service, endpoint=f"/{n}") for n in range(100)))
        open_list(tab, server, f"service={service}")
        assert tab.get_by_role("link", name="Older →").count() == 0
        send(server, an_event(serviceName=service, endpoint="/new"))
        expect(tab.locator(f"{ROWS} a >> nth=0")).to_have_text("/new")
        assert tab.locator(ROWS).count() == 100
        tab.get_by_role("link", name="Older →").click()
        expect(tab.locator(ROWS)).to_have_count(1)
        assert paths(tab) == ["/0"]

    def test_a_server_that_goes_away_is_told(self, browser: Browser) -> None:
        """The light says that the page is not live any more."""
        context = browser.new_context()
        with running_server() as server:
            page = context.new_page()
            page.goto(server.login_url)
            expect(page.locator("#live")).to_have_attribute("data-state", "on")
        expect(page.locator("#live")).not_to_have_attribute("data-state", "on")
        context.close()


class TestKeys:
    """Without a mouse."""

    def test_a_row_is_chosen_opened_and_left(self, tab: Page, server: RunningServer, service: str) -> None:
        """Letters move, Enter opens, Enter opens, Esc leads back to the same list."""
        send(server, *(an_event(serviceName=service, endpoint=f"/{n}") for n in range(3)))
        open_list(tab, server, f"service={service}")
        for key, chosen in (("j", "/2"), ("j", "/1"), ("j", "/0"), ("j", "/0"), ("k", "/1")):
            tab.keyboard.press(key)
            expect(tab.locator(f"{ROWS} a:focus")).to_have_text(chosen)
        tab.keyboard.press("Enter")
        expect(tab.locator("h1")).to_contain_text("/1")
        expect(tab.locator("#keys")).to_be_visible()  # now the page listens to keys
        tab.keyboard.press("Escape")
        expect(tab.locator(ROWS)).to_have_count(3)
        assert f"service={service}" in tab.url

    def test_the_slash_goes_to_the_search(self, tab: Page, server: RunningServer, service: str) -> None:
        """And letters typed there are letters, not commands."""
        send(
            server,
            an_event(serviceName=service, endpoint="/jk"),
            an_event(serviceName=service, endpoint="/other"),
        )
        open_list(tab, server, f"service={service}")
        tab.keyboard.press("/")
        expect(tab.locator("#search")).to_be_focused()
        tab.keyboard.type("jk")
        tab.keyboard.press("Enter")
        expect(tab.locator(ROWS)).to_have_count(1)
        assert "q=jk" in tab.url
        assert "path=" not in tab.url  # empty fields stay out of the address

    def test_a_click_anywhere_on_a_row_opens_it(self, tab: Page, server: RunningServer, service: str) -> None:
        """Not on its path alone."""
        send(server, an_event(serviceName=service, endpoint="/wide", errorMessage="far to the right"))
        open_list(tab, server, f"service={service}")
        place = tab.get_by_text("far to the right").bounding_box()
        assert place is not None
        tab.mouse.click(place["x"] + 5, place["y"] + 5)
        expect(tab.locator("h1")).to_contain_text("/wide")


class TestHostile:
    """Events that attack whoever looks at them."""

    @pytest.mark.parametrize("where", ["list", "live", "event"])
    def test_nothing_of_an_event_runs(
        self, tab: Page, server: RunningServer, service: str, complaints: list[str], where: str
    ) -> None:
        """No dialog opens, no element is added, and the policy has nothing to block."""
        if where == "live":
            open_list(tab, server, f"service={service}")
        (event_id,) = send(server, hostile_event(service))
        if where == "list":
            open_list(tab, server, f"service={service}")
        if where == "event":
            tab.goto(f"{server.url}/events/{event_id}")
        expect(tab.get_by_text("<img src=x onerror=alert(2)>").first).to_be_visible()
        assert tab.locator("main img, main svg, main script").count() == 0
        assert tab.locator("script").count() == 1
        assert complaints == []


class TestPages:
    """What a browser makes of them."""

    def test_an_event_can_be_copied_as_curl(
        self, tab: Page, server: RunningServer, complaints: list[str]
    ) -> None:
        """One click puts the whole command on the clipboard, placeholders included."""
        event = an_event(requestUrl="https://shop.example/x", requestHeaders={"authorization": "[MASKED]"})
        (event_id,) = send(server, event)
        tab.goto(f"{server.url}/events/{event_id}")
        button = tab.get_by_role("button", name="Copy the request as curl")
        button.click()
        expect(button).to_have_text("Copied")
        copied = tab.evaluate("navigator.clipboard.readText()")
        assert copied == tab.locator("#curl").text_content()
        assert "--header 'authorization: [MASKED]'" in copied
        assert complaints == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_can_be_read_in_light_and_dark(
        self, browser: Browser, server: RunningServer, service: str, scheme: Any
    ) -> None:
        """The contrast of every text on both pages is at least 4.5 to 1 (WCAG AA)."""
        frames = [
            {"functionName": "f", "fileName": f"/x/{part}", "lineNumber": 1}
            for part in ("site-packages/a.py", "b.py")
        ]
        event = an_event(
            serviceName=service,
            status="failed",
            errorName="E",
            errorMessage="m",
            stackTrace="t",
            stackFrames=frames,
            requestPayload={"a": [1, "[MASKED]", None, True, {"__omitted": True}]},
            logs=[{"level": level, "message": "m"} for level in ("debug", "info", "warning", "error")],
        )
        others = [
            an_event(serviceName=service, status=status) for status in ("warning", "success", "pending")
        ]
        event_id, *_ = send(server, event, *others)
        context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
        page = context.new_page()
        page.goto(server.login_url)
        for path in (f"/?service={service}", "/?q=nothing", f"/events/{event_id}", "/login"):
            page.goto(server.url + path)
            too_weak = page.evaluate(CONTRAST)
            assert too_weak == [], (path, too_weak)
        context.close()

    def test_everything_can_be_read_without_scripts(
        self, browser: Browser, server: RunningServer, service: str
    ) -> None:
        """Signing in, filtering, opening an event and going back work without JavaScript."""
        (event_id, _) = send(
            server,
            an_event(serviceName=service, endpoint="/wanted", requestPayload={"a": "value"}),
            an_event(serviceName=service, endpoint="/other"),
        )
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{server.url}/?service={service}")
        page.get_by_label("Token").fill(server.token)
        page.get_by_role("button", name="Sign in").click()
        assert f"service={service}" in page.url
        page.get_by_label(re.compile("Search")).fill("wanted")
        page.get_by_role("button", name="Apply").click()
        assert page.locator(ROWS).count() == 1
        page.get_by_role("link", name="/wanted").click()
        assert page.url == f"{server.url}/events/{event_id}"
        assert '"value"' in page.inner_text("#request-body")
        assert page.locator("button.copy:visible").count() == 0
        page.get_by_role("link", name="← Events").click()
        page.get_by_role("button", name="Sign out").click()
        assert page.get_by_label("Token").is_visible()
        context.close()

    def test_the_session_is_out_of_reach_for_scripts(self, tab: Page, context: BrowserContext) -> None:
        """The cookie is HttpOnly and stays on this site."""
        (cookie,) = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert tab.evaluate("document.cookie") == ""

    def test_a_page_elsewhere_gets_nothing(
        self, tab: Page, context: BrowserContext, server: RunningServer
    ) -> None:
        """Another port of the same machine shares the cookie, but can neither read nor sign out."""
        elsewhere = "http://127.0.0.1:9/"
        form = f'<form method="post" action="{server.url}/logout"><button>Win a prize</button></form>'
        context.route(elsewhere, lambda route: route.fulfill(body=form, content_type="text/html"))
        stranger = context.new_page()
        stranger.goto(elsewhere)
        url = f"{server.url}/api/v1/events"
        read = (
            "url => fetch(url, {credentials: 'include'}).then(answer => answer.status, error => error.name)"
        )
        assert stranger.evaluate(read, url) == "TypeError"
        with stranger.expect_response(f"{server.url}/logout") as refused:
            stranger.get_by_role("button").click()
        assert refused.value.status == 403
        tab.goto(server.url)
        assert tab.get_by_role("button", name="Sign out").is_visible()


CONTRAST = """() => {
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const channel = (value) => linear(value / 255);
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const over = (top, a, under) => top.map((value, i) => value * a + under[i] * (1 - a));
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("").trim();
    if (!text || !element.checkVisibility() || element.closest(".hidden, .skip, option, script")) continue;
    const layers = [];
    let opacity = 1;
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      layers.unshift(parse(style.backgroundColor));
      opacity *= Number(style.opacity);
    }
    let under = [255, 255, 255];
    for (const layer of layers) under = over(layer.rgb, layer.a, under);
    const ink = parse(getComputedStyle(element).color);
    const [a, b] = [light(over(ink.rgb, ink.a * opacity, under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const name = `${element.tagName}.${element.className} ${text.slice(0, 20)}`;
    if (ratio < 4.5) weak.push(`${name}: ${ratio.toFixed(2)}`);
  }
  return weak;
}"""
