"""Administrators who act at the same moment, on PostgreSQL, where they really do."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client

from rooms.creation.rooms import create_room
from rooms.models import AuditEntry, Room, Template
from rooms.operations.engine import gate
from rooms.webhooks import endpoints
from tests.admin.driver import act, form_at, form_in
from tests.support.at_once import in_threads

pytestmark = pytest.mark.postgres


@pytest.fixture
def desks(database: str, settings: Any) -> list[Client]:
    """Two administrators."""
    settings.ROOT_URLCONF = "tests.urls_with_admin"
    made = [Client(), Client()]
    for name, desk in zip(("olga", "pavel"), made, strict=True):
        desk.force_login(User.objects.create_superuser(name))
    return made


def same(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space, which JSON is shown with."""
    return "".join(one.split()) == "".join(other.split())


@pytest.mark.parametrize(
    ("kind", "field", "typed"),
    [("room", "description", "by {} {}"), ("template", "metadata_rules", '[{{"key": "{}-{}"}}]')],
)
def test_of_two_who_save_the_same_form_one_is_stored_and_the_other_is_told(desks, kind, field, typed):
    row: Room | Template = create_room(name="tea") if kind == "room" else Template.objects.get()
    path = f"{kind}/{row.pk}/change/"

    def save(place: int) -> tuple[int, str]:
        try:
            answer = desks[place].post(f"/admin/rooms/{path}", forms[place])
            return answer.status_code, answer.content.decode()
        finally:
            connection.close()

    for number in range(5):
        before = AuditEntry.objects.count()
        forms = [form_at(desk, path) | {field: typed.format(place, number)} for place, desk in enumerate(desks)]
        answers = in_threads(save, range(2))

        assert sorted(status for status, _ in answers) == [200, 302]
        stored = [status for status, _ in answers].index(302)
        page = answers[1 - stored][1]
        assert "changed meanwhile, and nothing was stored" in page
        assert same(form_in(page)[field], forms[1 - stored][field])
        assert same(form_at(desks[0], path)[field], forms[stored][field])
        assert AuditEntry.objects.count() == before + 1


@pytest.mark.parametrize("kind", ["room", "webhookendpoint"])
def test_what_cannot_be_deleted_now_is_nowhere_said_to_be(desks, kind, monkeypatch):
    monkeypatch.setattr(gate, "LOCK_SECONDS", 0.3)
    room = create_room(name="tea")
    row = room if kind == "room" else endpoints.add("https://back.example.org/")
    before = AuditEntry.objects.count()
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM rooms_room WHERE id = %s FOR UPDATE", [room.pk])
        shown = act(desks[0], kind, "remove", row, confirmed="yes")

    assert "locked by another program" in shown
    assert (LogEntry.objects.count(), AuditEntry.objects.count()) == (0, before)
    row.refresh_from_db()
    assert row.enabled

    act(desks[0], kind, "remove", row, confirmed="yes")
    [entry] = LogEntry.objects.all()
    assert (entry.action_flag, entry.object_repr) == (DELETION, str(row))


@pytest.mark.parametrize("kind", ["user", "group"])
def test_a_name_that_another_gets_at_this_very_moment_is_refused_at_its_field(desks, kind):
    Group.objects.create(name="other")
    field, table = {"user": ("username", "auth_user"), "group": ("name", "auth_group")}[kind]
    password = dict.fromkeys(("password1", "password2"), "quite secret 7")

    def add() -> str:
        try:
            return desks[0].post(f"/admin/auth/{kind}/add/", {field: "free", **password}).content.decode()
        finally:
            connection.close()

    with psycopg.connect(**connection.get_connection_params()) as taking, ThreadPoolExecutor(1) as threads:
        taking.execute(f"UPDATE {table} SET {field} = 'free' WHERE {field} IN ('pavel', 'other')")
        adding = threads.submit(add)
        while not taking.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'transactionid'").fetchone():
            assert not adding.done()
        taking.commit()
        assert "already exists" in adding.result(60)
