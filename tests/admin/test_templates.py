"""Templates in the admin: the checks of the command, and what those who are inside are told."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from rooms.creation.rooms import create_room
from rooms.creation.templates import change_template
from rooms.models import Template
from rooms.wire.errors import HeldUp
from tests.admin.driver import page, seen_at, staff
from tests.operations.driver import journalled, position, told
from tests.support.team import joined

ROLES = {"host": {"priority": 1, "permissions": {"endRoom": True}}, "guest": {}}


def form(**fields: Any) -> dict[str, Any]:
    given = {"name": "stage", "roles": ROLES, "settings": {}, "metadata_rules": [], **fields}
    return {name: value if isinstance(value, str | int) else json.dumps(value) for name, value in given.items()}


def change_path(template: Template) -> str:
    return f"/admin/rooms/template/{template.pk}/change/"


def seen(client: Client, template: Template, **fields: Any) -> dict[str, Any]:
    return form(seen=seen_at(client, f"template/{template.pk}/change/"), **fields)


def errors_of(html: str) -> dict[str, str]:
    """The errors by the field that they stand at."""
    rows = re.findall(r'class="form-row errors field-(\w+)">\s*<ul class="errorlist"[^>]*>(.*?)</ul>', html, re.DOTALL)
    return {name: re.sub(r"<[^>]+>", "", text) for name, text in rows}


def test_a_template_is_made(operator):
    rules = [{"key": "score:*", "write": ["host"]}]
    answer = operator.post("/admin/rooms/template/add/", form(metadata_rules=rules))

    template = Template.objects.get(name="stage")
    assert answer.status_code == 302
    assert (template.roles, template.settings, template.metadata_rules) == (ROLES, {}, rules)
    assert "stage" in page(operator, f"template/{template.pk}/history/")


def test_a_change_is_told_to_those_who_are_inside(operator):
    template = Template.objects.create(name="stage", roles=ROLES)
    room = create_room(template=template)
    alice = joined(room, "Alice", "host")
    before = position(room.id)

    answer = operator.post(change_path(template), seen(operator, template, roles={**ROLES, "scribe": {}}))

    assert answer.status_code == 302, errors_of(answer.content.decode())
    [(kind, body)] = told(alice, journalled(room.id, after=before))
    assert kind == "on-policy-change" and set(body["known_roles"]) == {"host", "guest", "scribe"}


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"roles": {"host": {"permissions": {"endRoom": 1}}}}, "roles", "roles.host.permissions.endRoom: expected"),
        ({"roles": {}}, "roles", "roles: expected 1 to 100 roles"),
        ({"roles": "{"}, "roles", "JSON: Expecting"),
        ({"roles": ""}, "roles", "This field is required"),
        ({"settings": {"roomState": 1}}, "settings", "settings.roomState: expected an object"),
        ({"settings": []}, "settings", "settings: expected an object"),
        ({"metadata_rules": [{"key": "a", "write": ["nobody"]}]}, "metadata_rules", "there is no role nobody"),
        ({"metadata_rules": {}}, "metadata_rules", "expected a list"),
        ({"name": "two\u200bwords"}, "name", "none of them invisible"),
        ({"name": "default"}, "name", "already exists"),
    ],
)  # fmt: skip
def test_what_the_command_refuses_the_form_refuses_at_its_field(operator, fields, field, said):
    create_room()
    html = operator.post("/admin/rooms/template/add/", form(**fields)).content.decode()
    assert said in errors_of(html)[field]
    assert set(Template.objects.values_list("name", flat=True)) == {"default"}


def test_a_form_that_is_behind_is_refused_and_keeps_what_was_typed(operator):
    template = Template.objects.create(name="stage", roles=ROLES)
    typed = seen(operator, template, roles={**ROLES, "scribe": {}})
    Template.objects.filter(pk=template.pk).update(settings={"roomState": {"enabled": True}})

    html = operator.post(change_path(template), typed).content.decode()

    assert "changed meanwhile" in html and "scribe" in html
    template.refresh_from_db()
    assert template.roles == ROLES


def test_a_template_keeps_its_name(operator):
    template = Template.objects.create(name="stage", roles=ROLES)
    assert 'name="name"' not in page(operator, f"template/{template.pk}/change/")
    operator.post(change_path(template), seen(operator, template, name="other"))
    assert [*Template.objects.values_list("name", flat=True)] == ["stage"]


@pytest.mark.parametrize("rights", [["view_template"], ["view_template", "change_session", "change_room"]])
def test_who_may_not_change_templates_is_offered_nothing_and_refused(client, rights):
    template = Template.objects.create(name="stage", roles=ROLES)
    client.force_login(staff("vera", *rights))
    html = page(client, f"template/{template.pk}/change/")
    assert "<textarea" not in html and "endRoom" in html
    assert client.post(change_path(template), form()).status_code == 403
    assert client.get("/admin/rooms/template/add/").status_code == 403
    assert client.post("/admin/rooms/template/add/", form(name="other")).status_code == 403


def test_of_two_who_save_at_once_the_second_is_refused_under_the_lock(operator, monkeypatch):
    template = Template.objects.create(name="stage", roles=ROLES)
    typed = seen(operator, template, roles={**ROLES, "scribe": {}})

    def slowly(template_id, change, **given):
        monkeypatch.setattr("rooms.admin.templates.change_template", change_template)
        Template.objects.filter(pk=template.pk).update(name="renamed", metadata_rules=[{"key": "a"}])
        return change_template(template_id, change, **given)

    monkeypatch.setattr("rooms.admin.templates.change_template", slowly)
    html = operator.post(change_path(template), typed).content.decode()

    assert "changed meanwhile, and nothing was stored" in html
    [stored] = Template.objects.all()
    assert (stored.name, stored.roles, stored.metadata_rules) == ("renamed", ROLES, [{"key": "a"}])


def test_a_template_that_is_renamed_meanwhile_is_changed_under_its_new_name(operator):
    template = Template.objects.create(name="stage", roles=ROLES)
    typed = seen(operator, template, roles={**ROLES, "scribe": {}})
    Template.objects.filter(pk=template.pk).update(name="renamed")

    assert operator.post(change_path(template), typed).status_code == 302

    [stored] = Template.objects.all()
    assert stored.name == "renamed" and "scribe" in stored.roles


def test_a_room_that_cannot_be_told_now_is_no_error_page(operator, monkeypatch):
    template = Template.objects.create(name="stage", roles=ROLES)
    typed = seen(operator, template, roles={**ROLES, "scribe": {}})

    def held(*args, **given):
        raise HeldUp

    monkeypatch.setattr("rooms.admin.templates.change_template", held)
    answer = operator.post(change_path(template), typed, follow=True)
    assert answer.status_code == 200 and "locked by another program" in answer.content.decode()
