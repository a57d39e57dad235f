"""Endpoints are made, changed and removed by commands, which say what is wrong."""

import dataclasses
import io
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from rooms.creation.rooms import create_room
from rooms.models import AuditEntry, Room, WebhookDelivery, WebhookEndpoint, WebhookStream
from rooms.operations.arriving import join
from rooms.operations.engine import gate
from rooms.operations.engine.calls import Call
from rooms.operations.engine.gate import run
from rooms.webhooks import endpoints, signing
from rooms.wire.errors import HeldUp
from tests.operations.driver import do, visitor
from tests.support.processes import PATIENCE
from tests.support.receiver import headers_of

URL = "https://back.example.org/hook"


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("webhook", *arguments, stdout=out)
    return out.getvalue()


def fails(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        printed(*arguments)
    return str(refused.value)


@pytest.mark.django_db
def test_an_endpoint_is_added_listed_changed_and_removed():
    create_room(name="tea")
    key, secret = printed("add", URL, "--header", "X-Secret: a:b", "--key", "score:*").strip().split("\t")
    own, _ = printed("add", URL + "/tea", "--room", "TEA", "--event", "peer.join.success").strip().split("\t")

    lines = {f"{key}\tall rooms\ton\t{URL}", f"{own}\ttea\ton\t{URL}/tea"}
    assert set(printed("list").splitlines()) == lines
    endpoint = WebhookEndpoint.objects.get(pk=key)
    assert endpoints.secrets_of(endpoint) == [secret]
    assert headers_of(endpoint) == {"X-Secret": "a:b"}
    assert (endpoint.events, endpoint.metadata_keys, endpoint.metadata_values) == ([], ["score:*"], False)
    assert "a:b" not in endpoint.headers and secret not in endpoint.secrets
    printed("set", key, "--enabled", "no", "--url", URL + "/2", "--values", "yes")
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.url, endpoint.metadata_values) == (False, URL + "/2", True)
    assert headers_of(endpoint) == {"X-Secret": "a:b"}
    printed("set", key, "--event", "peer.join.success")
    printed("set", key, "--header", "", "--event", "", "--key", "")
    endpoint.refresh_from_db()
    assert (headers_of(endpoint), endpoint.events, endpoint.metadata_keys) == ({}, [], [])

    second = printed("secret", key).strip()
    endpoint.refresh_from_db()
    assert endpoints.secrets_of(endpoint) == [second, secret]
    printed("secret", key, "--drop-old")
    endpoint.refresh_from_db()
    assert endpoints.secrets_of(endpoint) == [second]
    printed("remove", key)
    printed("remove", own)
    assert printed("list") == ""


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["https://back.example.net/hook", "https://back.example.org:8443/hook"])
def test_headers_are_told_to_no_other_receiver_than_they_were_set_for(url):
    made = endpoints.add(URL, headers={"X-Secret": "a:b"})

    assert headers_of(endpoints.change(made.pk, url=URL + "/2", metadata_values=True)) == {"X-Secret": "a:b"}
    assert headers_of(endpoints.change(made.pk, url=url)) == {}
    assert json.loads(AuditEntry.objects.latest("pk").details)["fields"] == ["headers", "url"]
    assert headers_of(endpoints.change(made.pk, headers={"X-Own": "c"}, url=URL)) == {"X-Own": "c"}
    assert headers_of(WebhookEndpoint.objects.get()) == {"X-Own": "c"}


@pytest.mark.django_db
def test_removing_an_endpoint_takes_what_it_was_told_with_it(monkeypatch):
    monkeypatch.setattr(endpoints, "_MOST_REMOVED", 2)
    room = create_room(name="tea")
    kept, gone = endpoints.add(URL), endpoints.add(URL)
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    do(alice, "leave")
    endpoints.remove(gone.pk)
    assert WebhookDelivery.objects.count() == 8  # it may be much: nobody waits for it
    endpoints.forget_gone()

    assert set(WebhookDelivery.objects.values_list("endpoint_id", flat=True)) == {kept.pk}
    assert set(WebhookStream.objects.values_list("endpoint_id", flat=True)) == {kept.pk}
    assert WebhookDelivery.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_from_the_removal_of_a_rooms_own_endpoint_on_those_of_all_are_told():
    room = create_room(name="tea")
    everywhere, own = endpoints.add(URL), endpoints.add(URL + "/tea", room=room)
    do(visitor(room, "Alice", "host"), "join", name="Alice")
    bob = visitor(room, "Bob", "host")
    endpoints.remove(own.pk)
    do(bob, "join", name="Bob")
    endpoints.forget_gone()
    do(bob, "leave")

    told = WebhookDelivery.objects.order_by("pk").values_list("endpoint_id", "name")
    assert list(told) == [(everywhere.pk, "peer.join.success"), (everywhere.pk, "peer.leave.success")]
    assert [endpoint.pk for endpoint in endpoints.there()] == [everywhere.pk]
    assert not WebhookEndpoint.objects.filter(pk=own.pk).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "http://back.example.org"], "url: is http://, which WEBHOOK_HTTP allows"),
        (["add", "https://u:p@back.example.org"], "url: has a user's name in it; send it in a header"),
        (["add", URL, "--header", "Host: x"], "headers: Host: is set by the server"),
        (["add", URL, "--header", "webhook-id: x"], "headers: webhook-id: is set by the server"),
        (["add", URL, "--header", "X-A: a\nb"], "headers: X-A: expected plain ASCII text"),
        (
            ["add", URL, "--header", "no colon"],
            "Error: argument --header: 'no colon' has no colon: expected NAME:VALUE",
        ),
        (
            ["replay", "--since", "999999d"],
            "Error: argument --since: '999999d' is not a time such as 90s, 30m, 2h, 7d, of",
        ),
        (["add", URL, "--event", "peer.join"], "events: 'peer.join' is none of session.open.success"),
        (["add", URL, "--event", "metadata.change.success"], "events: 'metadata.change.success' is none of"),
        (["add", URL, "--key", "a*b"], "metadata_keys: 'a*b': expected a key"),
        (["add", URL, "--secret", "short"], "secret: expected whsec_ and 24 to 64 bytes in base64."),
        (["add", URL, "--room", "milk"], "There is no room 'milk'."),
        (["set", "unknown", "--enabled", "no"], "There is no such endpoint."),
        (["secret", "unknown"], "There is no such endpoint."),
        (["remove", "unknown"], "There is no such endpoint."),
        (["set", "unknown"], "Nothing to set"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(arguments, told):
    assert fails(*arguments).startswith(told)
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.django_db
def test_endpoints_are_few(monkeypatch):
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 2)
    for _ in range(2):
        endpoints.add(URL)
    endpoints.add(URL, room=create_room(name="tea"))
    with pytest.raises(ValidationError, match="There are 2 endpoints already"):
        endpoints.add(URL)


@pytest.mark.django_db
def test_a_rooms_webhook_is_set_replaced_and_taken_away():
    room = create_room(name="tea")
    endpoints.set_of_room(room, URL, {"X-A": "1"})
    endpoints.set_of_room(room, URL + "/2")
    [own] = endpoints.listed(room)
    assert (own.url, headers_of(own)) == (URL + "/2", {})
    endpoints.set_of_room(room, "")
    assert endpoints.listed(room) == []


@pytest.mark.django_db
def test_a_change_that_changes_nothing_is_not_written_down():
    room = create_room(name="tea")
    for _ in range(3):
        endpoints.set_of_room(room, URL, {"X-A": "1"})
    assert list(AuditEntry.objects.filter(what__startswith="webhook.").values_list("what", flat=True)) == [
        "webhook.create"
    ]
    endpoints.set_of_room(room, URL, {"X-A": "2"})
    [changed] = AuditEntry.objects.filter(what="webhook.change")
    assert json.loads(changed.details)["fields"] == ["headers"]


@pytest.mark.django_db
def test_a_replay_is_started_by_command():
    room = create_room(name="tea")
    endpoints.add(URL)
    do(visitor(room, "Alice", "host"), "join", name="Alice")
    WebhookDelivery.objects.update(state="dead")

    assert printed("replay", "--since", "1h").split("\t")[1:] == ["2 that failed", "started\n"]
    assert printed("replay", "--since", "1h", "--event", "peer.join.success").split("\t")[1] == "1 that failed"
    assert (
        printed("replay", "--since", "1h", "--room", "tea", "--status", "success").split("\t")[1] == "0 that were taken"
    )


@pytest.mark.django_db
def test_a_replay_of_the_same_command_a_moment_later_is_the_same(monkeypatch):
    now = timezone.now().replace(second=30)
    for seconds, told in ((0, "started"), (5, "already running"), (60, "started")):
        moment = now + timedelta(seconds=seconds)
        monkeypatch.setattr("rooms.management.commands.webhook.database_now", lambda moment=moment: moment)
        assert printed("replay", "--since", "1h").strip().split("\t")[2] == told


@pytest.fixture
def room(database: str) -> Room:
    return create_room(name="tea")


def in_thread(work: Any) -> threading.Thread:
    def run_and_close() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run_and_close)
    thread.start()
    return thread


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Whether somebody is changing an endpoint, whom the second lets go on; only the first waits."""
    begun, go_on = threading.Event(), threading.Event()
    real = endpoints._set

    def slow(endpoint: Any, fields: Any) -> None:
        real(endpoint, fields)
        if not begun.is_set():
            begun.set()
            assert go_on.wait(PATIENCE)

    monkeypatch.setattr(endpoints, "_set", slow)
    return begun, go_on


@pytest.mark.postgres
def test_who_would_wait_too_long_is_told_that_others_are_at_work(room, monkeypatch):
    monkeypatch.setattr(gate, "LOCK_SECONDS", 0.3)
    endpoint = endpoints.add(URL, room=room)
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM rooms_room WHERE id = %s FOR UPDATE", [room.pk])
        other.execute("SELECT FROM rooms_webhookendpoint WHERE id = %s FOR UPDATE", [endpoint.pk])

        acts: list[Callable[[], object]] = [
            lambda: endpoints.add(URL),
            lambda: endpoints.set_of_room(room, ""),
            lambda: endpoints.change(endpoint.pk, enabled=False),
            lambda: endpoints.remove(endpoint.pk),
            lambda: endpoints.drop_secrets(endpoint.pk),
        ]
        for act in acts:
            with pytest.raises(HeldUp):
                act()
        assert "the room is locked by another program" in fails("secret", endpoint.pk)


@pytest.mark.postgres
def test_two_at_once_give_a_room_one_webhook(room, held):
    begun, go_on = held
    first = in_thread(lambda: endpoints.set_of_room(room, URL))
    assert begun.wait(PATIENCE)
    second = in_thread(lambda: endpoints.set_of_room(room, URL + "/2"))
    second.join(0.5)
    go_on.set()
    first.join(PATIENCE)
    second.join(PATIENCE)

    assert [endpoint.url for endpoint in endpoints.listed(room)] == [URL + "/2"]


@pytest.mark.postgres
def test_a_new_secret_outlasts_a_change_that_is_under_way(room, held):
    begun, go_on = held
    begun.set()
    made = endpoints.add(URL)
    begun.clear()
    changing = in_thread(lambda: endpoints.change(made.pk, url=URL + "/2"))
    assert begun.wait(PATIENCE)
    secrets: list[str] = []
    adding = in_thread(lambda: secrets.append(endpoints.add_secret(made.pk)))
    adding.join(0.5)
    go_on.set()
    changing.join(PATIENCE)
    adding.join(PATIENCE)

    made.refresh_from_db()
    assert made.url == URL + "/2"
    assert len(endpoints.secrets_of(made)) == 2 and endpoints.secrets_of(made)[0] == secrets[0]


@pytest.mark.postgres
@pytest.mark.parametrize("own", [False, True])
def test_a_change_waits_for_what_is_under_way_so_that_all_after_it_is_told(room, own, monkeypatch):
    """A join that began before the endpoint was there is not told to leave, one that began after it is told."""
    begun, go_on = threading.Event(), threading.Event()
    real = join.function

    def slow(context: Any, **arguments: Any) -> Any:
        begun.set()
        assert go_on.wait(PATIENCE)
        return real(context, **arguments)

    alice, bob = visitor(room, "Alice", "host"), visitor(room, "Bob", "host")
    slowly = dataclasses.replace(join, function=slow)
    joining = in_thread(lambda: run([Call(slowly, alice, {"name": "Alice"})]))
    assert begun.wait(PATIENCE)
    adding = in_thread(lambda: endpoints.add(URL, room=room if own else None))
    adding.join(0.5)
    assert adding.is_alive()
    go_on.set()
    joining.join(PATIENCE)
    adding.join(PATIENCE)
    do(bob, "join", name="Bob")
    do(alice, "leave")
    do(bob, "leave")

    told = [json.loads(body) for body in WebhookDelivery.objects.order_by("pk").values_list("body", flat=True)]
    assert [(event["type"], event["data"].get("user_name")) for event in told] == [
        ("peer.join.success", "Bob"), ("peer.leave.success", "Bob"), ("session.close.success", None),
    ]  # fmt: skip


def test_a_new_secret_is_one_of_the_right_form():
    assert len(signing.key_of(signing.new_secret())) == 32
