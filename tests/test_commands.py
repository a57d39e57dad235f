"""The management commands: what they print, and what they say to mistakes."""

import io
import json

import jwt
import pytest
from django.core.management import CommandError, call_command

from rooms.creation import create_room
from rooms.models import Room, Template

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
        ({"room": "two words", "create": True}, "A name has 1 to 100 letters, digits or any of . - : _"),
    ],
)
def test_a_token_that_cannot_be_signed_says_why(options, message):
    create_room(name="tea")

    with pytest.raises(CommandError) as refused:
        token(**options)

    assert str(refused.value) == message


def test_keys_are_what_tokens_are_signed_with(settings):
    assert printed("keys") == f"ACCESS_KEY={settings.ACCESS_KEY}\nAPP_SECRET={settings.APP_SECRET}\n"


def test_a_template_is_loaded_and_replaced(tmp_path):
    file = tmp_path / "stage.json"
    file.write_text(json.dumps({"roles": {"speaker": {"permissions": {"endRoom": True}}, "listener": {}}}))
    assert printed("template", "stage", str(file)) == "Template stage: listener, speaker\n"

    file.write_text(json.dumps({"roles": {"speaker": {}}}))
    printed("template", "stage", str(file))

    assert set(Template.objects.get(name="stage").roles) == {"speaker"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"roles": []}', '{"roles": {}}', '{"roles": {"a": 1}}', '{"roles": {"a": {"priority": "x"}}}'],
)
def test_a_file_that_is_no_template_is_refused_with_its_name(tmp_path, text):
    file = tmp_path / "stage.json"
    file.write_text(text)

    with pytest.raises(CommandError, match=r"stage\.json: "):
        printed("template", "stage", str(file))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CommandError, match="No such file or directory"):
        printed("template", "stage", str(tmp_path / "none.json"))
