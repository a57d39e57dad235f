"""Frames, the gate that all JSON passes, names. Needs no database."""

import json
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.wire.errors import BadRequest, LockConflict, VersionConflict
from rooms.wire.events import compact
from rooms.wire.frames import Request, Unreadable, failure, notification, parse, response
from rooms.wire.json_gate import MAX_DEPTH, MAX_NODES, load_json
from rooms.wire.names import clean_name

LIMIT = 64 * 1024

storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | storable,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(storable, inner, max_size=5),
    max_leaves=20,
)


# --- The gate -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(values)
def test_i29_what_can_be_stored_passes_unchanged_however_it_is_written(value):
    for text in (compact(value), json.dumps(value, ensure_ascii=True, indent=1)):
        assert compact(load_json(text)) == compact(value)


@settings(deadline=None)
@given(st.text())
def test_i29_any_text_is_a_value_or_a_bad_request(text):
    try:
        value = load_json(text)
    except BadRequest:
        return
    # Whatever passes can be encoded, and holds nothing that a database refuses.
    assert "\0" not in str(value)
    compact(value).encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nul",
        "{'a': 1}",
        "[1,]",
        "NaN",
        "[Infinity]",
        '{"a": -Infinity}',
        "1e400",
        "[-1e400]",
        "9" * 310,
        "-" + "9" * 309,
        r'"\u0000"',
        r'{"\u0000": 1}',
        r'"\\\u0000"',
        r'"\ud800"',
        r'{"\udfff": 1}',
        r'"\udc00\ud800"',
        '"\ud800"',
        '"a\0b"',
        '"a\nb"',
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_i29_what_cannot_be_stored_everywhere_is_refused(text):
    with pytest.raises(BadRequest) as refusal:
        load_json(text)
    assert refusal.value.message.startswith("JSON: ")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\\u0000"', r"\u0000"),
        (r'"\\\\u0000"', r"\\u0000"),
        (r'"\ud83c\udf89"', "🎉"),
        ('"é"', "é"),
        ("1e308", 1e308),
        ("1" + "0" * 308, 10**308),
        ('{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}),
        (" [1] ", [1]),
    ],
)
def test_what_only_looks_like_it_passes(text, value):
    assert load_json(text) == value


def test_big_integers_are_kept_to_the_last_digit():
    assert load_json(str(2**80 + 1)) == 2**80 + 1


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_depth_has_a_limit():
    for inner in ("", "1"):
        assert load_json(nested(MAX_DEPTH).replace("[]", f"[{inner}]"))
        with pytest.raises(BadRequest):
            load_json(nested(MAX_DEPTH + 1).replace("[]", f"[{inner}]"))
    with pytest.raises(BadRequest):
        load_json(nested(100_000))
    with pytest.raises(BadRequest):
        load_json('{"a":' * 40 + "1" + "}" * 40)


def test_brackets_in_a_string_are_no_depth():
    assert load_json(json.dumps("[" * 100)) == "[" * 100


def test_the_number_of_values_has_a_limit():
    assert len(load_json(compact([0] * (MAX_NODES - 1)))) == MAX_NODES - 1
    too_many: list[Any] = [[0] * MAX_NODES, [[]] * MAX_NODES, {str(n): n for n in range(MAX_NODES)}]
    for many in too_many:
        with pytest.raises(BadRequest):
            load_json(compact(many))


def test_commas_in_strings_are_no_values():
    for text in ("," * 3 * MAX_NODES, '",\\' * MAX_NODES):
        assert load_json(compact([text, 1, text])) == [text, 1, text]
    with pytest.raises(BadRequest, match="values"):
        load_json(compact(['"\\', *[1] * MAX_NODES]))


def test_too_many_values_are_refused_before_they_are_made():
    many = "[" + "1.5," * 100_000 + "1]"

    def seconds(read: Callable[[str], object]) -> float:
        started = time.process_time()
        with suppress(BadRequest):
            read(many)
        return time.process_time() - started

    assert min(seconds(load_json) for _ in range(5)) < min(seconds(json.loads) for _ in range(5)) / 2


# --- Frames -------------------------------------------------------------------------------------


def test_a_request_is_read():
    assert parse('{"method":"ping","params":{"timestamp":1},"id":"x","jsonrpc":"2.0"}', limit=LIMIT) == Request(
        "ping", {"timestamp": 1}, "x"
    )
    assert parse('{"method":"leave"}', limit=LIMIT) == Request("leave", {}, None)
    assert parse('{"method":"leave","params":null,"id":7}', limit=LIMIT) == Request("leave", {}, 7)


@pytest.mark.parametrize(
    "text",
    [None, "[]", "1", '"ping"', "null", "", "{}x", '{"method":"ping","id":true}', '{"method":"ping","id":1.5}',
     '{"method":"ping","id":{}}', json.dumps({"method": "ping", "id": "x" * 129})],
)  # fmt: skip
def test_what_is_no_request(text):
    with pytest.raises(BadRequest) as refusal:
        parse(text, limit=LIMIT)
    assert not isinstance(refusal.value, Unreadable)


@pytest.mark.parametrize(
    "frame", [{}, {"method": None}, {"method": 7}, {"method": "ping", "params": []}, {"method": "ping", "params": "x"}]
)
def test_a_request_that_makes_no_sense_is_refused_under_its_id(frame):
    with pytest.raises(Unreadable) as refusal:
        parse(json.dumps({**frame, "id": "x"}), limit=LIMIT)
    assert refusal.value.request_id == "x"


@pytest.mark.parametrize(
    "value",
    ["x" * LIMIT, json.loads(nested(MAX_DEPTH)), "\0", "\ud800"],
    ids=["long", "deep", "nul", "half"],
)
@pytest.mark.parametrize("write", [json.dumps, compact])
def test_a_value_that_is_refused_is_refused_under_the_id_of_its_request(value, write):
    frame = write({"method": "set-metadata", "params": {"data": value}, "id": "x", "jsonrpc": "2.0"})
    with pytest.raises(Unreadable) as refusal:
        parse(frame, limit=LIMIT)
    assert refusal.value.request_id == "x"


def test_a_frame_has_a_limit_in_bytes():
    frame = compact({"method": "é" * 10})
    assert parse(frame, limit=len(frame.encode()))
    with pytest.raises(BadRequest):
        parse(frame, limit=len(frame.encode()) - 1)
    with pytest.raises(BadRequest):
        parse("x" * 100, limit=10)


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")))
def test_i29_whatever_arrives_is_a_request_or_refused(text):
    try:
        parse(text, limit=LIMIT)
    except BadRequest:
        pass


def test_answers_are_frames():
    assert json.loads(response("x", {"a": "é"})) == {"jsonrpc": "2.0", "id": "x", "result": {"a": "é"}}
    assert json.loads(failure(7, BadRequest("key: missing"))) == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {"code": 400, "message": "key: missing"},
    }
    assert json.loads(failure(None, VersionConflict("stale", data={"a": 1})))["error"]["data"] == {"a": 1}
    assert json.loads(notification("session-info", {"peer_count": 1})) == {
        "method": "session-info",
        "params": {"peer_count": 1},
    }


# --- Names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Alice", "Alice"),
        ("  Alice \t\n B  ", "Alice B"),
        ("e\u0301", "é"),
        ("e\u202e\u0301", "é"),
        ("\u202eecila", "ecila"),
        ("a\0\x07b", "ab"),
        ("a\u2028b", "a b"),
        ("\ufeffa", "a"),
        ("<b>&amp;", "<b>&amp;"),
        ("👩‍👧", "👩‍👧"),
        ("", ""),
        (" \u200b\u200d ", ""),
    ],
)
def test_a_name_is_what_can_be_seen_of_it(text, name):
    assert clean_name(text, limit=100) == name


@settings(deadline=None)
@given(st.text())
def test_a_clean_name_is_clean(text):
    name = clean_name(text, limit=10_000)
    assert clean_name(name, limit=10_000) == name
    assert name == name.strip()
    assert name == unicodedata.normalize("NFC", name)
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)


def test_a_name_is_measured_as_it_is_shown():
    assert clean_name("  " + "x" * 10 + "\u202e", limit=10) == "x" * 10
    with pytest.raises(BadRequest) as refusal:
        clean_name("x" * 11, limit=10, field="title")
    assert refusal.value.message == "title: longer than 10 characters"


# --- Errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["\u2028", "a\nb", "\u202e", "\x1b[2J", "\U000ccb15"])
def test_the_message_of_an_error_is_one_line_of_words_whatever_it_quotes(name: str):
    error = LockConflict(f"if_lock: the lock {name} is held by nobody", data={"name": name})
    assert error.message.isprintable()
    assert str(error) == error.message
    assert error.as_wire()["data"] == {"name": name}, "a program reads what it wrote"
