"""Arguments for methods and endpoints, made of nothing but the parameters that they declare.

A new method, a new parameter or a new limit is tried without a line being written here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from rooms.operations.engine.calls import Operation
from rooms.wire.parameters import Between, Data, OneOf, Parameter, Size, _number

JSON = Any


@dataclass(frozen=True)
class Fact:
    """Stands for something that each server calls by another name: a session, a message, a token."""

    name: str


# What there is in the room of a test, by the name of the parameter that asks for it.
PEERS = ["other", "caller", "host", "gone", "nobody-there"]
ROLES = ["guest", "host", "nobody", "full", "unknown"]
POLLS = ["running", "draft", "over", "unknown"]
KNOWN: dict[str, list[JSON]] = {
    "peer_id": PEERS,
    "requested_for": PEERS,
    "peers": PEERS,
    "person": [Fact("removed"), Fact("person")],
    "role": ROLES,
    "roles": ROLES,
    "vote": ROLES,
    "responses": ROLES,
    "poll_id": POLLS,
    "start": POLLS,
    "key": ["topic", "default", "pinnedMessages", "spotlight", "never-set"],
    "keys": ["topic", "default", "pinnedMessages", "spotlight", "never-set"],
    "name": ["_handraise", "tables", "Ana"],
    "group": ["_handraise", "tables"],
    "id": [Fact("message"), Fact("private"), Fact("to roles"), Fact("own")],
    "session_id": [Fact("session")],
    "history": [Fact("history")],
    "iterator": [Fact("iterator")],
    "token": [Fact("offer")],
    "client_id": ["c1", "c2"],
    "code": [Fact("code"), "unknown"],
    "force": [True, False],
    "lock": [False, True],
    "hidden": [True, False],
    "skipped": [False, True],
    "expires_in": [600],
    "duration": [600],
}
# What a call is about that can do what it is for.
MEANT: dict[str, dict[str, JSON]] = {
    "poll-questions-set": {"poll_id": "draft"},
    "poll-start": {"poll_id": "draft"},
    "poll-leaderboard": {"poll_id": "over"},
    "role-change": {"role": "guest"},
    "broadcast": {"roles": None, "peer_id": None},
}


def nested(levels: int) -> JSON:
    value: JSON = 1
    for _ in range(levels):
        value = [value]
    return value


ODD_STRINGS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udfffb",
    "\u202edesrever",
    "\u200b",
    "\u2028",
    "e" + "\u0301" * 300,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "\uffff\ue000",
    "__proto__",
    "constructor",
    "-1",
    "null",
    "%00%ff",
    "';--\"\\",
    "/../",
    "x" * 5_000,
    "\U0001f600" * 3_000,
]
ODD_NUMBERS = [
    0,
    -1,
    1,
    1.5,
    -0.0,
    5e-324,
    2**31,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    1e30,
    -1e308,
    10**308,
    10**400,
    float("nan"),
    float("inf"),
]
ODD_OTHERS: list[JSON] = [
    None,
    True,
    False,
    [],
    {},
    [None],
    [[], {}],
    {"__proto__": {"toString": 1}},
    {"toString": 1, "valueOf": 1},
    {"": ""},
    nested(28),
    nested(100),
    [0] * 2_500,
]
ODD = [*ODD_STRINGS, *ODD_NUMBERS, *ODD_OTHERS]
OF_OTHER_TYPES = ["1", "\x00", 0, 1.5, 10**400, *ODD_OTHERS[:8]]


def usual(parameter: Parameter, name: str = "") -> list[JSON]:
    """Values that it takes, those first that are something in the room of a test."""
    name = parameter.name or name
    kind = parameter.kinds[0] if parameter.kinds else None
    if kind is dict:
        return [{field.name: usual(field)[0] for field in parameter.fields}]
    if kind is list:
        assert parameter.item
        items = usual(parameter.item, name)
        return [[items[0]], [], items]
    known = [value for value in KNOWN.get(name, ()) if _is(value, kind)]
    plain: dict[type | None, JSON] = {bool: True, float: 1.0, int: 1}
    return known or [*_within(parameter)] or [plain.get(kind, "text")]


def _is(value: JSON, kind: type | None) -> bool:
    kinds: dict[type | None, tuple[type, ...]] = {str: (str, Fact), float: (float, int)}
    return kind is None or type(value) in kinds.get(kind, (kind,))


def _within(parameter: Parameter) -> Iterator[JSON]:
    for limit in parameter.limits:
        if isinstance(limit, OneOf):
            yield from limit.choices
        elif isinstance(limit, Between):
            yield max(limit.least, 1)
        elif parameter.kinds == (str,):
            yield "x" * max(limit.least, min(4, _number(limit.most)))


def at_limits(parameter: Parameter) -> Iterator[JSON]:
    """Values at each of its limits, and one beyond."""
    for limit in parameter.limits:
        if isinstance(limit, OneOf):
            yield from (limit.choices[0].upper(), f"{limit.choices[0]} ")
        elif isinstance(limit, Between):
            yield from (limit.least - 1, limit.least, limit.most, limit.most + 1, float(limit.most), limit.most + 0.5)
        elif isinstance(limit, Size):
            most = _number(limit.most)
            for size in {max(limit.least - 1, 0), limit.least, most, most + 1}:
                if parameter.item:
                    yield (usual(parameter.item, parameter.name) * size)[:size]
                    continue
                yield "x" * size
                yield "é" * size
                yield "\U0001f600" * (size // 4)
                if isinstance(limit, Data) and not parameter.kinds:
                    yield ["y" * max(size - 4, 0)]


def odd(parameter: Parameter) -> list[JSON]:
    """Values that it may not take, the more of the type that it does."""
    if not parameter.kinds:
        return ODD
    kind = parameter.kinds[0]
    own = ODD_STRINGS if kind is str else ODD_NUMBERS if kind in (int, float) else ODD_OTHERS
    return [*own, *OF_OTHER_TYPES]


def variants(parameter: Parameter, name: str = "") -> Iterator[JSON]:
    """Everything that is worth a try for it, also within what it holds."""
    yield from usual(parameter, name)
    yield from at_limits(parameter)
    yield from odd(parameter)
    if parameter.fields:
        yield from [*field_variants(parameter.fields, usual(parameter)[0])][::3]
    if parameter.item:
        for value in variants(parameter.item, parameter.name):
            yield [value]


def field_variants(parameters: tuple[Parameter, ...], base: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    """The base with one field after the other missing, or another."""
    for parameter in parameters:
        yield {name: value for name, value in base.items() if name != parameter.name}
        for value in variants(parameter):
            yield {**base, parameter.name: value}
    yield {**base, "__proto__": {"a": 1}, "unknown": 1}


def base_of(method: str, operation: Operation) -> dict[str, JSON]:
    """Arguments with which the method can do what it is for."""
    filled = {parameter.name: usual(parameter)[0] for parameter in operation.parameters}
    return filled | MEANT.get(method, {})


def arguments(parameters: tuple[Parameter, ...]) -> st.SearchStrategy[dict[str, JSON]]:
    """Any arguments: each parameter what it takes, or what it does not, or missing."""
    required = {parameter.name: value(parameter) for parameter in parameters if parameter.required}
    optional = {parameter.name: value(parameter) for parameter in parameters if not parameter.required}
    return st.fixed_dictionaries(required, optional=optional)


def value(parameter: Parameter, name: str = "") -> st.SearchStrategy[JSON]:
    name = parameter.name or name
    beyond = [*at_limits(parameter), *odd(parameter)]
    fitting: list[st.SearchStrategy[JSON]] = [st.sampled_from(usual(parameter, name))]
    if parameter.fields:
        fitting.append(arguments(parameter.fields))
    if parameter.item:
        fitting.append(st.lists(value(parameter.item, name), max_size=4))
    if str in parameter.kinds:
        fitting.append(st.text(max_size=20))
    if not parameter.kinds:
        fitting.append(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=8))
    # Most of the values fit, or hardly a call would come as far as the last parameter.
    return st.integers(0, 7).flatmap(lambda chance: st.sampled_from(beyond) if chance == 7 else st.one_of(fitting))
