"""Checks of what was said: each message once, in its place, to those whom it was for and to nobody else.

A message is known by its text, which no other has; it may have been sent several times under one ``client_id``.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support.history.anomalies import (
    ABORTED_READ,
    DUPLICATE,
    FUTURE_READ,
    LEAK,
    LOST_MESSAGE,
    PHANTOM,
    Anomaly,
)
from tests.support.history.record import Call, Entry, History, Stay


@dataclass(slots=True)
class Said:
    """One message: how often it was sent, and who was told it. ``told`` are lines of the history."""

    text: str
    calls: list[Call] = field(default_factory=list)
    told: list[tuple[int, Entry]] = field(default_factory=list)

    @property
    def process(self) -> str:
        return self.calls[0].process

    @property
    def start(self) -> int:
        return self.calls[0].start

    def end(self, session: str) -> float:
        ends = [call.end for call in self.calls if call.outcome == "ok" and call.session == session]
        return min(ends, default=math.inf)

    @property
    def numbers(self) -> dict[str, dict[int, int]]:
        """By session its numbers, of which there should be one, each with a line that says so."""
        numbers: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for call in self.calls:
            if call.outcome == "ok":
                numbers[call.session].setdefault(call.answer["seq"], int(call.end))
        for line, entry in self.told:
            numbers[entry.session].setdefault(entry.seq, line)
        return numbers

    def is_for(self, stay: Stay, seq: int) -> bool:
        to = self.calls[0].params
        if peer_id := to.get("peer_id"):
            return bool(peer_id == stay.process)
        return stay.process != self.process and (not to.get("roles") or stay.role_at(seq) in to["roles"])


def said(history: History) -> list[Said]:
    """All messages; those without a call were told only."""
    messages: dict[str, Said] = {}
    for call in history.calls("broadcast"):
        text = call.params["info"]["message"]
        message = messages.setdefault(text, Said(text))
        message.calls.append(call)
        assert call.process == message.process, f"{text!r} is said by two"
    for line, entry in history.events("on-broadcast"):
        text = entry.value["info"]["message"]
        messages.setdefault(text, Said(text)).told.append((line, entry))
    return list(messages.values())


def message_anomalies(history: History) -> Iterator[Anomaly]:
    stays = history.stays()
    stay_at = {line: place for place, stay in enumerate(stays) for line, _ in stay.told}
    for message in said(history):
        yield from _origin(message)
        if not message.calls:
            continue
        yield from _numbers(message)
        lines: defaultdict[int, list[int]] = defaultdict(list)
        for line, _ in message.told:
            lines[stay_at[line]].append(line)
        for place, stay in enumerate(stays):
            yield from _delivery(message, stay, [(line, history.entries[line].seq) for line in lines[place]])


def _origin(message: Said) -> Iterator[Anomaly]:
    for line, entry in message.told:
        what = f"{entry.process} was told {message.text!r}"
        if not message.calls or entry.value["peer"]["peer_id"] != message.process:
            yield Anomaly(PHANTOM, what, (line,))
        elif line < message.start:
            yield Anomaly(FUTURE_READ, what, (line, message.start))
        elif all(call.outcome == "fail" for call in message.calls):
            yield Anomaly(ABORTED_READ, what, (*message.calls[0].lines, line))


def _numbers(message: Said) -> Iterator[Anomaly]:
    for numbers in message.numbers.values():
        if len(numbers) > 1:
            yield Anomaly(DUPLICATE, f"{message.text!r} is {sorted(numbers)}", tuple(numbers.values()))


def _delivery(message: Said, stay: Stay, told: list[tuple[int, int]]) -> Iterator[Anomaly]:
    """``told`` are the lines and numbers of the message in this stay."""
    for line, seq in told:
        if not message.is_for(stay, seq):
            yield Anomaly(LEAK, f"{stay.process} was told {message.text!r}", (message.start, line))
    if len(told) > 1:
        yield Anomaly(DUPLICATE, f"{stay.process} was told {message.text!r} again", tuple(line for line, _ in told))
    for seq, line in message.numbers.get(stay.session, {}).items() if not told else ():
        if stay.covers(seq) and message.is_for(stay, seq):
            yield Anomaly(LOST_MESSAGE, f"{message.text!r}, which is {seq}, did not reach {stay.process}", (line,))
