"""Rules of templates and rooms, as operators set them."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from rooms.creation import change_room, create_room, load_template
from rooms.models import Room, Template
from rooms.wire.roles import DEFAULT_TEMPLATE
from tests.operations.driver import do, error_of, refused

RULES = [{"key": "topic", "write": ["host"]}]
FILE = {"roles": DEFAULT_TEMPLATE, "plugins": {"metadata": {"rules": RULES}}}


def test_a_template_brings_its_rules(alice, bob, room, monkeypatch):
    do(bob, "set-metadata", key="topic", data=1)
    load_template("default", FILE)
    assert Template.objects.get().metadata_rules == RULES
    assert error_of(bob, "set-metadata", key="topic", data=2).data["rule"] == RULES[0]
    load_template("default", {"roles": DEFAULT_TEMPLATE})
    do(bob, "set-metadata", key="topic", data=2)


def test_the_rules_of_a_room_are_changed_while_it_runs(alice, bob, room):
    change_room(room.pk, metadata_rules=RULES, title="Other")
    room.refresh_from_db()
    assert (room.metadata_rules, room.title) == (RULES, "Other")
    assert refused(bob, "set-metadata", key="topic", data=1)[0] == 403
    change_room(room.pk, metadata_rules=[])
    do(bob, "set-metadata", key="topic", data=1)


def test_a_room_in_which_nobody_is_gets_rules_too(db):
    room = create_room(metadata_rules=RULES)
    assert Room.objects.get().metadata_rules == RULES
    change_room(room.pk, metadata_rules=[])
    assert Room.objects.get().metadata_rules == []


def test_bad_rules_are_refused_by_name(room):
    with pytest.raises(ValidationError, match=r"rules\[0\].write: there is no role boss"):
        change_room(room.pk, metadata_rules=[{"key": "a", "write": ["boss"]}])
    assert Room.objects.get().metadata_rules == []


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        ([], "plugins: expected an object"),
        ({"metadata": 3}, "plugins.metadata: expected an object"),
        (
            {"metadata": {"rules": [{"key": "a", "write": ["boss"]}]}},
            "plugins.metadata.rules[0].write: there is no role boss",
        ),
        ({"metadata": {"rule": []}}, "plugins.metadata.rule: there is rules, and nothing else"),
        ({"metadata": {"rules": {}}}, "plugins.metadata.rules: expected a list of rules"),
        ({"metadata": {"rules": {"key": "a"}}}, "plugins.metadata.rules: expected a list of rules"),
    ],
)
def test_a_template_with_bad_rules_is_not_loaded(db, tmp_path, plugins, message):
    file = tmp_path / "template.json"
    file.write_text(json.dumps({**FILE, "plugins": plugins}))
    with pytest.raises(CommandError) as refusal:
        call_command("template", "stage", str(file))
    assert str(refusal.value) == f"{file}: {message}"


def test_the_command_sets_the_rules_of_a_room(room, tmp_path, capsys):
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(RULES))
    call_command("room", "set", room.name, "--metadata-rules", str(file))
    room.refresh_from_db()
    assert room.metadata_rules == RULES
    capsys.readouterr()
    call_command("room", "show", room.name)
    [shown] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("metadata_rules\t")]
    assert json.loads(shown.partition("\t")[2]) == RULES
    with pytest.raises(CommandError, match="No such file"):
        call_command("room", "set", room.name, "--metadata-rules", str(tmp_path / "none"))
