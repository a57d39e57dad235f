"""Server processes."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from rooms.admin.configuration import differences
from rooms.admin.shared import Inspection, number_of
from rooms.models import Peer, Worker


@admin.register(Worker)
class WorkerAdmin(Inspection):
    list_display = ["id", "is_alive", "last_seen", "dead_at", "people"]
    ordering = ["-last_seen"]
    search_fields = ["id"]
    fields = ["id", "is_alive", "last_seen", "dead_at", "people"]
    readonly_fields = ["is_alive", "people"]
    shown_to = {"people": "peer"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        connected = Peer.objects.filter(state=Peer.State.CONNECTED)
        return super().get_queryset(request).annotate(number=number_of(connected, "worker"))

    def get_urls(self) -> list[Any]:
        page = path("configuration/", self.admin_site.admin_view(self.configuration), name="rooms_worker_configuration")
        return [page, *super().get_urls()]

    def configuration(self, request: HttpRequest) -> HttpResponse:
        """The settings of the process that answers, as far as they are other than by default."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Configuration",
            "opts": self.opts,
            "differences": differences(),
        }
        return TemplateResponse(request, "admin/rooms/worker/configuration.html", context)

    @admin.display(description="alive", boolean=True)
    def is_alive(self, worker: Worker) -> bool:
        # As others will see it, who may not have looked yet.
        return worker.dead_at is None and timezone.now() - worker.last_seen < timedelta(seconds=settings.LEASE_TTL)

    @admin.display(description="connected peers", ordering="number")
    def people(self, worker: Any) -> int:
        return int(worker.number)
