"""Checks of session metadata: a key is a register with compare-and-set.

Its versions say in which order it changed, so that no order needs to be searched for.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.support.history.anomalies import (
    ABORTED_READ,
    FALSE_CONFLICT,
    FUTURE_READ,
    LOST_UPDATE,
    MISSED_CHANGE,
    PHANTOM,
    REORDER,
    SPLIT_BRAIN,
    Anomaly,
    backwards,
    read,
    told,
    written,
)
from tests.support.history.record import Call, History

NEVER_SET = "null"


@dataclass(frozen=True, slots=True)
class Seen:
    """A version that somebody read or was told. What was told has no start."""

    version: int
    value: str
    start: float
    end: int
    seq: int = 0
    process: str = ""


@dataclass(slots=True)
class Register:
    """One key of one session. ``unknown`` and ``refused`` are writes of the key in any session."""

    name: str
    written: list[Call] = field(default_factory=list)
    unknown: list[Call] = field(default_factory=list)
    refused: list[Call] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)


def register_anomalies(history: History) -> Iterator[Anomaly]:
    for register in _registers(history):
        yield from _conditions(register)
        yield from _values(register)
        yield from _order(register)
    yield from _missed(history)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _registers(history: History) -> list[Register]:
    registers: dict[tuple[str, str], Register] = {}

    def register(session: str, key: str) -> Register:
        return registers.setdefault((session, key), Register(f"{key} of session {session}"))

    writes = history.calls("set-metadata")
    for call in writes:
        if call.outcome == "ok":
            register(call.session, call.params["key"]).written.append(call)
        elif call.answer.get("code") == 409:
            register(call.session, call.params["key"]).seen.append(_entry(call, call.answer["data"]))
    for call in history.calls("get-metadata"):
        if call.outcome == "ok":
            register(call.session, call.params["key"]).seen.append(_entry(call, call.answer))
    for line, event in history.events("on-metadata-change"):
        for value in event.value["values"]:
            seen = Seen(value["change_version"], _text(value["data"]), -math.inf, line, event.seq, event.process)
            register(event.session, value["key"]).seen.append(seen)
    for (_, key), found in registers.items():
        found.unknown = [call for call in writes if call.params["key"] == key and call.outcome == "info"]
        found.refused = [call for call in writes if call.params["key"] == key and call.outcome == "fail"]
    return list(registers.values())


def _entry(call: Call, entry: dict[str, Any]) -> Seen:
    seq = entry.get("seq", 0)
    return Seen(entry["change_version"], _text(entry["data"]), call.start, int(call.end), seq, call.process)


def _conditions(register: Register) -> Iterator[Anomaly]:
    """Each version is written once, by somebody who expected the one before if any."""
    writers: dict[int, Call] = {}
    for call in register.written:
        version, expected = call.answer["change_version"], call.params.get("if_change_version")
        if expected not in (None, version - 1):
            yield Anomaly(LOST_UPDATE, f"{register.name}: {version} was written on {expected}", call.lines)
        other = writers.setdefault(version, call)
        if other is not call:
            yield Anomaly(LOST_UPDATE, f"{register.name}: {version} was written twice", other.lines + call.lines)
    for call in register.refused:
        expected = call.params.get("if_change_version")
        if call.answer.get("code") == 409 and call.answer["data"]["change_version"] == expected:
            yield Anomaly(FALSE_CONFLICT, f"{register.name}: was at {expected} as expected", call.lines)


def _values(register: Register) -> Iterator[Anomaly]:
    """Each version has one value, of a write that it can come from."""
    values = {0: NEVER_SET}
    values |= {call.answer["change_version"]: _text(call.params.get("data")) for call in register.written}
    for seen in register.seen:
        known = values.setdefault(seen.version, seen.value)
        if known != seen.value:
            yield Anomaly(SPLIT_BRAIN, f"{register.name}: {seen.version} is {known} and {seen.value}", (seen.end,))
    known_writes = {call.answer["change_version"] for call in register.written}
    nameless = [version for version in range(1, max(values) + 1) if version not in known_writes]
    yield from _origins(register, values, nameless)


def _origins(register: Register, values: dict[int, str], nameless: list[int]) -> Iterator[Anomaly]:
    """Each version that nobody was told to have written comes from a write of which nobody knows what became of it.

    Those whose value was seen choose first. A write with a condition fits one version alone; of the others the last
    that fits is taken, for what an earlier version could come from a later one could too.
    """
    unknown = list(register.unknown)
    for version in sorted(nameless, key=lambda version: (version not in values, version)):
        value, deadline = values.get(version), _deadline(register, version)
        fitting = [
            call
            for call in unknown
            if value in (None, _text(call.params.get("data")))
            and call.start < deadline
            and call.params.get("if_change_version") in (None, version - 1)
        ]
        if fitting:
            unknown.remove(max(fitting, key=lambda call: ("if_change_version" in call.params, call.start)))
        else:
            lines = () if math.isinf(deadline) else (int(deadline),)
            yield Anomaly(_why(register, value, deadline), f"{register.name}: nobody wrote {value} as {version}", lines)


def _deadline(register: Register, version: int) -> float:
    """The line at which a version must have been written."""
    later = [call.end for call in register.written if call.answer["change_version"] > version]
    return min(later + [seen.end for seen in register.seen if seen.version >= version], default=math.inf)


def _why(register: Register, value: str | None, deadline: float) -> str:
    if value in [_text(call.params.get("data")) for call in register.refused]:
        return ABORTED_READ
    later = [_text(call.params.get("data")) for call in register.unknown if call.start > deadline]
    return FUTURE_READ if value in later else PHANTOM


def _order(register: Register) -> Iterator[Anomaly]:
    """Versions follow time, and they follow the numbers of the session."""
    moments, places = [], []
    for call in register.written:
        version, seq = call.answer["change_version"], call.answer["seq"]
        moments.append(written(call.start, call.end, version, f"{call.process} wrote {version}"))
        places.append((seq, 0, version, int(call.end)))
    for seen in register.seen:
        if math.isinf(seen.start):
            moments.append(told(seen.end, seen.version, f"{seen.process} was told {seen.version}"))
        else:
            moments.append(read(seen.start, seen.end, seen.version, f"{seen.process} read {seen.version}"))
        if seen.seq:
            places.append((seen.seq, 1, seen.version, seen.end))
    for anomaly in backwards(moments):
        yield anomaly._replace(what=f"{register.name}: {anomaly.what}")
    for (seq, _, version, line), (later_seq, _, later, later_line) in pairwise(sorted(places)):
        if later < version:
            what = f"{register.name}: {version} at {seq}, {later} at {later_seq}"
            yield Anomaly(REORDER, what, (line, later_line))


def _missed(history: History) -> Iterator[Anomaly]:
    """Who observes a key is told each change; what is told without a number is what the key holds by now."""
    for stay in history.stays():
        held: dict[str, int] = {}
        for line, event in stay.told:
            for value in event.value["values"] if event.name == "on-metadata-change" else ():
                key, version = value["key"], value["change_version"]
                before = held.get(key, version)
                what = f"{stay.process} was told {version} of {key} after {before}"
                if version < before:
                    yield Anomaly(REORDER, what, (line,))
                elif event.seq and version > before + 1:
                    yield Anomaly(MISSED_CHANGE, what, (line,))
                held[key] = version
