"""``/healthz``, ``/readyz`` and ``/metrics``: for those who run the server."""

import hmac
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from rooms.access import origins
from rooms.models import Worker
from rooms.process import drain, lease


def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 if the process should be sent clients, else 503; ``{database, lease, open}`` says why."""
    good = {
        "database": _database_answers(),
        "lease": lease.lease_age() < settings.LEASE_TTL,
        "open": not drain.under_way(),
    }
    return JsonResponse(good, status=200 if all(good.values()) else 503)


def _database_answers() -> bool:
    try:
        return Worker.objects.exists()
    except (DatabaseError, InterfaceError):
        return False


def metrics(request: HttpRequest) -> HttpResponse:
    """What this process counted, for loopback or the holder of METRICS_TOKEN."""
    if not (_is_local(request) or _has_token(request)):
        return HttpResponse("metrics: only from this machine, or with METRICS_TOKEN\n", status=403)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _is_local(request: HttpRequest) -> bool:
    # A page whose name was made to mean this machine asks under that name.
    own_name = origins.is_own_host(request.headers.get("Host", ""))
    return own_name and origins.is_this_machine(request.headers, request.META.get("REMOTE_ADDR", ""))


def _has_token(request: HttpRequest) -> bool:
    wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(
        request.headers.get("Authorization", "").encode(), wanted
    )


class Probes:
    """Middleware: answers those who look after the server before all else, whatever Host they know it by."""

    VIEWS = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.VIEWS.get(request.path, self.get_response)(request)
