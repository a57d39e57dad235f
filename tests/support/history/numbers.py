"""Checks of the numbers of a session: each is one event, told in order, and what is over has the lower ones.

One room has one session at a time.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from tests.support.history.anomalies import (
    DUPLICATE,
    REORDER,
    SPLIT_BRAIN,
    Anomaly,
    Moment,
    backwards,
    read,
    told,
    written,
)
from tests.support.history.messages import said
from tests.support.history.record import Call, Entry, History

WRITES = ("set-metadata", "broadcast")
READS = ("get-metadata", "role-change-request")


def number_anomalies(history: History) -> Iterator[Anomaly]:
    calls = [call for call in history.calls(*WRITES, *READS) if call.outcome == "ok" and call.answer["seq"]]
    yield from _two_truths(history)
    yield from _disorder(history)
    for session, moments in _moments(history, calls).items():
        for anomaly in backwards(moments):
            yield anomaly._replace(what=f"{anomaly.what}, in session {session}")
    yield from _two_sessions(history, calls)


def _two_truths(history: History) -> Iterator[Anomaly]:
    known: dict[tuple[str, int], tuple[int, Entry]] = {}
    for line, entry in enumerate(history.entries):
        if entry.kind == "told" and entry.seq:
            first, other = known.setdefault((entry.session, entry.seq), (line, entry))
            if (other.name, other.value) != (entry.name, entry.value):
                yield Anomaly(SPLIT_BRAIN, f"number {entry.seq} is {other.value} and {entry.value}", (first, line))


def _disorder(history: History) -> Iterator[Anomaly]:
    for stay in history.stays():
        seen: dict[int, int] = {}
        last = stay.start
        for line, entry in stay.told:
            if not entry.seq:
                continue
            if entry.seq in seen:
                yield Anomaly(DUPLICATE, f"{stay.process} was told {entry.seq} twice", (seen[entry.seq], line))
            elif entry.seq <= last:
                yield Anomaly(REORDER, f"{stay.process} was told {entry.seq} after {last}", (line,))
            seen[entry.seq] = line
            last = max(last, entry.seq)


def _moments(history: History, calls: list[Call]) -> dict[str, list[Moment]]:
    moments: defaultdict[str, list[Moment]] = defaultdict(list)
    for call in calls:
        if call.method != "broadcast":
            kind, seq = written if call.method in WRITES else read, call.answer["seq"]
            moments[call.session].append(kind(call.start, call.end, seq, f"{call.process}'s {call.method} at {seq}"))
    for message in said(history):
        for session, numbers in message.numbers.items() if message.calls else ():
            moments[session] += [
                written(message.start, message.end(session), seq, f"{message.text!r} at {seq}") for seq in numbers
            ]
    for line, entry in enumerate(history.entries):
        if entry.kind == "told" and entry.seq:
            moments[entry.session].append(told(line, entry.seq, f"{entry.process} was told {entry.seq}"))
    return moments


def _two_sessions(history: History, calls: list[Call]) -> Iterator[Anomaly]:
    """A session is over when a later one was seen: nothing that begins after that is of the earlier one."""
    spans: dict[str, tuple[int, int]] = {}
    for call in calls:
        first, last = spans.get(call.session, (int(call.end), call.start))
        spans[call.session] = min(first, int(call.end)), max(last, call.start)
    for (one, (seen, used)), (other, (other_seen, other_used)) in combinations(spans.items(), 2):
        if used > other_seen and other_used > seen:
            yield Anomaly(SPLIT_BRAIN, f"sessions {one} and {other} live at once", (seen, used, other_seen, other_used))
