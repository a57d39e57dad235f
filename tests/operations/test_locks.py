"""Locks: one holder at a time, those who wait in their order, and writing under one."""

import copy
import json
from datetime import timedelta

import pytest

from rooms.models import Lock, Room, Session, Template, milliseconds
from rooms.operations import locks
from rooms.operations.engine import clock, memory
from rooms.operations.engine.gate import run
from rooms.operations.leaving import disconnect
from rooms.operations.locks import stop_waiting
from rooms.operations.metadata.lapses import settle_due
from rooms.operations.reaping import reap
from rooms.wire.results import Waiting
from tests.operations.driver import (
    again,
    ask,
    at_once,
    attachment,
    call,
    do,
    error_of,
    kinds,
    position,
    prepare,
    refused,
    server,
    told,
    visitor,
)

FREE = {"name": "deck", "holder": None, "token": None}


def lock(who, name="deck", **params):
    """A lock that somebody gets at once."""
    held = do(who, "lock", name=name, **params)
    held.pop("seq")
    assert held["holder"] == who.peer_id
    return held


def wait(who, name="deck", *, wait_ms=60_000, **params) -> Waiting:
    answer = call(who, "lock", name=name, wait_ms=wait_ms, **params)
    assert isinstance(answer.for_socket, Waiting), answer.error
    assert not answer.events
    return answer.for_socket


def unlock(who, held):
    answer = call(who, "unlock", name=held["name"], token=held["token"])
    assert answer.error is None, answer.error.as_wire()
    return answer


def changes(events):
    """What is told of locks by these events, of which each names its own number if it gives a lock to somebody."""
    told_of = [(event.seq, body) for event, body in bodies(events)]
    # One that prolongs leaves the lock under the token that it has.
    assert all(body["token"] in (seq, None) for seq, body in told_of if body["reason"] != "prolonged")
    return [(body["name"], body["holder"], body["reason"]) for _, body in told_of]


def bodies(events):
    return [(event, json.loads(event.body)) for event in events if event.kind == "on-lock-change"]


def stands(who):
    """``{name: (holder, token)}``"""
    return {held["name"]: (held["holder"], held["token"]) for held in do(who, "locks")["locks"]}


# --- Getting and freeing ------------------------------------------------------------------------


def test_i42_one_peer_at_a_time_holds_a_lock(alice, bob, victor):
    answer = call(alice, "lock", name="deck")
    token = answer.seq
    assert answer.result == {"name": "deck", "holder": "peer-Alice", "token": token, "seq": token}
    for who in (alice, bob, victor):
        [(kind, body)] = told(who, answer.events)
        assert kind == "on-lock-change"
        assert body == {"name": "deck", "holder": "peer-Alice", "token": token, "reason": "locked"}

    refusal = error_of(bob, "lock", name="deck")
    assert (refusal.code, refusal.data) == (409, {"name": "deck", "holder": "peer-Alice", "token": token})
    assert stands(bob) == {"deck": ("peer-Alice", token)}

    answer = unlock(alice, {"name": "deck", "token": token})
    assert answer.result == {**FREE, "seq": answer.seq}
    assert changes(answer.events) == [("deck", None, "released")]
    assert stands(bob) == {}
    assert lock(bob)["token"] > token
    assert Lock.objects.count() == 1


def test_locks_of_two_names_and_of_two_rooms_are_apart(alice, bob, carol):
    assert lock(alice, "a")["holder"] == "peer-Alice"
    assert lock(bob, "b")["holder"] == "peer-Bob"
    assert lock(carol, "a")["holder"] == "peer-Carol"
    assert set(stands(alice)) == {"a", "b"}


def test_the_holder_gets_its_token_again(alice):
    held = lock(alice)
    before = position(alice.room_id)
    assert lock(alice) == held
    assert lock(alice, wait_ms=1000) == held
    assert position(alice.room_id) == before


def test_a_lock_and_its_freeing_in_one_transaction_leave_nothing(alice, bob):
    first = position(alice.room_id) + 1
    calls = [prepare(alice, "lock", name="deck"), prepare(alice, "unlock", name="deck", token=first)]
    assert [answer.error for answer in run(calls)] == [None] * 2
    assert stands(alice) == {}
    calls = [prepare(bob, "lock", name="deck"), prepare(bob, "unlock", name="deck", token=first + 2)]
    calls.append(prepare(alice, "lock", name="deck"))
    assert [answer.error for answer in run(calls)] == [None] * 3
    assert stands(alice) == {"deck": ("peer-Alice", first + 4)}


def test_a_lock_is_freed_under_its_own_token_only(alice, bob):
    held = lock(alice)
    unlock(alice, held)
    assert error_of(alice, "unlock", name="deck", token=held["token"]).data == FREE
    new = lock(alice)
    refusal = error_of(alice, "unlock", name="deck", token=held["token"])
    assert (refusal.code, refusal.data) == (409, new)


def test_who_may_remove_others_may_take_a_lock_away(alice, bob, room):
    held = lock(bob)
    answer = unlock(alice, held)
    assert changes(answer.events) == [("deck", None, "revoked")]
    held = lock(alice)
    assert refused(bob, "unlock", name="deck", token=held["token"])[0] == 403
    assert changes(unlock(server(room), held).events) == [("deck", None, "revoked")]


def test_who_may_write_nothing_locks_nothing(alice, victor, room):
    assert refused(victor, "lock", name="deck") == (403, "the role viewer lacks the permission writeMetadata")
    do(alice, "set-metadata-rules", rules=[{"key": "deck:*", "write": ["viewer"], "lock": "deck"}])
    assert lock(victor)["holder"] == "peer-Victor"
    assert refused(alice, "lock", name="deck") == (403, "name: the lock is for viewer")
    assert refused(server(room), "lock", name="other") == (403, "name: the server holds no locks")


def test_how_many_locks_there_may_be(alice, bob, monkeypatch):
    monkeypatch.setattr(locks, "MAX_LOCKS", 2)
    lock(alice, "a")
    lock(bob, "b")
    refusal = error_of(alice, "lock", name="c", wait_ms=1000)
    assert refusal.as_wire() == {
        "code": 413,
        "message": "name: 2 locks are held, at most 2",
        "data": {"limit": "max_locks", "used": 3, "max": 2},
    }
    lock(alice, "a")


def test_limits_of_the_parameters(alice):
    assert refused(alice, "lock", name="") == (400, "name: expected 1 to 64 characters")
    assert refused(alice, "lock", name="x" * 65) == (400, "name: expected 1 to 64 characters")
    assert refused(alice, "lock", name="x", wait_ms=60_001) == (400, "wait_ms: expected 0 to 60000")
    assert refused(alice, "lock", name="x", expires_in=0) == (400, "expires_in: expected 1 to 604800")


# --- Waiting ------------------------------------------------------------------------------------


def test_those_who_wait_get_the_lock_in_their_order(alice, bob, room):
    held = lock(alice)
    others = [visitor(room, f"{number}", "guest") for number in range(3)]
    for other in others:
        do(other, "join", name=other.name)
    for who in (others[1], bob, others[0], others[2]):
        wait(who)
    tokens = [held["token"]]
    holder = alice
    for who in (others[1], bob, others[0], others[2]):
        answer = unlock(holder, {"name": "deck", "token": tokens[-1]})
        assert changes(answer.events) == [("deck", who.peer_id, "released")]
        [event] = answer.events
        assert event.effect.peer_id == who.peer_id
        assert answer.result == {"name": "deck", "holder": who.peer_id, "token": event.seq, "seq": event.seq}
        tokens.append(event.seq)
        holder = who
    assert tokens == sorted(set(tokens))
    assert changes(unlock(holder, {"name": "deck", "token": tokens[-1]}).events) == [("deck", None, "released")]


def test_who_asks_again_keeps_its_place(alice, bob, room):
    held = lock(alice)
    carla = visitor(room, "Carla", "guest")
    do(carla, "join", name="Carla")
    wait(bob)
    wait(carla)
    wait(bob, expires_in=7)
    answer = unlock(alice, held)
    assert changes(answer.events) == [("deck", "peer-Bob", "released")]
    assert "expires_at" in answer.result


def test_who_does_not_want_to_wait_any_more_is_passed_over(alice, bob, room):
    held = lock(alice)
    waiting = wait(bob)
    refusal = ask(bob, stop_waiting, name="deck", until=waiting.until).error
    assert refusal is not None
    assert (refusal.code, refusal.data) == (409, held)
    assert changes(unlock(alice, held).events) == [("deck", None, "released")]


def test_who_is_away_keeps_its_place_and_nobody_waits_for_it(alice, bob, room):
    carla, dora = (visitor(room, name, "guest") for name in ("Carla", "Dora"))
    for who in (carla, dora):
        do(who, "join", name=who.name)
    held = lock(alice)
    for who in (bob, carla, dora):
        wait(who)
    ask(bob, disconnect)
    answer = unlock(alice, held)
    assert changes(answer.events) == [("deck", "peer-Carla", "released")]
    do(again(bob), "join", name="Bob")
    answer = unlock(carla, answer.result)
    assert changes(answer.events) == [("deck", "peer-Bob", "released")]
    # Of those who are all away the first gets it.
    ask(dora, disconnect)
    assert changes(unlock(again(bob), answer.result).events) == [("deck", "peer-Dora", "released")]


def test_who_got_the_lock_at_the_last_moment_is_told_so(alice, bob):
    held = lock(alice)
    waiting = wait(bob)
    token = unlock(alice, held).seq
    answer = ask(bob, stop_waiting, name="deck", until=waiting.until)
    assert (answer.error, answer.result["token"]) == (None, token)
    assert stands(bob) == {"deck": ("peer-Bob", token)}


def test_the_end_of_an_earlier_wait_is_not_that_of_a_later(alice, bob, later):
    held = lock(alice)
    earlier = wait(bob)
    later(1)
    wait(bob)
    assert ask(bob, stop_waiting, name="deck", until=earlier.until).error
    assert changes(unlock(alice, held).events) == [("deck", "peer-Bob", "released")]


def test_nobody_gets_a_lock_after_its_time(alice, bob, later):
    held = lock(alice)
    wait(bob, wait_ms=1000)
    later(1)
    assert changes(unlock(alice, held).events) == [("deck", None, "released")]


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_clock_that_is_set_ends_nobodys_wait_nor_makes_it_longer(alice, bob, room, later, step):
    carla = visitor(room, "Carla", "guest")
    do(carla, "join", name="Carla")
    held = lock(alice)
    wait(bob)
    wait(carla)
    do(again(bob), "join", name="Bob")
    later(step)
    answer = unlock(alice, held)
    assert changes(answer.events) == [("deck", "peer-Carla", "released")]
    assert changes(unlock(carla, answer.result).events) == [("deck", None, "released")]


def test_how_many_may_wait(alice, bob, room, monkeypatch, later):
    monkeypatch.setattr(locks, "MAX_WAITERS", 1)
    lock(alice, "a")
    lock(bob, "b")
    wait(bob, "a", wait_ms=1000)
    wait(bob, "a", wait_ms=1000)
    refusal = error_of(alice, "lock", name="b", wait_ms=1000)
    assert (refusal.code, refusal.data) == (413, {"limit": "max_waiters", "used": 2, "max": 1})
    # Whose time is over waits no more, for whichever lock that was.
    later(2)
    wait(alice, "b", wait_ms=1000)
    later(2)
    carla = visitor(room, "Carla", "guest")
    do(carla, "join", name="Carla")
    wait(carla, "a")


@pytest.mark.matrix
@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_one_gets_it_and_each_has_a_place(database, room):
    people = [visitor(room, f"{number}", "guest") for number in range(8)]
    for who in people:
        do(who, "join", name=who.name)
    answers = at_once([prepare(who, "lock", name="deck", wait_ms=60_000) for who in people])
    assert [answer.error for answer in answers] == [None] * 8
    by_id = {who.peer_id: who for who in people}
    [first] = [who.peer_id for who, answer in zip(people, answers, strict=True) if answer.for_socket is None]
    served, token = [first], 0
    while served[-1]:
        held = stands(people[0])["deck"]
        assert held[0] == served[-1]
        assert held[1] > token
        token = held[1]
        served.append(unlock(by_id[served[-1]], {"name": "deck", "token": token}).result["holder"])
    assert sorted(served[:-1]) == sorted(by_id)


# --- Who goes -----------------------------------------------------------------------------------


def test_a_lock_goes_on_when_its_holder_leaves_before_that_is_told(alice, bob, victor, room):
    do(alice, "set-metadata", key="mine", data=1, owner=True)
    do(victor, "listen-metadata-change", keys=["mine"])
    lock(alice, "a")
    lock(alice, "b")
    wait(bob, "b")
    lock(bob, "c")
    wait(alice, "c")
    answer = call(alice, "leave")
    assert kinds(victor, answer.events) == ["on-metadata-change", *["on-lock-change"] * 2, "on-peer-leave"]
    assert changes(answer.events) == [("a", None, "left"), ("b", "peer-Bob", "left")]
    c = {"name": "c", "token": stands(bob)["c"][1]}
    assert changes(unlock(bob, c).events) == [("c", None, "released")]


def test_a_removal_frees_locks_in_the_same_way(alice, bob, victor):
    lock(bob)
    wait(alice)
    answer = call(alice, "peer-leave-request", requested_for="peer-Bob", reason="bye")
    assert changes(answer.events) == [("deck", "peer-Alice", "left")]
    assert kinds(victor, answer.events)[-2:] == ["on-lock-change", "on-peer-leave"]
    assert stands(alice) == {"deck": ("peer-Alice", bodies(answer.events)[0][0].seq)}


def test_a_lost_connection_frees_nothing_until_the_grace_is_over(alice, bob, room, later, settings):
    settings.PEER_GRACE = 30
    lock(alice)
    wait(bob)
    carla = visitor(room, "Carla", "guest")
    do(carla, "join", name="Carla")
    wait(carla)
    ask(alice, disconnect)
    ask(bob, disconnect)
    later(settings.PEER_GRACE - 1)
    assert stands(carla)["deck"][0] == "peer-Alice"
    later(1)
    answer = ask(server(room), reap)
    # Bob, who waits before her, is gone by the same transaction.
    assert changes(answer.events) == [("deck", "peer-Carla", "left")]


def test_who_is_away_for_a_moment_keeps_its_place(alice, bob, later):
    held = lock(alice)
    wait(bob)
    ask(bob, disconnect)
    assert changes(unlock(alice, held).events) == [("deck", "peer-Bob", "released")]


def test_the_locks_end_with_the_session(alice, bob):
    lock(alice)
    wait(bob)
    call(alice, "end-room")
    assert not Lock.objects.exists()


def test_the_last_who_leaves_takes_its_locks_along(alice, bob, settings):
    do(bob, "leave")
    lock(alice)
    answer = call(alice, "leave")
    assert changes(answer.events) == []
    assert not Lock.objects.exists()


def test_a_session_that_lingers_keeps_no_lock_of_who_left(alice, bob, settings):
    settings.SESSION_LINGER = 60
    do(bob, "leave")
    lock(alice)
    assert changes(call(alice, "leave").events) == [("deck", None, "left")]
    assert not Lock.objects.exists()


# --- Expiry -------------------------------------------------------------------------------------


def test_a_lock_expires_and_goes_to_who_waits(alice, bob, room, later):
    held = lock(alice, expires_in=10)
    assert held["expires_at"] == milliseconds(clock.now() + timedelta(seconds=10))
    wait(bob, expires_in=5)
    later(9)
    assert not ask(server(room), settle_due).events
    later(1)
    answer = ask(server(room), settle_due)
    assert changes(answer.events) == [("deck", "peer-Bob", "expired")]
    [(_, body)] = bodies(answer.events)
    assert body["expires_at"] == milliseconds(clock.now() + timedelta(seconds=5))
    later(5)
    assert changes(ask(server(room), settle_due).events) == [("deck", None, "expired")]
    assert Session.objects.get(room=room).due_at is None


def test_what_is_past_its_time_is_free_for_whoever_asks_first(alice, bob, later):
    do(alice, "set-metadata", key="k", data=1, expires_in=10)
    do(alice, "listen-metadata-change", keys=["k"])
    old = lock(alice, expires_in=10)
    other = lock(alice, "other", expires_in=10)
    later(10)
    answer = call(bob, "lock", name="deck")
    assert answer.result["holder"] == "peer-Bob"
    # Both locks, the entry, and then Bob's lock: each under its own number.
    assert kinds(alice, answer.events) == [*["on-lock-change"] * 2, "on-metadata-change", "on-lock-change"]
    assert changes(answer.events) == [
        ("deck", None, "expired"),
        ("other", None, "expired"),
        ("deck", "peer-Bob", "locked"),
    ]
    assert answer.result["token"] > other["token"] > old["token"]


def test_asking_again_prolongs(alice, bob, room, later):
    held = lock(alice, expires_in=10)
    later(8)
    answer = call(alice, "lock", name="deck", expires_in=10)
    assert answer.result["token"] == held["token"]
    assert changes(answer.events) == [("deck", "peer-Alice", "prolonged")]
    later(8)
    assert not ask(server(room), settle_due).events
    later(2)
    assert changes(ask(server(room), settle_due).events) == [("deck", None, "expired")]


def test_entries_and_locks_do_not_forget_each_others_time(alice, room, later):
    lock(alice, expires_in=20)
    do(alice, "set-metadata", key="k", data=1, expires_in=10)
    later(10)
    assert [event.kind for event in ask(server(room), settle_due).events] == ["on-metadata-change"]
    later(10)
    assert [event.kind for event in ask(server(room), settle_due).events] == ["on-lock-change"]


# --- Coming and coming back ---------------------------------------------------------------------


def test_who_comes_is_told_the_locks(alice, bob, room):
    held = lock(alice)
    other = lock(bob, "other", expires_in=60)
    carla = visitor(room, "Carla", "guest")
    assert attachment(call(carla, "join", name="Carla")).locks == [held, other]
    assert attachment(call(again(carla), "join", name="Carla")).locks == [held, other]


def test_who_resumes_is_told_what_it_missed_of_locks(alice, bob, resume):
    held = lock(bob)
    place = {"session_id": do(alice, "join", name="Alice")["session_id"], "seq": position(alice.room_id)}
    unlock(bob, held)
    found = attachment(resume(alice, place))
    assert changes(found.replay) == [("deck", None, "released")]
    assert found.locks == ()


@pytest.mark.django_db(transaction=True)
def test_another_process_does_not_go_by_what_it_remembers(database, room):
    alice, bob = visitor(room, "Alice", "host"), visitor(room, "Bob", "guest")
    for who in (alice, bob):
        do(who, "join", name=who.name)
    held = lock(alice)
    remembered = copy.deepcopy(memory._remembered)
    assert remembered[room.id].locks
    wait(bob)
    memory._remembered.clear()
    memory._remembered.update(remembered)
    assert changes(unlock(alice, held).events) == [("deck", "peer-Bob", "released")]
    memory._remembered.clear()
    memory._remembered.update(remembered)
    assert stands(alice)["deck"][0] == "peer-Bob"


# --- Writing under a lock -----------------------------------------------------------------------

WRITES = [
    ("set-metadata", {"key": "k", "data": 2}),
    ("set-metadata", {"key": "k"}),
    ("update-metadata", {"changes": [{"key": "k", "increment": 1}]}),
    ("touch-metadata", {"key": "k", "expires_in": 60}),
    ("pin-message", {"id": "m"}),
    ("unpin-message", {"id": "m"}),
]
every_write = pytest.mark.parametrize(("method", "params"), WRITES, ids=[method for method, _ in WRITES])


@every_write
def test_i42_a_write_under_a_lock_needs_its_holder_and_its_token(alice, bob, method, params):
    do(alice, "set-metadata", key="k", data=1)
    old = lock(alice)
    new = {"name": "deck", "holder": "peer-Bob", "token": None}

    def write(who, held):
        return call(who, method, **params, if_lock={"name": held["name"], "token": held["token"]})

    if method != "pin-message":
        assert write(alice, old).error is None
        do(alice, "set-metadata", key="k", data=1)
    wait(bob)
    new["token"] = unlock(alice, old).seq
    before = position(alice.room_id)
    for who, token in ((alice, old["token"]), (alice, new["token"]), (bob, old["token"])):
        refusal = write(who, {**new, "token": token}).error
        assert refusal is not None
        assert (refusal.code, refusal.data) == (409, new)
    unlock(bob, new)
    refusal = write(bob, new).error
    assert refusal is not None
    assert (refusal.code, refusal.data) == (409, FREE)
    assert position(alice.room_id) == before + 1
    assert do(alice, "get-metadata", key="k")["data"] == 1


@every_write
def test_a_rule_makes_a_lock_compulsory_for_everybody(alice, bob, method, params):
    do(alice, "set-metadata", key="k", data=1)
    rules = [{"key": key, "lock": "deck"} for key in ("k", "pinnedMessages")]
    do(alice, "set-metadata-rules", rules=rules)
    other = lock(bob, "other")
    key = "pinnedMessages" if "pin" in method else "k"
    assert error_of(bob, method, **params).as_wire() == {
        "code": 409,
        "message": f"if_lock: {key} needs the lock deck, which is held by nobody",
        "data": FREE,
    }
    held = lock(alice)
    message = f"if_lock: {key} needs the lock deck, which is held by peer-Alice"
    assert error_of(bob, method, **params).message == message
    # Not to hold it alone is enough, it must be said; and no other lock will do.
    for who in (alice, bob):
        refusal = error_of(who, method, **params)
        assert (refusal.code, refusal.data) == (409, held)
    refusal = error_of(bob, method, **params, if_lock={"name": "other", "token": other["token"]})
    assert (refusal.code, refusal.data) == (409, held)
    answer = call(alice, method, **params, if_lock={"name": "deck", "token": held["token"]})
    assert answer.error is None or answer.error.code == 404


def test_a_lock_that_was_lost_counts_more_than_a_version_that_was(alice, bob):
    held = lock(alice)
    unlock(alice, held)
    do(bob, "set-metadata", key="k", data=1)
    refusal = error_of(alice, "set-metadata", key="k", data=2, if_change_version=0, if_lock=only(held))
    assert refusal.data == FREE


def only(held):
    return {"name": held["name"], "token": held["token"]}


def test_who_may_not_write_is_told_so_first(alice, victor):
    do(alice, "set-metadata-rules", rules=[{"key": "k", "write": ["host"], "lock": "deck"}])
    assert refused(victor, "set-metadata", key="k", data=1)[0] == 403


def test_the_server_writes_what_nobody_has_locked_or_under_the_lock(alice, room):
    template = Template.objects.get(pk=room.template_id)
    template.metadata_rules = [{"key": "k", "lock": "deck"}]
    template.save()
    operator = server(Room.objects.get(pk=room.pk))
    do(operator, "set-metadata", key="k", data=1)
    held = lock(alice)
    assert error_of(operator, "set-metadata", key="k", data=2).data == held
    do(operator, "set-metadata", key="k", data=2, if_lock=only(held))


def test_what_ends_by_itself_needs_no_lock(alice, bob, room, later):
    do(alice, "set-metadata-rules", rules=[{"key": "k:*", "lock": "deck"}])
    held = lock(alice)
    do(alice, "set-metadata", key="k:1", data=1, expires_in=10, if_lock=only(held))
    do(alice, "set-metadata", key="k:2", data=1, owner=True, if_lock=only(held))
    later(10)
    ask(server(room), settle_due)
    call(alice, "leave")
    assert [do(bob, "get-metadata", key=key)["data"] for key in ("k:1", "k:2")] == [None, None]


def test_pins_do_not_show_under_a_key_that_needs_a_lock(alice, bob):
    message_id = do(bob, "broadcast", info={"message": "soup"})["message_id"]
    do(alice, "set-metadata-rules", rules=[{"key": "default", "lock": "deck"}])
    do(alice, "pin-message", id=message_id)
    assert do(alice, "get-metadata")["data"] is None
    held = lock(alice)
    do(alice, "unpin-message", id=message_id)
    do(alice, "pin-message", id=message_id, if_lock=only(held))
    assert do(alice, "get-metadata")["data"] == "Bob: soup"
