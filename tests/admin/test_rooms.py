"""Rooms in the admin: what is changed in them, and their codes."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rooms.creation import codes as room_codes
from rooms.creation import rooms as creation
from rooms.creation.rooms import change_room, create_room
from rooms.models import AuditEntry, Room, RoomCode, Session, Template
from rooms.wire.errors import HeldUp
from tests.admin.driver import act, answer, form_at, form_in, page, seen_at, staff
from tests.operations.driver import do, journalled, position, told
from tests.support.team import joined

SEEN = ("view_room", "view_roomcode", "view_template", "view_session")


def save(client: Client, room: Room, **fields: Any) -> str:
    usual = {"name": room.name, "title": room.title, "size": "0", "max_duration_seconds": "0"}
    usual["seen"] = seen_at(client, f"room/{room.pk}/change/")
    return client.post(f"/admin/rooms/room/{room.pk}/change/", usual | fields, follow=True).content.decode()


def codes(client: Client, room: Room, **form: str) -> str:
    return client.post(f"/admin/rooms/room/{room.pk}/codes/", form, follow=True).content.decode()


def test_another_template_is_told_to_those_who_are_inside(operator, room):
    stage = Template.objects.create(name="stage", roles={"host": {}, "speaker": {}})
    alice = joined(room, "Alice", "host")
    before = position(room.id)

    assert "was changed successfully" in save(operator, room, template=stage.pk)

    room.refresh_from_db()
    assert (room.template, room.title) == (stage, "Team")
    [(kind, body)] = told(alice, journalled(room.id, after=before))
    assert kind == "on-policy-change" and set(body["known_roles"]) == {"host", "speaker"}


def test_rules_are_changed_and_told_and_their_mistakes_named(operator, room):
    alice = joined(room, "Alice", "host")
    before = position(room.id)
    rules = [{"key": "score", "write": ["host"]}]

    save(operator, room, metadata_rules=json.dumps(rules))
    wrong = save(operator, room, metadata_rules='[{"key": "score", "write": "hosts"}]')

    room.refresh_from_db()
    assert room.metadata_rules == rules
    assert [kind for kind, _ in told(alice, journalled(room.id, after=before))] == ["on-policy-change"]
    assert "rules[0].write: expected" in wrong and "&quot;hosts&quot;" in wrong
    save(operator, room, metadata_rules="", **{"initial-metadata_rules": json.dumps(rules)})
    room.refresh_from_db()
    assert room.metadata_rules == []


def test_what_is_not_sent_stays(operator, room):
    Room.objects.filter(pk=room.pk).update(metadata_rules=[{"key": "score"}])
    assert "was changed successfully" in save(operator, room, title="Other")
    changed = Room.objects.get(pk=room.pk)
    assert (changed.title, changed.template, changed.metadata_rules) == ("Other", room.template, [{"key": "score"}])


def test_a_template_that_the_rules_do_not_fit_is_refused(operator, room):
    Room.objects.filter(pk=room.pk).update(metadata_rules=[{"key": "score", "write": ["guest"]}])
    stage = Template.objects.create(name="stage", roles={"host": {}})
    rules = json.dumps([{"key": "score", "write": ["guest"]}])
    assert "there is no role guest" in save(operator, room, template=stage.pk, metadata_rules=rules)
    assert "there is no role guest" in save(operator, room, template=stage.pk)
    assert Room.objects.get(pk=room.pk).template == room.template


def test_codes_are_switched_off_and_on_and_made(operator, room, settings):
    settings.PUBLIC_URL = "https://rooms.example.org"
    code = room.codes.get(role="guest")
    assert f"https://rooms.example.org/r/{code.code}/" in page(operator, f"room/{room.pk}/change/")
    assert "Make a code" not in page(operator, f"room/{room.pk}/change/")

    assert f"{code.code} is switched off" in codes(operator, room, off=code.code)
    assert operator.get(f"/r/{code.code}/").status_code == 403
    assert "The code for guest is" in codes(operator, room, make="guest")
    made = room.codes.get(role="guest", enabled=True)
    assert made != code and operator.get(f"/r/{made.code}/").status_code == 200
    assert f"{code.code} is switched on" in codes(operator, room, on=code.code)
    assert operator.get(f"/r/{code.code}/").status_code == 200

    history = page(operator, f"room/{room.pk}/history/")
    assert "code for guest switched off" in history and code.code not in history


@pytest.mark.parametrize("form", [{}, {"make": "nobody"}, {"off": "abc"}, {"on": "another"}])
def test_what_cannot_be_done_with_codes_is_told(operator, room, form):
    another = create_room().codes.get(role="host")
    form = {name: another.code if value == "another" else value for name, value in form.items()}
    assert 'class="error"' in codes(operator, room, **form)
    assert set(RoomCode.objects.values_list("enabled", flat=True)) == {True}


@pytest.mark.parametrize(
    ("rights", "sees"),
    [(SEEN, True), (("change_room", "view_session", "change_session"), False), ((*SEEN, "change_session"), True)],
)
def test_who_may_not_manage_codes_or_not_see_them_is_refused(client, room, rights, sees):
    code = room.codes.get(role="guest")
    client.force_login(staff("vera", *rights))
    html = page(client, f"room/{room.pk}/change/")
    assert (code.code in html) == sees
    assert "Switch off" not in html
    for form in ({"off": code.code}, {"make": "guest"}):
        assert client.post(f"/admin/rooms/room/{room.pk}/codes/", form).status_code == 403
    assert client.get(f"/admin/rooms/room/{room.pk}/codes/").status_code == 405
    assert RoomCode.objects.get(pk=code.pk).enabled and room.codes.count() == 3


def test_who_manages_and_may_not_see_templates_neither_sees_nor_changes_them(client, room):
    client.force_login(staff("mia", "change_room"))
    stage = Template.objects.create(name="stage-of-others", roles={"host": {}})
    assert "stage-of-others" not in page(client, f"room/{room.pk}/change/")
    save(client, room, template=stage.pk)
    assert Room.objects.get(pk=room.pk).template == room.template


def test_a_rooms_page_costs_the_same_with_three_codes_and_with_a_hundred(operator, room, django_assert_num_queries):
    path = f"/admin/rooms/room/{room.pk}/change/"
    with CaptureQueriesContext(connection) as queries:
        operator.get(path)
    RoomCode.objects.bulk_create(RoomCode(room=room, role="guest", enabled=n % 2 == 0) for n in range(97))
    Session.objects.bulk_create(Session(room=room, ended_at=room.created_at) for _ in range(300))
    with django_assert_num_queries(len(queries)):
        operator.get(path)


# --- Forms that are behind ----------------------------------------------------------------------


def test_a_room_form_that_is_behind_is_refused_and_shows_what_is_there_now(operator, room):
    path = f"/admin/rooms/room/{room.pk}/change/"
    form = form_at(operator, f"room/{room.pk}/change/")
    other = Template.objects.create(name="stage", roles={"host": {}})
    change_room(room.pk, title="By REST", description="two\nlines", max_duration_seconds=600, template=other)

    html = operator.post(path, form | {"size": "5", "title": "Mine"}).content.decode()

    room.refresh_from_db()
    assert (room.title, room.size, room.max_duration_seconds, room.template) == ("By REST", 0, 600, other)
    assert "changed meanwhile, and nothing was stored" in html
    # What somebody typed stands beside what is stored; what nobody typed is shown as it is stored.
    shown = form_in(html)
    assert "<pre>By REST</pre>" in html and shown["title"] == "Mine" and shown["size"] == "5"
    assert (shown["max_duration_seconds"], shown["template"]) == ("600", [other.pk])
    assert shown["description"].split() == ["two", "lines"]

    assert operator.post(path, shown | {"title": "By REST"}).status_code == 302
    room.refresh_from_db()
    assert (room.title, room.size, room.max_duration_seconds, room.template) == ("By REST", 5, 600, other)
    assert room.description == "two\nlines"  # browsers send other ends of lines


def test_a_room_form_that_does_not_say_what_it_was_made_from_is_refused(operator, room):
    for seen in ("", "x", "[]", "{}"):
        given = {"name": room.name, "title": "Blind", "size": "0", "seen": seen}
        assert operator.post(f"/admin/rooms/room/{room.pk}/change/", given).status_code == 200
    assert Room.objects.get(pk=room.pk).title == "Team"


def test_what_changes_between_the_check_and_the_lock_is_found_under_the_lock(operator, room, monkeypatch):
    form = form_at(operator, f"room/{room.pk}/change/")

    def slowly(room_id, **given):
        monkeypatch.setattr("rooms.admin.rooms.change_room", change_room)
        change_room(room_id, title="In between")
        return change_room(room_id, **given)

    monkeypatch.setattr("rooms.admin.rooms.change_room", slowly)
    html = operator.post(f"/admin/rooms/room/{room.pk}/change/", form | {"size": "5"}).content.decode()

    room.refresh_from_db()
    assert (room.title, room.size) == ("In between", 0)
    assert "changed meanwhile, and nothing was stored" in html and form_in(html)["title"] == "In between"


def test_who_changed_only_one_thing_is_written_down_with_that_alone(operator, room):
    change_room(room.pk, description="two\nlines")
    save(operator, room, title="Other", description="two\r\nlines")
    entry = AuditEntry.objects.filter(what="room.change").latest("pk")
    assert json.loads(entry.details) == {"title": ["Team", "Other"]}


# --- Questions ----------------------------------------------------------------------------------


def test_an_answer_ends_the_session_that_was_asked_about_and_not_the_next_one(operator, room):
    alice = joined(room, "Alice", "host")
    question = act(operator, "room", "end_session", room)
    do(alice, "leave")
    joined(room, "Bob", "host")

    assert "the session is over" in answer(operator, question)

    assert Session.objects.filter(room=room, ended_at=None).exists()


def test_the_question_names_all_codes_that_go_and_spares_those_made_meanwhile(operator, room):
    first = room.codes.get(role="guest")
    second = RoomCode.objects.create(room=room, role="guest")
    question = act(operator, "roomcode", "replace", first)
    assert first.code in question and second.code in question
    third = RoomCode.objects.create(room=room, role="guest")

    assert f"Meanwhile {third.code} was made for guest" in answer(operator, question)
    assert room.codes.filter(role="guest").count() == 3

    answer(operator, act(operator, "roomcode", "replace", first))
    assert room.codes.filter(role="guest", enabled=True).count() == 1


@pytest.mark.parametrize("action", ["close", "open", "replace"])
def test_a_room_that_is_held_up_is_told_and_does_not_keep_others_from_their_turn(operator, room, action, monkeypatch):
    other = create_room(title="Other", enabled=action == "close")
    name = "replace_code" if action == "replace" else "change_room"
    really = getattr(room_codes if action == "replace" else creation, name)

    def held(room_id: str, *args: Any, **given: Any) -> Any:
        if room_id == room.pk:
            raise HeldUp
        return really(room_id, *args, **given)

    monkeypatch.setattr(f"rooms.admin.rooms.{name}", held)
    if action == "replace":
        chosen = [one.codes.get(role="guest") for one in (room, other)]
        shown = answer(operator, act(operator, "roomcode", action, *chosen))
        assert not RoomCode.objects.get(pk=chosen[1].pk).enabled
    else:
        shown = act(operator, "room", action, room, other)
        other.refresh_from_db()
        assert other.enabled == (action == "open")
    assert "locked by another program" in shown
