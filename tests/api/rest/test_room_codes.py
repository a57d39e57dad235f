"""Room codes: made, listed, and switched on and off."""

import re

import pytest

from rooms.models import Room, RoomCode, Template
from rooms.operations.codes import MAX_CODES
from tests.api.rest.conftest import is_moment
from tests.operations.driver import row


def test_a_room_has_a_code_for_each_role_and_keeps_it(rest, room):
    first = rest("POST", f"/room-codes/room/{room.pk}")
    assert rest("POST", f"/room-codes/room/{room.pk}", {}) == first
    status, answer = first

    assert status == 200 and [code["role"] for code in answer["data"]] == ["host", "guest", "viewer"]
    code = answer["data"][1]
    assert re.fullmatch(r"[a-z]{3}-[a-z]{4}-[a-z]{3}", code["code"])
    assert is_moment(code.pop("created_at")) and is_moment(code.pop("updated_at"))
    assert code == {"code": code["code"], "room_id": room.pk, "role": "guest", "enabled": True}
    assert RoomCode.objects.filter(room=room).count() == 3


def test_a_code_for_one_role_is_new_if_that_which_there_was_is_off(rest, room, client):
    before = rest("POST", f"/room-codes/room/{room.pk}/role/guest")[1]
    rest("POST", "/room-codes/code", {"code": before["code"], "enabled": False})

    status, made = rest("POST", f"/room-codes/room/{room.pk}/role/guest", {})

    assert status == 200 and made["role"] == "guest" and made["code"] != before["code"]
    tokens = [
        client.post("/v2/token", f'{{"code": "{code}"}}', content_type="text/plain")
        for code in (made["code"], before["code"])
    ]
    assert [answer.status_code for answer in tokens] == [200, 403]


def test_a_role_with_a_slash_and_a_space_in_its_name_has_codes_too(rest, room):
    _give_roles(room, {"a/b c": {}})
    assert rest("POST", f"/room-codes/room/{room.pk}/role/a%2Fb%20c")[1]["role"] == "a/b c"


def test_codes_of_roles_that_are_gone_are_switched_off_and_stay_off(rest, room):
    old = rest("POST", f"/room-codes/room/{room.pk}/role/guest")[1]
    _give_roles(room, {"teacher": {}})

    assert [code["role"] for code in rest("POST", f"/room-codes/room/{room.pk}")[1]["data"]] == ["teacher"]

    [left] = rest("GET", f"/room-codes/room/{room.pk}?role=guest")[1]["data"]
    assert (left["enabled"], left["updated_at"] > old["updated_at"]) == (False, True)
    answer = rest("POST", "/room-codes/code", {"code": old["code"], "enabled": True})
    assert (answer[0], answer[1]["message"]) == (403, "code: the room has its role no longer")
    assert not RoomCode.objects.get(code=old["code"]).enabled


def test_a_disabled_room_gets_no_codes_and_opens_none(rest, room):
    code = rest("POST", f"/room-codes/room/{room.pk}/role/guest")[1]["code"]
    rest("POST", "/room-codes/code", {"code": code, "enabled": False})
    Room.objects.update(enabled=False)
    RoomCode.objects.exclude(code=code).delete()

    for path, body in [
        (f"/room-codes/room/{room.pk}", {}),
        (f"/room-codes/room/{room.pk}/role/host", {}),
        ("/room-codes/code", {"code": code, "enabled": True}),
    ]:
        assert rest("POST", path, body)[0] == 403
    assert list(RoomCode.objects.values_list("code", "enabled")) == [(code, False)]
    assert rest("POST", "/room-codes/code", {"code": code, "enabled": False})[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", f"/room-codes/room/{'0' * 24}", None, 404, "room: "),
        ("GET", f"/room-codes/room/{'0' * 24}", None, 404, "room: "),
        ("POST", "/room-codes/room/{}/role/king", None, 404, "role: the room has no such role"),
        ("POST", "/room-codes/code", {"code": "abc-defg-hij", "enabled": True}, 404, "code: no such room code"),
        ("POST", "/room-codes/code", {"code": "{code}", "enabled": "false"}, 400, "enabled: "),
        ("POST", "/room-codes/code", {"code": "{code}", "enabled": 0}, 400, "enabled: "),
        ("POST", "/room-codes/code", {"code": "{code}"}, 400, "enabled: "),
        ("POST", "/room-codes/code", {"code": "{code}", "enabled": False, "role": "host"}, 400, "role: "),
        ("GET", "/room-codes/room/{}?enabled=perhaps", None, 400, "enabled: "),
    ],
)
def test_what_is_wrong_with_codes_is_told_and_changes_nothing(rest, room, method, path, body, status, message):
    known = room.codes.get(role="guest").code
    if body:
        body = {name: value.format(code=known) if isinstance(value, str) else value for name, value in body.items()}
    code, answer = rest(method, path.format(room.pk), body)
    assert code == status and answer["message"].startswith(message), answer
    assert list(room.codes.values_list("enabled", flat=True)) == [True] * 3


def test_codes_are_listed_by_role_and_state_over_pages(rest, room):
    RoomCode.objects.bulk_create([RoomCode(room=room, role="guest", enabled=number % 2 == 0) for number in range(24)])

    found: list[str] = []
    start = ""
    while not found or start:
        status, answer = rest("GET", f"/room-codes/room/{room.pk}?role=guest&enabled=true&limit=10&start={start}")
        assert status == 200 and answer["limit"] == 10
        found += [code["code"] for code in answer["data"]]
        start = answer["last"]
    assert sorted(found) == sorted(room.codes.filter(role="guest", enabled=True).values_list("code", flat=True))
    assert len(found) == 13
    assert len(rest("GET", f"/room-codes/room/{room.pk}?limit=100")[1]["data"]) == 27


def test_a_room_has_so_many_codes_and_no_more(rest, room):
    room.codes.all().delete()
    RoomCode.objects.bulk_create([RoomCode(room=room, role="guest", enabled=False) for _ in range(MAX_CODES - 2)])
    status, answer = rest("POST", f"/room-codes/room/{room.pk}")
    assert (status, answer["message"]) == (400, "room: it has 98 codes, at most 100")
    assert rest("POST", f"/room-codes/room/{room.pk}/role/host")[0] == 200


def test_who_came_by_a_code_stays_when_it_is_switched_off(rest, room, bob):
    code = room.codes.get(role="guest")
    assert rest("POST", "/room-codes/code", {"code": code.code, "enabled": False})[1]["enabled"] is False
    assert row(bob).present


def _give_roles(room: Room, roles: dict[str, dict[str, object]]) -> None:
    template = Template.objects.get(pk=room.template_id)
    template.roles = {name: {"name": name, **wire} for name, wire in roles.items()}
    template.save()
