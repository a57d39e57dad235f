"""What waits is sent, in order, until it is taken."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from rooms.creation.rooms import create_room, delete_room, delete_unused
from rooms.models import Room, WebhookDelivery, WebhookEndpoint, WebhookStream, milliseconds
from rooms.observe import background, metrics
from rooms.operations.engine import statements
from rooms.operations.engine.calls import SERVER
from rooms.webhooks import courier, endpoints, queue, replays, signing
from rooms.webhooks.chores import Chores
from rooms.webhooks.courier import Courier
from rooms.webhooks.deliveries import Filters
from rooms.webhooks.places import Failing, Places
from rooms.webhooks.queue import Tried
from rooms.webhooks.sending import Sent
from rooms.wire.errors import TooLarge
from tests.operations.driver import do, visitor
from tests.support.processes import PATIENCE
from tests.support.receiver import Receiver

pytestmark = pytest.mark.matrix


@pytest.fixture(autouse=True)
def webhooks_to_loopback(settings: Any, database: str) -> None:
    settings.WEBHOOK_HTTP = True
    settings.WEBHOOK_TIMEOUT = PATIENCE
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass, by the clock of the database, which stands still otherwise."""
    passed = timedelta()
    begun = timezone.now()

    def let_pass(hours: float) -> None:
        nonlocal passed
        passed += timedelta(hours=hours)

    monkeypatch.setattr(statements, "now", lambda cursor: begun + passed)
    return let_pass


@pytest.fixture
def room(database: str) -> Room:
    return create_room(name="team")


def come_and_go(room: Room, name: str = "Alice") -> None:
    caller = visitor(room, name, "host")
    do(caller, "join", name=name)
    do(caller, "leave")


def types(receiver: Receiver) -> list[str]:
    return [got.event["type"] for got in receiver.got]


OF_A_SESSION = ["session.open.success", "peer.join.success", "peer.leave.success", "session.close.success"]


def test_a_session_is_sent_in_order_signed_and_with_the_headers(room, receiver):
    endpoint = endpoints.add(receiver.url, headers={"X-Secret": "s3cret"})
    come_and_go(room)
    Courier().run_once()

    assert types(receiver) == OF_A_SESSION
    [secret] = endpoints.secrets_of(endpoint)
    for got in receiver.got:
        at = int(got.headers["webhook-timestamp"])
        expected = signing.headers([secret], got.id, at, got.body)
        assert {name: got.headers[name] for name in expected} == expected
        assert got.event["id"] == got.id
        assert (got.headers["x-secret"], got.headers["content-type"]) == ("s3cret", "application/json")
    assert set(WebhookDelivery.objects.values_list("state", "attempts", "status")) == {("delivered", 1, 200)}
    assert not WebhookStream.objects.exists()


def test_of_long_events_few_are_taken_up_at_once(room, receiver, monkeypatch):
    monkeypatch.setattr(queue, "_MOST_CHARS", 1)
    endpoints.add(receiver.url)
    come_and_go(room)
    [claimed] = queue.claim(Places(), seconds=60)
    batch = queue.proceed(claimed, [], seconds=60)
    assert batch is not None and len(batch.deliveries) == 1
    queue.give_back(claimed)
    Courier().run_once()
    assert types(receiver) == OF_A_SESSION


def test_no_log_has_the_url_that_is_sent_to(room, receiver, caplog):
    caplog.set_level(logging.DEBUG)
    endpoints.add(receiver.url + "/s3cret?token=s3cret")
    come_and_go(room)
    receiver.answer = lambda got: 0 if got.event["type"] == "peer.leave.success" else 200
    Courier().run_once()

    assert len(receiver.got) >= 3
    assert [record.name for record in caplog.records if "s3cret" in record.getMessage()] == []


def test_what_is_not_taken_holds_up_its_session_alone_and_is_tried_again(room, receiver, hours):
    endpoints.add(receiver.url)
    other = create_room(name="other")
    come_and_go(room)
    come_and_go(other)
    failing = {room.id}
    receiver.answer = lambda got: 503 if got.event["data"]["room_id"] in failing else 200
    for _ in range(3):
        Courier().run_once()

    assert [got.event["data"]["room_id"] for got in receiver.taken()] == [other.id] * 4
    [waits] = WebhookDelivery.objects.filter(attempts__gt=0, state="waiting")
    assert (waits.name, waits.attempts, waits.status, waits.error) == ("session.open.success", 1, 503, "answered 503")
    hours(1 / 3600)
    Courier().run_once()
    waits.refresh_from_db()
    assert waits.attempts == 2
    failing.clear()
    Courier().run_once()
    assert len(receiver.taken()) == 4  # its time has not come
    hours(3 / 3600)
    Courier().run_once()

    assert [got.event["type"] for got in receiver.taken()[4:]] == OF_A_SESSION
    assert len({got.id for got in receiver.got}) == 8 and len(receiver.got) == 10


def test_what_is_not_taken_for_a_day_is_given_up_and_the_next_is_told(room, receiver, hours):
    endpoints.add(receiver.url)
    come_and_go(room)
    receiver.answer = lambda got: 500 if got.event["type"] == "session.open.success" else 200
    tries = 0
    while WebhookStream.objects.exists():
        tries += 1
        Courier().run_once()
        hours(1)
        assert tries < 40

    assert [got.event["type"] for got in receiver.taken()] == OF_A_SESSION[1:]
    dead = WebhookDelivery.objects.get(state="dead")
    assert (dead.name, dead.attempts) == ("session.open.success", tries)
    assert dead.done_at is not None and 24 <= tries <= 26


def test_an_endpoint_that_hangs_leaves_places_to_others(settings, database, receiver):
    with hanging() as (slow, go_on):
        slow_room, quick_room = create_room(name="slow"), create_room(name="quick")
        endpoints.add(slow.url, room=slow_room)
        endpoints.add(receiver.url, room=quick_room)
        for number in range(40):
            come_and_go(slow_room, f"Alice{number}")
        come_and_go(quick_room, "Bob")
        courier = threading.Thread(target=run_and_close, daemon=True)
        courier.start()
        try:
            receiver.wait_for(lambda taken: len(taken) == 4)
            assert courier.is_alive()
        finally:
            background._stopped.set()
            go_on.set()
            courier.join(PATIENCE)
            background._stopped.clear()
    # Who ends gives back what it had, and does not forget what was told.
    assert WebhookStream.objects.exists()
    assert {stream.claim for stream in WebhookStream.objects.all()} == {""}
    assert WebhookDelivery.objects.filter(state="delivered").count() >= 4 + 12


@contextmanager
def hanging() -> Iterator[tuple[Receiver, threading.Event]]:
    """A receiver that answers nobody before the event."""
    go_on = threading.Event()
    with Receiver(lambda got: 200 if go_on.wait(PATIENCE) else 500) as receiver:
        yield receiver, go_on


@contextmanager
def sending(go_on: threading.Event | None = None) -> Iterator[None]:
    """What waits is told meanwhile, as in a process that serves; at the end a receiver that hangs may go on."""
    before = set(threading.enumerate())
    courier.start()
    try:
        yield
    finally:
        background._stopped.set()
        if go_on:
            go_on.set()
        for thread in set(threading.enumerate()) - before:
            if thread.name in ("webhooks", "webhooks_chores"):
                thread.join(PATIENCE)
                assert not thread.is_alive()
        background._stopped.clear()


def test_many_endpoints_at_one_receiver_that_hangs_leave_places_to_others(settings, database, receiver):
    with hanging() as (slow, go_on):
        for number in range(60):
            slow_room = create_room(name=f"slow{number}")
            endpoints.add(f"{slow.url}/{number}", room=slow_room)
            come_and_go(slow_room)
        endpoints.add(receiver.url)
        come_and_go(create_room(name="quick"))
        with sending(go_on):
            receiver.wait_for(lambda taken: len(taken) == 4)


def test_receivers_that_fail_leave_places_to_those_that_do_not():
    failing = Failing()
    for receiver in ("a", "b", "c"):
        failing.note(receiver, failed=True)
    failing.note("c", failed=False)
    places = Places(["a"] * 11 + ["b"] * 8, failing.receivers)
    assert places.full() == [] and places.free == 13
    assert [places.take(receiver) for receiver in ("b", "b", "a", "c")] == [True, False, False, True]
    assert sorted(places.full()) == ["a", "b"]
    assert [places.take("c") for _ in range(12)] == [True] * 11 + [False]
    assert places.free == 0 and not places.take("d")


def test_of_many_receivers_that_fail_the_latest_are_remembered():
    failing = Failing()
    for number in range(1200):
        failing.note(str(number), failed=True)
    assert list(failing.receivers) == [str(number) for number in range(200, 1200)]


def test_replays_and_housekeeping_go_on_while_a_receiver_hangs(settings, database, receiver):
    good = create_room(name="good")
    endpoints.add(receiver.url, room=good)
    come_and_go(good)
    Courier().run_once()
    with hanging() as (slow, go_on):
        for number in range(6):
            bad = create_room(name=f"bad{number}")
            endpoints.add(slow.url, room=bad)
            come_and_go(bad)
        metrics.WEBHOOK_BACKLOG.set(-1)
        with sending(go_on):
            time.sleep(1)
            replays.start(between(good))
            receiver.wait_for(lambda _: len(receiver.got) == 8)
            receiver.wait_for(lambda _: metrics.WEBHOOK_BACKLOG._value.get() >= 24)


def test_a_name_server_that_is_silent_holds_up_its_own_names_alone(settings, database, receiver, monkeypatch):
    settings.WEBHOOK_TIMEOUT = 1
    go_on, real, asked = threading.Event(), socket.getaddrinfo, []

    def look_up(host: str, *arguments: Any, **named: Any) -> Any:
        if host == "silent.example":
            asked.append(host)
            go_on.wait(PATIENCE)
            raise socket.gaierror("no")
        return real(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    silent, quick = create_room(name="silent"), create_room(name="quick")
    endpoints.add("http://silent.example/", room=silent)
    endpoints.add(receiver.url.replace("127.0.0.1", "localhost"), room=quick)
    for number in range(20):
        come_and_go(silent, f"Alice{number}")
    come_and_go(quick)
    try:
        with sending():  # whose end does not wait for the name either
            receiver.wait_for(lambda taken: len(taken) == 4)
            time.sleep(2)
        assert asked == ["silent.example"]
    finally:
        go_on.set()


def run_and_close() -> None:
    try:
        Courier().run_once()
    finally:
        connection.close()


def test_a_claim_that_ran_out_changes_nothing(room, receiver, hours):
    endpoints.add(receiver.url)
    come_and_go(room)
    [lost] = queue.claim(Places(), seconds=60)
    batch = queue.proceed(lost, [], seconds=60)
    assert batch is not None and len(batch.deliveries) == 4
    assert queue.claim(Places(), seconds=60) == []
    hours(1)
    [taken_over] = queue.claim(Places(), seconds=60)

    late = [Tried(waiting, Sent(200)) for waiting in batch.deliveries]
    assert queue.proceed(lost, late, seconds=60) is None
    queue.give_back(lost)
    assert set(WebhookDelivery.objects.values_list("state", "attempts")) == {("waiting", 0)}
    assert WebhookStream.objects.get().claim == taken_over.name
    assert queue.proceed(taken_over, late, seconds=60) is None
    assert set(WebhookDelivery.objects.values_list("state", "attempts")) == {("delivered", 1)}


def test_what_is_written_while_the_last_is_told_is_told_too(room, receiver):
    """The session's stream is about to end when more of it comes."""
    endpoints.add(receiver.url)
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    [claimed] = queue.claim(Places(), seconds=60)
    batch = queue.proceed(claimed, [], seconds=60)
    assert batch is not None
    do(alice, "leave")
    rest = queue.proceed(claimed, [Tried(waiting, Sent(200)) for waiting in batch.deliveries], seconds=60)
    assert rest is not None and len(rest.deliveries) == 2
    assert queue.proceed(claimed, [Tried(waiting, Sent(200)) for waiting in rest.deliveries], seconds=60) is None
    assert not WebhookStream.objects.exists()
    come_and_go(room)
    Courier().run_once()
    assert types(receiver) == OF_A_SESSION


def test_a_disabled_endpoint_is_told_the_rest_when_it_is_enabled_again(room, receiver):
    endpoint = endpoints.add(receiver.url)
    come_and_go(room)
    endpoints.change(endpoint.pk, enabled=False)
    Courier().run_once()
    assert receiver.got == []
    endpoints.change(endpoint.pk, enabled=True)
    Courier().run_once()
    assert types(receiver) == OF_A_SESSION


@pytest.mark.parametrize("expires", [False, True])
def test_the_last_words_of_a_deleted_room_are_told_and_then_its_endpoint_goes(room, receiver, expires, hours):
    everywhere = endpoints.add(receiver.url + "/all")
    endpoints.add(receiver.url, room=room)
    do(visitor(room, "Alice", "host"), "join", name="Alice")
    last = ["peer.leave.success", "session.close.success"]
    if expires:
        do(visitor(room, "Alice", "host"), "leave")
        delete_unused(timezone.now() + timedelta(days=9), days=8, most=9)
    else:
        last.insert(0, "room.end.success")
        delete_room(room.pk, author=SERVER)
    assert not Room.objects.exists()
    come_and_go(create_room(name="other"))
    Courier().run_once()
    Chores().run_once()

    told = {
        path: [got.event["type"] for got in receiver.taken() if got.path == path] for path in ("/hook", "/hook/all")
    }
    assert told == {"/hook": OF_A_SESSION[:2] + last, "/hook/all": OF_A_SESSION}
    assert set(WebhookDelivery.objects.values_list("endpoint", flat=True)) == {everywhere.pk}
    assert [endpoint.pk for endpoint in WebhookEndpoint.objects.all()] == [everywhere.pk]


def test_what_is_old_is_tidied_away(room, receiver, hours, settings):
    endpoints.add(receiver.url)
    come_and_go(room)
    Courier().run_once()
    hours(24 * settings.WEBHOOK_DAYS - 1)
    Chores().run_once()
    assert WebhookDelivery.objects.count() == 4
    hours(2)
    Chores().run_once()
    assert not WebhookDelivery.objects.exists()


def test_an_endpoint_whose_secrets_cannot_be_read_keeps_its_events_waiting(room, receiver, settings, hours):
    endpoints.add(receiver.url)
    come_and_go(room)
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    Courier().run_once()
    assert receiver.got == []
    assert WebhookDelivery.objects.filter(state="waiting").count() == 4
    settings.SECRET_KEY = key
    hours(1)
    Courier().run_once()
    assert types(receiver) == OF_A_SESSION


# --- Replay -------------------------------------------------------------------------------------


def between(room: Room, **filters: Any) -> Filters:
    return Filters(0, 10**13, room.id, **filters)


def test_a_replay_tells_again_under_the_same_ids_ten_a_second(room, receiver, hours):
    endpoints.add(receiver.url)
    for _ in range(4):
        come_and_go(room)
    Courier().run_once()
    first = by_session(receiver)
    receiver.got.clear()
    workflow, is_new = replays.start(between(room))
    same, _ = replays.start(between(room))
    assert (is_new, same.pk, workflow.total) == (True, workflow.pk, 16)
    for seconds in (0.55, 1, 1, 0.1):
        before = len(receiver.got)
        hours(seconds / 3600)
        Chores().run_once()
        Courier().run_once()
        assert len(receiver.got) - before <= 10

    again = by_session(receiver)
    assert [event.pop("is_replay") for events in again.values() for event in events] == [True] * 16
    assert again == first
    workflow.refresh_from_db()
    assert workflow.completed_at is not None
    assert replays.start(between(room)).is_new
    assert replays.start(between(room), limit=5, offset=2).workflow.total == 5


def test_of_replays_that_go_on_at_once_there_is_a_bound(room, monkeypatch):
    monkeypatch.setattr(replays, "MOST_RUNNING", 2)
    for limit in (1, 2, 2):
        replays.start(between(room), limit=limit)
    with pytest.raises(TooLarge, match="replays: "):
        replays.start(between(room), limit=3)


def by_session(receiver: Receiver) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for got in receiver.taken():
        found.setdefault(got.event["data"]["session_id"], []).append(got.event)
    return found


def test_a_replay_tells_no_more_than_was_over_when_it_began(room, receiver, hours):
    endpoints.add(receiver.url)
    come_and_go(room)
    first, *between_them, last = WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True)
    at = milliseconds(statements.database_now())
    WebhookDelivery.objects.filter(pk__in=[first, last]).update(state="delivered", done_at=at)
    workflow = replays.start(between(room), limit=2).workflow
    WebhookDelivery.objects.filter(pk__in=between_them).update(state="dead", done_at=at + 60_000)
    WebhookStream.objects.all().delete()
    hours(1)
    Chores().run_once()

    assert (workflow.total, list(workflow.deliveries.order_by("pk").values_list("name", flat=True))) == (
        2, [OF_A_SESSION[0], OF_A_SESSION[-1]],
    )  # fmt: skip


def test_a_replay_of_what_failed_tells_that_alone(room, receiver, hours):
    endpoints.add(receiver.url)
    come_and_go(room)
    WebhookDelivery.objects.filter(name="peer.join.success").update(state="dead")
    Courier().run_once()
    receiver.got.clear()
    replays.start(between(room, status="failed"))
    hours(1)
    Chores().run_once()
    Courier().run_once()
    assert [(got.event["type"], got.event["is_replay"]) for got in receiver.got] == [("peer.join.success", True)]
