"""Templates."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from rooms.admin.shared import Inspection, indented, list_link, number_of
from rooms.models import Room, Template


@admin.register(Template)
class TemplateAdmin(Inspection):
    list_display = ["name", "role_names", "number_of_rooms"]
    ordering = ["name"]
    search_fields = ["id", "name"]
    shown_to = {"number_of_rooms": "room"}
    fields = ["id", "name", "roles_text", "settings_text", "rules_text", "number_of_rooms"]
    readonly_fields = ["roles_text", "settings_text", "rules_text", "number_of_rooms"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        return super().get_queryset(request).annotate(number=number_of(Room.objects.all(), "template"))

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

    @admin.display(description="settings")
    def settings_text(self, template: Template) -> str:
        return indented(json.dumps(template.settings))
