"""Rooms that are changed or deleted while somebody is in them, and templates that were stored wrongly."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from rooms.access import tokens
from rooms.creation.rooms import change_room, create_room, delete_room
from rooms.creation.templates import change_template, default_template, load_template
from rooms.models import MAX_SIZE, AuditEntry, Room, Template
from rooms.operations.engine.calls import Author
from rooms.wire.errors import InternalError
from tests.operations.driver import position
from tests.support.sockets import World
from tests.support.team import joined


@pytest.mark.matrix
async def test_deleting_a_live_room_tells_its_peers_and_lets_nobody_in(world: World):
    made = await world.new_room()
    alice = world.stranger("alice", room=made)
    await alice.connect()
    await alice.join("Alice")

    await world.query(lambda: delete_room(made.pk, author=Author("olga", "admin")))

    told = await alice.wait_for("on-peer-leave-request")
    assert told["params"]["room_end"] is True
    assert await alice.wait_closed() == 4003
    assert await world.stored(Room, pk=made.pk) == []


@pytest.mark.matrix
async def test_a_room_is_changed_while_somebody_is_in_it(world: World):
    alice = await world.peer("alice")

    await world.query(lambda: change_room(world.room.pk, title="", name="renamed", size=1))

    assert alice.open
    bob = world.stranger("bob")
    await bob.connect()
    assert await bob.wait_closed() == 4403
    [refused] = bob.named("on-error")
    assert refused["message"] == "the room is full"


REFUSES = """
CREATE TRIGGER refuses BEFORE INSERT ON rooms_auditentry WHEN NEW.what = 'rules.change'
BEGIN SELECT RAISE(ABORT, 'refused'); END
"""


def test_a_change_of_which_the_last_part_fails_changes_nothing_and_tells_nobody(db):
    room = create_room(name="tea")
    joined(room, "Alice", "host")
    before, at = AuditEntry.objects.count(), position(room.pk)
    with connection.cursor() as cursor:
        cursor.execute(REFUSES)

    with pytest.raises(InternalError):
        change_room(room.pk, title="Milk", slow_mode=3, metadata_rules=[{"key": "topic"}])

    room.refresh_from_db()
    assert (room.title, room.slow_mode, room.metadata_rules) == ("", 0, [])
    assert (AuditEntry.objects.count(), position(room.pk)) == (before, at)


@pytest.mark.postgres
@pytest.mark.parametrize("kind", [Room, Template])
def test_a_name_that_another_gets_at_this_very_moment_is_refused_as_one_that_it_has(database, kind):
    room, other = create_room(name="tea"), create_room(name="milk")
    template = load_template("stage", {"roles": {"host": {}}})
    row = other if kind is Room else default_template()
    rename = {
        Room: lambda: change_room(room.pk, name="Free"),
        Template: lambda: change_template(template.pk, lambda found: setattr(found, "name", "free")),
    }[kind]
    with psycopg.connect(**connection.get_connection_params()) as taking, ThreadPoolExecutor(1) as threads:
        taking.execute(f"UPDATE {kind._meta.db_table} SET name = 'free' WHERE id = %s", [row.pk])
        renaming = threads.submit(closing, rename)
        while not taking.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'transactionid'").fetchone():
            assert not renaming.done()
        taking.commit()
        with pytest.raises(ValidationError, match=r"name"):
            renaming.result(60)


def closing(act: Callable[[], object]) -> None:
    """Do something in a thread that has no connection afterwards."""
    try:
        act()
    finally:
        connection.close()


@pytest.fixture
def outdated(db) -> Room:
    """A room whose rules name a role that its template has no longer."""
    template = load_template("stage", {"roles": {"host": {}, "guest": {}}})
    room = create_room(template=template, metadata_rules=[{"key": "score", "write": ["guest"]}])
    load_template("stage", {"roles": {"host": {}}})
    return room


def test_a_room_whose_rules_name_a_role_that_is_gone_can_be_closed_and_deleted(outdated):
    assert not change_room(outdated.pk, enabled=False, title="Closed").enabled

    delete_room(outdated.pk, author=Author("olga", "admin"))
    assert not Room.objects.exists()


def test_what_is_changed_of_such_a_room_is_checked(outdated):
    other = load_template("other", {"roles": {"speaker": {}}})
    wrong: list[dict[str, Any]] = [
        {"size": MAX_SIZE + 1},
        {"name": "no spaces"},
        {"metadata_rules": [{"key": "score", "write": ["guest"]}]},
        {"template": other},
    ]
    for fields in wrong:
        with pytest.raises(ValidationError):
            change_room(outdated.pk, enabled=False, **fields)
    assert Room.objects.get().enabled


WRONG: list[Any] = [1, [], "x", {"permissions": [1]}, {"priority": "x"}, {"publishParams": [1]},
                    {"maxPeerCount": {"x": 1}}, {"subscribeParams": 7}]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_stored_role_of_the_wrong_form_is_nobodys_and_hinders_no_other(world: World, wrong):
    def store() -> None:
        template = Template.objects.get(pk=world.room.template_id)
        template.roles = {**template.roles, "wrong": wrong}
        template.save()

    await world.query(store)

    await world.peer("alice", "host")
    wrong_peer = world.stranger("bob", "wrong")
    await wrong_peer.connect()
    assert await wrong_peer.wait_closed() == 4403


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/init?peer_id=a", "/v2/layouts/ui"])
def test_http_refuses_a_stored_role_of_the_wrong_form_too(client, path):
    made = create_room()
    made.template.roles = {**made.template.roles, "wrong": [], "other": {"priority": "x"}}
    made.template.save()

    for role, status in (("wrong", 403), ("other", 403), ("host", 200)):
        token, _ = tokens.sign(made.pk, role, "bob")
        assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == status


@pytest.mark.parametrize("stored", [[], None, "x", {"roomState": 1}, {"roomState": []}])
async def test_stored_settings_of_the_wrong_form_hinder_nobody(world: World, stored):
    await world.query(lambda: Template.objects.filter(pk=world.room.template_id).update(settings=stored or []))
    alice = world.stranger("alice", "host")
    await alice.connect()
    await alice.wait_for("on-policy-change")
    await alice.join("Alice")
