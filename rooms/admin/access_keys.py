"""Access keys: made, and revoked."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from rooms.access import keys
from rooms.access.sealing import unseal
from rooms.admin.actions import confirmation, show_secrets
from rooms.admin.editing import Editing
from rooms.admin.shared import Inspection, author
from rooms.models import AccessKey


@admin.register(AccessKey)
class AccessKeyAdmin(Editing, Inspection):
    """Beside these there is the pair of the environment, which is not stored."""

    list_display = ["name", "access_key", "is_good", "created_at", "last_used_at", "revoked_at"]
    ordering = ["-created_at"]
    search_fields = ["name", "access_key"]
    fields = ["name", "access_key", "created_at", "last_used_at", "revoked_at"]
    readonly_fields = ["access_key", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("rooms.add_accesskey"))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may do what is declared with ``permissions=["revoke"]``."""
        return bool(request.user.has_perm("rooms.change_accesskey"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_revoke"] = self.has_revoke_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return super().get_fields(request, obj) if obj else ["name"]

    def save_model(self, request: HttpRequest, row: AccessKey, form: Any, change: Any) -> None:
        keys.give_secret(row)
        keys.store(row, author=author(request))

    def response_add(self, request: HttpRequest, obj: AccessKey, *args: Any, **kwargs: Any) -> HttpResponse:
        return show_secrets(self, request, [(f"{obj.name}: {obj.access_key}", unseal(obj.secret))])

    @admin.display(description="good", boolean=True, ordering="revoked_at")
    def is_good(self, row: AccessKey) -> bool:
        return row.revoked_at is None

    @admin.action(description="Revoke selected keys…", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[AccessKey]) -> HttpResponse | None:
        rows = [(row.name, row.access_key) for row in chosen]
        if question := confirmation(
            self, request, chosen, rows, title="Revoke the keys?", answer="Yes, revoke them",
            what="Tokens that were signed with them are good no longer, and who came with such a token is sent away.",
        ):  # fmt: skip
            return question
        for row in chosen:
            keys.revoke(row, author=author(request))
            self.log_change(request, row, "revoked")
            self.message_user(request, f"“{row.name}” is revoked.", messages.SUCCESS)
        return None
