"""Who did what, as the admin and the command show it."""

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import rooms.access.logins
from rooms.admin import audit as audit_page
from rooms.creation.rooms import change_room, create_room, delete_room
from rooms.models import AuditEntry, Room, Session, milliseconds
from rooms.operations.engine.calls import Author
from rooms.wire.rates import Bucket, Buckets
from tests.admin.driver import act, live_room, page, staff
from tests.admin.test_pages import EVIL, cells

OLGA = Author("olga", "admin")


def entry(**fields: Any) -> AuditEntry:
    given = {
        "at": milliseconds(timezone.now()),
        "what": "metadata.set",
        "source": "socket",
        "author": "Alice",
        "key": "topic",
    }
    return AuditEntry.objects.create(**{**given, **fields})


@pytest.fixture
def empty(db: None) -> None:
    create_room(name="first")  # and with it the template
    AuditEntry.objects.all().delete()


# --- The admin ----------------------------------------------------------------------------------


def test_entries_are_listed_with_what_changed(operator, empty):
    entry(room_id="a" * 24, room_name="Tea", session_id="b" * 24, version=3, old='"tea"', new='"milk"')
    entry(what="peer.remove", source="admin", author="olga", key="", details='{"peer":"peer-Bob"}')

    removed, changed = cells(page(operator, "auditentry/"))

    assert changed[1:] == [
        "metadata.set",
        "Alice",
        "socket",
        "Tea",
        "b" * 24,
        "topic",
        "3",
        "&quot;tea&quot; → &quot;milk&quot;",
    ]
    assert removed[1:4] == ["peer.remove", "olga", "admin"]
    assert "peer-Bob" in removed[-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"what": "login"}, ["c"]),
        ({"source": "socket"}, ["b", "a"]),
        ({"when": "day"}, ["c", "b"]),
        ({"room_id": "1" * 24}, ["b", "a"]),
        ({"room_id": "1" * 24, "session_id": "2" * 24}, ["b"]),
        ({"q": "TEA"}, ["b", "a"]),
        ({"q": "2" * 24}, ["b"]),
        ({"what": "nonsense"}, []),
    ],
)
def test_entries_are_found_by_room_session_source_word_and_time(operator, empty, query, found):
    day = 24 * 60 * 60 * 1000
    entry(key="a", at=milliseconds(timezone.now()) - 2 * day, room_id="1" * 24, room_name="Tea")
    entry(key="b", room_id="1" * 24, room_name="Tea", session_id="2" * 24)
    entry(key="c", what="login", source="admin")

    html = page(operator, "auditentry/", **query)

    assert [row[6] for row in cells(html)] == found if found else "0 audit entries" in html


def test_filters_look_through_the_newest_entries_of_all_or_of_a_room(operator, empty, monkeypatch):
    monkeypatch.setattr(audit_page, "LOOKED_THROUGH", 3)
    entry(key="of room", room_id="1" * 24, room_name="Tea")
    for number in range(5):
        entry(key=str(number))

    assert [row[6] for row in cells(page(operator, "auditentry/", source="socket"))] == ["4", "3", "2"]
    assert [row[6] for row in cells(page(operator, "auditentry/", source="socket", room_id="1" * 24))] == ["of room"]
    old = AuditEntry.objects.earliest("pk")
    assert "of room" in page(operator, f"auditentry/{old.pk}/change/")


def test_a_list_of_entries_takes_the_same_number_of_queries_however_many_there_are(operator, empty):
    taken = []
    for number in (3, 300):
        for _ in range(number):
            entry(room_id="1" * 24, room_name="Tea", session_id="2" * 24, details='{"a":1}')
        for query in ("", "?what=metadata.set&source=socket&when=day", "?q=a", f"?room_id={'1' * 24}"):
            with CaptureQueriesContext(connection) as queries:
                assert operator.get(f"/admin/rooms/auditentry/{query}").status_code == 200
            taken.append(len(queries))
    assert taken[:4] == taken[4:]


def test_what_others_typed_is_shown_as_text_with_a_direction_of_its_own(operator, empty):
    one = entry(
        author=EVIL, room_name=EVIL, room_id="1" * 24, key=EVIL, old=EVIL, new=EVIL, details=json.dumps({"a": EVIL})
    )

    shown = page(operator, "auditentry/") + page(operator, f"auditentry/{one.pk}/change/")

    assert EVIL not in shown and "<img src=x" not in shown
    assert shown.count("<bdi>&lt;script&gt;alert(1)") >= 8


def test_entries_are_shown_to_those_who_may_view_them_and_changed_by_nobody(client, empty):
    one = entry()
    client.force_login(staff("vera", "view_room", "change_room", "view_session", "view_metadataentry"))
    assert client.get("/admin/rooms/auditentry/").status_code == 403
    assert "who did what" not in page(client, f"room/{Room.objects.get().pk}/change/")

    client.force_login(staff("rita", "view_auditentry", "change_auditentry", "delete_auditentry", "add_auditentry"))
    assert len(cells(page(client, "auditentry/"))) == 1
    for path in ("add/", f"{one.pk}/delete/"):
        assert client.get(f"/admin/rooms/auditentry/{path}").status_code == 403
    assert client.post(f"/admin/rooms/auditentry/{one.pk}/change/", {"what": "login"}).status_code == 403
    act(client, "auditentry", "delete_selected", one, post="yes")
    assert AuditEntry.objects.filter(pk=one.pk, what="metadata.set").exists()


def test_a_room_leads_to_its_audit(operator):
    room, _ = create_room(name="tea"), create_room(name="coffee")
    html = page(operator, f"room/{room.pk}/change/")
    assert f"/admin/rooms/auditentry/?room_id={room.pk}" in html
    assert [row[4] for row in cells(page(operator, "auditentry/", room_id=room.pk))] == ["tea"]


def test_a_session_leads_to_its_audit_and_that_back_to_both(client, empty):
    room = live_room("Tea")
    session = room.sessions.get(ended_at=None)
    where = {"room_id": room.pk, "session_id": session.pk}
    one = entry(**where, room_name="Tea")
    entry(room_id=room.pk, room_name="Tea")
    client.force_login(staff("vera", "view_session", "view_room", "view_auditentry"))

    html = page(client, f"session/{session.pk}/change/")
    assert f"/admin/rooms/auditentry/?room_id={room.pk}&amp;session_id={session.pk}" in html
    assert "who did what" in html
    to_room, to_session = (
        f'<a href="/admin/rooms/{row._meta.model_name}/{row.pk}/change/">' for row in (room, session)
    )
    for shown in (page(client, "auditentry/", **where), page(client, f"auditentry/{one.pk}/change/")):
        assert f"{to_room}The room</a>" in shown and f"{to_session}The session</a>" in shown
    assert len(cells(page(client, "auditentry/", **where))) == 1
    of_room = page(client, "auditentry/", room_id=room.pk)
    assert to_room in of_room and to_session not in of_room


def test_the_audit_leads_back_to_what_is_there_and_may_be_seen(client, empty):
    room = create_room(name="tea")
    one = entry(room_id=room.pk, session_id="b" * 24, room_name="Tea")
    client.force_login(staff("rita", "view_auditentry"))
    assert "The room" not in page(client, f"auditentry/{one.pk}/change/")

    client.force_login(staff("vera", "view_session", "view_room", "view_auditentry"))
    shown = page(client, f"auditentry/{one.pk}/change/")
    assert "The room" in shown and "The session" not in shown
    client.force_login(staff("sam", "view_session"))
    live = live_room("Coffee").sessions.get(ended_at=None)
    assert "who did what" not in page(client, f"session/{live.pk}/change/")


# --- Acts of the admin --------------------------------------------------------------------------


def test_what_an_operator_does_in_the_admin_is_written_down_once_as_that_operators(operator, empty):
    room = live_room("Tea")
    AuditEntry.objects.all().delete()

    act(operator, "room", "close", room)
    act(operator, "room", "close", room)
    act(operator, "session", "end", Session.objects.get(ended_at=None), confirmed="yes")
    act(operator, "roomcode", "replace", room.codes.get(role="guest"), confirmed="yes")
    act(operator, "room", "remove", room, confirmed="yes")

    done = list(AuditEntry.objects.order_by("pk").values_list("what", "source", "author", "room_name", "key"))
    assert done == [
        ("room.change", "admin", "olga", "Tea", ""),
        ("session.end", "admin", "olga", "Tea", ""),
        ("code.replace", "admin", "olga", "Tea", "guest"),
        ("room.delete", "admin", "olga", "Tea", ""),
    ]
    assert json.loads(AuditEntry.objects.get(what="room.change").details) == {"enabled": [True, False]}


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the admin as after a restart."""
    for name, buckets in (
        ("_addresses", Buckets(0.1, 100)),
        ("_accounts", Buckets(0.1, 100)),
        ("_refusals", Bucket(0.001, 3)),
    ):
        monkeypatch.setattr(rooms.access.logins, name, buckets)


def log_in(client: Client, name: str, password: str) -> None:
    client.post("/admin/login/", {"username": name, "password": password, "next": "/admin/"})


def test_logins_are_written_down_and_never_what_was_typed_in_the_wrong_place(client, doors):
    User.objects.create_superuser("olga", password="right horse battery")

    log_in(client, "olga", "wrong horse battery")
    log_in(client, "right horse battery", "olga")
    log_in(client, "olga", "right horse battery")
    log_in(client, "", "")

    told = list(AuditEntry.objects.filter(what__startswith="login").order_by("pk").values_list("what", "author", "key"))
    assert told == [("login.refused", "", "olga"), ("login.refused", "", ""), ("login", "olga", "")]
    assert "horse" not in str(list(AuditEntry.objects.values_list()))


def test_who_tries_passwords_does_not_fill_the_audit(client, doors):
    for number in range(9):
        log_in(client, f"{number}", "wrong")
    assert AuditEntry.objects.filter(what="login.refused").count() == 3


# --- The command --------------------------------------------------------------------------------


def audit(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("audit", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_the_command_tells_who_did_what(empty):
    room = create_room(name="tea", title="Tea for two", author=OLGA)
    change_room(room.pk, size=3, author=Author("manage.py", "command"))
    create_room(name="coffee")

    [made, changed] = audit("--room", "tea")

    when, clock, *fields = made.split(" ", 3)
    assert f"{when} {clock}"[:10] == f"{timezone.now():%Y-%m-%d}"
    assert fields == ["room.create", f'source=admin author=olga room_id={room.id} room_name="Tea for two"'
                      ' details="{\\"name\\":\\"tea\\",\\"template\\":\\"default\\"}"']  # fmt: skip
    assert "room.change source=command author=manage.py" in changed
    assert audit("--room", room.id) == [made, changed]


def test_a_room_that_is_gone_is_found_by_id_title_and_name(empty):
    room = create_room(name="tea", title="Tea for two", author=OLGA)
    delete_room(room.pk, author=OLGA)
    create_room(name="coffee")

    assert len(audit("--room", "tea")) == 2
    assert audit("--room", "tea") == audit("--room", room.pk) == audit("--room", "tea for TWO")
    assert audit("--room", "nothing") == []


@pytest.mark.parametrize(
    ("since", "found"), [("30m", 1), ("2h", 2), ("7200", 2), ("2020-01-01", 3), ("2020-01-01T10:00+02:00", 3)]
)
def test_entries_since_a_time(empty, since, found):
    now = milliseconds(timezone.now())
    for minutes in (60 * 24, 60, 0):
        entry(at=now - minutes * 60_000)
    assert len(audit("--since", since)) == found


def test_a_time_that_cannot_be_read_is_refused(db):
    for text in ("yesterday", "99999999999d"):
        with pytest.raises(CommandError, match=r"is not a time such as .*, nor a day such as"):
            audit("--since", text)


def test_entries_as_json(empty):
    entry(version=2, old=None, new='"☕"', details='{"a":[1]}', room_name="Tea")
    [line] = audit("--json")
    told = json.loads(line)
    assert told.pop("at")[:4] == f"{timezone.now():%Y}"
    assert told == {
        "what": "metadata.set", "source": "socket", "author_id": "", "author": "Alice", "room_id": "",
        "room_name": "Tea", "session_id": "", "key": "topic", "version": 2, "old": None,
        "new": '"☕"', "details": {"a": [1]},
    }  # fmt: skip


def test_nothing_in_an_entry_passes_for_another_line_or_reaches_the_terminal(empty):
    entry(author="x\n2026-11-27 00:00:00.000 login author=olga", key="\x1b[2J", new="\u202etxt")
    for arguments in ((), ("--json",)):
        [line] = audit(*arguments)
        assert line.isascii() and line.isprintable()
