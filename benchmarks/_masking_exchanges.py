"""Whole exchanges as an adapter hands them over: 27 header fields, a URL with a query, two JSON bodies."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import Any

from benchmarks._masking_corpus import Document, documents

from replaystack.exchange import RawBody, RawHeaders

__all__ = ["Sample", "exchanges"]

REQUEST_BYTES = 1000
RESPONSE_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Sample:
    """One exchange, and what is known of it."""

    event: dict[str, Any]
    bodies: tuple[bytes, bytes]
    secrets: tuple[str, ...]
    safe: tuple[str, ...]


@functools.cache
def exchanges(count: int, seed: int = 5) -> tuple[Sample, ...]:
    """Return that many different exchanges."""
    chance = random.Random(seed)  # noqa: S311 - the same corpus in each run
    asked = documents(count, REQUEST_BYTES)
    answered = documents(count, RESPONSE_BYTES)
    return tuple(_sample(chance, *pair) for pair in zip(asked, answered, strict=True))


def _sample(chance: random.Random, asked: Document, answered: Document) -> Sample:
    cookie, bearer, signature = (f"x{chance.getrandbits(88):022x}" for _ in range(3))
    trace = f"{chance.getrandbits(128):032x}"
    path = f"/api/v2/orders/{chance.randrange(10**5)}"
    query = f"expand=items&page={chance.randrange(90)}&q=oak%20table&api_key={signature}"
    version = chance.randrange(90, 140)
    agent = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{version}.0 Safari/537.36"
    request = {
        "Host": "shop.example",
        "User-Agent": agent,
        "Accept": "application/json, text/plain, */*",
        "Accept-Language": chance.choice(("en-GB,en;q=0.8", "de-DE,de;q=0.9,en;q=0.7", "pt-PT")),
        "Accept-Encoding": "gzip, deflate, br",
        "Content-Type": "application/json",
        "Content-Length": str(len(asked.raw)),
        "Authorization": f"Bearer {bearer}",
        "Cookie": f"session={cookie}; theme=dark; _ga=GA1.2.{chance.randrange(10**9)}",
        "Origin": "https://shop.example",
        "Referer": f"https://shop.example/cart?step={chance.randrange(5)}",
        "X-Request-Id": trace,
        "X-Forwarded-For": f"203.0.113.{chance.randrange(256)}, 10.0.0.{chance.randrange(256)}",
        "X-Forwarded-Proto": "https",
        "Traceparent": f"00-{trace}-{chance.getrandbits(64):016x}-01",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "same-origin",
        "Cache-Control": "no-cache",
        "Idempotency-Key": f"order-{chance.randrange(10**9)}",
        "Connection": "keep-alive",
    }
    response = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(answered.raw)),
        "Date": f"Fri, 20 Nov 2026 10:{chance.randrange(60):02d}:{chance.randrange(60):02d} GMT",
        "Server": "uvicorn",
        "ETag": f'W/"{chance.getrandbits(64):x}"',
        "Vary": "Accept, Origin",
        "X-Response-Time": f"{chance.random() * 90:.1f}ms",
    }
    event: dict[str, Any] = {
        "traceId": trace,
        "eventType": "api",
        "status": "success",
        "method": "POST",
        "endpoint": path,
        "requestUrl": f"https://shop.example{path}?{query}",
        "authMode": "bearer",
        "authScheme": "Bearer",
        "requestHeaders": _raw(request),
        "requestPayload": RawBody(asked.raw, "application/json", total_bytes=len(asked.raw)),
        "responseHeaders": _raw(response),
        "responsePayload": RawBody(
            answered.raw, "application/json; charset=utf-8", total_bytes=len(answered.raw)
        ),
        "statusCode": 201,
        "executionTimeMs": chance.randrange(300),
        "breadcrumbs": [],
        "sourceIp": f"203.0.113.{chance.randrange(256)}",
        "userAgent": agent,
        "serviceName": "shop",
        "environment": "production",
        "appVersion": "4.2.1",
        "metadata": {
            "replaystack": {
                "eventId": f"{trace[:8]}-{trace[8:12]}-4{trace[13:16]}-a{trace[17:20]}-{trace[20:]}",
                "timestamp": "2026-11-20T10:15:30.123Z",
                "route": "/api/v2/orders/{order_id}",
                "process": f"{chance.getrandbits(64):016x}",
                "sequence": chance.randrange(10**6),
                "bodies": {
                    "request": {"capturedBytes": len(asked.raw), "totalBytes": len(asked.raw)},
                    "response": {"capturedBytes": len(answered.raw), "totalBytes": len(answered.raw)},
                },
            }
        },
    }
    secrets = (*asked.secrets, *answered.secrets, cookie, bearer, signature)
    return Sample(
        event, (asked.raw, answered.raw), secrets, (*asked.safe, *answered.safe, trace, path, agent)
    )


def _raw(headers: dict[str, str]) -> RawHeaders:
    return RawHeaders(tuple((name.lower().encode(), value.encode()) for name, value in headers.items()))
