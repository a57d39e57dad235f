"""A room that works, in a few lines: what its peers do by given steps makes right histories."""

from dataclasses import dataclass, field
from typing import Any

from tests.histories.story import SESSION, Story
from tests.support.history.record import Outcome
from tests.support.server import Message

PEERS = ("alice", "bob", "carol")
ROLES = ("host", "guest")
MOVES = ("ask", "ask", "ask", "act", "act", "answer", "answer", "lose", "hear", "hear", "change role", "start over")

Step = tuple[str, str, int]
"""Who, a move, and a number that decides what is left open."""


@dataclass(slots=True)
class Asked:
    call: int
    method: str
    params: Message
    outcome: Outcome | None = None
    value: Message = field(default_factory=dict)


@dataclass(slots=True)
class Peer:
    name: str
    role: str = "guest"
    place: int = 0
    asked: Asked | None = None
    unsure: Message | None = None  # a message without an answer, which may be sent again


class Model:
    """``log`` are the events, ``seq`` of each being its place from 1 on, and ``values`` those of the key by version.

    A call takes effect when its peer acts, which can be after the peer has given it up.
    """

    def __init__(self) -> None:
        self.story = Story()
        self.peers = {name: Peer(name) for name in PEERS}
        self.log: list[tuple[Message, str, list[str] | None, str]] = []
        self.values: list[Any] = [None]
        self.sent: dict[str, int] = {}
        self.given_up: list[tuple[Peer, Asked]] = []
        self.asked = 0
        self.story.come(*PEERS)

    def run(self, steps: list[Step]) -> Story:
        for name, move, choice in steps:
            getattr(self, move.replace(" ", "_"))(self.peers[name], choice)
        return self.story

    # --- Moves

    def ask(self, peer: Peer, choice: int) -> None:
        if peer.asked:
            return
        self.asked += 1
        method, params = self._wish(peer, choice)
        peer.asked = Asked(self.story.invoke(peer.name, method, params), method, params)

    def act(self, peer: Peer, choice: int) -> None:
        if peer.asked and not peer.asked.outcome:
            self._perform(peer, peer.asked)
        elif self.given_up:
            self._perform(*self.given_up.pop(choice % len(self.given_up)))

    def answer(self, peer: Peer, choice: int) -> None:
        asked = peer.asked
        if asked is None or not asked.outcome:
            return
        self._tell(peer, until=asked.value.get("seq", 0))
        self.story.end(asked.call, asked.outcome, asked.value, session=SESSION)
        peer.asked = peer.unsure = None

    def lose(self, peer: Peer, choice: int) -> None:
        if asked := peer.asked:
            self.story.lose(asked.call)
            peer.unsure = asked.params if asked.method == "broadcast" else None
            if not asked.outcome:
                self.given_up.append((peer, asked))
            peer.asked = None

    def hear(self, peer: Peer, choice: int) -> None:
        self._tell(peer, until=min(peer.place + choice % 4, len(self.log)))

    def change_role(self, peer: Peer, choice: int) -> None:
        peer.role = ROLES[choice % 2]
        event = {"method": "on-policy-change", "params": {"name": peer.role}}
        self.log.append((event, peer.name, None, ""))

    def start_over(self, peer: Peer, choice: int) -> None:
        """Come back without a place: what was missed is not told any more."""
        self.lose(peer, choice)
        peer.place = len(self.log)
        self.story.come(peer.name, seq=peer.place, role=peer.role)

    # --- The room

    def _wish(self, peer: Peer, choice: int) -> tuple[str, Message]:
        what = choice % 8
        if peer.unsure and choice % 2:
            return "broadcast", peer.unsure
        if what == 0:
            return "get-metadata", {"key": "topic"}
        if what <= 3:
            version = len(self.values) - 1 if choice % 3 else choice % len(self.values)
            condition = {"if_change_version": version} if choice % 5 < 3 else {}
            return "set-metadata", {"key": "topic"} | condition | ({"data": self.asked} if choice % 7 else {})
        text = f"{self.asked}"
        to: Message = {"roles": [ROLES[choice % 2]]} if what == 4 else {}
        to |= {"peer_id": PEERS[choice % 3]} if what == 5 and PEERS[choice % 3] != peer.name else {}
        return "broadcast", {"info": {"message": text}, "client_id": text, **to}

    def _perform(self, peer: Peer, asked: Asked) -> None:
        asked.outcome = "ok"
        if asked.method == "broadcast":
            asked.value = {"seq": self._send(peer, asked.params)}
        elif asked.method == "get-metadata":
            asked.value = {**self._entry(), "seq": len(self.log)}
        elif asked.params.get("if_change_version", len(self.values) - 1) != len(self.values) - 1:
            asked.outcome, asked.value = "fail", {"code": 409, "data": self._entry()}
        else:
            self.values.append(asked.params.get("data"))
            self.log.append(({"method": "on-metadata-change", "params": {"values": [self._entry()]}}, "", None, ""))
            asked.value = {**self._entry(), "seq": len(self.log)}

    def _entry(self) -> Message:
        return {"key": "topic", "data": self.values[-1], "change_version": len(self.values) - 1}

    def _send(self, peer: Peer, params: Message) -> int:
        if params["client_id"] not in self.sent:
            event = {"method": "on-broadcast", "params": {"info": params["info"], "peer": {"peer_id": peer.name}}}
            only = params.get("peer_id", "")
            roles = None if only else params.get("roles")
            self.log.append((event, only, roles, peer.name))
            self.sent[params["client_id"]] = len(self.log)
        return self.sent[params["client_id"]]

    def _tell(self, peer: Peer, *, until: int) -> None:
        role = self._told_role(peer)
        while peer.place < until:
            event, only, roles, but = self.log[peer.place]
            peer.place += 1
            if peer.name != but and only in ("", peer.name) and (roles is None or role in roles):
                self.story.told(peer.name, SESSION, {**event, "seq": peer.place})
            if event["method"] == "on-policy-change" and only == peer.name:
                role = event["params"]["name"]
                self.story.hold(peer.name, SESSION, peer.place, role)

    def _told_role(self, peer: Peer) -> str:
        """The role that it held at its place, as far as it has been told."""
        told = [
            event["params"]["name"]
            for event, only, *_ in self.log[: peer.place]
            if event["method"] == "on-policy-change" and only == peer.name
        ]
        return told[-1] if told else "guest"
