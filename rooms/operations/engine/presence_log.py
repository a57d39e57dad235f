"""The log's account of who came and went, in which room; never of what anybody said or stored."""

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from rooms.operations.engine.calls import Answer
from rooms.wire.events import Numbered

log = logging.getLogger("rooms.presence")


def chronicle(answers: Iterable[Answer]) -> None:
    """Write down what these answers, which are committed, tell of presence. Raises nothing."""
    if not log.isEnabledFor(logging.INFO):
        return
    try:
        for answer in answers:
            for event in answer.events:
                # Messages, by far the most of events, have no facts.
                if event.facts:
                    _write(answer, event)
            if answer.end:
                _line("a session ended", answer, by=answer.end.by or answer.call.caller.name or "server")
    except Exception:
        log.exception("an event could not be written down")


def _write(answer: Answer, event: Numbered) -> None:
    facts = event.facts
    if event.kind == "on-peer-join":
        if event.seq == 1:
            _line("a session began", answer)
        _line("a peer joined", answer, peer=facts["peer"], conn=facts["attached"][1])
    elif event.kind == "on-peer-leave":
        _line("a peer left", answer, peer=facts["left"], why=json.loads(event.body)["reason"])
    elif event.kind == "on-peer-state":
        _state(answer, facts)
    elif "role" in facts:
        peer_id, before, now = facts["role"]
        _line("a peer has another role", answer, peer=peer_id, before=before, now=now, by=answer.call.caller.peer_id)


def _state(answer: Answer, facts: Mapping[str, Any]) -> None:
    peer = facts["state_of"]["peer_id"]
    if "attached" in facts:
        _line("a peer is back", answer, peer=peer, conn=facts["attached"][1])
    elif facts["state_of"]["state"] == "reconnecting":
        _line("a peer lost its connection", answer, peer=peer)


def _line(what: str, answer: Answer, **more: Any) -> None:
    context = {"room": answer.call.caller.room_id, "session": answer.session_id, **more}
    log.info(what, extra={"context": context})
