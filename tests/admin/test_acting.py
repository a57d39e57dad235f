"""What operators do in a live session: each act, who may do it, and what peers are told of it."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rooms.models import Peer, Poll, Room, Session
from rooms.operations.engine.calls import Caller
from tests.admin.driver import live_room, page, staff
from tests.operations.driver import do, journalled, position, refused, row, server, told
from tests.support.rows import fetching
from tests.support.team import joined

EVERYTHING_SEEN = ("view_peer", "view_metadataentry", "view_poll", "view_session", "view_room")


def session_of(room: Room) -> Session:
    return Session.objects.get(room=room, ended_at=None)


def ask(client: Client, room: Room, act: str, **form: Any) -> str:
    """Do something on the page of the room's session; the text of the page that follows."""
    answer = client.post(f"/admin/rooms/session/{session_of(room).pk}/act/{act}/", form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def heard(who: Caller, after: int) -> list[tuple[str, dict[str, Any]]]:
    return told(who, journalled(who.room_id, after=after))


def poll(room: Room) -> str:
    poll_id: str = do(server(room), "poll-info-set", title="Tea?")["poll_id"]
    question = {"question": {"type": "single-choice", "text": "Tea?", "index": 1}, "options": [{"text": "Yes"}]}
    do(server(room), "poll-questions-set", poll_id=poll_id, questions=[question])
    do(server(room), "poll-start", poll_id=poll_id)
    return poll_id


def lock(who: Caller, name: str = "board") -> int:
    token: int = do(who, "lock", name=name)["token"]
    return token


# --- Each act -----------------------------------------------------------------------------------


def test_a_peer_is_removed_and_let_in_again(operator, room, alice, bob):
    before = position(room.id)
    person = row(bob).person

    said = ask(operator, room, "remove", requested_for="peer-Bob", reason="too loud", called="Bob")

    assert "<bdi>Bob</bdi>” is removed" in said and "too loud" in said and "Let in again" in said
    assert not row(bob).present
    [(_, body)] = [event for event in heard(alice, before) if event[0] == "on-removed-change"]
    assert [(one["name"], one["removed_by"], one["reason"]) for one in body["removed"]] == [("Bob", "olga", "too loud")]
    assert refused(bob, "join", name="Bob")[0] == 403

    assert "may come back" in ask(operator, room, "let-in", person=person, called="Bob")
    do(bob, "join", name="Bob")


def test_a_role_is_given(operator, room, bob):
    before = position(room.id)

    assert "has the role" in ask(operator, room, "role", requested_for="peer-Bob", role="viewer", called="Bob")

    assert row(bob).role == "viewer"
    assert [kind for kind, _ in heard(bob, before)][:2] == ["on-policy-change", "on-peer-update"]


def test_a_hand_is_lowered(operator, room, alice, bob):
    do(bob, "group-join", name="_handraise")
    assert "Lower hand" in page(operator, f"session/{session_of(room).pk}/change/")

    assert "is down" in ask(operator, room, "lower-hand", peer_id="peer-Bob", called="Bob")

    assert row(bob).groups == []
    assert "Lower hand" not in page(operator, f"session/{session_of(room).pk}/change/")


def test_a_key_is_cleared_under_a_version_check(operator, room, alice):
    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "listen-metadata-change", keys=["topic"])
    do(alice, "set-metadata", key="topic", data={"of": "milk"})

    said = ask(operator, room, "clear", key="topic", if_change_version=1, called="topic")
    assert "changed meanwhile, it now says <code>{&quot;of&quot;:&quot;milk&quot;}</code>" in said
    assert "Version: expected a whole number" in ask(operator, room, "clear", key="topic", if_change_version="x")
    before = position(room.id)
    assert "is cleared" in ask(operator, room, "clear", key="topic", if_change_version=2, called="topic")

    assert do(alice, "get-metadata", key="topic")["data"] is None
    [(_, body)] = heard(alice, before)
    assert [(entry["key"], entry["data"], entry["updated_by"]) for entry in body["values"]] == [("topic", None, "")]


def test_a_lock_is_released_as_long_as_it_is_the_one_that_was_seen(operator, room, alice, bob):
    token = lock(alice)
    before = position(room.id)

    said = ask(operator, room, "release", name="board", token=token + 1, called="board")
    assert "The lock “<bdi>board</bdi>” is held by <bdi>Alice</bdi>." in said
    said = ask(operator, room, "release", name="board", token="", called="board")
    assert "Token: expected a whole number" in said
    assert "is released" in ask(operator, room, "release", name="board", token=token, called="board")

    [(kind, body)] = heard(bob, before)
    assert (kind, body["holder"], body["reason"]) == ("on-lock-change", None, "revoked")


def test_a_poll_is_shown_and_stopped(operator, room, alice, bob):
    poll_id = poll(room)
    do(bob, "poll-response", poll_id=poll_id, responses=[{"question": 1, "option": 1}])
    before = position(room.id)

    assert "<bdi>Yes</bdi>: 1" in page(operator, f"session/{session_of(room).pk}/change/")
    assert "is stopped" in ask(operator, room, "stop-poll", poll_id=poll_id, called="Tea?")

    assert [kind for kind, _ in heard(bob, before)] == ["on-poll-stop"]


@pytest.mark.parametrize(
    ("whom", "hearers"), [({}, "AB"), ({"role": "host"}, "A"), ({"peer_id": "peer-Bob", "role": "host"}, "B")]
)
def test_a_notice_reaches_whom_it_is_for(operator, room, alice, bob, whom, hearers):
    before = position(room.id)

    assert "The notice is sent." in ask(operator, room, "notice", message="Closing soon", **whom)

    assert "".join(who.name[0] for who in (alice, bob) if heard(who, before)) == hearers
    [sent] = journalled(room.id, after=before)
    assert json.loads(sent.body)["info"] == {"message": "Closing soon", "type": "chat"}
    assert "peer" not in json.loads(sent.body)


# --- Setting a key ------------------------------------------------------------------------------


def entry_path(room: Room, key: str = "") -> str:
    return f"/admin/rooms/session/{session_of(room).pk}/entry/" + (f"?key={key}" if key else "")


def test_a_key_is_added_and_set(operator, room, alice):
    added = operator.post(entry_path(room), {"key": "topic", "value": '{"of": ["tea"]}', "if_change_version": 0})
    assert added.status_code == 302
    form = operator.get(entry_path(room, "topic")).content.decode()
    assert "&quot;of&quot;: [\n    &quot;tea&quot;\n  ]" in form and 'name="if_change_version" value="1"' in form

    operator.post(entry_path(room, "topic"), {"key": "topic", "value": "[1]", "if_change_version": 1})

    entry = do(alice, "get-metadata", key="topic")
    assert (entry["data"], entry["change_version"], entry["updated_by"]) == ([1], 2, "")


def test_a_stale_form_is_refused_shows_what_is_there_and_keeps_what_was_typed(operator, room, alice):
    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "set-metadata", key="topic", data="milk")
    typed = {"key": "topic", "value": '"coffee"', "if_change_version": 1}

    html = operator.post(entry_path(room, "topic"), typed).content.decode()

    assert "changed meanwhile, it now says" in html and "&quot;milk&quot;" in html
    assert "&quot;coffee&quot;</textarea>" in html and 'name="if_change_version" value="2"' in html
    assert do(alice, "get-metadata", key="topic")["data"] == "milk"
    # Whoever saw that and sends it again means it.
    assert operator.post(entry_path(room, "topic"), {**typed, "if_change_version": 2}).status_code == 302
    assert do(alice, "get-metadata", key="topic")["data"] == "coffee"


def test_a_stale_form_says_that_the_key_is_gone(operator, room, alice):
    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "set-metadata", key="topic")
    html = operator.post(entry_path(room), {"key": "topic", "value": "1", "if_change_version": 1}).content.decode()
    assert "it is not set any more" in html and 'value="2"' in html


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("topic", "tea", "JSON: Expecting value"), ("", "1", "This field is required"), ("x" * 129, "1", "128"),
     ("é" * 100, "1", "key: expected 1 to 128 bytes"), ("topic", f'"{"x" * 20_000}"', "at most 16384")],
)  # fmt: skip
def test_what_cannot_be_set_is_refused_at_its_field(operator, room, alice, key, value, said):
    html = operator.post(entry_path(room), {"key": key, "value": value, "if_change_version": 0}).content.decode()
    [errors] = re.findall(r'<ul class="errorlist".*?</ul>', html, re.DOTALL)
    assert said in errors
    assert not session_of(room).entries.exists()


def test_an_entry_keeps_its_owner_and_its_end(operator, room, alice):
    [mine] = do(alice, "update-metadata", changes=[{"key": "mine", "data": 1, "owner": True, "expires_in": 900}])[
        "entries"
    ]
    operator.post(entry_path(room, "mine"), {"key": "mine", "value": "2", "if_change_version": 1})
    now = do(alice, "get-metadata", key="mine")
    assert (now["data"], now["owner"]) == (2, "peer-Alice")
    assert abs(now["expires_at"] - mine["expires_at"]) < 2000


def test_a_rule_that_lets_nobody_write_is_told(operator, alice, room):
    Room.objects.filter(pk=room.pk).update(metadata_rules=[{"key": "topic", "write": "none"}])
    Session.objects.filter(room=room).update(generation=1)
    form = {"key": "topic", "value": "1", "if_change_version": 0}
    assert "topic may be created by nobody" in operator.post(entry_path(room), form).content.decode()


# --- Who may ------------------------------------------------------------------------------------


def all_acts(room: Room, alice: Caller, bob: Caller) -> list[tuple[str, dict[str, Any]]]:
    """Every act as it would succeed."""
    do(alice, "set-metadata", key="topic", data="tea")
    do(bob, "group-join", name="_handraise")
    return [
        ("act/lower-hand", {"peer_id": "peer-Bob"}),
        ("act/role", {"requested_for": "peer-Bob", "role": "viewer"}),
        ("act/clear", {"key": "topic", "if_change_version": 1}),
        ("act/release", {"name": "board", "token": lock(alice)}),
        ("act/stop-poll", {"poll_id": poll(room)}),
        ("act/notice", {"message": "Closing"}),
        ("act/notice", {"message": "Closing", "peer_id": "peer-Bob"}),
        ("entry", {"key": "topic", "value": "2", "if_change_version": 1}),
        ("act/remove", {"requested_for": "peer-Bob"}),
        ("act/let-in", {"person": row(bob).person}),
    ]


@pytest.mark.parametrize("rights", [(), EVERYTHING_SEEN, (*EVERYTHING_SEEN, "change_room", "delete_room")])
def test_who_may_not_act_is_offered_nothing_and_refused(client, room, alice, bob, rights):
    acts = all_acts(room, alice, bob)
    client.force_login(staff("vera", *rights))
    before, session = position(room.id), session_of(room)

    answers = [client.post(f"/admin/rooms/session/{session.pk}/{act}/", form) for act, form in acts]

    assert [answer.status_code for answer in answers] == [403] * len(acts)
    assert client.get(entry_path(room, "topic")).status_code == 403
    assert position(room.id) == before
    if rights:
        html = page(client, f"session/{session.pk}/change/")
        assert "Alice" in html and "<button" not in html.partition('id="live"')[2] and "End the session" not in html


@pytest.mark.parametrize(
    ("seen", "done"),
    [("view_peer", {"act/lower-hand", "act/role", "act/remove", "act/let-in"}),
     ("view_metadataentry", {"act/clear", "act/release", "entry"}), ("view_poll", {"act/stop-poll"})],
)  # fmt: skip
def test_who_acts_does_so_on_what_it_may_see_alone(client, room, alice, bob, seen, done):
    acts = all_acts(room, alice, bob)
    client.force_login(staff("vera", "change_session", seen))
    path = f"/admin/rooms/session/{session_of(room).pk}"

    allowed = {act for act, form in acts if client.post(f"{path}/{act}/", form).status_code != 403}

    assert allowed == {*done, "act/notice"}


def test_who_may_act_and_no_more_is_offered_the_acts_and_no_changes(client, room, alice):
    client.force_login(staff("ada", "change_session", *EVERYTHING_SEEN))
    html = page(client, f"session/{session_of(room).pk}/change/")
    assert "Remove…" in html and "End the session…" in html
    room_page = page(client, f"room/{room.pk}/change/")
    assert "End the session…" in room_page and "Close to newcomers" not in room_page and 'name="title"' not in room_page


def test_who_manages_and_may_not_act_cannot_end_a_session(client, room, alice):
    client.force_login(staff("mia", "change_room", *EVERYTHING_SEEN))
    html = page(client, f"room/{room.pk}/change/")
    assert "Close to newcomers" in html and "End the session" not in html
    chosen = {"action": "end_session", "_selected_action": [room.pk], "index": "0", "confirmed": "yes"}
    client.post("/admin/rooms/room/", chosen)
    assert session_of(room)


def test_an_act_is_asked_for_by_post_alone_and_by_a_name_that_there_is(operator, room, alice):
    path = f"/admin/rooms/session/{session_of(room).pk}/act"
    assert operator.get(f"{path}/notice/").status_code == 405
    assert operator.post(f"{path}/explode/").status_code == 404
    assert operator.post("/admin/rooms/session/nowhere/act/notice/").status_code == 404
    assert Client(enforce_csrf_checks=True).post(f"{path}/notice/").status_code in (302, 403)


def test_an_act_without_what_it_needs_is_refused_and_never_an_error(operator, room, alice):
    for act in ("remove", "role", "lower-hand", "let-in", "clear", "release", "stop-poll", "notice"):
        assert 'class="error"' in ask(operator, room, act)
        assert 'class="error"' in ask(operator, room, act, token="-1", if_change_version="x" * 50, message="x" * 9999)


def test_an_act_on_a_session_that_is_over_does_not_meet_the_next_one(operator, room, alice):
    over = session_of(room)
    do(alice, "leave")
    joined(room, "Alice", "host")

    path = f"/admin/rooms/session/{over.pk}"
    told = operator.post(f"{path}/act/notice/", {"message": "hello"}, follow=True).content.decode()
    form = operator.post(f"{path}/entry/", {"key": "topic", "value": "1", "if_change_version": 0}).content.decode()

    assert "The session is over" in told and "The session is over." in form
    assert session_of(room).messages == 0 and not session_of(room).entries.exists()


def test_acts_stand_in_the_history_without_what_was_said_and_to_whom(operator, room, alice, bob):
    for act, form in all_acts(room, alice, bob):
        operator.post(f"/admin/rooms/session/{session_of(room).pk}/{act}/", {**form, "called": "Bob"})
    html = page(operator, f"session/{session_of(room).pk}/history/")
    assert "removed somebody" in html and "sent a notice" in html and "cleared a key" in html
    assert not [word for word in ("Bob", "Closing", "topic", "tea") if word in html.partition('id="change-history"')[2]]


# --- The part that is fetched again and again -----------------------------------------------------


def test_the_page_is_fetched_again_only_if_it_changed(operator, room, alice):
    path = f"/admin/rooms/session/{session_of(room).pk}/live/"
    first = operator.get(path)
    assert first.status_code == 200 and "<html" not in first.content.decode() and "Alice" in first.content.decode()

    assert operator.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    do(alice, "peer-update", name="Alicia")
    again = operator.get(path, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200 and "Alicia" in again.content.decode()


def test_the_part_is_shown_to_nobody_else_than_the_page(client, room, alice):
    path = f"/admin/rooms/session/{session_of(room).pk}/live/"
    assert client.get(path).status_code == 302
    client.force_login(staff("vera", "view_room"))
    assert client.get(path).status_code == 403
    client.force_login(staff("vic", "view_session"))
    assert "Alice" not in client.get(path).content.decode()
    assert client.get("/admin/rooms/session/nowhere/live/").status_code == 404


def test_the_page_costs_the_same_with_three_and_with_three_hundred(operator, django_assert_num_queries):
    session = live_room("Tea", people=3).sessions.get(ended_at=None)
    paths = [f"/admin/rooms/session/{session.pk}/{part}/" for part in ("change", "live", "entry")]
    fill(session, range(3, 6))
    taken = {}
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(path).status_code == 200
        taken[path] = len(queries)
    fill(session, range(6, 300))
    for path, number in taken.items():
        with django_assert_num_queries(number):
            assert operator.get(path).status_code == 200


def test_the_page_loads_of_many_and_long_values_no_more_than_it_shows(operator):
    session = live_room("Tea").sessions.get(ended_at=None)
    path = f"/admin/rooms/session/{session.pk}/live/"
    for n in range(300):
        data = json.dumps("x" * 16_000) if n % 2 else None
        session.entries.create(key=f"key-{n:03}", data=data, change_version=1, updated_at=timezone.now())

    with fetching() as fetched:
        html = operator.get(path).content.decode()

    assert html.count('<tr id="entry-') == 250 and html.count("(removed)") == 250 - 151
    assert f'<a href="/admin/rooms/metadataentry/?session__id__exact={session.pk}">all keys</a>' in html
    assert fetched.rows < 250 + 40 and fetched.characters < 151 * 2_500 + 100_000
    keys = page(operator, "metadataentry/", session__id__exact=session.pk)
    assert "301 metadata entr" in keys


@pytest.mark.parametrize(("value", "shown"), [({"of": "x" * 100}, "{\n  &quot;of"), (["x" * 3000], "[&quot;xx")])
def test_a_value_is_shown_over_several_lines_as_long_as_it_is_whole(operator, room, alice, value, shown):
    do(alice, "set-metadata", key="topic", data=value)
    html = page(operator, f"session/{session_of(room).pk}/change/")
    assert f'<pre tabindex="0">{shown}' in html
    assert ("all of it" in html) == (len(str(value)) > 2000)


def fill(session: Session, numbers: range) -> None:
    now = timezone.now()
    Peer.objects.bulk_create(
        Peer(session=session, peer_id=f"peer-{n}", name=f"Alice {n}", role="host", joined_at=now) for n in numbers
    )
    for n in numbers:
        session.entries.create(key=f"key-{n}", data='"tea"', change_version=1, updated_at=now)
        session.locks.create(name=f"lock-{n}", holder="peer-1", token=n)
        session.persons.create(owner=f"user:{n}", person=f"p{n}", removed_at=now)
        Poll.objects.create(session=session, poll_id=f"poll-{n}", title="Tea?", created_at=now)


def test_what_was_typed_by_peers_is_text(operator, room):
    evil = "<script>alert(1)</script>"
    alice = joined(room, evil, "host")
    do(alice, "set-metadata", key=evil, data={evil: evil})
    do(alice, "lock", name=evil[:64])
    html = page(operator, f"session/{session_of(room).pk}/change/")
    html += ask(operator, room, "clear", key=evil, if_change_version=9, called=evil)
    html += operator.get(f"/admin/rooms/session/{session_of(room).pk}/entry/", {"key": evil}).content.decode()
    assert evil not in html and html.count("&lt;script&gt;") > 10


def test_nothing_of_users_is_needed_but_the_rights(client, room, alice):
    """Superusers aside: that somebody is of the staff gives no right."""
    client.force_login(User.objects.create_user("sam", is_staff=True))
    assert client.get(f"/admin/rooms/session/{session_of(room).pk}/change/").status_code == 403


def test_a_refused_act_says_which_field_is_wrong(operator, room, alice, bob):
    assert "Message: " in ask(operator, room, "notice", message="x" * 5000)
    assert "Role: " in ask(operator, room, "notice", message="hello", role="nobody")
    assert "Peer: " in ask(operator, room, "remove", requested_for="nobody")
    assert "Reason: " in ask(operator, room, "remove", requested_for="peer-Bob", reason="x" * 500)


def test_whatever_a_list_is_asked_to_do_needs_its_right(client, room, alice):
    client.force_login(staff("vera", *EVERYTHING_SEEN))
    for action in ("end", "delete_selected", "close", "explode"):
        asked = {"action": action, "_selected_action": [session_of(room).pk], "confirmed": "yes", "post": "yes"}
        assert client.post("/admin/rooms/session/", asked).status_code == 403
    assert session_of(room)
