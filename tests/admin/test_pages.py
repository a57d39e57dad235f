"""The admin: what it shows, what it lets operators do, and what it costs."""

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import rooms.access.logins
from rooms.creation.rooms import create_room
from rooms.models import (
    AccessKey,
    MetadataEntry,
    Peer,
    Person,
    Room,
    Session,
    Template,
    WebhookDelivery,
    WebhookEndpoint,
    Worker,
)
from rooms.wire.rates import Buckets
from tests.admin.driver import act, answer, live_room, page, seen_at
from tests.support.browser import running_browser
from tests.support.server import RunningServer

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"

LISTS = {
    "room": "live=yes&enabled__exact=1",
    "session": "live=yes",
    "peer": "state__exact=connected&role=host",
    "metadataentry": "",
    "roomcode": "role=host",
    "template": "",
    "worker": "",
    "auditentry": "what=metadata.set&source=socket&when=day",
    "accesskey": "",
    "webhookendpoint": "enabled__exact=1",
    "webhookdelivery": "state=dead&name=peer.join.success",
}
"""Every list page, and filters of it."""


def cells(html: str) -> list[list[str]]:
    """The texts of a list page's rows."""
    rows = re.findall(r"<tr>(.*?)</tr>", html.split('id="result_list"')[1].split("</table>")[0], re.DOTALL)
    texts = [re.findall(r'class="(?:field|nowrap)[^"]*">(.*?)</t[dh]>', row, re.DOTALL) for row in rows]
    return [[re.sub(r"<[^>]+>", "", text).strip() for text in row] for row in texts if row]


# --- What it shows ------------------------------------------------------------------------------


def test_rooms_are_listed_with_their_live_head_count(operator):
    tea, empty = live_room("Tea", people=3), create_room(title="Empty")
    Peer.objects.filter(session__room=tea, session__ended_at=None, peer_id="peer-1").update(state="reconnecting")
    Peer.objects.filter(session__room=tea, session__ended_at=None, peer_id="peer-2").update(state="left")

    rows = {row[0]: row for row in cells(page(operator, "room/"))}

    assert [rows["Tea"][1], rows["Tea"][2]] == [tea.name, "2"]
    assert [rows["Empty"][1], rows["Empty"][2], rows["Empty"][3]] == [empty.name, "0", "-"]


@pytest.mark.parametrize("kind", ["room", "session", "peer", "roomcode", "metadataentry", "worker", "template"])
def test_no_list_fails_on_what_it_is_asked_for(operator, kind):
    live_room("Tea")
    stamp = {"session": "started_at", "peer": "joined_at", "metadataentry": "updated_at"}.get(kind, "created_at")
    dates = [f"{stamp}__{part}=99999" for part in ("year", "year__gte", "iso_year", "month", "gte", "in", "date")]
    searches = ["q=" + "a+" * 2000, "q=" + "%22" * 999]
    for query in (*dates, *searches, f"{stamp}__regex=(", "id__exact=" + "9" * 99, "p=-1"):
        answer = operator.get(f"/admin/rooms/{kind}/?{query}")
        assert answer.status_code in (200, 302, 400), query


@pytest.mark.parametrize(
    ("query", "found"),
    # No code of a room has such a mark in it.
    [("live=yes", ["Tea!"]), ("live=no", ["Empty"]), ("q=tEA!", ["Tea!"]), ("q=nil!", [])],
)
def test_rooms_can_be_filtered_and_searched(operator, query, found):
    live_room("Tea!")
    create_room(title="Empty")
    name, _, value = query.partition("=")

    html = page(operator, "room/", **{name: value})

    assert [row[0] for row in cells(html)] == found if found else "0 rooms" in html


def test_a_room_is_found_by_its_code(operator):
    room = create_room(title="Tea")
    create_room(title="Empty")

    assert [row[0] for row in cells(page(operator, "room/", q=room.codes.get(role="guest").code))] == ["Tea"]


def test_lists_come_in_pages(operator):
    for n in range(51):
        create_room(title=f"Room {n}")

    assert len(cells(page(operator, "room/"))) == 50
    assert len(cells(page(operator, "room/", p="2"))) == 1


def test_sessions_are_listed_live_and_past(operator):
    live_room("Tea", people=2)

    live = cells(page(operator, "session/", live="yes"))
    past = cells(page(operator, "session/", live="no"))

    assert [row[1] for row in live + past] == ["Tea", "Tea"]
    assert [(row[5], row[6]) for row in live + past] == [("2", "2"), ("0", "2")]
    assert (past[0][4], past[0][8]) == ("0:05:00", "bye")


def test_a_session_shows_its_peers_values_and_locks(operator):
    room = live_room("Tea", people=2)
    session = room.sessions.get(ended_at=None)
    session.locks.create(name="whiteboard", holder="peer-1", token=41)

    html = page(operator, f"session/{session.pk}/change/")

    assert "Alice 1" in html and "user-1" in html and "connected" in html
    assert "topic" in html and "{&quot;of&quot;:[&quot;tea&quot;,null]}" in html
    assert "<td><bdi>whiteboard</bdi></td><td><bdi>Alice 1</bdi></td><td>41</td>" in html


def test_keys_of_white_space_can_be_seen_and_times_are_written_alike(operator):
    session = live_room("Tea").sessions.get(ended_at=None)
    entry = session.entries.get()
    session.entries.update(key=" ", updated_at=datetime(2026, 11, 28, 13, 20, 58, tzinfo=UTC))

    for path in ("metadataentry/", f"metadataentry/{entry.pk}/change/", f"session/{session.pk}/change/"):
        html = page(operator, path)
        assert "&#x27;␣&#x27;" in html and "2026-11-28 13:20:58" in html


def test_a_session_with_many_peers_shows_those_who_are_there_first(operator):
    session = live_room("Tea", people=1).sessions.get(ended_at=None)
    now = timezone.now()
    Peer.objects.bulk_create(
        Peer(session=session, peer_id=f"gone-{n}", name=f"Gone {n}", state="left", joined_at=now, left_at=now)
        for n in range(120)
    )

    html = page(operator, f"session/{session.pk}/change/")

    assert html.index("Alice 0") < html.index("Gone ")
    assert "all 121" in html and html.count(">Gone ") == 99


def test_a_value_is_shown_with_version_author_and_time(operator):
    live_room("Tea")
    entry = MetadataEntry.objects.get()

    [row] = cells(page(operator, "metadataentry/"))
    html = page(operator, f"metadataentry/{entry.pk}/change/")

    assert row[:5] == ["topic", "Tea", "{&quot;of&quot;:[&quot;tea&quot;,null]}", "7", "Alice 0"]
    assert f"{entry.updated_at:%Y}" in row[5]
    assert "&quot;of&quot;: [\n    &quot;tea&quot;,\n    null\n  ]" in html


def test_a_long_or_removed_value_does_not_break_a_list(operator):
    live_room("Tea")
    MetadataEntry.objects.update(data=f'"{"x" * 5000}"')
    session = Session.objects.get(ended_at=None)
    MetadataEntry.objects.create(session=session, key="gone", data=None, change_version=2, updated_at=timezone.now())

    values = {row[0]: row[2] for row in cells(page(operator, "metadataentry/"))}

    assert len(values["topic"]) < 100
    assert values["gone"] == "(removed)"
    assert "(removed)" in page(operator, f"metadataentry/{session.entries.get(key='gone').pk}/change/")


def test_workers_are_shown_alive_or_not(operator):
    now = timezone.now()
    Worker.objects.create(id="a", last_seen=now)
    Worker.objects.create(id="b", last_seen=now - timedelta(minutes=1))
    Worker.objects.create(id="c", last_seen=now - timedelta(minutes=2), dead_at=now)

    html = page(operator, "worker/")

    assert re.findall(r'class="field-is_alive">.*?alt="(\w+)"', html) == ["True", "False", "False"]


def test_every_detail_page_opens(operator):
    room = live_room("Tea")
    session = room.sessions.get(ended_at=None)
    rows = [room, session, session.peers.get(), session.entries.get(), room.codes.get(role="host"), room.template]
    for row in [*rows, Worker.objects.get()]:
        page(operator, f"{row._meta.model_name}/{row.pk}/change/")


NO_PAGE = {
    "AppliedChange", "Event", "Lock", "Message", "Person", "Poll", "PollAnswer", "PreparedPoll", "WebhookReplay",
    "WebhookStream",
}  # fmt: skip
NOT_SHOWN = {
    "Template": {"generation", "metadata_rules", "plugins", "roles", "settings"},
    "Room": {"polls", "template"},
    "RoomCode": {"room"},
    "Session": {"due_at", "empty_since", "end_reason", "generation", "histories", "journal_bytes", "room"},
    "Peer": {
        "hand_raised_at",
        "history",
        "id",
        "joined_role",
        "joined_seq",
        "owner",
        "page_closed",
        "person",
        "role_seq",
        "said_at",
        "session",
    },
    "MetadataEntry": {"data", "id", "key", "session"},
    "Worker": set(),
    "AccessKey": {"id", "secret"},
    "WebhookDelivery": {"at", "body", "done_at", "endpoint", "id", "replay", "stream"},
    "WebhookEndpoint": {"gone", "headers", "receiver", "room", "secrets", "spans"},
    "AuditEntry": {"at", "author", "details", "id", "key", "new", "old", "room_name", "session_id"},
}
"""What is stored and not on the pages as it is: links and words stand for it, or it is for the server alone."""


def test_whatever_is_stored_is_shown_or_left_out_on_purpose():
    kinds = {kind.__name__: kind for kind in apps.get_app_config("rooms").get_models()}
    pages = {name: site._registry[kind] for name, kind in kinds.items() if kind in site._registry}
    assert set(kinds) - set(pages) == NO_PAGE
    shown = {name: {*(page.fields or ()), *page.list_display} for name, page in pages.items()}
    columns = {name: {field.name for field in kinds[name]._meta.concrete_fields} for name in pages}
    assert {name: columns[name] - shown[name] for name in pages} == NOT_SHOWN


def test_what_peers_typed_is_shown_as_text(operator):
    room = live_room(EVIL)
    session = room.sessions.get(ended_at=None)
    session.peers.update(name=EVIL, user_id=EVIL, metadata=EVIL, role=EVIL, leave_reason=EVIL[:40])
    session.entries.update(key=EVIL, data=f'"{EVIL}"', updated_by_name=EVIL, updated_by=EVIL)
    Session.objects.update(end_reason=EVIL, ended_by=EVIL)
    rows = [room, session, session.peers.get(), session.entries.get(), room.codes.get(role="host")]
    paths = [f"{name}/" for name in LISTS] + [f"{row._meta.model_name}/{row.pk}/change/" for row in rows]

    shown = [page(operator, path) for path in paths]

    assert not [html for html in shown if EVIL in html or "<img src=x" in html]
    assert sum("&lt;script&gt;alert(1)" in html for html in shown) >= 8


def test_messages_are_not_in_the_admin(operator):
    assert operator.get("/admin/rooms/event/").status_code == 404
    assert operator.get("/admin/rooms/sentmessage/").status_code == 404


def test_pages_carry_the_content_policy_and_nothing_inline(operator):
    room = live_room("Tea")
    for path in [*(f"{name}/" for name in LISTS), f"room/{room.pk}/change/"]:
        answer = operator.get(f"/admin/rooms/{path}")
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        assert not re.search(rb"<script(?![^>]*\bsrc=)[^>]*>|\son\w+=|\sstyle=|javascript:", answer.content)


# --- What it costs ------------------------------------------------------------------------------


def test_lists_take_the_same_number_of_queries_with_three_and_with_three_hundred_rooms(
    operator, django_assert_num_queries
):
    paths = [f"/admin/rooms/{name}/?{query}" for name, filters in LISTS.items() for query in {"", filters, "q=a"}]
    add_rooms(3)
    taken = {}
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(path).status_code == 200
        taken[path] = len(queries)
    add_rooms(297)

    for path, number in taken.items():
        with django_assert_num_queries(number):
            assert operator.get(path).status_code == 200


def add_rooms(number: int) -> None:
    for n in range(number):
        live_room(f"Tea {n}")
        Template.objects.create(name=f"template {Template.objects.count()}")
    start = AccessKey.objects.count()
    AccessKey.objects.bulk_create(AccessKey(name=f"back end {start + n}", secret="sealed") for n in range(number))
    hooks = [WebhookEndpoint(url="https://example.org/", room=room) for room in Room.objects.order_by("pk")[:number]]
    WebhookEndpoint.objects.bulk_create(hooks)
    fields = {"name": "peer.join.success", "body": "{}", "at": 1_795_816_800_000, "state": "dead"}
    WebhookDelivery.objects.bulk_create(WebhookDelivery(endpoint=hook, event_id="e", **fields) for hook in hooks)


# --- What it lets operators do ------------------------------------------------------------------


def test_nothing_can_be_added_or_deleted_and_only_rooms_and_templates_changed(operator):
    room = live_room("Tea")
    for name in set(LISTS) - {"template", "accesskey", "webhookendpoint"}:
        assert operator.get(f"/admin/rooms/{name}/add/").status_code == 403
    session = room.sessions.get(ended_at=None)
    for row in (session, session.peers.get(), session.entries.get(), room.codes.get(role="host")):
        path = f"/admin/rooms/{row._meta.model_name}/{row.pk}"
        assert operator.post(f"{path}/change/", {"name": "Coffee"}).status_code == 403
        assert operator.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    assert operator.post(f"/admin/rooms/template/{room.template_id}/delete/", {"post": "yes"}).status_code == 403
    assert operator.post(f"/admin/rooms/room/{room.pk}/delete/", {"post": "yes"}).status_code == 403
    act(operator, "room", "delete_selected", room, post="yes")

    room.refresh_from_db()
    assert room.title == "Tea"


def test_a_room_is_closed_and_opened(operator):
    room, other = live_room("Tea"), live_room("Coffee")

    told = act(operator, "room", "close", room)

    assert "Room “Tea” is closed." in told
    assert set(Room.objects.filter(enabled=True)) == {other}
    act(operator, "room", "open", room)
    assert set(Room.objects.filter(enabled=True)) == {room, other}


def test_ending_a_session_asks_first(operator):
    session = live_room("Tea").sessions.get(ended_at=None)

    assert "Yes, end it" in act(operator, "session", "end", session)

    session.refresh_from_db()
    assert session.ended_at is None


@pytest.mark.parametrize(("model", "action"), [("session", "end"), ("room", "end_session")])
def test_a_confirmed_end_ends_the_session(operator, model, action):
    room = live_room("Tea")
    session = room.sessions.get(ended_at=None)
    other = live_room("Coffee").sessions.get(ended_at=None)

    told = answer(operator, act(operator, model, action, session if model == "session" else room))

    session.refresh_from_db()
    other.refresh_from_db()
    assert "The session in “Tea” is over." in told
    assert (session.end_reason, session.ended_by) == ("room ended", "olga")
    assert not session.entries.exists() and set(session.peers.values_list("state", flat=True)) == {"left"}
    assert other.ended_at is None


def test_an_end_that_comes_too_late_says_so_and_spares_the_next_session(operator):
    room = live_room("Tea")
    past, live = room.sessions.get(end_reason="bye"), room.sessions.get(ended_at=None)

    assert "There is no live session to end." in act(operator, "session", "end", past)
    assert "“Tea”: the session is over" in act(operator, "session", "end", past, confirmed="yes")

    live.refresh_from_db()
    assert live.ended_at is None


def test_who_may_only_look_is_not_offered_the_acts(client):
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    room = live_room("Tea")

    code = room.codes.get(role="host")
    html = page(client, f"room/{room.pk}/change/")
    assert "End the session" not in html and "Delete…" not in html and 'name="title"' not in html
    act(client, "room", "close", room)
    act(client, "room", "end_session", room, confirmed="yes")
    act(client, "room", "remove", room, confirmed="yes")
    act(client, "roomcode", "replace", code, confirmed="yes")
    assert client.post(f"/admin/rooms/room/{room.pk}/change/", {"title": "Coffee"}).status_code == 403
    assert room.codes.filter(pk=code.pk).exists()

    room.refresh_from_db()
    assert room.enabled and room.sessions.filter(ended_at=None).exists()


def test_acts_stand_in_the_history(operator):
    room = live_room("Tea")

    act(operator, "room", "close", room)

    assert "closed" in page(operator, f"room/{room.pk}/history/")


def test_a_room_is_changed(operator):
    room = live_room("Tea")
    wanted = {"name": "coffee", "title": " Coffee  break ", "size": "7", "large_room": "on", "enabled": ""}
    wanted["seen"] = seen_at(operator, f"room/{room.pk}/change/")

    assert operator.post(f"/admin/rooms/room/{room.pk}/change/", wanted).status_code == 302

    room.refresh_from_db()
    values = (room.name, room.title, room.size, room.large_room, room.enabled)
    assert values == ("coffee", "Coffee break", 7, True, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "two words"), ("name", "OTHER"), ("title", "x" * 201), ("title", "a\x07b"), ("size", "-1"),
     ("size", "1e9"), ("size", "100001"), ("size", "9" * 5000)],
)  # fmt: skip
def test_a_room_takes_no_value_that_it_cannot_have(operator, field, value):
    room = live_room("Tea")
    create_room(name="other")
    usual = {"name": "tea", "title": "Tea", "size": "0", "seen": seen_at(operator, f"room/{room.pk}/change/")}

    answer = operator.post(f"/admin/rooms/room/{room.pk}/change/", {**usual, field: value})

    assert answer.status_code == 200 and "errorlist" in answer.content.decode()
    assert Room.objects.get(pk=room.pk).title == "Tea"


def test_deleting_a_room_asks_first_and_ends_its_session(operator):
    room, other = live_room("Tea"), live_room("Coffee")

    assert "Yes, delete them" in act(operator, "room", "remove", room)
    assert Room.objects.count() == 2

    assert "Room “Tea” is deleted." in act(operator, "room", "remove", room, confirmed="yes")
    assert [*Room.objects.all()] == [other]
    assert {session.room for session in Session.objects.all()} == {other}


def test_a_leaked_code_is_replaced(operator):
    room = live_room("Tea")
    leaked, others = room.codes.get(role="guest"), set(room.codes.exclude(role="guest"))

    assert "Yes, replace them" in act(operator, "roomcode", "replace", leaked)
    told = act(operator, "roomcode", "replace", leaked, confirmed="yes")

    new = room.codes.get(role="guest", enabled=True)
    assert new != leaked and f"is now {new.code}" in told
    assert operator.get(f"/r/{leaked.code}/").status_code == 403
    assert set(room.codes.exclude(role="guest")) == others
    assert leaked.code not in page(operator, f"room/{room.pk}/history/")


# --- Who sees what ------------------------------------------------------------------------------


KINDS = ["room", "roomcode", "session", "peer", "metadataentry", "template"]


def marked_room() -> dict[str, tuple[Model, list[str]]]:
    """A room of which each kind of row can be told by texts that stand nowhere else, by the kind."""
    template = Template.objects.create(name="mark-template", roles={"mark-role": {}})
    room = create_room(title="mark-room-title", name="mark-room-name", template=template)
    now = timezone.now()
    session = Session.objects.create(room=room, started_at=now)
    peer = Peer.objects.create(
        session=session, peer_id="mark-peer-id", user_id="mark-user-id", name="mark-peer-name", role="some-role",
        joined_at=now, worker="worker",
    )  # fmt: skip
    entry = MetadataEntry.objects.create(
        session=session, key="mark-key", data='"mark-value"', change_version=1, updated_by="mark-peer-id",
        updated_by_name="mark-peer-name", updated_at=now,
    )  # fmt: skip
    code = room.codes.get()
    Worker.objects.create(id="worker", last_seen=now)
    return {
        "room": (room, ["mark-room-title", "mark-room-name", str(room.pk)]),
        "roomcode": (code, [code.code]),
        "session": (session, [session.pk]),
        "peer": (peer, ["mark-peer-id", "mark-user-id", "mark-peer-name"]),
        "metadataentry": (entry, ["mark-key", "mark-value"]),
        "template": (template, ["mark-template", str(template.pk)]),
    }


@pytest.mark.parametrize("kind", [*KINDS, "worker"])
@pytest.mark.parametrize("right", ["view", "change"])
def test_who_may_see_one_kind_of_row_sees_nothing_of_the_others(client, kind, right):
    marks = marked_room()
    vera = User.objects.create_user("vera", is_staff=True)
    vera.user_permissions.add(Permission.objects.get(codename=f"{right}_{kind}", content_type__app_label="rooms"))
    client.force_login(vera)
    row = marks[kind][0] if kind in marks else Worker.objects.get()

    pages = [
        page(client, f"{kind}/"),
        page(client, f"{kind}/{row.pk}/change/"),
        page(client, f"{kind}/{row.pk}/history/"),
    ]

    for other in set(KINDS) - {kind}:
        assert client.get(f"/admin/rooms/{other}/").status_code == 403
        seen = [text for text in marks[other][1] for html in pages if text in html]
        assert (other, seen) == (other, [])
        for text in marks[other][1]:
            assert cells_or_none(page(client, f"{kind}/", q=text)) == []


@pytest.mark.parametrize(
    ("kind", "lookup"),
    [
        ("room", "codes__code__startswith=m"),
        ("room", "codes=mark"),
        ("room", "sessions__id__gt=0"),
        ("room", "template__id__gt=0"),
        ("session", "room__id__startswith=0"),
        ("session", "room__id__exact=0"),
        ("session", "peers__id__gt=0"),
        ("session", "entries__id__gt=0"),
        ("peer", "owner__startswith=user"),
        ("peer", "person__startswith=a"),
        ("peer", "observed__icontains=mark"),
        ("peer", "session__id__startswith=0"),
        ("peer", "session__id__exact=0"),
        ("metadataentry", "updated_by__startswith=mark"),
        ("metadataentry", "session__id__gt=0"),
        ("roomcode", "room__id__gt=0"),
    ],
)
def test_no_list_is_filtered_by_what_it_does_not_show(client, kind, lookup):
    """Else it would be found letter by letter."""
    marked_room()
    vera = User.objects.create_user("vera", is_staff=True)
    vera.user_permissions.add(Permission.objects.get(codename=f"view_{kind}", content_type__app_label="rooms"))
    client.force_login(vera)
    assert client.get(f"/admin/rooms/{kind}/?{lookup}").status_code == 400


def test_links_between_lists_lead_where_they_say(operator):
    room, _ = live_room(), live_room("Coffee")
    session = Session.objects.get(room=room, ended_at=None)
    assert "2 sessions" in page(operator, "session/", room__id__exact=room.pk)
    assert "1 peer" in page(operator, "peer/", session__id__exact=session.pk)
    assert "2 rooms" in page(operator, "room/", template__id__exact=room.template_id)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_learns_of_rows_by_their_number(client, kind):
    """Each count stands under the right to view what is counted."""
    marks = marked_room()
    vera = User.objects.create_user("vera", is_staff=True)
    vera.user_permissions.add(Permission.objects.get(codename=f"view_{kind}", content_type__app_label="rooms"))
    client.force_login(vera)
    row = marks[kind][0]

    pages = [page(client, f"{kind}/"), page(client, f"{kind}/{row.pk}/change/")]

    assert not [
        html for html in pages if re.search(r"(?:column|field)-(?:people|everybody|earlier|number_of_rooms)", html)
    ]


def cells_or_none(html: str) -> list[list[str]]:
    return cells(html) if 'id="result_list"' in html else []


def test_who_may_see_all_sees_all(operator):
    marks = marked_room()
    room, session = marks["room"][0], marks["session"][0]

    html = page(operator, f"room/{room.pk}/change/") + page(operator, f"session/{session.pk}/change/")

    for kind in ("roomcode", "peer", "metadataentry", "template"):
        assert marks[kind][1][-1 if kind == "peer" else 0] in html


# --- Logging in ---------------------------------------------------------------------------------


def log_in(client: Client, name: str = "olga", password: str = "wrong", **headers: str) -> str:
    answer = client.post("/admin/login/", {"username": name, "password": password}, **headers)  # type: ignore[arg-type]
    return "in" if answer.status_code == 302 else "too fast" if b"Too many attempts" in answer.content else "wrong"


@pytest.fixture
def logins(monkeypatch):
    """Attempts are counted from anew."""
    monkeypatch.setattr(rooms.access.logins, "_addresses", Buckets(0.001, 3))
    monkeypatch.setattr(rooms.access.logins, "_accounts", Buckets(0.001, 6))
    User.objects.create_superuser("olga", password="right")


def test_wrong_passwords_of_one_address_are_slowed(client, logins):
    assert [log_in(client) for _ in range(5)] == ["wrong"] * 3 + ["too fast"] * 2
    assert log_in(client, password="right") == "too fast"
    assert log_in(client, password="right", REMOTE_ADDR="10.0.0.7") == "in"


def test_wrong_passwords_for_one_account_are_slowed_from_wherever_they_come(client, logins):
    outcomes = [log_in(client, name="OLGA", REMOTE_ADDR=f"10.0.0.{n}") for n in range(8)]
    assert outcomes == ["wrong"] * 6 + ["too fast"] * 2


def test_the_addresses_of_one_ipv6_network_are_one(client, logins):
    outcomes = [log_in(client, name=f"u{n}", REMOTE_ADDR=f"2001:db8::{n}") for n in range(4)]
    assert outcomes == ["wrong"] * 3 + ["too fast"]


def test_behind_a_trusted_proxy_clients_are_told_apart_and_others_cannot_pretend(client, logins, settings):
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.0/8")]
    assert [log_in(client, HTTP_X_FORWARDED_FOR=f"10.0.0.{n}") for n in range(4)] == ["wrong"] * 4
    settings.TRUSTED_PROXIES = []
    assert [log_in(client, name=f"u{n}", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}") for n in range(4)][3] == "too fast"


# --- With live peers, in a browser --------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_an_operator_sees_a_live_room_and_ends_its_session(kind):
    with RunningServer(server=kind, DJANGO_SUPERUSER_PASSWORD="password") as server:
        server.manage("createsuperuser", "--no-input", "--username", "olga", "--email", "olga@example.org")
        room = server.room("tea")
        alice = await server.peer(server.sign(room, "host", "alice"), EVIL)
        bob = await server.peer(server.sign(room, "guest", "bob"), "Bob")
        await alice.call("set-metadata", key=EVIL, data={"javascript:alert(1)": EVIL})

        async with running_browser() as browser:
            tab = await browser.new_page()
            problems: list[str] = []
            tab.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
            tab.on("pageerror", lambda error: problems.append(str(error)))
            tab.on("dialog", lambda dialog: problems.append(dialog.message))
            await tab.goto(f"{server.url}/admin/")
            await tab.fill("#id_username", "olga")
            await tab.fill("#id_password", "password")
            await tab.click("input[type=submit]")
            await tab.click("text=Metadata entries >> nth=0")
            assert EVIL in await tab.inner_text("#result_list")
            await tab.goto(f"{server.url}/admin/rooms/room/?live=yes")
            assert await tab.inner_text(".field-people") == "2"
            await tab.click("text=tea")
            await tab.click(".field-session a")
            assert EVIL in await tab.inner_text("#people")
            await tab.click("text=End the session…")
            await tab.click("text=Yes, end it")
            assert "is over" in await tab.inner_text(".messagelist")

        for peer in (alice, bob):
            told = await peer.wait_for("on-peer-leave-request")
            assert told["params"] == {"reason": "", "room_end": True}
            assert await peer.wait_closed() == 4003
        assert problems == []


def test_no_page_shows_or_finds_an_owner(operator):
    live_room()
    owner = "code:0123456789abcdef"
    Peer.objects.update(owner=owner, person="personperson")
    Person.objects.create(session=Session.objects.get(ended_at=None), owner=owner, person="personperson", name="Alice")
    pages = [
        page(operator, f"{name}/", **dict(part.split("=") for part in LISTS[name].split("&") if part)) for name in LISTS
    ]
    for model in (Peer, Session, Room):
        pages += [page(operator, f"{model._meta.model_name}/{row.pk}/change/") for row in model.objects.all()]
    assert not [html for html in pages if owner in html or "0123456789abcdef" in html]
    assert "0 peers" in page(operator, "peer/", q="code:0123456789")
