"""Histories of a room that works have no anomaly, and spoilt ones have the one that they were given."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.histories.model import MOVES, PEERS, Model
from tests.histories.story import Story
from tests.support.history import History, anomalies
from tests.support.history.record import Entry

SEED, LENGTH = st.integers(0, 2**32), st.integers(20, 200)

Entries = list[Entry]


def names(entries: Entries) -> set[str]:
    return {anomaly.name for anomaly in anomalies(History(entries))}


def story(seed: int, length: int) -> Story:
    chance = random.Random(seed)
    return Model().run([(chance.choice(PEERS), chance.choice(MOVES), chance.randrange(10_000)) for _ in range(length)])


@given(SEED, LENGTH)
@settings(max_examples=300, deadline=None)
def test_a_room_that_works_has_no_anomaly(seed: int, length: int):
    assert anomalies(story(seed, length)) == []


# --- What is done to a right history: each gives all the ways in which it can be done


def told(entries: Entries, method: str = "") -> Iterator[tuple[int, Entry]]:
    return (
        (line, entry)
        for line, entry in enumerate(entries)
        if entry.kind == "told" and entry.seq and method in ("", entry.name)
    )


def changed(entries: Entries, line: int, **values: Any) -> Entries:
    return [*entries[:line], replace(entries[line], **values), *entries[line + 1 :]]


def without_a_message(entries: Entries) -> Iterator[Entries]:
    acknowledged = {
        (entry.session, entry.value["seq"]) for entry in entries if entry.kind == "ok" and entry.name == "broadcast"
    }
    for stay in History(entries).stays():
        for line, entry in stay.told:
            ends_later = any(entry.seq < other.seq for _, other in stay.told)
            if entry.name == "on-broadcast" and ends_later and (entry.session, entry.seq) in acknowledged:
                yield entries[:line] + entries[line + 1 :]


def with_an_event_twice(entries: Entries) -> Iterator[Entries]:
    return (entries[: line + 1] + entries[line:] for line, _ in told(entries))


def with_events_swapped(entries: Entries) -> Iterator[Entries]:
    for stay in History(entries).stays():
        for (first, one), (second, other) in pairwise(stay.told):
            yield changed(changed(entries, first, **content(other)), second, **content(one))


def content(entry: Entry) -> dict[str, Any]:
    return {"name": entry.name, "seq": entry.seq, "value": entry.value}


def with_an_old_value_read(entries: Entries) -> Iterator[Entries]:
    for line, entry in enumerate(entries):
        if entry.kind == "ok" and entry.name == "get-metadata":
            over = [
                other.value["change_version"]
                for other in entries[: invoked(entries, entry)]
                if other.kind == "ok" and other.name == "set-metadata"
            ]
            if over:
                yield changed(entries, line, value={**entry.value, "change_version": max(over) - 1})


def invoked(entries: Entries, ended: Entry) -> int:
    return next(line for line, entry in enumerate(entries) if entry.kind == "invoke" and entry.call == ended.call)


def with_a_condition_ignored(entries: Entries) -> Iterator[Entries]:
    for entry in entries:
        line = invoked(entries, entry) if entry.kind == "ok" else 0
        if entry.kind == "ok" and "if_change_version" in entries[line].value:
            yield changed(entries, line, value={**entries[line].value, "if_change_version": 10**6})


def with_a_write_lost(entries: Entries) -> Iterator[Entries]:
    """Two writes with an answer come out as the same version."""
    writes = [line for line, entry in enumerate(entries) if entry.kind == "ok" and entry.name == "set-metadata"]
    for line, other in pairwise(writes):
        version = entries[line].value["change_version"]
        yield changed(entries, other, value={**entries[other].value, "change_version": version})


def with_a_text_of_nobody(entries: Entries) -> Iterator[Entries]:
    for line, entry in told(entries, "on-broadcast"):
        yield changed(entries, line, value={**entry.value, "info": {"message": "nobody said this"}})


def with_another_value_told(entries: Entries) -> Iterator[Entries]:
    """One observer is told what no other knows, or all are if there is but one."""
    for line, entry in told(entries, "on-metadata-change"):
        yield changed(entries, line, value={"values": [{**entry.value["values"][0], "data": "nobody wrote this"}]})


def with_a_message_overheard(entries: Entries) -> Iterator[Entries]:
    for line, entry in told(entries, "on-broadcast"):
        sender = entry.value["peer"]["peer_id"]
        yield [*entries[: line + 1], replace(entry, process=sender), *entries[line + 1 :]]


def with_an_event_before_its_cause(entries: Entries) -> Iterator[Entries]:
    for line, entry in told(entries, "on-broadcast"):
        text = entry.value["info"]
        cause = next(at for at, other in enumerate(entries) if other.kind == "invoke" and says(other, text))
        yield [*entries[:cause], entry, *entries[cause:line], *entries[line + 1 :]]


def says(entry: Entry, info: Any) -> bool:
    return entry.name == "broadcast" and bool(entry.value["info"] == info)


def with_a_told_message_refused(entries: Entries) -> Iterator[Entries]:
    for _, entry in told(entries, "on-broadcast"):
        calls = {other.call for other in entries if other.kind == "invoke" and says(other, entry.value["info"])}
        ends = [line for line, other in enumerate(entries) if other.kind in ("ok", "info") and other.call in calls]
        if len(calls) == len(ends) == 1:
            yield changed(entries, ends[0], kind="fail", value={"code": 403})


SPOILT: dict[Callable[[Entries], Iterator[Entries]], set[str]] = {
    without_a_message: {"lost message"},
    with_an_event_twice: {"duplicate"},
    with_events_swapped: {"reorder"},
    with_an_old_value_read: {"stale read"},
    with_a_condition_ignored: {"lost update"},
    with_a_write_lost: {"lost update"},
    with_a_text_of_nobody: {"phantom"},
    with_another_value_told: {"split brain", "phantom"},
    with_a_message_overheard: {"leak"},
    with_an_event_before_its_cause: {"read from the future"},
    with_a_told_message_refused: {"aborted read"},
}


@pytest.mark.parametrize(("spoil", "expected"), SPOILT.items(), ids=[spoil.__name__ for spoil in SPOILT])
@given(seed=SEED, length=LENGTH, which=st.integers(0, 1000))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_a_spoilt_history_is_found_out(
    spoil: Callable[[Entries], Iterator[Entries]], expected: set[str], seed: int, length: int, which: int
):
    spoilt = list(spoil(story(seed, length).entries))
    assume(spoilt)

    assert expected & names(spoilt[which % len(spoilt)])
