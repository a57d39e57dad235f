"""Webhooks: where back ends are told what happens, and what became of each telling."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from rooms.access.sealing import Unreadable
from rooms.admin.actions import confirmation, show_secrets
from rooms.admin.editing import Editing, SeenForm
from rooms.admin.fields import Lines
from rooms.admin.shared import Inspection, author, brief, indented, link, list_link, written
from rooms.models import WebhookDelivery, WebhookEndpoint
from rooms.operations.engine.calls import Author
from rooms.operations.engine.gate import acting
from rooms.webhooks import endpoints, replays
from rooms.webhooks.deliveries import Filters
from rooms.wire.errors import RoomError
from rooms.wire.webhooks import EVENTS, METADATA

MOST_REPLAYED = 100
"""Deliveries that are chosen one by one."""

NOT_AGAIN = "cannot be told again: waiting for a try, a repetition itself, or of an endpoint that is off."

REFUSALS = (RoomError, WebhookEndpoint.DoesNotExist, Unreadable)
"""Why nothing can be done with an endpoint now: others are at work or have removed it, or its secrets are lost."""

FIELDS = ("url", "enabled", "events", "metadata_keys", "metadata_values")


class EndpointForm(SeenForm):
    """An endpoint with the checks of ``manage.py webhook``. Its headers are set there: they are never shown."""

    url = forms.CharField(
        max_length=2000,
        widget=forms.URLInput(attrs={"size": 80}),
        help_text="With another host or port, the headers that are sent there are forgotten",
    )
    events = forms.MultipleChoiceField(
        required=False,
        choices=[(name, name) for name in EVENTS if name != METADATA],
        widget=forms.CheckboxSelectMultiple,
        help_text="None stands for all of them",
    )
    metadata_keys = Lines(
        required=False, help_text="Keys whose changes are told, one on a line; score:* are all that begin so"
    )

    def clean(self) -> None:
        super().clean()
        endpoints.check(**{name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data})


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(Editing, Inspection):
    form = EndpointForm
    list_display = ["brief_id", "url", "whose", "enabled", "created_at"]
    list_filter = ["enabled"]
    list_select_related = ["room"]
    ordering = ["-created_at"]
    search_fields = ["id", "url", "room__name"]
    fields = [*FIELDS, "headers_set", "whose", "created_at", "told", "id"]
    readonly_fields = ["headers_set", "whose", "created_at", "told", "id"]
    actions = ["renew", "drop", "remove"]
    shown_to = {"whose": "room", "room__name": "room", "told": "webhookdelivery"}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return super().get_fields(request, obj) if obj else list(FIELDS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        queryset: QuerySet[WebhookEndpoint] = super().get_queryset(request)
        return queryset.filter(gone=False)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("rooms.add_webhookendpoint"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("rooms.change_webhookendpoint"))

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("rooms.delete_webhookendpoint"))

    def save_model(self, request: HttpRequest, row: WebhookEndpoint, form: EndpointForm, change: Any) -> None:
        if change:
            if form.given:
                endpoints.change(row.pk, author=author(request), look=form.check, **form.given)
            return
        made = endpoints.add(**{name: form.cleaned_data[name] for name in FIELDS}, author=author(request))
        row.pk, row.secrets = made.pk, made.secrets  # what follows tells of the row that was made

    def response_add(self, request: HttpRequest, obj: WebhookEndpoint, *args: Any, **kwargs: Any) -> HttpResponse:
        return show_secrets(self, request, [(obj.url, endpoints.secrets_of(obj)[0])])

    @admin.display(description="id", ordering="id")
    def brief_id(self, endpoint: WebhookEndpoint) -> str:
        return brief(endpoint.pk)

    @admin.display(description="headers")
    def headers_set(self, endpoint: WebhookEndpoint) -> str:
        command = f"manage.py webhook set {endpoint.pk} --header 'NAME: VALUE'"
        return format_html("Shown to nobody, and set by <code>{}</code>", command)

    @admin.display(description="of", ordering="room__name")
    def whose(self, endpoint: WebhookEndpoint) -> str:
        return link(endpoint.room) if endpoint.room else "all rooms"

    @admin.display(description="deliveries")
    def told(self, endpoint: WebhookEndpoint) -> str:
        return list_link(WebhookDelivery, "what it was told", endpoint__id__exact=endpoint.pk)

    @admin.action(description="Sign with another secret too", permissions=["change"])
    def renew(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> HttpResponse | None:
        made = []
        for endpoint in chosen:
            try:
                secret = endpoints.add_secret(endpoint.pk, author=author(request))
            except ValidationError as error:
                self.message_user(request, " ".join(error.messages), messages.ERROR)
            except REFUSALS as error:
                self.message_user(request, f"{endpoint.url}: {error}", messages.ERROR)
            else:
                made.append((endpoint.url, secret))
        return show_secrets(self, request, made) if made else None

    @admin.action(description="Sign with the newest secret alone", permissions=["change"])
    def drop(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen:
            self._act(request, endpoint, endpoints.drop_secrets, "is signed with its newest secret alone.")

    @admin.action(description="Remove selected endpoints…", permissions=["remove"])
    def remove(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> HttpResponse | None:
        rows = [(endpoint.url, endpoint.pk) for endpoint in chosen]
        if question := confirmation(
            self, request, chosen, rows, title="Remove the endpoints?", answer="Yes, remove them",
            what="They are told nothing more, also not what waits, and what they were told is forgotten.",
        ):  # fmt: skip
            return question

        def remove(endpoint_id: str, *, author: Author) -> None:
            with acting():
                # First, for the entry has the endpoint's URL in it.
                self.log_deletions(request, WebhookEndpoint.objects.filter(pk=endpoint_id))
                endpoints.remove(endpoint_id, author=author)

        for endpoint in chosen:
            self._act(request, endpoint, remove, "is told nothing more.")
        return None

    def _act(self, request: HttpRequest, endpoint: WebhookEndpoint, act: Callable[..., object], done: str) -> None:
        """Do something to an endpoint, and tell the administrator what became of it."""
        try:
            act(endpoint.pk, author=author(request))
        except REFUSALS as error:
            self.message_user(request, f"{endpoint.url}: {error}", messages.ERROR)
        else:
            self.message_user(request, f"{endpoint.url} {done}", messages.SUCCESS)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(Inspection):
    """What was told. Whoever may add replays can have it told again, here one by one."""

    list_display = ["event", "name", "where_to", "room", "state", "status", "error", "when"]
    list_select_related = ["endpoint"]
    list_filter = ["state", "name"]
    ordering = ["-at", "-id"]
    search_fields = ["=event_id", "=room_id", "=session_id"]
    search_help_text = "Id of an event, a room or a session"
    linked = ["endpoint__id__exact"]
    actions = ["replay"]
    fields = [
        "event_id", "name", "endpoint_link", "room_id", "session_id", "seq", "state", "attempts", "status", "error",
        "when", "done", "replay_id", "body_text",
    ]  # fmt: skip
    readonly_fields = ["endpoint_link", "when", "done", "replay_id", "body_text"]
    # What is told is of all these: who was in which room, and what was stored there.
    shown_to = {
        **dict.fromkeys(["endpoint_link", "where_to", "endpoint__id__exact"], "webhookendpoint"),
        "body_text": "room session peer metadataentry",
    }

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may do what is declared with ``permissions=["replay"]``."""
        return bool(request.user.has_perm("rooms.add_webhookreplay"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_replay"] = self.has_replay_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description="Tell selected ones again", permissions=["replay"])
    def replay(self, request: HttpRequest, chosen: QuerySet[WebhookDelivery]) -> None:
        rows = list(chosen.select_related(None).only("event_id", "at")[: MOST_REPLAYED + 1])
        if len(rows) > MOST_REPLAYED:
            most = f"At most {MOST_REPLAYED} at once; manage.py webhook replay tells more."
            self.message_user(request, most, messages.ERROR)
            return
        if not rows:
            self.message_user(request, "There is nothing to tell again: it is no longer kept.", messages.WARNING)
            return
        try:
            workflow, is_new = replays.start(Filters.only(rows), author=author(request))
        except RoomError as error:
            self.message_user(request, error.message, messages.ERROR)
            return
        if not is_new:
            self.message_user(request, "They are being told again already.", messages.WARNING)
            return
        for delivery in rows:
            self.log_change(request, delivery, "told again")
        if workflow.total:
            self.message_user(request, f"{workflow.total} of {len(rows)} told again.", messages.SUCCESS)
        if workflow.total < len(rows):
            self.message_user(request, f"{len(rows) - workflow.total} of {len(rows)} {NOT_AGAIN}", messages.WARNING)

    @admin.display(ordering="event_id")
    def event(self, delivery: WebhookDelivery) -> str:
        return brief(delivery.event_id)

    @admin.display(description="endpoint", ordering="endpoint__url")
    def where_to(self, delivery: WebhookDelivery) -> str:
        return link(delivery.endpoint, brief(delivery.endpoint))

    @admin.display(ordering="room_id")
    def room(self, delivery: WebhookDelivery) -> str:
        return brief(delivery.room_id)

    @admin.display(description="endpoint")
    def endpoint_link(self, delivery: WebhookDelivery) -> str:
        return link(delivery.endpoint)

    @admin.display(ordering="at")
    def when(self, delivery: WebhookDelivery) -> str:
        return _moment(delivery.at)

    @admin.display()
    def done(self, delivery: WebhookDelivery) -> str:
        return _moment(delivery.done_at)

    @admin.display(description="what is told")
    def body_text(self, delivery: WebhookDelivery) -> str:
        return indented(delivery.body)


def _moment(at: int | None) -> str:
    return written(None if at is None else datetime.fromtimestamp(at / 1000, UTC))
