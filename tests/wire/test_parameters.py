"""Parameters as signatures declare them: types, limits, objects. Needs no database."""

from typing import Annotated, Any, NotRequired, TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.operations.engine.gate import METHODS, operation
from rooms.wire.errors import BadRequest, RoomError, TooLarge
from rooms.wire.json_gate import JSON
from rooms.wire.parameters import (
    MISSING,
    Between,
    Bytes,
    Chars,
    Data,
    Items,
    Missing,
    OneOf,
    Text,
    bind,
    fields_of,
    schema,
)
from rooms.wire.results import Outcome
from tests.wire.test_frames import values


def example(
    context: Any,
    *,
    text: str,
    number: int = 0,
    share: float = 0,
    flag: bool = False,
    names: list[str] | None = None,
    things: list[Any] | None = None,
    fields: dict[str, Any] | None = None,
    data: JSON | Missing = MISSING,
) -> None:
    """The kinds of parameters that operations have."""


EXAMPLE = schema(example)


def test_what_is_given_is_bound_and_what_is_not_is_left_to_the_default():
    assert bind(EXAMPLE, {"text": "x"}) == {"text": "x"}
    given = {
        "text": "",
        "number": 3,
        "share": 1.5,
        "flag": True,
        "names": ["a"],
        "things": [1, None],
        "fields": {"a": 1},
        "data": None,
    }
    assert bind(EXAMPLE, given) == given


def test_unknown_parameters_are_passed_over():
    assert bind(EXAMPLE, {"text": "x", "context": "y", "version": "1.0"}) == {"text": "x"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "text: missing"),
        ({"text": None}, "text: expected a string"),
        ({"text": 1}, "text: expected a string"),
        ({"number": "1"}, "number: expected a whole number"),
        ({"number": 1.5}, "number: expected a whole number"),
        ({"number": True}, "number: expected a whole number"),
        ({"number": None}, "number: expected a whole number"),
        ({"share": "1"}, "share: expected a number"),
        ({"share": False}, "share: expected a number"),
        ({"flag": 1}, "flag: expected true or false"),
        ({"names": "a"}, "names: expected a list"),
        ({"names": ["a", 1]}, "names: expected a list of which each is a string"),
        ({"fields": []}, "fields: expected an object"),
    ],
)
def test_the_refusal_names_the_parameter(params, message):
    with pytest.raises(BadRequest) as refusal:
        bind(EXAMPLE, params if message == "text: missing" else {"text": "x", **params})
    assert refusal.value.message == message


def test_numbers_take_the_kind_that_is_asked_for():
    bound = bind(EXAMPLE, {"text": "x", "number": 3.0, "share": 2})
    assert (bound["number"], bound["share"]) == (3, 2.0)
    assert (type(bound["number"]), type(bound["share"])) == (int, float)


def test_null_is_a_value_only_where_it_is_allowed():
    assert bind(EXAMPLE, {"text": "x", "names": None, "fields": None}) == {"text": "x", "names": None, "fields": None}


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([p.name for p in EXAMPLE]), values))
def test_i29_whatever_is_given_is_bound_to_its_kind_or_refused(params):
    kinds: dict[str, Any] = {"text": str, "number": int, "share": float, "flag": bool}
    try:
        bound = bind(EXAMPLE, params)
    except RoomError:
        return
    for name, kind in kinds.items():
        assert name not in bound or type(bound[name]) is kind


# --- Limits -------------------------------------------------------------------------------------


class Thing(TypedDict):
    name: Annotated[str, Chars(1, 4)]
    share: NotRequired[Annotated[float, Between(0, 1)] | None]


class Limited(TypedDict):
    """Each kind of limit, and an object within an object within a list."""

    name: NotRequired[Annotated[str, Chars(1, 4)]]
    key: NotRequired[Annotated[str, Bytes(1, "MAX_KEY_BYTES")]]
    words: NotRequired[Annotated[str, Text(1, 4)]]
    value: NotRequired[Annotated[JSON, Data(0, 6)]]
    names: NotRequired[Annotated[list[Annotated[str, Chars(1, 4)]], Items(2)]]
    number: NotRequired[Annotated[int, Between(-1, 9)]]
    kind: NotRequired[Annotated[str, OneOf(("a", "b"))]]
    things: NotRequired[Annotated[list[Thing], Items(2)] | None]


LIMITED = fields_of(Limited)


@pytest.mark.parametrize(
    "params",
    [
        {"name": "éééé"},
        {"key": "éé"},
        {"words": "abcd"},
        {"value": {"a": 1}} | {"value": [1, 2]},
        {"value": "éé"},
        {"names": ["a", "bcde"]},
        {"names": []},
        {"number": -1},
        {"number": 9.0},
        {"kind": "b"},
        {"things": None},
        {"things": [{"name": "x"}, {"name": "y", "share": 1}]},
    ],
    ids=str,
)
def test_what_is_within_its_limits_passes(params, settings):
    settings.MAX_KEY_BYTES = 4
    assert bind(LIMITED, params) == params


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"name": ""}, 400, "name: expected 1 to 4 characters"),
        ({"name": "abcde"}, 400, "name: expected 1 to 4 characters"),
        ({"key": "ééé"}, 400, "key: expected 1 to 4 bytes"),
        ({"words": ""}, 400, "words: expected 1 to 4 characters"),
        ({"words": "abcde"}, 413, "words: 5 characters, at most 4"),
        ({"value": "éééé"}, 413, "value: 8 bytes, at most 6"),
        ({"value": [1, 2, 3]}, 413, "value: 7 bytes, at most 6"),
        ({"names": ["a", "b", "c"]}, 413, "names: 3 entries, at most 2"),
        ({"names": ["a", ""]}, 400, "names[1]: expected 1 to 4 characters"),
        ({"names": ["a", None]}, 400, "names[1]: expected a string"),
        ({"number": 10}, 400, "number: expected -1 to 9"),
        ({"number": 1e300}, 400, "number: expected -1 to 9"),
        ({"number": -(10**400)}, 400, "number: expected -1 to 9"),
        ({"kind": "c"}, 400, "kind: expected one of a, b"),
        ({"things": [{}]}, 400, "things[0].name: missing"),
        ({"things": [{"name": "x"}, {"name": 7}]}, 400, "things[1].name: expected a string"),
        ({"things": [{"name": "x", "share": 1.5}]}, 400, "things[0].share: expected 0 to 1"),
        ({"things": [{"name": "x", "share": 10**400}]}, 400, "things[0].share: expected a number up to 1.8e308"),
        ({"things": ["x"]}, 400, "things[0]: expected an object"),
        ({"things": [None]}, 400, "things[0]: expected an object"),
    ],
    ids=str,
)
def test_what_is_beyond_a_limit_is_refused_by_the_path_of_its_field(settings, params, code, message):
    settings.MAX_KEY_BYTES = 4
    with pytest.raises(RoomError) as refusal:
        bind(LIMITED, params)
    assert (refusal.value.code, refusal.value.message) == (code, message)
    assert isinstance(refusal.value, BadRequest | TooLarge)


def test_fields_that_are_not_known_are_passed_over_at_every_depth():
    assert bind(LIMITED, {"x": 1, "things": [{"name": "x", "data": "x" * 100_000}]}) == {"things": [{"name": "x"}]}


def test_no_method_can_be_without_a_limit():
    def unlimited(context: Any, *, names: Annotated[list[str], Items(5)]) -> Outcome:
        raise NotImplementedError

    with pytest.raises(TypeError, match="names"):
        operation("test-unlimited")(unlimited)
    assert "test-unlimited" not in METHODS


def test_no_operation_can_ask_for_an_unknown_permission_or_take_the_method_of_another():
    def made(context: Any) -> Outcome:
        raise NotImplementedError

    with pytest.raises(TypeError, match="fly"):
        operation("test-flying", requires="fly")(made)
    with pytest.raises(TypeError, match="broadcast: is broadcast already"):
        operation("broadcast")(made)
    assert METHODS["broadcast"].function is not made


def test_every_parameter_of_every_method_says_what_it_takes():
    for method, made in METHODS.items():
        for parameter in made.parameters:
            assert parameter.is_limited, f"{method}: {parameter.name}"
            assert parameter.describe()
