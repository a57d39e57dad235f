"""A database of the version before, with people in its rooms, is brought to this one."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from rooms.access import tokens
from rooms.models import AccessKey, WebhookEndpoint
from rooms.operations.engine import memory
from rooms.operations.engine.calls import Caller
from tests.operations.driver import again, attachment, call, do, refused

BEFORE = ("rooms", "0001_initial")


@pytest.fixture
def old(database: str) -> Iterator[Any]:
    """The models of the version before, on its tables."""
    executor = MigrationExecutor(connection)
    executor.migrate([BEFORE])
    yield executor.loader.project_state([BEFORE]).apps
    call_command("migrate", verbosity=0, interactive=False)


def caller(room_id: str, claims: tokens.Claims, peer_id: str, conn_id: str) -> Caller:
    return Caller(room_id, peer_id, claims.owner, claims.user_id, claims.role, conn_id, "w", name=claims.user_id)


@pytest.mark.django_db
def test_the_migrations_make_what_the_models_say():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.matrix
def test_endpoints_of_before_are_told_of_whom_they_were(database):
    executor = MigrationExecutor(connection)
    executor.migrate([("rooms", "0012_audit")])
    old = executor.loader.project_state([("rooms", "0012_audit")]).apps
    template = old.get_model("rooms", "Template").objects.create(name="t", roles={})
    with_own, without = (
        old.get_model("rooms", "Room").objects.create(name=name, template=template) for name in ("a", "b")
    )
    endpoints = old.get_model("rooms", "WebhookEndpoint").objects
    endpoints.create(url="https://a", since=5)
    endpoints.create(url="https://b", since=5, enabled=False)
    endpoints.create(url="https://c", since=7, room=with_own)
    endpoints.create(url="", since=8, enabled=False, room=without)
    call_command("migrate", verbosity=0, interactive=False)

    rows = WebhookEndpoint.objects.order_by("url", "room__name").values_list("url", "room__name", "gone", "spans")
    assert list(rows) == [
        ("", "a", True, [0, 7]),
        ("", "b", True, [8]),
        ("https://a", None, False, [5]),
        ("https://b", None, False, []),
        ("https://c", "a", False, [7]),
    ]
    receivers = WebhookEndpoint.objects.order_by("url").exclude(url="").values_list("receiver", flat=True)
    assert list(receivers) == ["a:443", "b:443", "c:443"]


@pytest.mark.matrix
def test_who_is_inside_stays_inside_with_the_token_of_before(old):
    template = old.get_model("rooms", "Template").objects.get(name="default")
    room = old.get_model("rooms", "Room").objects.create(name="team", template=template)
    now = timezone.now()
    live = old.get_model("rooms", "Session").objects.create(room=room, started_at=now, seq=4, messages=1)
    over = old.get_model("rooms", "Session").objects.create(room=room, started_at=now, ended_at=now)
    PeerRow, EventRow = old.get_model("rooms", "Peer"), old.get_model("rooms", "Event")
    for session, user, role, state in (
        (live, "alice", "host", "connected"),
        (live, "bob", "guest", "reconnecting"),
        (live, "bob-2", "guest", "connected"),
        (live, "carl", "guest", "left"),
        (over, "alice", "host", "left"),
    ):
        PeerRow.objects.create(
            session=session, peer_id=f"peer-{user}", user_id=user.partition("-")[0], name=user, role=role,
            state=state, joined_at=now, joined_seq=1, conn_id=f"conn-{user}", worker="w",
            gone_at=now if state == "reconnecting" else None, leave_reason="client request" if state == "left" else "",
        )  # fmt: skip
    for seq in range(1, 5):
        kind = "on-broadcast" if seq == 4 else "on-peer-join"
        EventRow.objects.create(session=live, seq=seq, kind=kind, audience="", body='{"a":1}', facts="", at=1)
    old.get_model("rooms", "MetadataEntry").objects.create(
        session=live, key="topic", data='"tea"', size=10, change_version=3, updated_at=now
    )
    # Both the tokens of a back end and those by code were signed so.
    held = {user: tokens.sign(room.id, role, user)[0] for user, role in (("alice", "host"), ("bob", "guest"))}
    forged = tokens.sign(room.id, "guest", "bob", owner=tokens.owner_by_secret(""))[0]

    call_command("migrate", verbosity=0, interactive=False)
    memory._remembered.clear()

    alice = caller(room.id, tokens.read(held["alice"]), "peer-alice", "conn-alice")
    bob = caller(room.id, tokens.read(held["bob"]), "peer-bob", "conn-new")
    thief = caller(room.id, tokens.read(forged), "peer-bob", "conn-thief")
    place = {"session_id": live.id, "seq": 3}
    for name in ("join", "resume"):
        extra = {"resume": place} if name == "resume" else {}
        assert refused(thief, "join", name="bob", **extra)[0] == 403
    answer = call(bob, "join", name="bob", resume=place)
    assert answer.error is None
    assert answer.result["resumed"] is True
    assert [event.seq for event in attachment(answer).replay or ()] == [4]
    assert do(bob, "get-metadata", key="topic")["data"] == "tea"
    assert do(alice, "broadcast", info={"message": "hello"})["seq"] == answer.seq + 1

    found = {peer["peer_id"]: peer["person"] for peer in do(alice, "find-peer")["peers"]}
    assert found["peer-bob"] == found["peer-bob-2"] != found["peer-alice"]
    do(alice, "role-change-request", requested_for="peer-bob", role="viewer", force=True)
    assert {peer["role"] for peer in do(alice, "find-peer")["peers"] if peer["peer_id"] != "peer-alice"} == {"viewer"}
    stranger = again(thief, peer_id="peer-new")
    assert call(stranger, "join", name="bob").error is None
    persons = {peer["peer_id"]: peer["person"] for peer in do(alice, "find-peer")["peers"]}
    assert persons["peer-new"] not in (found["peer-bob"], found["peer-alice"])
    do(alice, "end-room")
    assert call(bob, "join", name="bob").error is None


def test_access_keys_of_one_name_are_told_apart(database):
    executor = MigrationExecutor(connection)
    before = [("rooms", "0014_receivers_of_webhooks")]
    executor.migrate(before)
    keys = executor.loader.project_state(before).apps.get_model("rooms", "AccessKey").objects
    for n, name in enumerate(("shop", "Shop", "environment", "x" * 100, "X" * 100)):
        keys.create(name=name, access_key=f"key-{n}", secret="s")

    call_command("migrate", verbosity=0, interactive=False)

    names = list(AccessKey.objects.order_by("pk").values_list("name", flat=True))
    assert names == ["shop", "Shop key-1", "environment key-2", "x" * 100, "X" * 60 + " key-4"]
