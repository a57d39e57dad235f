"""The management commands: what they print, and what they say to mistakes."""

import io
import json
from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command

from rooms.creation.rooms import create_room
from rooms.models import Room, RoomCode, Template
from rooms.wire.roles import NAME

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def token(**options: str | bool) -> str:
    usual: dict[str, str | bool] = {"room": "tea", "role": "host", "user": "alice"}
    arguments = [f"--{name}" if value is True else f"--{name}={value}" for name, value in (usual | options).items()]
    return printed("token", *arguments)


@pytest.mark.parametrize("by", ["id", "name", "other case"])
def test_a_token_is_printed_and_nothing_else(settings, by):
    room = create_room(name="tea")

    text = token(room={"id": room.id, "name": "tea", "other case": "TEA"}[by])

    assert text.count("\n") == 1
    claims = jwt.decode(text.strip(), settings.APP_SECRET, algorithms=["HS256"])
    assert (claims["room_id"], claims["role"], claims["user_id"]) == (room.id, "host", "alice")


def test_a_room_is_made_on_request_once():
    token(create=True)
    token(create=True)

    room = Room.objects.get()
    assert room.name == "tea" and room.codes.count() == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"room": "coffee"}, "There is no room 'coffee'; --create makes one."),
        ({"role": "king"}, "The room has no role 'king', only guest, host, viewer."),
        ({"user": "x" * 129}, "--user takes at most 128 characters."),
        ({"room": "two words", "create": True}, "name: A name has 1 to 100 letters, digits or any of . - : _"),
    ],
)
def test_a_token_that_cannot_be_signed_says_why(options, message):
    create_room(name="tea")

    with pytest.raises(CommandError) as refused:
        token(**options)

    assert str(refused.value) == message


@pytest.mark.parametrize("wrong", [{"role": "king"}, {"user": "x" * 129}])
def test_a_token_that_cannot_be_signed_leaves_no_room_behind(wrong):
    with pytest.raises(CommandError):
        token(room="zz", create=True, **wrong)

    assert not Room.objects.exists() and not Template.objects.exists()


def test_keys_are_what_tokens_are_signed_with(settings):
    assert printed("keys") == f"ACCESS_KEY={settings.ACCESS_KEY}\nAPP_SECRET={settings.APP_SECRET}\n"


def test_a_template_is_loaded_and_replaced(tmp_path):
    file = tmp_path / "stage.json"
    file.write_text(json.dumps({"roles": {"speaker": {"permissions": {"endRoom": True}}, "listener": {}}}))
    assert printed("template", "stage", str(file)) == "Template stage: listener, speaker\n"

    file.write_text(json.dumps({"roles": {"speaker": {}}}))
    printed("template", "stage", str(file))

    assert set(Template.objects.get(name="stage").roles) == {"speaker"}


ROLE: dict[str, Any] = {
    "name": "host", "priority": 1, "maxPeerCount": -1, "permissions": {"endRoom": True, "whiteboard": ["read"]},
    "publishParams": {"allowed": ["audio"], "audio": {"bitRate": 32}, "video": None}, "subscribeParams": {"x": 1},
}  # fmt: skip


def test_a_template_made_elsewhere_is_taken(tmp_path):
    file = tmp_path / "stage.json"
    given = {
        "id": "x",
        "roles": {"host": ROLE, "bare": {}},
        "settings": {"region": "eu", "roomState": {"enabled": False}},
    }
    file.write_text(json.dumps(given))

    printed("template", "stage", str(file))

    assert Template.objects.get(name="stage").roles == given["roles"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"roles": []}, "roles: expected an object"),
        ({"roles": None}, "roles: expected an object"),
        ({"roles": {}}, "roles: expected 1 to 100 roles"),
        ({"roles": {str(n): {} for n in range(101)}}, "roles: expected 1 to 100 roles"),
        ({"roles": {"": {}}}, f"roles.'': expected {NAME}"),
        ({"roles": {"\u3164": {}}}, f"roles.'\\u3164': expected {NAME}"),
        ({"roles": {"a\u202eb": {}}}, f"roles.'a\\u202eb': expected {NAME}"),
        ({"roles": {"a\nb": {}}}, f"roles.'a\\nb': expected {NAME}"),
        ({"roles": {"a ": {}}}, f"roles.'a ': expected {NAME}"),
        ({"roles": {"x" * 101: {}}}, f"roles.'{'x' * 100}': expected {NAME}"),
        ({"roles": {"a": {"name": "b"}}}, "roles.a.name: expected the same as its key"),
        ({"roles": {"a": {"name": ""}}}, "roles.a.name: expected the same as its key"),
        ({"roles": {"a": {"publishParams": {"allowed": "x"}}}},
         "roles.a.publishParams.allowed: expected a list of texts"),
        ({"roles": {"a": {"publishParams": {"allowed": [1]}}}},
         "roles.a.publishParams.allowed: expected a list of texts"),
        ({"roles": {"a": {"publishParams": {"audio": {"bitRate": "x"}}}}},
         "roles.a.publishParams.audio.bitRate: expected a number from 0"),
        ({"roles": {"a": {"publishParams": {"video": {"codec": 1}}}}},
         "roles.a.publishParams.video.codec: expected text"),
        ({"roles": {"a": {"publishParams": {"screen": {"width": -1}}}}},
         "roles.a.publishParams.screen.width: expected a number from 0"),
        ({"roles": {"a": {"publishParams": {"simulcast": []}}}},
         "roles.a.publishParams.simulcast: expected an object"),
        ({"roles": {"a": {"publishParams": {"videoSimulcastLayers": {"layers": {}}}}}},
         "roles.a.publishParams.videoSimulcastLayers.layers: expected a list of objects"),
        ({"roles": {"a": {"subscribeParams": {"subscribeToRoles": "a"}}}},
         "roles.a.subscribeParams.subscribeToRoles: expected a list of texts"),
        ({"roles": {"a": {"subscribeParams": {"maxSubsBitRate": True}}}},
         "roles.a.subscribeParams.maxSubsBitRate: expected a number from 0"),
        ({"roles": {"a": 1}}, "roles.a: expected an object"),
        ({"roles": {"a": {"name": 1}}}, "roles.a.name: expected text"),
        ({"roles": {"a": {"priority": "x"}}}, "roles.a.priority: expected a whole number from 0"),
        ({"roles": {"a": {"priority": True}}}, "roles.a.priority: expected a whole number from 0"),
        ({"roles": {"a": {"priority": 2**31}}}, "roles.a.priority: expected a whole number from 0"),
        ({"roles": {"a": {"maxPeerCount": 1.5}}}, "roles.a.maxPeerCount: expected a whole number from -1"),
        ({"roles": {"a": {"permissions": []}}}, "roles.a.permissions: expected an object"),
        ({"roles": {"a": {"permissions": {"endRoom": "yes"}}}}, "roles.a.permissions.endRoom: expected true or false"),
        ({"roles": {"a": {"permissions": {"sendRoomState": 1}}}},
         "roles.a.permissions.sendRoomState: expected true or false"),
        ({"roles": {"a": {"publishParams": 1}}}, "roles.a.publishParams: expected an object"),
        ({"roles": {"a": {"publishParams": {"audio": 1}}}}, "roles.a.publishParams.audio: expected an object"),
        ({"roles": {"a": {"subscribeParams": "x"}}}, "roles.a.subscribeParams: expected an object"),
        ({"settings": []}, "settings: expected an object"),
        ({"settings": {"roomState": 1}}, "settings.roomState: expected an object"),
        ({"settings": {"roomState": {"enabled": "no"}}}, "settings.roomState.enabled: expected true or false"),
    ],
)  # fmt: skip
def test_a_template_of_the_wrong_form_is_refused_with_the_path_of_the_field(tmp_path, change, message):
    file = tmp_path / "stage.json"
    file.write_text(json.dumps({"roles": {"host": ROLE}, **change}))

    with pytest.raises(CommandError) as refused:
        printed("template", "stage", str(file))

    assert str(refused.value) == f"{file}: {message}"
    assert not Template.objects.filter(name="stage").exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "1", '{"roles": NaN}', '{"roles": {"a\\u0000": {}}}', "[" * 5000, '{"roles": {"\\ud800": {}}}'],
)
def test_a_file_that_is_no_template_is_refused_with_its_name(tmp_path, text):
    file = tmp_path / "stage.json"
    file.write_text(text)

    with pytest.raises(CommandError, match=r"stage\.json: "):
        printed("template", "stage", str(file))


def test_a_file_that_is_not_text_is_refused_with_its_name(tmp_path):
    file = tmp_path / "stage.json"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(CommandError, match=r"stage\.json: "):
        printed("template", "stage", str(file))


@pytest.mark.parametrize("name", ["", " ", "a\u202eb", "\u3164", "a\nb", "x" * 101])
def test_a_template_whose_name_does_not_show_is_refused(tmp_path, name):
    file = tmp_path / "stage.json"
    file.write_text('{"roles": {"host": {}}}')

    with pytest.raises(CommandError, match=r"^name: expected a name of 1 to 100 characters"):
        printed("template", name, str(file))

    assert not Template.objects.exists()


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CommandError, match="No such file or directory"):
        printed("template", "stage", str(tmp_path / "none.json"))


# --- Rooms --------------------------------------------------------------------------------------


def room(*arguments: str) -> dict[str, str]:
    """What ``manage.py room`` prints, by the first column."""
    return dict(line.split("\t", 1) for line in printed("room", *arguments).splitlines())


def test_a_room_is_made_listed_shown_changed_and_deleted():
    made = room("create", "--name", "tea", "--title", "Tea", "--size", "5")
    assert (made["name"], made["title"], made["size"], made["enabled"]) == ("tea", "Tea", "5", "True")
    assert made["host"] == RoomCode.objects.get(role="host").code
    assert room("list") == {"tea": f"{made['id']}\t0\tTea"}

    changed = room("set", "TEA", "--title", "Green tea", "--size=0", "--large-room=yes", "--enabled=no", "--name=green")
    assert changed == room("show", made["id"])
    timed = room("set", "green", "--max-duration-seconds", "3600")
    assert (timed["max_duration_seconds"], timed["size"]) == ("3600", "0")
    assert room("set", "green", "--max-duration-seconds=0")["max_duration_seconds"] == "0"
    assert room("set", "green", "--history=0")["history"] == "0"
    expected = {"name": "green", "title": "Green tea", "size": "0", "large_room": "True", "enabled": "False"}
    assert changed.items() >= expected.items()

    assert printed("room", "delete", "green", "--yes") == "green is deleted.\n"
    assert not Room.objects.exists()


@pytest.mark.parametrize("answer", ["", "n\n", "\n", "yesterday\n"])
def test_a_room_is_not_deleted_where_nobody_says_yes(monkeypatch, answer):
    create_room(name="tea")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))

    with pytest.raises(CommandError) as refused:
        printed("room", "delete", "tea")

    assert str(refused.value) == "Nothing is deleted. Answer y, or confirm with --yes."
    assert Room.objects.filter(name="tea").exists()


@pytest.mark.parametrize("answer", ["y\n", " YES \n"])
def test_a_room_is_deleted_where_somebody_says_yes(monkeypatch, answer):
    create_room(name="tea")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))

    printed("room", "delete", "tea")

    assert not Room.objects.exists()


def test_links_are_printed_where_the_public_url_is_known(settings):
    settings.PUBLIC_URL = "https://rooms.example.org"
    made = room("create")
    assert made["host"] == f"https://rooms.example.org/r/{RoomCode.objects.get(role='host').code}/"


def test_a_code_is_replaced_by_command(client):
    leaked = create_room(name="tea").codes.get(role="guest").code

    new = room("code", "tea", "guest")["guest"]

    assert [code.code for code in RoomCode.objects.filter(role="guest", enabled=True)] == [new]
    for code, status in ((leaked, 403), (new, 200)):
        asked = client.post("/v2/token", json.dumps({"code": code}), content_type="application/json")
        assert asked.status_code == status


def test_a_role_that_a_template_gained_gets_its_code():
    made = create_room(name="tea")
    made.template.roles = {**made.template.roles, "scribe": {}}
    made.template.save()

    assert room("code", "tea", "scribe")["scribe"] == RoomCode.objects.get(role="scribe").code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "coffee"], "There is no room 'coffee'. All are told by: python manage.py room list"),
        (["code", "tea", "king"], "The room has no role 'king', only guest, host, viewer."),
        (["set", "tea"],
         "Nothing to set: name one of --name, --title, --size, --max-duration-seconds, --history, --large-room,"
         " --description, --slow-mode, --metadata-rules, --enabled."),
        (["set", "tea", "--name", "two words"], "name: A name has 1 to 100 letters, digits or any of . - : _"),
        (["set", "tea", "--max-duration-seconds", "60"],
         "max_duration_seconds: A session lasts 120 to 43200 seconds at most; 0 is no limit."),
        (["set", "tea", "--max-duration-seconds", "43201"],
         "max_duration_seconds: A session lasts 120 to 43200 seconds at most; 0 is no limit."),
        (["set", "tea", "--history", "10001"], "history: Expected 0 to 10000 messages; 0 is none."),
        (["set", "tea", "--size", "99999999999999999999"],
         "size: At most 2500 people, 20000 in a large room; 0 is the server's own limit."),
        (["create", "--title", "a\x00b"], "title: A title is plain text, without control characters."),
        (["create", "--template", "none"],
         "There is no template 'none'. Load it: python manage.py template none FILE"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_with_a_room_says_why(arguments, message):
    create_room(name="tea")
    with pytest.raises(CommandError) as refused:
        printed("room", *arguments)
    assert str(refused.value) == message
