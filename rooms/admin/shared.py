"""What the pages share: rows are looked at, and shown as text."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from rooms.models import Peer, Room, Session
from rooms.operations.engine.calls import Author

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


SHOWN_PEERS = 100
"""How many peers the page of a session lists by itself."""

SHOWN_CHARS = 80
"""How much of a value a list shows."""

SEARCH_CHARS = 200
"""How much of what is searched for is looked at."""

WAYS = {"", "exact", "gte", "lt", "isnull"}
WAYS_OF_OTHERS = {"id__exact", "isnull"}
"""How the filters of lists compare, and other rows; of the many that Django has some fail on what they cannot read."""


def may_view(request: HttpRequest, kind: str) -> bool:
    """Whether somebody may view rows of a kind, or change them, which includes it."""
    return any(request.user.has_perm(f"rooms.{right}_{kind}") for right in ("view", "change"))


def may_act(request: HttpRequest) -> bool:
    """Whether somebody may act in live sessions."""
    return bool(request.user.has_perm("rooms.change_session"))


def may_manage(request: HttpRequest) -> bool:
    """Whether somebody may change rooms and their codes."""
    return bool(request.user.has_perm("rooms.change_room"))


def author(request: HttpRequest) -> Author:
    """Whose act it is that a request asks for."""
    return Author(request.user.get_username(), "admin")


class Pages(ModelAdmin):
    """Pages that refuse, or pass over, what Django's fail on; no page sends it.

    ``shown_to`` names, for what stands on these pages of other rows (columns, fields, filters, what is searched, what
    links filter by), the kind of these rows, or several kinds with spaces between.
    ``linked`` are the filters that stand in links of other pages alone.
    """

    shown_to: Mapping[Any, str] = {}
    linked: Sequence[str] = ()

    def _shown(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        """Those of the names that are shown in this request."""
        return [name for name in names if all(may_view(request, kind) for kind in self.shown_to.get(name, "").split())]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether a list may be filtered so: else what no page shows is found letter by letter."""
        filters: Any = self.get_list_filter(request)
        names = [name if isinstance(name, str) else name.parameter_name for name in filters]
        name, _, way = lookup.partition("__")
        others = {field.name for field in self.opts.get_fields() if field.is_relation}
        known = name in names and way in (WAYS_OF_OTHERS if name in others else WAYS)
        known = known or lookup in self._shown(request, self.linked)
        return known and super().lookup_allowed(lookup, value, request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        # By a field without a name nothing is looked for.
        return super().get_object(request, object_id, from_field or None)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        for given in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.clean(given, None)
            except ValidationError:
                raise BadRequest(f"{given[:SHOWN_CHARS]}: no id") from None
        return super().response_action(request, queryset, *args, **kwargs)


class Inspection(Pages):
    """Pages to look at rows, never to change them."""

    list_per_page = 50
    # It counts the whole table each time.
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self._shown(request, super().get_fields(request, obj))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._shown(request, super().get_list_display(request))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return self._shown(request, super().get_list_filter(request))

    def get_search_fields(self, request: HttpRequest) -> list[Any]:
        return self._shown(request, super().get_search_fields(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Each word is a condition of its own, and databases take only so many."""
        return super().get_search_results(request, queryset, search_term[:SEARCH_CHARS])

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may do what is declared with ``permissions=["act"]``."""
        return may_act(request)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Who may do what is declared with ``permissions=["manage"]``."""
        return may_manage(request)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Who may do what is declared with ``permissions=["remove"]``."""
        return bool(request.user.has_perm("rooms.delete_room"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list. What somebody asks for who may not have it is refused, where Django would pass over it."""
        asked = request.POST.get("action")
        if asked and asked not in self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_act"] = self.has_act_permission(request)
        context["may_manage"] = self.has_manage_permission(request)
        context["may_remove"] = self.has_remove_permission(request)
        context["may_view_sessions"] = may_view(request, "session")
        return super().render_change_form(request, context, *args, **kwargs)


class LiveFilter(admin.SimpleListFilter):
    """Rooms with somebody in them, or sessions that are not over."""

    title = "live"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        live = Session.objects.filter(ended_at=None).values("room" if queryset.model is Room else "pk")
        if self.value() == "yes":
            return queryset.filter(pk__in=live)
        return queryset.exclude(pk__in=live) if self.value() == "no" else queryset


def number_of(rows: QuerySet[Any], by: str) -> Coalesce:
    """How many of the rows name each outer row in that field."""
    # A subquery: joins of several such counts would multiply each other. An order would split the groups.
    counted = rows.filter(**{by: OuterRef("pk")}).order_by().values(by).annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), 0)


def present() -> QuerySet[Peer]:
    """Peers that are in a session, those whose connection is just lost included."""
    return Peer.objects.filter(session__ended_at=None).exclude(state=Peer.State.LEFT)


def link(row: Model, text: object = None) -> str:
    """A link to the page of a row."""
    url = reverse(f"admin:rooms_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, row if text is None else text)


def brief(text: object) -> str:
    """What is long and seldom read, such as an id: its beginning, and all of it where one points at it."""
    return format_html('<span class="brief" title="{0}">{0}</span>', text)


def isolated(text: object) -> str:
    """Text that others typed, whose direction of writing changes nothing around it."""
    return format_html("<bdi>{}</bdi>", text)


def visible(text: str) -> str:
    """A key or another name that an app chose, where it has white space that nobody would see in quotation marks."""
    return text if text == text.strip() and text.isprintable() else repr(text).replace(" ", "␣")


def list_link(model: type[Model], text: object, **filters: str) -> str:
    """A link to the list of a model's rows, filtered."""
    url = reverse(f"admin:rooms_{model._meta.model_name}_changelist", query=filters)
    return format_html('<a href="{}">{}</a>', url, text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table within a page."""
    body = [(format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows]
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", body),
    )


def written(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "-"


def lasting(start: datetime, end: datetime | None) -> str:
    """``h:mm:ss`` from start to end, or until now."""
    return str(timedelta(seconds=int(((end or timezone.now()) - start).total_seconds())))


def shortened(text: str | None) -> str:
    """The beginning of a value's JSON text."""
    if text is None:
        return "(removed)"
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"


def indented(text: str | None) -> str:
    """A value's JSON text over several lines."""
    if text is None:
        return "(removed)"
    return format_html('<pre tabindex="0">{}</pre>', in_lines(text))


def in_lines(text: str) -> str:
    """JSON text as people read and write it."""
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
