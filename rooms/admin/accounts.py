"""Accounts of the staff and their groups: Django's pages, with each change in the audit."""

from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from rooms.admin.editing import Editing, SeenForm
from rooms.admin.shared import ModelAdmin, author
from rooms.operations.engine.audit import What, record

APPS = ("rooms", "auth")
"""Rights of other applications open no page here; one of them is called as that to act in sessions is."""


class Accounts(Editing):
    """Pages of accounts or of groups. ``words`` are those of the audit for making, changing and deleting."""

    words: tuple[What, What, What]

    def held(self, row: Any) -> dict[str, Any]:
        """What an account or a group may do, for the audit."""
        return {"rights": _rights(row.permissions)}

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # In Django's transaction, for relations are stored after the row.
        return ModelAdmin.changeform_view(self, request, *args, **kwargs)

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, row, form, change)
            return
        form.check(type(row).objects.select_for_update().get(pk=row.pk))
        row.save(update_fields=[name for name in form.given if not row._meta.get_field(name).many_to_many])

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name in ("permissions", "user_permissions"):
            field.queryset = field.queryset.filter(content_type__app_label__in=APPS)
        return field

    # Called by Django within what it stores, whatever page that is of.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        record(author(request), self.words[0], key=str(obj), details=self.held(obj))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        parts = message if isinstance(message, list) else []
        changed = [name for part in parts for name in part.get("changed", {}).get("fields", [])]
        if changed:
            record(author(request), self.words[1], key=str(obj), details={"changed": changed, **self.held(obj)})
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            record(author(request), self.words[2], key=str(row))
        return super().log_deletions(request, queryset)


def _rights(permissions: Any) -> list[str]:
    return sorted(permissions.values_list("codename", flat=True))


# The stubs give Django's classes a parameter, which they do not take when they run.
class AccountForm(SeenForm, UserChangeForm):  # type: ignore[type-arg]
    class Meta(UserChangeForm.Meta):
        pass


admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(Accounts, UserAdmin):  # type: ignore[type-arg]
    form = AccountForm
    readonly_fields = ["last_login", "date_joined"]
    words = ("user.create", "user.change", "user.delete")

    def held(self, row: Any) -> dict[str, Any]:
        may = {name: getattr(row, f"is_{name}") for name in ("active", "staff", "superuser")}
        groups = sorted(row.groups.values_list("name", flat=True))
        return {**may, "groups": groups, "rights": _rights(row.user_permissions)}


@admin.register(Group)
class AccountGroupAdmin(Accounts, GroupAdmin):  # type: ignore[misc]  # they differ in what they call the row
    form = SeenForm
    words = ("group.create", "group.change", "group.delete")


def change_own_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Django's page for the own password, with the change in the audit."""
    with transaction.atomic():
        answer = AdminSite.password_change(admin.site, request, extra_context)
        if answer.status_code == HTTPStatus.FOUND:  # else it shows the form
            user, pages = request.user, admin.site.get_model_admin(User)
            assert isinstance(pages, Accounts)
            details = {"changed": ["password"], **pages.held(user)}
            record(author(request), pages.words[1], key=user.get_username(), details=details)
    return answer


admin.site.password_change = change_own_password  # type: ignore[assignment]  # the stubs say less than Django
