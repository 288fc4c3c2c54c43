"""One real server for the folder: tests keep apart by the name of the service that they send as."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx
import pytest

from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page

    from replaystack_server.testing import RunningServer

HANG_GUARD_SECONDS = 30.0


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """Run a server that other tests use at the same time; nothing in it is only yours."""
    with running_server() as running:
        yield running


@pytest.fixture
def service() -> str:
    """Return a service name that no other test uses."""
    return f"service-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def sender(server: RunningServer) -> Iterator[httpx.Client]:
    """Make a client that may send events."""
    headers = {"x-replaystack-api-key": server.key}
    with httpx.Client(base_url=server.url, headers=headers, timeout=HANG_GUARD_SECONDS) as client:
        yield client


@pytest.fixture(scope="session")
def reader(server: RunningServer) -> Iterator[httpx.Client]:
    """Make a client that may read, by token."""
    headers = {"authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=HANG_GUARD_SECONDS) as client:
        yield client


@pytest.fixture(scope="session")
def stranger(server: RunningServer) -> Iterator[httpx.Client]:
    """Make a client without key or token."""
    with httpx.Client(base_url=server.url, timeout=HANG_GUARD_SECONDS) as client:
        yield client


# -- browsers


# Not for the session: while playwright is open, an event loop runs in this thread, and no test
# of another module could call asyncio.run.
@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Start the headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Open a window of its own for each test, with a clipboard."""
    opened = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield opened
    opened.close()


@pytest.fixture
def complaints() -> list[str]:
    """Collect what the browser has to complain about: blocked scripts, errors, dialogs."""
    return []


@pytest.fixture
def tab(context: BrowserContext, server: RunningServer, complaints: list[str]) -> Page:
    """Open a signed-in tab; nothing may be on its console at the end but what a test allows."""
    page = watched_page(context, complaints)
    page.goto(server.login_url)
    return page


def watched_page(context: BrowserContext, complaints: list[str]) -> Page:
    """Open a tab whose complaints are collected."""
    page = context.new_page()

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    def interrupted(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", interrupted)
    return page
