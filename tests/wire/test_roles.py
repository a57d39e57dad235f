"""Roles of a template, and what clients are told of them. Needs no database."""

from typing import Any

import pytest

from rooms.wire.roles import DEFAULT_TEMPLATE, GRANTED, HELD, MEDIA, PERMISSIONS, known_roles, parse_role


def test_the_protocols_permissions_must_be_granted_and_ours_must_be_taken_away():
    role = parse_role("teacher", {"permissions": {"endRoom": True, "sendMessages": False}})
    assert role.permissions == {"endRoom", "writeMetadata", "raiseHand"}
    assert role.allows("endRoom")
    assert not role.allows("changeRole")
    assert not role.allows("sendMessages")
    assert not role.allows("flying")


@pytest.mark.parametrize("wire", [{}, {"permissions": None}, {"permissions": {}}])
def test_a_role_without_permissions_has_ours(wire):
    assert parse_role("teacher", wire).permissions == set(HELD)


@pytest.mark.parametrize("value", ["true", 1, None, {}, [True]])
def test_only_true_grants(value):
    role = parse_role("teacher", {"permissions": dict.fromkeys(PERMISSIONS, value)})
    assert role.permissions == frozenset()


def test_places_and_priority():
    role = parse_role("teacher", {"priority": 2, "maxPeerCount": 5})
    assert (role.name, role.priority, role.max_peers) == ("teacher", 2, 5)
    role = parse_role("teacher", {"priority": None, "maxPeerCount": None})
    assert (role.priority, role.max_peers) == (1, 0)


def test_a_template_made_for_media_is_told_without_it():
    wire: dict[str, Any] = {
        "name": "speaker",
        "priority": 3,
        "publishParams": {
            "allowed": ["audio", "video"],
            "audio": {"bitRate": 64, "codec": "opus"},
            "simulcast": {"x": 1},
        },
        "subscribeParams": {"subscribeToRoles": ["speaker"], "maxSubsBitRate": 1000},
        "permissions": {"mute": True, "hlsStreaming": True, "endRoom": True},
    }
    told = known_roles({"speaker": wire})["speaker"]
    assert told["publishParams"]["allowed"] == []
    assert told["publishParams"]["audio"] == {"bitRate": 64, "codec": "opus"}
    assert told["publishParams"]["simulcast"] == {}
    assert told["subscribeParams"] == {"subscribeToRoles": [], "maxSubsBitRate": 1000}
    assert told["permissions"] == {name: name in ("endRoom", *HELD) for name in PERMISSIONS + MEDIA}
    assert wire["publishParams"]["allowed"] == ["audio", "video"]


def test_null_among_the_parameters_is_as_if_it_were_missing():
    empty = dict.fromkeys(("allowed", "audio", "video", "screen", "maxSubsBitRate"))
    assert known_roles({"a": {"publishParams": empty, "subscribeParams": empty}}) == known_roles({"a": {}})


def test_old_and_new_clients_find_every_field_they_read():
    for name, role in known_roles({"bare": {}, **DEFAULT_TEMPLATE}).items():
        assert role["name"] == name
        publish = role["publishParams"]
        assert set(publish) >= {"allowed", "audio", "video", "screen", "simulcast"}
        assert publish["videoSimulcastLayers"] == publish["screenSimulcastLayers"] == {"layers": []}
        assert set(role["permissions"]) == set(PERMISSIONS + MEDIA)


def test_the_default_roles():
    held = {name: parse_role(name, wire).permissions for name, wire in DEFAULT_TEMPLATE.items()}
    assert held == {
        "host": set(GRANTED + HELD),
        "guest": {"pollRead", "sendMessages", "writeMetadata", "raiseHand"},
        "viewer": {"pollRead", "raiseHand"},
    }
