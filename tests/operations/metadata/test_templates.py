"""Rules of templates and rooms, as operators set them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection

from rooms.creation import templates
from rooms.creation.rooms import change_room, create_room
from rooms.creation.templates import load_template
from rooms.models import Room, Template
from rooms.operations.engine import gate
from rooms.wire.errors import HeldUp
from rooms.wire.roles import DEFAULT_TEMPLATE
from tests.operations.driver import do, error_of, journalled, kinds, position, refused
from tests.support.team import joined

RULES = [{"key": "topic", "write": ["host"]}]
FILE = {"roles": DEFAULT_TEMPLATE, "plugins": {"metadata": {"rules": RULES}}}


def test_a_template_brings_its_rules(alice, bob, room, monkeypatch):
    do(bob, "set-metadata", key="topic", data=1)
    load_template("default", FILE)
    assert Template.objects.get().metadata_rules == RULES
    assert error_of(bob, "set-metadata", key="topic", data=2).data["rule"] == RULES[0]
    load_template("default", {"roles": DEFAULT_TEMPLATE})
    do(bob, "set-metadata", key="topic", data=2)


def test_the_rules_of_a_room_are_changed_while_it_runs(alice, bob, room):
    change_room(room.pk, metadata_rules=RULES, title="Other")
    room.refresh_from_db()
    assert (room.metadata_rules, room.title) == (RULES, "Other")
    assert refused(bob, "set-metadata", key="topic", data=1)[0] == 403
    change_room(room.pk, metadata_rules=[])
    do(bob, "set-metadata", key="topic", data=1)


def test_a_room_in_which_nobody_is_gets_rules_too(db):
    room = create_room(metadata_rules=RULES)
    assert Room.objects.get().metadata_rules == RULES
    change_room(room.pk, metadata_rules=[])
    assert Room.objects.get().metadata_rules == []


@contextmanager
def held(room: Room) -> Iterator[None]:
    """Another program holds the room."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM rooms_room WHERE id = %s FOR UPDATE", [room.pk])
        yield


@pytest.mark.postgres
def test_a_room_that_is_held_keeps_no_other_from_hearing_of_its_template(database, monkeypatch, caplog):
    monkeypatch.setattr(templates, "LOCK_SECONDS", 0.5)
    rooms = [create_room(name=name) for name in "abc"]
    alices = [joined(room, "Alice", "host") for room in rooms]

    for room in rooms:
        places = [position(each.pk) for each in rooms]
        with held(room):
            load_template("default", {"roles": {**DEFAULT_TEMPLATE, f"of-{room.name}": {}}})
        heard = [
            kinds(alice, journalled(each.pk, after=place))
            for each, alice, place in zip(rooms, alices, places, strict=True)
        ]
        assert heard == [[] if each == room else ["on-policy-change"] for each in rooms]
        assert "a room was not told of its template" in caplog.text


@pytest.mark.postgres
def test_a_room_that_is_held_is_told_of_its_template_once_it_is_free(database):
    room = create_room(name="a")
    alice = joined(room, "Alice", "host")
    place = position(room.pk)
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM rooms_room WHERE id = %s FOR UPDATE", [room.pk])
        threading.Timer(1, other.close).start()
        load_template("default", {"roles": {**DEFAULT_TEMPLATE, "more": {}}})
    assert kinds(alice, journalled(room.pk, after=place)) == ["on-policy-change"]


@pytest.mark.postgres
def test_a_change_of_a_room_that_is_held_is_refused_in_time(database, monkeypatch):
    monkeypatch.setattr(gate, "LOCK_SECONDS", 0.5)
    room = create_room(name="a")
    with held(room), pytest.raises(HeldUp):
        change_room(room.pk, title="Tea")


def test_bad_rules_are_refused_by_name(room):
    with pytest.raises(ValidationError, match=r"rules\[0\].write: there is no role boss"):
        change_room(room.pk, metadata_rules=[{"key": "a", "write": ["boss"]}])
    assert Room.objects.get().metadata_rules == []


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        ([], "plugins: expected an object"),
        ({"metadata": 3}, "plugins.metadata: expected an object"),
        (
            {"metadata": {"rules": [{"key": "a", "write": ["boss"]}]}},
            "plugins.metadata.rules[0].write: there is no role boss",
        ),
        ({"metadata": {"rule": []}}, "plugins.metadata.rule: there is rules, and nothing else"),
        ({"metadata": {"rules": {}}}, "plugins.metadata.rules: expected a list of rules"),
        ({"metadata": {"rules": {"key": "a"}}}, "plugins.metadata.rules: expected a list of rules"),
    ],
)
def test_a_template_with_bad_rules_is_not_loaded(db, tmp_path, plugins, message):
    file = tmp_path / "template.json"
    file.write_text(json.dumps({**FILE, "plugins": plugins}))
    with pytest.raises(CommandError) as refusal:
        call_command("template", "stage", str(file))
    assert str(refusal.value) == f"{file}: {message}"


def test_the_command_sets_the_rules_of_a_room(room, tmp_path, capsys):
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(RULES))
    call_command("room", "set", room.name, "--metadata-rules", str(file))
    room.refresh_from_db()
    assert room.metadata_rules == RULES
    capsys.readouterr()
    call_command("room", "show", room.name)
    [shown] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("metadata_rules\t")]
    assert json.loads(shown.partition("\t")[2]) == RULES
    with pytest.raises(CommandError, match="No such file"):
        call_command("room", "set", room.name, "--metadata-rules", str(tmp_path / "none"))
