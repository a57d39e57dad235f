"""Templates: made, loaded and changed, of which their rooms are told."""

import copy
import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from rooms.creation.checking import as_checked
from rooms.delivery.hub import perform_now
from rooms.models import Session, Template
from rooms.operations.engine.audit import record
from rooms.operations.engine.calls import SERVER, Author
from rooms.operations.engine.gate import LOCK_SECONDS, acting
from rooms.operations.metadata.governing import template_changed
from rooms.wire.errors import RoomError
from rooms.wire.json_gate import JSON
from rooms.wire.roles import DEFAULT_SETTINGS, DEFAULT_TEMPLATE, JSONObject, check_template, rules_of

log = logging.getLogger("rooms.creation")

DEFAULT = "default"


def default_template() -> Template:
    """The template that rooms get which name none; made if it is not there."""
    with transaction.atomic():
        template, is_new = Template.objects.get_or_create(
            name=DEFAULT, defaults={"roles": DEFAULT_TEMPLATE, "settings": DEFAULT_SETTINGS}
        )
        if is_new:
            record(SERVER, "template.create", key=DEFAULT)
    return template


def load_template(name: str, given: JSONObject, *, author: Author = SERVER) -> Template:
    """Make a template of this name, or replace what it holds; whoever is in a room of it is told.

    ``given`` was checked by ``check_template``.
    """
    with transaction.atomic():
        template, is_new = Template.objects.get_or_create(name=name, defaults=_held(given))
        if is_new:
            record(author, "template.create", key=name)
            return template
    return change_template(template.pk, lambda found: replace_held(found, given), author=author)


def replace_held(template: Template, given: JSONObject) -> None:
    """Let a template hold all that is given, which was checked, and nothing else."""
    for field, value in _held(given).items():
        setattr(template, field, value)


def _held(given: JSONObject) -> dict[str, Any]:
    # Where recordings go, and by which credentials, is of no use here.
    settings = {name: value for name, value in (given.get("settings") or {}).items() if name != "recording"}
    plugins = {name: value for name, value in (given.get("plugins") or {}).items() if name != "metadata"}
    return {"roles": given["roles"], "settings": settings, "plugins": plugins, "metadata_rules": rules_of(given)}


def change_template(template_id: str, change: Callable[[Template], object], *, author: Author = SERVER) -> Template:
    """Have a template changed, which nobody else changes meanwhile; whoever is in a room of it is told.

    Raises ValidationError if it then is of the wrong form, or has another's name, and Template.DoesNotExist.
    """
    with acting():
        template = Template.objects.select_for_update().get(pk=template_id)
        before = {field: getattr(template, field) for field in _OF_A_TEMPLATE}
        roles = copy.deepcopy(template.roles)  # it may be changed as it stands
        change(template)
        try:
            check_template(template.as_wire())
        except ValueError as error:
            raise ValidationError(str(error)) from None
        template.validate_unique()
        with as_checked(template):
            template.save()
        _record_template(author, template, {**before, "roles": roles})
    live = Session.objects.filter(room__template=template, ended_at=None).values_list("room_id", flat=True)
    _tell_of_template(live, before["metadata_rules"], author)
    return template


def _tell_of_template(room_ids: Iterable[str], rules: list[JSON], author: Author) -> None:
    """Tell rooms what their template says now, after the ``rules`` that it had.

    It is stored already, so one that somebody else holds does not stand in the way of others, nor fail the change.
    """
    held = list(room_ids)
    for patience in (_SHORT_PATIENCE, LOCK_SECONDS):
        going, held = held, []
        for room_id in going:
            try:
                perform_now(template_changed, author.caller(room_id), patience=patience, rules=rules)
            except RoomError as error:
                held.append(room_id)
                why = error.message
    for room_id in held:
        log.error("a room was not told of its template", extra={"context": {"room": room_id, "why": why}})


_SHORT_PATIENCE = 0.5
"""Seconds that a room gets while others wait to be told."""


_OF_A_TEMPLATE = ("name", "roles", "settings", "plugins", "metadata_rules")


def _record_template(author: Author, template: Template, before: dict[str, Any]) -> None:
    """Write down which of its fields, and which of its roles, a template has otherwise than before."""
    if changed := [field for field in _OF_A_TEMPLATE if getattr(template, field) != before[field]]:
        then, now = before["roles"], template.roles
        roles = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
        record(author, "template.change", key=template.name, details={"changed": changed, "roles": roles})
