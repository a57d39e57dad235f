"""Rules are checked in the transaction of the write, whoever writes, and on every way by which a value is told."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rooms.models import Peer, Room, Template
from rooms.operations.engine import memory
from tests.operations.driver import (
    attachment,
    call,
    do,
    error_of,
    refused,
    resume_with_socket,
    row,
    server,
    told,
    visitor,
)

SECRET = "s3cret"


@pytest.fixture
def ruled(room: Room) -> Room:
    """A room whose template has rules."""
    template = Template.objects.get(pk=room.template_id)
    template.metadata_rules = [
        {"key": "spotlight", "write": ["host"]},
        {"key": "cursor:$peer", "write": "owner"},
        {"key": "vote:$user", "create": ["host", "guest"], "write": "none", "read": ["host"]},
        {"key": "hidden", "write": ["host", "guest"], "read": ["host"]},
        {"key": "billing", "write": "server"},
        {"key": "notes", "write": ["viewer"], "remove": ["host"], "max_bytes": 8},
        {"key": "sealed", "write": "none"},
    ]
    template.save()
    room.refresh_from_db()
    return room


@pytest.fixture
def people(ruled: Room):
    found = {role: visitor(ruled, role.title(), role) for role in ("host", "guest", "viewer")}
    for caller in found.values():
        do(caller, "join", name=caller.name)
    return found


def may(caller, key, **params):
    return call(caller, "set-metadata", key=key, **params).error is None


def test_roles_that_a_rule_names_may_write_and_no_others(people):
    assert may(people["host"], "spotlight", data=1)
    assert error_of(people["guest"], "set-metadata", key="spotlight", data=2).as_wire() == {
        "code": 403,
        "message": "key: spotlight may be written by host",
        "data": {"key": "spotlight", "rule": {"key": "spotlight", "write": ["host"]}, "roles": ["host"]},
    }


def test_a_rule_counts_in_place_of_the_permission(people):
    assert may(people["viewer"], "notes", data="hello")
    assert refused(people["viewer"], "set-metadata", key="free", data=1)[0] == 403
    assert refused(people["host"], "set-metadata", key="notes", data="mine")[0] == 403
    assert refused(people["viewer"], "set-metadata", key="notes")[1] == "key: notes may be removed by host"
    assert may(people["host"], "notes")
    assert refused(people["viewer"], "set-metadata", key="notes", data="1234567") == (
        413,
        "data: 9 bytes, at most 8 by the rule of notes",
    )


@pytest.mark.parametrize("key", ["vote:x", "drawer", "mailbox", "safe"])
def test_a_refusal_tells_nobody_whether_a_key_is_set_that_it_may_not_read(people, key):
    host, viewer = people["host"], people["viewer"]
    rules = [
        {"key": "vote:*", "create": ["host", "guest"], "write": "none", "read": ["host"]},
        {"key": "drawer", "write": ["host"], "read": ["host"]},
        {"key": "mailbox", "write": "owner", "read": ["host"]},
        {"key": "safe", "create": ["host"], "read": ["host"]},
    ]
    do(host, "set-metadata-rules", rules=rules)

    def answers():
        calls = (
            ("set-metadata", {"key": key, "data": 1}),
            ("set-metadata", {"key": key, "data": 1, "if_change_version": 9}),
            ("set-metadata", {"key": key}),
            ("touch-metadata", {"key": key, "expires_in": 9}),
            ("get-metadata", {"key": key}),
        )
        return [error_of(viewer, method, **params).as_wire() for method, params in calls]

    before = answers()
    assert [error["code"] for error in before] == [403] * 5
    do(host, "set-metadata", key=key, data=SECRET)
    assert answers() == before


def test_who_comes_is_told_how_much_is_used_of_what_it_may_read(people):
    host, guest = people["host"], people["guest"]
    do(host, "set-metadata", key="hidden", data="x" * 100)
    do(host, "set-metadata", key="free", data=1)

    def used(who):
        limits = do(who, "join", name="A")["limits"]
        assert limits["max_keys_ever"] == 1000
        return limits["used_bytes"], limits["used_keys"], limits["used_keys_ever"]

    assert used(host) == (113, 2, 2)
    assert used(guest) == (5, 1, 1)
    do(host, "set-metadata", key="free")
    assert used(guest) == (0, 0, 1)


def test_a_key_of_somebodys_own(people):
    assert may(people["guest"], "cursor:peer-Guest", data=[1, 2])
    assert refused(people["host"], "set-metadata", key="cursor:peer-Guest", data=0)[0] == 403
    assert refused(people["guest"], "set-metadata", key="cursor:peer-Host", data=0)[0] == 403
    vote = f"vote:{row(people['guest']).person}"
    assert may(people["guest"], vote, data="yes")
    assert refused(people["guest"], "set-metadata", key=vote, data="no")[0] == 403
    assert refused(people["guest"], "set-metadata", key=vote)[0] == 403
    assert refused(people["host"], "set-metadata", key=vote, data="no")[0] == 403


def test_what_is_the_servers_and_what_is_nobodys(people, ruled):
    for caller in people.values():
        assert not may(caller, "billing", data=1)
        assert not may(caller, "sealed", data=1)
    assert may(server(ruled), "billing", data=1)
    assert may(server(ruled), "spotlight", data=1)
    assert not may(server(ruled), "sealed", data=1)


def test_i41_who_may_not_read_is_told_nothing(people):
    host, guest = people["host"], people["guest"]
    for caller in (host, guest):
        do(caller, "listen-metadata-change", keys=["hidden", "open"])
    place = {"session_id": row(guest).session_id, "seq": row(guest).session.seq}
    answer = call(host, "update-metadata", changes=[{"key": "hidden", "data": SECRET}, {"key": "open", "data": 1}])
    assert SECRET in str(told(host, answer.events))
    assert SECRET not in str(told(guest, answer.events))
    assert "open" in str(told(guest, answer.events))
    assert refused(guest, "get-metadata", key="hidden")[0] == 403
    listening = call(guest, "listen-metadata-change", keys=["open", "hidden"])
    assert SECRET not in str(listening)
    back = resume_with_socket(guest, place)
    assert back.result["resumed"]
    assert SECRET not in str(attachment(back))


def test_who_may_write_and_not_read_learns_nothing_of_the_value(people):
    host, guest = people["host"], people["guest"]
    do(host, "set-metadata", key="hidden", data=SECRET)
    conflict = error_of(guest, "set-metadata", key="hidden", data="x", if_change_version=7)
    assert conflict.code == 409
    assert SECRET not in str(conflict.as_wire())
    for change in ({"increment": 1}, {"patch": [{"op": "test", "path": "", "value": SECRET}]}, {"patch": {"a": 1}}):
        error = error_of(guest, "update-metadata", changes=[{"key": "hidden", **change}])
        assert error.code == 403
        assert SECRET not in str(error.as_wire())
    # That the value stands already would show by the version.
    assert do(guest, "set-metadata", key="hidden", data=SECRET)["change_version"] == 2
    assert do(guest, "set-metadata", key="hidden", data="mine")["data"] == "mine"
    assert "data" not in do(guest, "touch-metadata", key="hidden", expires_in=60)
    assert "data" not in do(guest, "update-metadata", changes=[{"key": "hidden", "remove": True}])["entries"][0]


def test_i41_another_role_is_told_what_it_may_read_now_and_what_no_more(people):
    host, guest = people["host"], people["guest"]
    do(host, "set-metadata", key="hidden", data=SECRET)
    do(guest, "listen-metadata-change", keys=["hidden", "open"])
    place = {"session_id": row(guest).session_id, "seq": row(guest).session.seq}

    given = call(host, "role-change-request", requested_for="peer-Guest", role="host", force=True)
    events = told(guest, given.events)
    assert events[0][0] == "on-policy-change"
    assert [body["values"][0]["data"] for _, body in events if "values" in body] == [SECRET]

    taken = call(host, "role-change-request", requested_for="peer-Guest", role="guest", force=True)
    [hidden] = [body for _, body in told(guest, taken.events) if "values" in body]
    assert hidden["values"] == [{"key": "hidden", "change_version": 0, "data": None}]

    # Coming back it is not told what it could read meanwhile, and forgets what it may hold of it.
    back = attachment(resume_with_socket(guest, place))
    assert SECRET not in str(back)
    assert list(back.values) == [{"key": "hidden", "change_version": 0, "data": None}]


def test_who_may_not_read_a_key_is_not_told_by_a_refusal_whether_it_is_set(people, ruled):
    rules = [{"key": "s", "write": ["host"], "read": ["host"]}, {"key": "t", "write": ["host"], "read": ["guest"]}]
    do(people["host"], "set-metadata-rules", rules=rules)

    def refusals(key):
        found = [refused(people["guest"], "set-metadata", key=key, data=1)]
        return [*found, refused(people["guest"], "touch-metadata", key=key, expires_in=1)]

    before = refusals("s"), refusals("t")
    for key in ("s", "t"):
        do(people["host"], "set-metadata", key=key, data=SECRET)
    assert before[0] == refusals("s") == [(403, "key: s may be changed by host")] * 2
    assert before[1] != refusals("t") == [(403, "key: t may be written by host")] * 2


# --- Rules of a running room --------------------------------------------------------------------


def test_a_host_restricts_what_everybody_could_do(alice, bob, room):
    host = visitor(room, "Host", "host")
    do(host, "join", name="Host")
    do(bob, "listen-metadata-change", keys=["topic"])
    do(bob, "set-metadata", key="topic", data=SECRET)
    rules = [{"key": "topic", "write": ["host"], "read": ["host"]}]
    assert refused(bob, "set-metadata-rules", rules=rules)[0] == 403

    answer = call(host, "set-metadata-rules", rules=rules)
    assert answer.result["rules"] == rules
    (_, policy), (_, news) = told(bob, answer.events)
    assert policy["plugins"] == {"metadata": {"rules": rules, "room_rules": 1}}
    assert news["values"] == [{"key": "topic", "change_version": 0, "data": None}]
    assert refused(bob, "set-metadata", key="topic", data=1)[0] == 403
    assert Room.objects.get(pk=room.pk).metadata_rules == rules
    assert not call(host, "set-metadata-rules", rules=rules).events

    _, (_, news) = told(bob, call(host, "set-metadata-rules", rules=[]).events)
    assert news["values"][0]["data"] == SECRET
    do(bob, "set-metadata", key="topic", data=1)


def test_other_rules_are_told_with_those_keys_alone_that_somebody_observes(alice, bob, victor):
    for number in range(30):
        do(bob, "set-metadata", key=f"k{number}", data="x" * 2000)
    do(bob, "listen-metadata-change", keys=["k3", "k1", "never set"])
    do(victor, "listen-metadata-change", keys=["k2"])
    closed = [{"key": "k*", "read": ["host"]}]
    seen = {}
    for rules in (closed, []):
        memory._remembered.clear()
        with CaptureQueriesContext(connection) as asked:
            answer = call(alice, "set-metadata-rules", rules=rules)
        changes = [event for event in answer.events if event.kind == "on-metadata-change"]
        assert [[share.key for share in event.audience.entries] for event in changes] == [["k1", "k3"], ["k2"]]
        seen = {who: told(who, answer.events)[1:] for who in (alice, bob, victor)}
        assert sum('FROM "rooms_metadataentry"' in query["sql"] for query in asked) <= 3
    assert seen[alice] == []
    [(_, news)] = seen[bob]
    assert [(value["key"], value["data"]) for value in news["values"]] == [("k1", "x" * 2000), ("k3", "x" * 2000)]


def test_rules_of_the_room_go_before_those_of_the_template(people, ruled):
    host, guest = people["host"], people["guest"]
    answer = call(host, "set-metadata-rules", rules=[{"key": "spotlight", "write": ["guest"]}])
    _, policy = told(guest, answer.events)[0]
    assert policy["plugins"]["metadata"]["room_rules"] == 1
    assert policy["plugins"]["metadata"]["rules"][1:] == ruled.template.metadata_rules
    assert may(guest, "spotlight", data=1)
    assert not may(host, "spotlight", data=2)
    assert not may(guest, "billing", data=1)


def test_bad_rules_are_refused_by_name(people):
    assert refused(people["host"], "set-metadata-rules", rules=[{"key": "a", "write": "guests"}]) == (
        400,
        'rules[0].write: expected a list of roles, "owner", "server" or "none"',
    )
    assert refused(people["host"], "set-metadata-rules", rules=[{"key": "a", "write": ["boss"]}]) == (
        400,
        "rules[0].write: there is no role boss",
    )


def test_pins_that_some_may_not_read_show_nowhere(people):
    host, guest = people["host"], people["guest"]
    said = do(host, "broadcast", info={"message": SECRET})["message_id"]
    do(host, "set-metadata-rules", rules=[{"key": "pinnedMessages", "write": ["host", "guest"], "read": ["host"]}])
    do(host, "pin-message", id=said)
    assert do(guest, "get-metadata")["data"] is None
    # By the id of a pin one may learn nothing else of it.
    answer = do(guest, "set-metadata", key="pinnedMessages", data=[{"id": said}])
    assert answer["data"] == [{"id": said}]
    assert SECRET in str(do(host, "get-metadata", key="pinnedMessages"))
    assert do(guest, "get-metadata")["data"] is None


def test_pins_follow_the_rules(people, ruled):
    host, guest = people["host"], people["guest"]
    said = do(guest, "broadcast", info={"message": "hello"})["message_id"]
    do(host, "set-metadata-rules", rules=[{"key": "pinnedMessages", "write": ["host"]}])
    assert refused(guest, "pin-message", id=said)[0] == 403
    assert do(host, "pin-message", id=said)["pinned"]
    assert refused(guest, "unpin-message", id=said)[0] == 403
    assert Peer.objects.filter(session__room=ruled).count() == 3
