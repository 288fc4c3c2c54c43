"""How long the server's list takes to answer, over real HTTP, with a hundred thousand events behind it.

The store is filled through its own write path; each answer is read whole by a client in this process, on a
connection that stays open, so a figure holds the query, the JSON and the way there and back.
Run it by `python -m benchmarks.server_list [events]`. Fails if the median of any filter reaches 100 ms.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import httpx

from replaystack_server.receiving.intake import describe
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack_server.store import IncomingEvent, Store

TARGET_MS = 100.0
ROUNDS = 15
BATCH = 2000
DAY_MS = 24 * 3600 * 1000
WORDS = "card gateway stock voucher address courier refund invoice basket price limit login".split()  # noqa: SIM905 - reads well
SERVICES = ("shop", "payments", "catalog", "search", "mail")


def events(count: int, now_ms: int) -> Iterator[IncomingEvent]:
    """Yield events of one day, some 2 kB each: 1 in 20 failed, 1 in 1000 with a rare word."""
    chance = random.Random(7)  # noqa: S311 - the same events in each run
    for number in range(count):
        is_failed = chance.random() < 0.05
        words = " ".join(chance.choices(WORDS, k=6))
        rare = " zeppelin" if number % 1000 == 0 else ""
        event: dict[str, Any] = {
            "traceId": uuid.UUID(int=chance.getrandbits(128)).hex,
            "eventType": "api",
            "status": "failed" if is_failed else "success",
            "method": chance.choice(("GET", "GET", "POST")),
            "endpoint": f"/{chance.choice(('orders', 'products', 'carts'))}/{chance.randrange(5000)}",
            "statusCode": 500 if is_failed else 200,
            "executionTimeMs": chance.randrange(2000),
            "errorName": "PaymentError" if is_failed else None,
            "errorMessage": f"could not do: {words}{rare}" if is_failed or rare else None,
            "serviceName": chance.choice(SERVICES),
            "environment": "production",
            "requestPayload": {"note": words, "items": [{"sku": chance.randrange(10**6)} for _ in range(40)]},
            "metadata": {"tags": [chance.choice(WORDS)]},
        }
        occurred = now_ms - DAY_MS + number * DAY_MS // count
        yield describe(json.dumps(event).encode(), str(uuid.uuid4()), occurred)


def fill(store: Store, count: int) -> float:
    """Store `count` events; return the seconds that it took."""
    started = time.perf_counter()
    batch: list[IncomingEvent] = []
    for event in events(count, time.time_ns() // 1_000_000):
        batch.append(event)
        if len(batch) == BATCH:
            store.add(batch).result()
            batch = []
    if batch:
        store.add(batch).result()
    return time.perf_counter() - started


def deep_cursor(client: httpx.Client, pages: int) -> str:
    """Return the cursor behind that many pages."""
    cursor = ""
    for _ in range(pages):
        cursor = client.get("/api/v1/events", params={"limit": 100, "cursor": cursor}).json()["data"]["older"]
    return cursor


def measure(client: httpx.Client, path: str, parameters: dict[str, str]) -> tuple[float, float, int]:
    """Return the median and the largest of some answers in milliseconds, and the rows of one."""
    times: list[float] = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        answer = client.get(path, params=parameters)
        times.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.text
    rows = (
        len(answer.json()["data"]["events"]) if path.startswith("/api/") else answer.text.count("<tr class")
    )
    return statistics.median(times), max(times), rows


def main() -> int:
    """Fill, measure, print; 1 if a median missed the target."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with running_server() as server:
        seconds = fill(server.service.store, count)
        size = server.database.stat().st_size / 1e6
        print(f"{count} events in {seconds:.1f} s ({count / seconds:.0f}/s), {size:.0f} MB")
        hour_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 12 * 3600))
        headers = {"authorization": f"Bearer {server.token}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
            cases: dict[str, dict[str, str]] = {
                "newest": {},
                "failed": {"status": "failed"},
                "one service": {"service": "payments"},
                "service and failed": {"service": "payments", "status": "failed"},
                "path, common": {"path": "/orders"},
                "path, rare": {"path": "/orders/77"},
                "path, common, failed": {"path": "/orders", "status": "failed"},
                "method": {"method": "POST"},
                "up to 12 hours ago": {"to": hour_ago},
                "text, common": {"q": "production"},
                "text, common beginning": {"q": "pr"},
                "text, rare": {"q": "zeppelin"},
                "text, none": {"q": "zeppelin submarine"},
                "text, two words": {"q": "payment gateway"},
                "text, common, failed": {"q": "production", "status": "failed"},
                "text, common, rare path": {"q": "production", "path": "/orders/77"},
                "deep cursor": {"cursor": deep_cursor(client, min(500, count // 200))},
            }
            print(f"{'list of 100, JSON':<28}{'median ms':>10}{'max ms':>10}{'rows':>6}")
            worst = 0.0
            for name, parameters in cases.items():
                median, most, rows = measure(client, "/api/v1/events", {"limit": "100", **parameters})
                worst = max(worst, median)
                print(f"{name:<28}{median:>10.1f}{most:>10.1f}{rows:>6}", flush=True)
            median, most, rows = measure(client, "/", {})
            worst = max(worst, median)
            print(f"{'the page itself, HTML':<28}{median:>10.1f}{most:>10.1f}{rows:>6}")
    print(f"worst median {worst:.1f} ms, target below {TARGET_MS:.0f} ms")
    return 0 if worst < TARGET_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
