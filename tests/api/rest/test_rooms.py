"""Rooms: made, found, changed, and what may be said of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from rooms.access import keys
from rooms.creation.rooms import create_room
from rooms.models import Room, Template
from rooms.webhooks import endpoints
from tests.api.rest.conftest import BackEnd, is_moment
from tests.operations.driver import journalled, position, row, told
from tests.support.at_once import in_threads
from tests.support.receiver import headers_of

ACCOUNT = "access-key-of-the-test-run"


def test_a_room_is_made_with_a_code_for_each_role_and_is_told_whole(rest):
    status, answer = rest("POST", "/rooms", {"name": "standup"})

    assert status == 200 and is_moment(answer.pop("created_at")) and is_moment(answer.pop("updated_at"))
    room = Room.objects.get(name="standup")
    assert answer == {
        "id": room.pk,
        "name": "standup",
        "enabled": True,
        "description": "",
        "customer_id": ACCOUNT,
        "app_id": ACCOUNT,
        "template_id": room.template_id,
        "template": "default",
        "region": "auto",
        "large_room": False,
        "size": 0,
        "max_duration_seconds": 0,
        "history": 100,
        "slow_mode": 0,
        "recording_info": {"enabled": False},
        "polls": [],
        "webhook": None,
        "customer": ACCOUNT,
    }
    assert room.codes.count() == 3


GIVEN: dict[str, Any] = {
    "description": "Every morning\nat nine",
    "region": "eu",
    "large_room": True,
    "size": 20_000,
    "max_duration_seconds": 43_200,
    "history": 0,
    "enabled": False,
}


def test_everything_that_can_be_said_of_a_room_is_kept(rest):
    template = Template.objects.create(name="lesson", roles={"teacher": {"name": "teacher"}})
    body = {"name": "Lesson-1", "template_id": template.pk, **GIVEN, "recording_info": {"enabled": True}, "polls": []}
    answer = rest("POST", "/rooms", body)[1]

    assert GIVEN.items() <= answer.items()
    assert (answer["template"], answer["recording_info"]) == ("lesson", {"enabled": False})
    assert rest("GET", f"/rooms/{answer['id']}") == (200, answer)
    assert [code.role for code in Room.objects.get().codes.all()] == ["teacher"]


def test_a_name_that_exists_in_any_case_changes_that_room_and_returns_it(rest, room):
    answer = rest("POST", "/rooms", {"name": "TEAM", "size": 5, "enabled": None})[1]

    assert (answer["id"], answer["name"], answer["size"], answer["enabled"]) == (room.pk, "team", 5, True)
    assert Room.objects.count() == 1
    kept = Room.objects.get()
    assert (kept.title, kept.created_at, kept.updated_at > room.updated_at) == ("Team", room.created_at, True)


def test_a_room_without_a_name_gets_one(rest):
    first, second = rest("POST", "/rooms", {})[1], rest("POST", "/rooms", {"description": "x"})[1]
    assert first["name"] and first["name"] != second["name"]


@pytest.mark.matrix
def test_of_many_who_make_a_room_of_one_name_one_makes_it(database):
    back_end = BackEnd(Client(), keys.own())

    def make(number: int) -> tuple[int, Any]:
        try:
            return back_end("POST", "/rooms", {"name": "Tea" if number % 2 else "tea", "description": str(number)})
        finally:
            connection.close()

    answers = in_threads(make, range(6))

    assert {status for status, _ in answers} == {200}
    assert {answer["id"] for _, answer in answers} == {Room.objects.get().pk}


def test_a_room_is_changed_while_somebody_is_in_it(rest, room, alice):
    answer = rest("POST", f"/rooms/{room.pk}", {"name": "renamed", "enabled": False, **GIVEN})
    assert answer[0] == 200 and GIVEN.items() <= answer[1].items() and answer[1]["name"] == "renamed"
    assert row(alice).present
    assert rest("POST", f"/rooms/{room.pk}", {"enabled": True})[1]["enabled"] is True


def test_another_template_is_told_to_those_who_are_inside(rest, room, alice):
    template = Template.objects.create(name="lesson", roles={"host": {"name": "host", "priority": 4}})
    before = position(room.pk)

    answer = rest("POST", f"/rooms/{room.pk}", {"template_id": template.pk})[1]

    assert (answer["template_id"], answer["template"]) == (template.pk, "lesson")
    [(kind, policy)] = told(alice, journalled(room.pk, after=before))
    assert (kind, list(policy["known_roles"])) == ("on-policy-change", ["host"])
    # The same again changes nothing, and is told to nobody.
    assert rest("POST", f"/rooms/{room.pk}", {"template_id": template.pk})[0] == 200
    assert position(room.pk) == before + 1


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"name": "other"}, 400, ""),
        ({"name": "a b"}, 400, "name: "),
        ({"name": "x" * 101}, 400, "name: "),
        ({"name": ""}, 400, "name: "),
        ({"size": 2_501}, 400, "size: At most 2500 people, 20000 in a large room"),
        ({"size": 20_001, "large_room": True}, 400, "size: "),
        ({"size": -1}, 400, "size: "),
        ({"size": "5"}, 400, "size: "),
        ({"size": True}, 400, "size: "),
        ({"max_duration_seconds": 119}, 400, "max_duration_seconds: "),
        ({"max_duration_seconds": 43_201}, 400, "max_duration_seconds: "),
        ({"history": 10_001}, 400, "history: "),
        ({"history": -1}, 400, "history: "),
        ({"region": "mars"}, 400, "region: "),
        ({"enabled": "false"}, 400, "enabled: "),
        ({"description": "x" * 2_001}, 400, "description: "),
        ({"template_id": "0" * 24}, 404, "template_id: no such template"),
    ],
)
def test_what_a_room_cannot_be_is_told_and_changes_nothing(rest, room, body, status, message):
    create_room(name="other")
    before = rest("GET", f"/rooms/{room.pk}")

    for path in (f"/rooms/{room.pk}",) if body.get("name") in ("", "other") else (f"/rooms/{room.pk}", "/rooms"):
        code, answer = rest("POST", path, body)
        assert code == status and answer["message"].startswith(message), answer
        assert answer["details"] and all(isinstance(detail, str) for detail in answer["details"])
    assert rest("GET", f"/rooms/{room.pk}") == before and Room.objects.count() == 2


def test_a_size_is_looked_at_together_with_what_the_room_is_already(rest, room):
    path = f"/rooms/{room.pk}"
    assert rest("POST", path, {"size": 20_000, "large_room": True})[0] == 200
    assert rest("POST", path, {"size": 19_000})[0] == 200
    assert rest("POST", path, {"large_room": False})[1]["message"].startswith("size: At most 2500 people")
    assert rest("POST", path, {"description": "big"})[1]["large_room"] is True


# --- Its own webhook ------------------------------------------------------------------------------


def own_webhook(room_id: str) -> list[tuple[str, dict[str, str]]]:
    return [(endpoint.url, headers_of(endpoint)) for endpoint in endpoints.listed(Room.objects.get(pk=room_id))]


def test_a_room_has_a_webhook_of_its_own_whose_headers_are_kept_and_told_to_nobody(rest, settings):
    url, headers = "https://example.org/hook?room=tea", {"X-Secret": "s"}
    made = rest("POST", "/rooms", {"name": "tea", "webhook": {"url": url, "headers": headers}})[1]
    path = f"/rooms/{made['id']}"

    assert made["webhook"] == {"url": url} and rest("GET", path)[1] == made
    assert own_webhook(made["id"]) == [(url, headers)]
    # What was read may be written back.
    assert rest("POST", path, {name: made[name] for name in ("description", "webhook")})[1]["webhook"] == {"url": url}
    assert own_webhook(made["id"]) == [(url, headers)]
    # A secret is not sent where it was not meant to go.
    rest("POST", path, {"webhook": {"url": "https://example.net/"}})
    assert own_webhook(made["id"]) == [("https://example.net/", {})]
    assert rest("POST", path, {"webhook": None})[1]["webhook"] == {"url": "https://example.net/"}
    assert rest("POST", path, {"webhook": {"url": ""}})[1]["webhook"] is None
    assert own_webhook(made["id"]) == []


@pytest.mark.parametrize(
    ("webhook", "message"),
    [
        ({"url": "ftp://example.org/"}, "webhook.url: "),
        ({"url": "https://example.org/", "headers": {"Host": "x"}}, "webhook.headers: "),
        ({"headers": {}}, "webhook.url: "),
        ("https://example.org/", "webhook"),
    ],
)
def test_a_webhook_that_cannot_be_makes_and_changes_nothing(rest, room, webhook, message):
    for path, body in (("/rooms", {"name": "new"}), (f"/rooms/{room.pk}", {"description": "new"})):
        status, answer = rest("POST", path, {**body, "webhook": webhook})
        assert status == 400 and answer["message"].startswith(message), answer
    assert Room.objects.get().description == ""


# --- Lists ----------------------------------------------------------------------------------------


def test_a_page_asks_as_little_for_many_rooms_as_for_one(rest, django_assert_num_queries):
    for number in range(3):
        endpoints.add("https://example.org/", room=create_room(name=f"room-{number}"))
    for limit in (1, 3):
        with django_assert_num_queries(2):
            assert len(rest("GET", f"/rooms?limit={limit}")[1]["data"]) == limit


def test_a_name_that_another_room_has_is_refused_by_its_field(rest):
    create_room(name="tea")
    room = create_room(name="milk")
    status, answer = rest("POST", f"/rooms/{room.pk}", {"name": "Tea"})
    assert (status, answer["message"]) == (400, "name: Another room has this name.")


def names(answer: tuple[int, Any]) -> list[str]:
    assert answer[0] == 200, answer
    return [room["name"] for room in answer[1]["data"]]


def test_rooms_are_listed_newest_first_over_pages_which_end(rest):
    made = [create_room(name=f"room-{number:02}") for number in range(20)]
    Room.objects.update(created_at=made[0].created_at)  # pages do not hang on differing times

    found, start, pages = [], "", 0
    while pages == 0 or start:
        answer = rest("GET", f"/rooms?limit=10&start={start}")
        found += names(answer)
        start, pages = answer[1]["last"], pages + 1
    assert (sorted(found), pages) == (sorted(room.name for room in made), 2)


def test_rooms_that_are_disabled_are_listed_only_if_asked_for(rest):
    create_room(name="open")
    create_room(name="closed", enabled=False)
    assert names(rest("GET", "/rooms")) == names(rest("GET", "/rooms?enabled=true")) == ["open"]
    assert names(rest("GET", "/rooms?enabled=false")) == ["closed"]
    assert names(rest("GET", "/rooms?enabled=undefined&name=&limit=undefined")) == ["open"]
    assert names(rest("GET", "/rooms?name=closed")) == []


def test_rooms_are_found_by_their_whole_name_their_template_and_when_they_were_made(rest, room):
    lesson = create_room(name="team-2", template=Template.objects.create(name="lesson", roles={"host": {}}))
    now = lesson.created_at
    Room.objects.filter(pk=room.pk).update(created_at=now - timedelta(days=1))
    moment, before = (at.isoformat().replace("+00:00", "Z") for at in (now, now - timedelta(days=1)))

    assert names(rest("GET", "/rooms?name=TEAM")) == ["team"]
    assert names(rest("GET", "/rooms?name=tea")) == []
    assert names(rest("GET", f"/rooms?template_id={lesson.template_id}")) == ["team-2"]
    assert names(rest("GET", f"/rooms?after={moment}")) == ["team-2"]
    assert names(rest("GET", f"/rooms?before={before}")) == ["team"]
    assert names(rest("GET", f"/rooms?before={before[:-1]}%2B00:00")) == ["team"]
    assert names(rest("GET", f"/rooms?after={before}&before={moment}")) == ["team-2", "team"]


@pytest.mark.parametrize(
    "moment",
    ["yesterday", "2026", "20261128", "0.5", "-1", "1e999", "2026-11-28", "2026-11-28T09:00:00", "2026-02-30T09:00:00Z",
     "2026-11-28T09:00:00+0100", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"],
)  # fmt: skip
def test_a_time_that_is_none_of_rfc_3339_is_told(rest, moment):
    for path in ("/rooms?after", "/sessions?after", "/analytics/webhooks?start_time"):
        status, answer = rest("GET", f"{path}={moment}")
        name = path.partition("?")[2]
        assert (status, answer["message"]) == (400, f"{name}: expected a time as 2026-01-05T09:00:00Z")
