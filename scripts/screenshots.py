"""Take the pictures of docs/images from the demo's own data, in headless Chromium.

Run `make screenshots`; needs Chromium on PATH (Debian: chromium) and takes about 20 s.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
DEADLINE_SECONDS = 60.0

NEUTRAL_PATHS = """places => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (texts.nextNode())
        for (const [here, anywhere] of places)
            texts.currentNode.data = texts.currentNode.data.replaceAll(here, anywhere)
}"""
"""Frames name files: a picture shows where they would be anywhere, not where they are here."""
PLACES = [[str(ROOT), "/srv/shop"], [sys.base_prefix, "/usr"]]


def wait_for_links(demo: subprocess.Popen[str]) -> tuple[str, str]:
    """Return the links to sign in and to the failing request, which the demo prints at its end."""
    if demo.stdout is None:
        raise SystemExit("the demo has no output")
    deadline = time.monotonic() + DEADLINE_SECONDS
    login = ""
    for line in demo.stdout:
        for word in line.split():
            if "/login?token=" in word:
                login = word
            elif login and "/events/" in word:
                return login, word
        if time.monotonic() > deadline:
            break
    raise SystemExit("the demo printed no login link")


def picture(page: Page, url: str, name: str) -> None:
    """Take the whole page behind `url`."""
    page.goto(url)
    page.wait_for_load_state()
    page.evaluate(NEUTRAL_PATHS, PLACES)
    page.screenshot(path=IMAGES / f"{name}.png", full_page=True)


def main() -> None:
    """Run the demo, take each page in light and dark, end the demo."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium on PATH")
    IMAGES.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "DEMO_ONCE"}
    demo = subprocess.Popen(
        [sys.executable, "-u", "-m", "examples.shop.demo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        login, failing = wait_for_links(demo)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    color_scheme=scheme,
                    viewport={"width": 1280, "height": 860},
                )
                page = context.new_page()
                page.goto(login)
                page.wait_for_load_state()
                page.screenshot(path=IMAGES / f"list-{scheme}.png")
                picture(page, failing, f"detail-{scheme}")
                picture(page, urljoin(login, "/logs"), f"logs-{scheme}")
                page.goto(urljoin(login, "/flows"))
                page.locator("main a[href^='/flows/']").first.click()
                picture(page, page.url, f"flow-{scheme}")
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(30)
    print(f"wrote {len(list(IMAGES.glob('*.png')))} pictures to {IMAGES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
