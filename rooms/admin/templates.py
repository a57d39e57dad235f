"""Templates: sets of roles, with what preview shows and the rules of session metadata."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from rooms.admin.editing import Editing, SeenForm
from rooms.admin.fields import JSONText
from rooms.admin.shared import Inspection, author, indented, list_link, number_of
from rooms.creation.templates import change_template, load_template, replace_held
from rooms.models import Room, Template
from rooms.wire.roles import NAME, check_template, shows_as_written


class TemplateForm(SeenForm):
    """A template with the checks of ``manage.py template``; each mistake stands at its field, with its path."""

    roles = JSONText(help_text='{"host": {"priority": 1, "permissions": {"endRoom": true, …}}, …}')
    settings = JSONText(required=False, help_text='What preview shows: {"roomState": {"enabled": true, …}}')
    metadata_rules = JSONText(
        required=False, label="Rules of session metadata", help_text='[{"key": "score:*", "write": ["host"]}, …]'
    )

    class Meta:
        model = Template
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        template = self.instance
        if not template._state.adding:
            held = {name: getattr(template, name) for name in ("roles", "settings", "metadata_rules")}
            self.initial.update(held)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not shows_as_written(name):
            raise forms.ValidationError(f"expected {NAME}")
        return name

    def as_file(self, template: Template) -> dict[str, Any]:
        """What was typed as a file would have it, with the other plugins that the template has."""
        values = {name: self.cleaned_data.get(name) for name in ("roles", "settings", "metadata_rules")}
        rules = [] if values["metadata_rules"] is None else values["metadata_rules"]
        settings = {} if values["settings"] is None else values["settings"]
        plugins = template.plugins | {"metadata": {"rules": rules}}
        return {"roles": values["roles"], "settings": settings, "plugins": plugins}

    def clean(self) -> None:
        super().clean()
        if self.errors:
            return
        try:
            check_template(self.as_file(self.instance))
        except ValueError as error:
            field = {"roles": "roles", "settings": "settings", "plugins": "metadata_rules"}
            self.add_error(field.get(str(error).partition(":")[0].partition(".")[0]), str(error))


@admin.register(Template)
class TemplateAdmin(Editing, Inspection):
    form = TemplateForm
    list_display = ["name", "role_names", "number_of_rooms"]
    ordering = ["name"]
    search_fields = ["id", "name"]
    shown_to = {"number_of_rooms": "room"}
    fields = [
        "id", "name", "roles_text", "settings_text", "rules_text", "plugins_text", "number_of_rooms", "created_at",
        "updated_at",
    ]  # fmt: skip
    readonly_fields = [
        "id", "roles_text", "settings_text", "rules_text", "plugins_text", "number_of_rooms", "created_at",
        "updated_at",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        return super().get_queryset(request).annotate(number=number_of(Room.objects.all(), "template"))

    # --- Changing -----------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("rooms.add_template"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("rooms.change_template"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        typed = ["roles", "settings", "metadata_rules"]
        if obj is None:
            return ["name", *typed]
        if self.has_change_permission(request):
            return self._shown(
                request, ["id", "name", *typed, "plugins_text", "number_of_rooms", "created_at", "updated_at"]
            )
        return super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        # By its name a template is known to files, rooms and codes.
        return [*self.readonly_fields, *(["name"] if obj else [])]

    def save_model(self, request: HttpRequest, template: Template, form: TemplateForm, change: bool) -> None:
        # As the command does, for those who are in its rooms are told.
        if not change:
            template.pk = load_template(template.name, form.as_file(template), author=author(request)).pk
        elif form.given:

            def replace(found: Template) -> None:
                form.check(found)
                replace_held(found, form.as_file(found))

            change_template(template.pk, replace, author=author(request))

    # --- Showing ------------------------------------------------------------------------------------

    @admin.display(description="roles")
    def role_names(self, template: Template) -> str:
        return ", ".join(sorted(template.usable_roles))

    @admin.display(description="rooms", ordering="number")
    def number_of_rooms(self, template: Any) -> str:
        return list_link(Room, template.number, template__id__exact=template.pk)

    @admin.display(description="roles")
    def roles_text(self, template: Template) -> str:
        # All that is stored, roles of the wrong form too: here somebody looks for the mistake.
        return indented(json.dumps(template.roles))

    @admin.display(description="rules of session metadata")
    def rules_text(self, template: Template) -> str:
        return indented(json.dumps(template.metadata_rules))

    @admin.display(description="plugins of other products")
    def plugins_text(self, template: Template) -> str:
        return indented(json.dumps(template.plugins))

    @admin.display(description="settings")
    def settings_text(self, template: Template) -> str:
        return indented(json.dumps(template.settings))
