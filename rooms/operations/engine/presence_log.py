"""The log's account of who came and went, in which room; never of what anybody said or stored."""

import json
import logging
from collections.abc import Iterable
from typing import Any

from rooms.operations.engine.calls import Answer
from rooms.wire.effects import Came, CameBack, Left, RoleChanged, StateChanged
from rooms.wire.events import Numbered

log = logging.getLogger("rooms.presence")


def chronicle(answers: Iterable[Answer]) -> None:
    """Write down what these answers, which are committed, tell of presence. Raises nothing."""
    if not log.isEnabledFor(logging.INFO):
        return
    try:
        for answer in answers:
            for event in answer.events:
                # Messages, by far the most of events, have no effect.
                if event.effect:
                    _write(answer, event)
            if answer.end:
                _line("a session ended", answer, by=answer.end.by or answer.call.caller.name or "server")
    except Exception:
        log.exception("an event could not be written down")


def _write(answer: Answer, event: Numbered) -> None:
    match event.effect:
        case Came(peer_id, conn_id):
            if event.seq == 1:
                _line("a session began", answer)
            _line("a peer joined", answer, peer=peer_id, conn=conn_id)
        case CameBack(peer, conn_id):
            _line("a peer is back", answer, peer=peer["peer_id"], conn=conn_id)
        case StateChanged({"state": "reconnecting", "peer_id": peer_id}):
            _line("a peer lost its connection", answer, peer=peer_id)
        case Left(peer_id):
            _line("a peer left", answer, peer=peer_id, why=json.loads(event.body)["reason"])
        case RoleChanged(peer_id, before, now):
            by = answer.call.caller.peer_id
            _line("a peer has another role", answer, peer=peer_id, before=before, now=now, by=by)


def _line(what: str, answer: Answer, **more: Any) -> None:
    context = {"room": answer.call.caller.room_id, "session": answer.session_id, **more}
    log.info(what, extra={"context": context})
