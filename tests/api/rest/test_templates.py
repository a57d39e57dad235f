"""Templates over REST, in the service's own form, and what whoever is in a room of one is told."""

import json

import pytest
from django.core.management import call_command
from django.test import Client

from rooms.access import keys
from rooms.creation.rooms import create_room
from rooms.models import Room, RoomCode, Template
from rooms.operations.engine.calls import Caller
from tests.api.rest.conftest import BackEnd
from tests.operations.driver import do, error_of, visitor
from tests.support.team import joined

ROLES = {
    "teacher": {
        "name": "teacher",
        "publishParams": {"allowed": ["audio"], "audio": {"bitRate": 32, "codec": "opus"}, "simulcast": {"screen": {}}},
        "subscribeParams": {"subscribeToRoles": ["teacher", "pupil"], "maxSubsBitRate": 3200},
        "permissions": {"endRoom": True, "rtmpStreaming": True, "sendRoomState": False},
        "priority": 1,
        "maxPeerCount": 0,
    },
    "pupil": {},
}
SETTINGS = {"region": "in", "roomState": {"messageInterval": 5, "sendPeerList": False, "enabled": False}}
PLUGINS = {"whiteboard": {"permissions": {"admin": ["teacher"], "writer": [], "reader": ["pupil"]}}}


@pytest.fixture
def lesson(rest: BackEnd) -> str:
    """The id of a template."""
    template_id: str = rest("POST", "/templates", {"name": "lesson", "roles": ROLES, "settings": SETTINGS})[1]["id"]
    return template_id


@pytest.fixture
def room(lesson: str) -> Room:
    return create_room(name="team", template=Template.objects.get(pk=lesson))


@pytest.fixture
def alice(room: Room) -> Caller:
    return joined(room, "Alice", "teacher")


def test_a_template_is_told_as_the_service_tells_it(rest):
    given = {"name": "lesson", "roles": ROLES, "settings": SETTINGS, "plugins": PLUGINS, "destinations": {"x": {}}}
    status, made = rest("POST", "/templates", given)

    assert status == 200
    assert made == rest("GET", f"/templates/{made['id']}")[1]
    assert made["_id"] == made["id"]
    assert made["customer"] == made["customerId"] == made["appId"]
    assert made["createdAt"].endswith("Z")
    assert (made["name"], made["default"], made["destinations"], made["plugins"]) == ("lesson", False, {}, PLUGINS)
    assert made["roles"]["teacher"] == ROLES["teacher"]
    assert made["roles"]["pupil"] == {
        "name": "pupil", "priority": 1, "maxPeerCount": 0,
        "permissions": {}, "publishParams": {}, "subscribeParams": {},
    }  # fmt: skip
    assert made["settings"] == SETTINGS | {"recording": None, "retry": {}}


def test_what_is_answered_can_be_given_back(rest, lesson):
    _, template = rest("GET", f"/templates/{lesson}")
    status, again = rest("POST", f"/templates/{lesson}", template)
    assert status == 200
    assert again | {"updatedAt": ""} == template | {"updatedAt": ""}


def test_templates_are_listed_newest_first_the_default_one_too(rest, lesson):
    create_room()
    first = rest("GET", "/templates?limit=1")[1]
    second = rest("GET", f"/templates?limit=1&start={first['last']}")[1]
    assert [template["name"] for template in first["data"] + second["data"]] == ["default", "lesson"]
    assert first["data"][0]["default"]
    assert second["last"] == ""
    named = [rest("GET", f"/templates?name={name}")[1]["data"] for name in ("lesson", "less")]
    assert [[template["name"] for template in found] for found in named] == [["lesson"], []]


def test_a_template_of_a_name_that_exists_replaces_it(rest, lesson):
    status, again = rest("POST", "/templates", {"name": "lesson", "roles": {"a": {}}, "plugins": PLUGINS})
    assert (status, again["id"], list(again["roles"]), again["plugins"]) == (200, lesson, ["a"], PLUGINS)
    assert again["settings"]["roomState"] == {"enabled": True, "sendPeerList": True}


def test_an_update_replaces_all_but_the_name(rest, lesson):
    rest("POST", f"/templates/{lesson}", {"roles": ROLES, "plugins": PLUGINS})
    status, changed = rest("POST", f"/templates/{lesson}", {"roles": {"pupil": {"priority": 3}}})
    assert (status, changed["name"], changed["plugins"]) == (200, "lesson", {})
    assert changed["roles"]["pupil"]["priority"] == 3
    rest("POST", "/templates", {"name": "other", "roles": ROLES})
    status, refused = rest("POST", f"/templates/{lesson}", {"name": "other", "roles": ROLES})
    assert (status, refused["message"]) == (400, "name: another one has it")


def test_rules_of_session_metadata_come_and_go_with_the_template_while_it_is_used(rest, lesson, alice):
    rules = [{"key": "slide", "write": "none"}]
    rest("POST", f"/templates/{lesson}", {"roles": ROLES, "plugins": {"metadata": {"rules": rules}} | PLUGINS})
    assert rest("GET", f"/templates/{lesson}")[1]["plugins"] == {"metadata": {"rules": rules}} | PLUGINS
    assert error_of(alice, "set-metadata", key="slide", data=1).code == 403
    rest("POST", f"/templates/{lesson}/settings", SETTINGS)
    assert error_of(alice, "set-metadata", key="slide", data=1).code == 403
    rest("POST", f"/templates/{lesson}", {"roles": ROLES})
    do(alice, "set-metadata", key="slide", data=1)


def test_where_recordings_go_is_not_stored(rest, lesson):
    settings = {"recording": {"upload": {"credentials": {"secretKey": "hidden"}}}, "region": "eu"}
    status, told = rest("POST", f"/templates/{lesson}/settings", settings)
    assert (status, told["recording"], told["region"]) == (200, None, "eu")
    assert "hidden" not in json.dumps(Template.objects.get(pk=lesson).settings)


def test_null_is_as_if_it_were_missing(rest, lesson):
    assert (
        rest("POST", f"/templates/{lesson}/settings", {"region": 5})[1]["message"] == "settings.region: expected text"
    )
    settings = {"region": None, "roomState": {"enabled": None, "sendPeerList": True}}
    assert rest("POST", f"/templates/{lesson}/settings", settings)[1]["roomState"]["enabled"] is False
    role = dict.fromkeys(("priority", "maxPeerCount", "permissions", "publishParams", "subscribeParams"))
    assert rest("POST", f"/templates/{lesson}/roles/pupil", role)[1]["priority"] == 1
    for plugins in (None, {"metadata": None}, {"metadata": {"rules": None}}):
        assert rest("POST", f"/templates/{lesson}", {"roles": ROLES, "plugins": plugins})[1]["plugins"] == {}


def test_settings_are_replaced(rest, lesson):
    assert rest("GET", f"/templates/{lesson}/settings")[1]["region"] == "in"
    rest("POST", f"/templates/{lesson}/settings", {"roomState": {"enabled": False}})
    assert rest("GET", f"/templates/{lesson}/settings")[1] == {
        "region": "auto", "roomState": {"enabled": False, "sendPeerList": True}, "recording": None, "retry": {},
    }  # fmt: skip


def test_a_role_is_made_replaced_and_taken_away(rest, lesson, alice):
    address = f"/templates/{lesson}/roles/scribe"
    assert rest("GET", address)[0] == 404
    assert rest("POST", address, {"priority": 2, "permissions": {"pollRead": True}})[1]["priority"] == 2
    assert rest("POST", address, {})[1]["permissions"] == {}
    assert rest("GET", address)[1]["name"] == "scribe"
    assert do(visitor(Room.objects.get(), "Bob", "scribe"), "join", name="Bob")
    assert rest("DELETE", address) == (204, None)
    assert rest("DELETE", address)[0] == rest("GET", address)[0] == 404


def test_a_change_of_a_role_counts_at_once(rest, lesson, alice):
    rest("POST", f"/templates/{lesson}/roles/teacher", {"permissions": {"writeMetadata": False}})
    assert error_of(alice, "set-metadata", key="slide", data=1).code == 403
    assert rest("DELETE", f"/templates/{lesson}/roles/teacher")[0] == 204
    assert error_of(alice, "broadcast", info={"message": "x"}).message == "the room has the role teacher no longer"


def test_a_renamed_role_keeps_its_place_and_the_codes_of_its_rooms(rest, lesson, room):
    code = RoomCode.objects.get(role="teacher")
    status, role = rest("POST", f"/templates/{lesson}/roles/teacher", ROLES["teacher"] | {"name": "tutor/a"})
    assert (status, role["name"]) == (200, "tutor/a")
    assert list(rest("GET", f"/templates/{lesson}")[1]["roles"]) == ["tutor/a", "pupil"]
    code.refresh_from_db()
    assert code.role == "tutor/a"
    assert rest("GET", f"/templates/{lesson}/roles/tutor%2Fa")[1]["priority"] == 1
    assert rest("POST", f"/templates/{lesson}/roles/pupil", {"name": "tutor/a"})[1]["message"].startswith("name: ")
    assert rest("POST", f"/templates/{lesson}/roles/none", {"name": "other"})[0] == 404


def test_a_renamed_role_is_renamed_in_the_rules_of_its_template(rest, lesson):
    rules = [{"key": "a", "write": ["pupil", "teacher"], "read": ["teacher"]}, {"key": "teacher", "write": "owner"}]
    rest("POST", f"/templates/{lesson}", {"roles": ROLES, "plugins": {"metadata": {"rules": rules}}})
    assert rest("POST", f"/templates/{lesson}/roles/teacher", {"name": "tutor"})[0] == 200
    assert rest("GET", f"/templates/{lesson}")[1]["plugins"]["metadata"]["rules"] == [
        {"key": "a", "write": ["pupil", "tutor"], "read": ["tutor"]},
        {"key": "teacher", "write": "owner"},
    ]


@pytest.mark.matrix
def test_a_name_that_no_role_may_have_is_refused_before_codes_get_it(database: str):
    back_end = BackEnd(Client(), keys.own())
    template = create_room().template
    status, refused = back_end("POST", f"/templates/{template.pk}/roles/guest", {"name": "x" * 101})
    assert (status, refused["message"].split(":")[0]) == (400, "name")


def test_a_template_keeps_a_role_and_those_that_its_rules_name(rest, lesson):
    rules = {"metadata": {"rules": [{"key": "a", "write": ["teacher"]}]}}
    rest("POST", f"/templates/{lesson}", {"roles": ROLES, "plugins": rules})
    status, refused = rest("DELETE", f"/templates/{lesson}/roles/teacher")
    assert (status, refused["message"]) == (400, "plugins.metadata.rules[0].write: there is no role teacher")
    assert rest("DELETE", f"/templates/{lesson}/roles/pupil")[0] == 204
    rest("POST", f"/templates/{lesson}", {"roles": {"pupil": {}}})
    assert rest("DELETE", f"/templates/{lesson}/roles/pupil")[1]["message"] == "roles: expected 1 to 100 roles"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"roles": ROLES}, "name: expected a name of 1 to"),
        ({"name": " a", "roles": ROLES}, "name: expected a name of 1 to"),
        ({"name": "a"}, "roles: "),
        ({"name": "a", "roles": {}}, "roles: expected 1 to 100 roles"),
        ({"name": "a", "roles": {"b": {"priority": "1"}}}, "roles.b.priority: expected a whole number from 0"),
        ({"name": "a", "roles": {"b": {"name": "c"}}}, "roles.b.name: expected the same as its key"),
        ({"name": "a", "roles": {"b": {}}, "plugins": {"metadata": 5}}, "plugins.metadata: expected an object"),
    ],
)
def test_a_template_is_refused_with_the_path_of_the_field(rest, body, message):
    status, refused = rest("POST", "/templates", body)
    assert (status, refused["message"][: len(message)]) == (400, message)
    assert not Template.objects.filter(name="a").exists()


def test_there_is_nothing_about_media(rest, lesson):
    for part in ("destinations", "recordings"):
        assert rest("GET", f"/templates/{lesson}/{part}") == rest("POST", f"/templates/{lesson}/{part}", {"a": 1})
        assert rest("GET", f"/templates/{lesson}/{part}") == (200, {})
        assert rest("GET", f"/templates/none/{part}")[0] == 404
    assert rest("GET", "/templates/none")[0] == rest("POST", "/templates/none", {"roles": ROLES})[0] == 404


def test_an_export_of_the_dashboard_is_loaded_as_it_is(rest, db, tmp_path):
    file = tmp_path / "lesson.json"
    export = {
        "id": "6324661c4da877930beaecaa", "_id": "6324661c4da877930beaecaa", "name": "lesson", "customerId": "627c",
        "roles": ROLES, "settings": SETTINGS | {"recording": {"upload": None}, "retry": {}}, "plugins": PLUGINS,
        "destinations": {"hlsDestinations": {}}, "createdAt": "2022-09-16T12:03:40.068Z",
    }  # fmt: skip
    file.write_text(json.dumps(export))
    call_command("template", "lesson", str(file))
    [template] = rest("GET", "/templates")[1]["data"]
    assert template["plugins"] == PLUGINS
    assert template["roles"]["teacher"] == ROLES["teacher"]
    assert template["settings"]["region"] == "in"
