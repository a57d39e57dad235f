"""Session metadata over REST: the entry that a socket would be told, with its version as entity tag."""

from urllib.parse import quote

import pytest

from rooms.models import Room, Session
from rooms.operations.engine.calls import Caller
from tests.api.rest.conftest import BackEnd
from tests.operations.driver import do
from tests.support.team import joined

MERGE, STEPS = "application/merge-patch+json", "application/json-patch+json"


@pytest.fixture
def keys(rest: BackEnd, room: Room, alice: Caller) -> str:
    """The address of the metadata of a room that Alice is in."""
    return f"/active-rooms/{room.id}/metadata"


def test_an_entry_is_what_a_socket_is_told_with_its_version_as_etag(rest, keys, alice):
    do(alice, "set-metadata", key="slide", data=7, expires_in=600, owner=True)

    answer = rest.ask("GET", f"{keys}/slide")

    assert answer.status_code == 200
    assert answer.json() == do(alice, "get-metadata", key="slide")
    assert answer["ETag"] == f'"1-{Session.objects.get().pk}"'


def test_what_is_put_is_stored_for_peers_as_the_server_s(rest, keys, alice):
    answer = rest.ask("PUT", f"{keys}/slide", {"data": [None, 1.5, "ä"], "expires_in": 600, "owner": alice.peer_id})

    entry = answer.json()
    assert (answer.status_code, answer["ETag"]) == (200, f'"1-{Session.objects.get().pk}"')
    assert entry == do(alice, "get-metadata", key="slide") | {"seq": entry["seq"]}
    assert (entry["data"], entry["updated_by"], entry["owner"]) == ([None, 1.5, "ä"], "", alice.peer_id)


def test_null_is_a_value_and_no_removal(rest, keys):
    rest("PUT", f"{keys}/slide", {"data": None})
    assert rest("GET", f"{keys}/slide")[1]["data"] is None
    assert rest("PUT", f"{keys}/slide", {})[1]["message"].startswith("data: ")


def test_a_key_that_is_not_set_is_not_found_but_tells_its_version(rest, keys):
    assert rest("GET", f"{keys}/slide")[1]["data"] == {"key": "slide", "change_version": 0, "data": None}
    rest("PUT", f"{keys}/slide", {"data": 1})
    status, entry = rest("DELETE", f"{keys}/slide")
    assert (status, entry["data"], entry["change_version"]) == (200, None, 2)

    status, answer = rest("GET", f"{keys}/slide")

    assert (status, answer["message"], answer["data"]["change_version"]) == (404, "key: is not set", 2)
    assert rest("DELETE", f"{keys}/slide")[1]["change_version"] == 2


@pytest.mark.parametrize("key", ["a/b", "/a", "a%2Fb", "100%", "a?b#c", "ü 🙂", "a\nb", "history", "..", "a/../b"])
def test_a_key_may_hold_any_character(rest, keys, alice, key):
    address = f"{keys}/{quote(key, safe='')}"
    assert rest("PUT", address, {"data": 1})[0] == 200
    assert do(alice, "get-metadata", key=key)["data"] == 1
    assert rest("GET", address)[1]["key"] == key
    assert rest("DELETE", address)[1]["change_version"] == 2


def test_of_two_writers_with_the_same_version_one_is_told_what_the_other_wrote(rest, keys):
    etag = rest.ask("PUT", f"{keys}/slide", {"data": 1})["ETag"]

    first = rest("PUT", f"{keys}/slide", {"data": 2}, if_match=etag)
    status, refused = rest("PUT", f"{keys}/slide", {"data": 3}, if_match=etag)

    assert first[0] == 200
    assert (status, refused["code"]) == (412, 412)
    assert refused["data"] == {name: value for name, value in first[1].items() if name != "seq"}
    assert rest("GET", f"{keys}/slide")[1]["data"] == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_match": '"2"'}, 200),
        ({"if_match": 'W/"2"'}, 200),
        ({"if_match": '"1", "2"'}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"1"'}, 412),
        ({"if_match": '"else"'}, 412),
        ({"if_none_match": "*"}, 412),
        ({"if_match": 'W/"1"'}, 412),
        ({"if_match": "2"}, 400),
        ({"if_match": ""}, 400),
        ({"if_none_match": '"2"'}, 400),
        ({"if_match": '"2"', "if_none_match": "*"}, 400),
    ],
)
def test_conditions_of_a_key_that_is_at_version_2(rest, keys, headers, status):
    for value in (1, 2):
        rest("PUT", f"{keys}/slide", {"data": value})
    assert rest("PUT", f"{keys}/slide", {"data": 3}, **headers)[0] == status
    assert rest("GET", f"{keys}/slide")[1]["data"] == (3 if status == 200 else 2)


def test_a_key_can_be_made_only_if_it_is_not_there_also_after_it_was_removed(rest, keys):
    assert rest("PUT", f"{keys}/slide", {"data": 1}, if_match="*")[0] == 412
    assert rest("PUT", f"{keys}/slide", {"data": None}, if_none_match="*")[0] == 200
    status, refused = rest("PUT", f"{keys}/slide", {"data": 2}, if_none_match="*")
    assert (status, refused["message"], refused["data"]["data"]) == (412, "If-None-Match: the key is set", None)
    rest("DELETE", f"{keys}/slide", if_match='"1"')
    assert rest("PUT", f"{keys}/slide", {"data": 2}, if_none_match="*")[1]["change_version"] == 3


def test_a_value_is_patched_by_the_kind_that_the_content_type_names(rest, keys):
    rest("PUT", f"{keys}/agenda", {"data": {"title": "Q2", "old": 1}})

    merged = rest.ask("PATCH", f"{keys}/agenda", {"title": "Q3", "old": None}, content_type=MERGE)
    assert (merged.json()["data"], merged["ETag"][:3]) == ({"title": "Q3"}, '"2-')

    steps = [{"op": "test", "path": "/title", "value": "Q3"}, {"op": "add", "path": "/place", "value": None}]
    assert rest("PATCH", f"{keys}/agenda", steps, content_type=STEPS)[1]["data"] == {"title": "Q3", "place": None}
    status, refused = rest("PATCH", f"{keys}/agenda", [*steps, {"op": "remove", "path": "/no"}], content_type=STEPS)
    assert (status, refused["message"]) == (422, "body[2]: does not apply")
    assert refused["data"] == {"change": 0, "index": 2}

    assert rest("PATCH", f"{keys}/agenda", [1], content_type=MERGE)[1]["data"] == [1]
    assert rest("PATCH", f"{keys}/agenda", {"a": 1}, content_type=STEPS)[0] == 400
    status, refused = rest("PATCH", f"{keys}/agenda", {"a": 1})
    assert (status, refused["message"]) == (415, f"Content-Type: expected {MERGE} or {STEPS}")
    assert rest("PATCH", f"{keys}/agenda", {"a": 1}, content_type=MERGE, if_match='"2"')[0] == 412


@pytest.mark.parametrize("step", [5, {}, {"op": "explode", "path": "/a"}, {"op": "add", "path": "/a"}, {"op": "add"}])
def test_a_step_that_is_none_is_told_from_one_that_does_not_fit(rest, keys, step):
    rest("PUT", f"{keys}/agenda", {"data": {"a": 1}})
    status, refused = rest("PATCH", f"{keys}/agenda", [step], content_type=STEPS)
    assert (status, refused["message"]) == (422, "body[0]: is no step")


@pytest.mark.parametrize(
    ("known", "status"),
    [('"1"', 200), ('"2"', 304), ('W/"2"', 304), ('"1", "2"', 304), ("*", 304), ('"else"', 200), ("2", 400)],
)
def test_an_entry_that_is_known_already_is_not_told_again(rest, keys, known, status):
    for value in (1, 2):
        rest("PUT", f"{keys}/slide", {"data": value})
    answer = rest.ask("GET", f"{keys}/slide", if_none_match=known)
    assert answer.status_code == status
    if status == 304:
        assert (answer["ETag"][:3], answer.content) == ('"2-', b"")


def test_a_tag_is_of_its_session_alone(rest, keys, alice, room):
    do(alice, "set-metadata", key="slide", data="then")
    tag = rest.ask("GET", f"{keys}/slide")["ETag"]
    assert rest.ask("GET", f"{keys}/slide", if_none_match=tag).status_code == 304
    do(alice, "leave")
    do(joined(room, "Alice", "host"), "set-metadata", key="slide", data="now")

    assert rest("GET", f"{keys}/slide", if_none_match=tag)[1]["data"] == "now"
    status, refused = rest("PUT", f"{keys}/slide", {"data": 1}, if_match=f'"7", {tag}')
    assert (status, refused["data"]["data"]) == (412, "now")
    assert rest("PUT", f"{keys}/slide", {"data": 1}, if_match=rest.ask("GET", f"{keys}/slide")["ETag"])[0] == 200


def test_a_key_that_is_set_is_not_removed_on_condition_that_it_is_not(rest, keys):
    rest("PUT", f"{keys}/slide", {"data": 1})
    status, refused = rest("DELETE", f"{keys}/slide", if_none_match="*")
    assert (status, refused["data"]["data"]) == (412, 1)
    assert rest("DELETE", f"{keys}/never", if_none_match="*")[0] == 200


def test_a_stale_version_in_the_body_is_refused_with_the_entry_as_it_stands(rest, keys):
    rest("PUT", f"{keys}/slide", {"data": 1})
    status, refused = rest("PUT", f"{keys}/slide", {"data": 2, "if_change_version": 0})
    assert (status, refused["data"]["data"], refused["data"]["change_version"]) == (409, 1, 1)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"owner": True}, "owner: expected a string"),
        ({"owner": False}, "owner: expected a string"),
        ({"owner": 5}, "owner: expected a string"),
        ({"on_leave": "keep"}, "on_leave: expected an owner with it"),
        ({"on_leave": "keep", "owner": None}, "on_leave: expected an owner with it"),
    ],
)
def test_an_owner_is_a_peer_that_is_named(rest, keys, terms, message):
    assert rest("PUT", f"{keys}/slide", {"data": 1, **terms})[1]["message"] == message
    change = {"key": "slide", "data": 1, **terms}
    assert rest("POST", keys, {"changes": [change]})[1]["message"] == f"changes[0].{message}"


def test_keys_are_listed_by_their_beginning_without_those_that_were_removed(rest, keys):
    for key in ("deck:b", "deck:a", "other", "deck:gone"):
        rest("PUT", f"{keys}/{key}", {"data": key})
    rest("DELETE", f"{keys}/deck:gone")
    assert [entry["key"] for entry in rest("GET", keys)[1]["entries"]] == ["deck:a", "deck:b", "other"]
    entries = rest("GET", f"{keys}?prefix=deck:")[1]["entries"]
    assert [(entry["key"], entry["data"]) for entry in entries] == [("deck:a", "deck:a"), ("deck:b", "deck:b")]


def test_several_keys_change_at_once_or_not_at_all(rest, keys, alice):
    changes = [{"key": "a", "data": None}, {"key": "b", "increment": 2}, {"key": "c", "patch": {"d": 1}}]
    status, answer = rest("POST", keys, {"changes": changes, "change_id": "one"})
    assert status == 200
    assert [(entry["key"], entry["data"]) for entry in answer["entries"]] == [("a", None), ("b", 2), ("c", {"d": 1})]
    assert rest("POST", keys, {"changes": changes, "change_id": "one"})[1]["entries"][1]["data"] == 2

    stale = [{"key": "b", "increment": 1}, {"key": "c", "remove": True, "if_change_version": 5}]
    status, refused = rest("POST", keys, {"changes": stale})
    assert (status, [entry["key"] for entry in refused["data"]["entries"]]) == (409, ["c"])
    assert do(alice, "get-metadata", key="b")["data"] == 2


def test_the_history_of_a_key_tells_who_made_it_what_and_from_where(rest, keys, alice, settings):
    settings.AUDIT_VALUE_BYTES = 100
    do(alice, "set-metadata", key="a/b", data=1)
    rest("PUT", f"{keys}/a%2Fb", {"data": 2})
    rest("PUT", f"{keys}/other", {"data": 2})
    rest("DELETE", f"{keys}/a%2Fb")

    _, page = rest("GET", f"{keys}/a%2Fb/history?limit=2")
    _, rest_of_it = rest("GET", f"{keys}/a%2Fb/history?limit=2&start={page['last']}")

    changes = page["data"] + rest_of_it["data"]
    assert [(change["change_version"], change["old"], change["new"], change["removed"]) for change in changes] == [
        (3, "2", None, True),
        (2, "1", "2", False),
        (1, None, "1", False),
    ]
    assert [(change["source"], change["updated_by"], change["author"]) for change in changes] == [
        ("rest", "", "environment"),
        ("rest", "", "environment"),
        ("socket", alice.peer_id, "Alice"),
    ]
    assert rest_of_it["last"] == ""
    assert rest("GET", f"{keys}/never/history")[1]["data"] == []
    do(alice, "leave")
    assert rest("GET", f"{keys}/a%2Fb/history")[0] == 404


def test_the_server_writes_and_reads_what_rules_do_not_forbid_to_all(rest, room, keys):
    room.metadata_rules = [
        {"key": "billing", "write": "server", "read": []},
        {"key": "host", "write": ["host"]},
        {"key": "never", "write": "none"},
        {"key": "small", "max_bytes": 4},
    ]
    room.save()
    assert [rest("PUT", f"{keys}/{key}", {"data": 1})[0] for key in ("billing", "host", "never")] == [200, 200, 403]
    assert rest("GET", f"{keys}/billing")[1]["data"] == 1
    assert rest("PUT", f"{keys}/never", {"data": 1})[1]["data"]["rule"] == {"key": "never", "write": "none"}
    refusal = rest("PUT", f"{keys}/small", {"data": "long"})[1]
    assert refusal["message"] == "data: 6 bytes, at most 4 by the rule of small"


@pytest.mark.parametrize(
    ("key", "body", "status", "message"),
    [
        ("slide", {"data": "x" * 20_000}, 413, "data: 20000 bytes, at most"),
        ("k" * 200, {"data": 1}, 400, "key: expected 1 to"),
        ("slide", {"data": 1, "expires_in": 0}, 400, "expires_in: "),
        ("slide", {"data": 1, "expires_in": "5"}, 400, "expires_in: "),
        ("slide", {"data": 1, "on_leave": "stay"}, 400, "on_leave: "),
        ("slide", {"data": 1, "owner": "nobody"}, 404, "owner: no such peer"),
        (
            "slide",
            {"data": 1, "if_lock": {"name": "deck", "token": 5}},
            409,
            "if_lock: the lock deck is held by nobody",
        ),
        ("slide", "[1]", 400, "body: expected a JSON object"),
        ("slide", {"data": 1, "ifChangeVersion": 3}, 400, "ifChangeVersion: no such field"),
        ("slide", {"data": 1, "if_lock": {"name": "deck", "token": 5, "Token": 6}}, 400, "if_lock.Token: no such"),
    ],
)
def test_a_write_is_refused_with_its_field_and_limit(rest, keys, key, body, status, message):
    code, answer = rest("PUT", f"{keys}/{key}", body)
    assert (code, answer["message"][: len(message)]) == (status, message)
    if status == 413:
        assert answer["data"]["limit"] == "max_value_bytes"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"changes": []}, "changes: expected at least 1 entries"),
        ({"changes": [{"key": f"k{n}", "data": 1} for n in range(101)]}, "changes: expected at most 100 entries"),
        ({"changes": [{"key": "a", "data": 1, "ifChangeVersion": 3}]}, "changes[0].ifChangeVersion: no such field"),
        ({"changes": [{"key": "a", "data": 1}], "changeId": "5"}, "changeId: no such field"),
    ],
)
def test_changes_are_some_and_have_no_fields_that_are_not_known(rest, keys, body, message):
    status, refused = rest("POST", keys, body)
    assert (status, refused["message"]) == (400, message)
    assert rest("GET", keys)[1]["entries"] == []


def test_without_a_session_or_a_room_there_is_nothing(rest, room):
    assert rest("GET", f"/active-rooms/{room.id}/metadata")[1]["message"] == "room: nobody is in it"
    assert rest("PUT", "/active-rooms/nothing/metadata/a", {"data": 1})[1]["message"] == "room: no such room"


def test_metadata_ends_with_the_session(rest, keys, alice):
    rest("PUT", f"{keys}/slide", {"data": 1})
    do(alice, "leave")
    assert Session.objects.get().ended_at
    assert rest("GET", f"{keys}/slide")[0] == 404
