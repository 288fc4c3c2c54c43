"""The back office: a part of the shop on Django, mounted under `/office` in the same process.

Two settings observe it: REPLAYSTACK_CLIENT and the middleware.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import Http404, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

    from replaystack import ReplayStackClient

    from .orders import OrderStore

__all__ = ["build_office", "urlpatterns"]

_STOCK = {"TEA-001": 41, "POT-017": 3}


class AuditError(Exception):
    """The books do not say what they should."""


def build_office(orders: OrderStore, ledger_url: str, client: ReplayStackClient) -> Any:
    """Return the office as a WSGI application. Django has one set of settings: call it once."""
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        MIDDLEWARE=[
            "replaystack_django.ReplayStackDjangoMiddleware",
            "django.middleware.common.CommonMiddleware",
        ],
        REPLAYSTACK_CLIENT=client,
        ROOT_URLCONF=__name__,
        SECRET_KEY="signs nothing in here",  # noqa: S106 - no session, no form of Django's own
        SHOP_LEDGER_URL=ledger_url,
        SHOP_ORDERS=orders,
    )
    django.setup()
    return get_wsgi_application()


def stock(request: HttpRequest, sku: str) -> HttpResponse:  # noqa: ARG001 - a view
    """Say how much of an article there is."""
    if sku not in _STOCK:
        raise Http404(sku)
    return JsonResponse({"sku": sku, "pieces": _STOCK[sku]})


def export(request: HttpRequest) -> StreamingHttpResponse:  # noqa: ARG001 - a view
    """Stream all orders as CSV."""

    def lines() -> Iterator[str]:
        for order in settings.SHOP_ORDERS.search(limit=10_000):
            line = io.StringIO()
            csv.writer(line).writerow([order.id, order.customer, order.total_cents, order.state])
            yield line.getvalue()

    return StreamingHttpResponse(lines(), content_type="text/csv")


@csrf_exempt  # type: ignore[untyped-decorator]  # Django has no types
@require_POST  # type: ignore[untyped-decorator]  # same
def audit(request: HttpRequest) -> HttpResponse:
    """Compare the books, as the auditor who signs with a password. The third bug that is left in."""
    raise AuditError(f"{request.POST['auditor']} found a gap in {settings.SHOP_LEDGER_URL}")


urlpatterns = [
    path("stock/<str:sku>", stock),
    path("orders.csv", export),
    path("audit", audit),
]
