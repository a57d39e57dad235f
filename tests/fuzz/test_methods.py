"""Whatever is asked, every server on every database gives the same answer, and it is never a bug of ours."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import rooms.operations  # noqa: F401, fills METHODS
from rooms.operations.engine.calls import Operation
from rooms.operations.engine.gate import METHODS
from tests.fuzz.deployments import Answer, Deployments, Stage
from tests.fuzz.values import JSON, ODD, arguments, base_of, field_variants

CALLERS = ["host", "nobody"]

Call = tuple[str, JSON]


def calls_of(method: str, operation: Operation) -> list[Call]:
    """The method with each of its parameters at, in and out of its limits, the others as they should be."""
    base = base_of(method, operation)
    least = {parameter.name: base[parameter.name] for parameter in operation.parameters if parameter.required}
    tried = unique([base, least, {}, *field_variants(operation.parameters, base)])
    return [(method, params) for params in tried]


def ends_soon(params: JSON) -> bool:
    """Whether what is asked for ends by itself while the test goes on."""
    if isinstance(params, list):
        return any(map(ends_soon, params))
    if not isinstance(params, dict):
        return False
    spans = [params.get("expires_in"), params.get("duration")]
    return any(isinstance(span, (int, float)) and 0 < span < 60 for span in spans) or ends_soon([*params.values()])


def unique(values: Sequence[JSON]) -> list[JSON]:
    return list({repr(value): value for value in values}.values())


def answers(deployments: Deployments, role: str, calls: Sequence[Call]) -> list[list[Answer]]:
    """What each server answers to the calls, made one after the other in a room of their own."""

    async def on(stage: Stage) -> list[Answer]:
        await stage.build()
        got: list[Answer] = []
        for call in calls:
            got.append(await stage.ask(*call))
            # It ends sooner on one server than on another.
            if got[-1].code == 200 and ends_soon(call[1]):
                await stage.build()
        assert await stage.is_quiet()
        await stage.close()
        return got

    async def everywhere() -> list[list[Answer]]:
        return await asyncio.gather(*map(on, deployments.stages(role)))

    return asyncio.run(everywhere())


def check(deployments: Deployments, role: str, calls: Sequence[Call]) -> None:
    got = answers(deployments, role, calls)
    for call, *everywhere in zip(calls, *got, strict=True):
        shown = f"{role}: {call[0]} {shortened(call[1])}\n" + "\n".join(shortened(answer) for answer in everywhere)
        assert all(answer.code < 500 or answer.code in (4003, 1000) for answer in everywhere), shown
        assert all(answer == everywhere[0] for answer in everywhere), shown
        for answer in everywhere:
            if isinstance(answer.body, dict) and answer.code != 200:
                # Pages show it: it has to be words, whatever the caller sent.
                assert answer.body["message"].isprintable() and len(answer.body["message"]) < 400, shown
    deployments.check_logs()


def shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 1500 else f"{text[:700]} … {text[-700:]}"


@pytest.mark.parametrize("role", CALLERS)
@pytest.mark.parametrize("method", sorted(METHODS))
def test_each_parameter_at_and_beyond_its_limits(deployments: Deployments, method: str, role: str) -> None:
    calls = calls_of(method, METHODS[method])
    # Those without a right are told so whatever else they say; what they say is read all the same.
    check(deployments, role, calls if role == "host" else calls[::15])


def test_methods_that_are_none(deployments: Deployments) -> None:
    odd = ["", "ping ", "__init__", "\u202e", "connect", "disconnect", "x" * 1000, "admit", "stop_overdue_polls"]
    check(deployments, "host", [(method, {}) for method in odd] + [("ping", value) for value in ODD])


FRAMES: list[str | bytes] = [
    "",
    " ",
    "{",
    "}",
    "null",
    "true",
    "5",
    '"ping"',
    "[]",
    '[{"id": "1", "method": "ping"}]',
    "{}",
    '{"id": "1"}',
    '{"id": "1", "method": null}',
    '{"id": "1", "method": 5}',
    '{"id": "1", "method": ["ping"]}',
    '{"id": {}, "method": "ping"}',
    '{"id": 1.5, "method": "ping"}',
    '{"id": true, "method": "ping"}',
    '{"id": "' + "x" * 129 + '", "method": "ping"}',
    '{"id": "\\u0000", "method": "ping"}',
    '{"id": "\\ud800", "method": "ping"}',
    '{"id": "1", "method": "get-metadata", "params": []}',
    '{"id": "1", "method": "get-metadata", "params": "x"}',
    '{"id": "1", "method": "get-metadata", "params": {"key": NaN}}',
    '{"id": "1", "method": "get-metadata", "params": {"key": 1e999}}',
    '{"id": "1", "method": "get-metadata", "params": {"key": ' + "1" * 5_000 + "}}",
    '{"id": "1", "method": "get-metadata", "params": {"key": "\t"}}',
    "[" * 60_000,
    '{"a":' * 10_000,
    "[" + "1," * 30_000 + "1]",
    '{"params": {"x": "' + "y" * 65_536 + '"}}',
    "\ufeff{}",
    b"\x00",
    b"{}",
    b"",
    b"\xff" * 1000,
]


@pytest.mark.parametrize("role", CALLERS)
def test_frames_that_are_no_requests(deployments: Deployments, role: str) -> None:
    async def on(stage: Stage) -> list[Answer]:
        await stage.build()
        got = [await stage.send(frame) for frame in FRAMES]
        assert await stage.is_quiet()
        await stage.close()
        return got

    async def everywhere() -> list[list[Answer]]:
        return await asyncio.gather(*map(on, deployments.stages(role)))

    for frame, *answers in zip(FRAMES, *asyncio.run(everywhere()), strict=True):
        shown = f"{shortened(frame)}\n" + "\n".join(map(shortened, answers))
        assert all(answer.code == 400 and answer == answers[0] for answer in answers), shown
    deployments.check_logs()


any_call = st.sampled_from(sorted(METHODS)).flatmap(
    lambda method: st.tuples(st.just(method), arguments(METHODS[method].parameters))
)
fixed = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("role", CALLERS)
def test_any_calls_in_any_order(deployments: Deployments, role: str) -> None:
    @settings(fixed, max_examples=4)
    @given(st.lists(any_call, min_size=30, max_size=60))
    def run(calls: list[Call]) -> None:
        check(deployments, role, calls)

    run()


@pytest.mark.soak
@pytest.mark.parametrize("role", [*CALLERS, "guest", "viewer"])
def test_any_calls_in_any_order_for_long(deployments: Deployments, role: str) -> None:
    @settings(fixed, derandomize=False, print_blob=True, max_examples=1000)
    @given(st.lists(any_call, min_size=30, max_size=60))
    def run(calls: list[Call]) -> None:
        check(deployments, role, calls)

    run()
