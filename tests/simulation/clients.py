"""Clients as the simulation plays them: our page, which keeps its place, and the published SDK, which does not.

Each frame is checked as it comes, and applied as a client would, so that in the end what clients hold can be compared.
"""

from typing import TYPE_CHECKING, Any

import orjson

from tests.simulation.checks import Stream
from tests.simulation.connecting import Connecting
from tests.simulation.journal import SECRET
from tests.simulation.network import Socket
from tests.simulation.scheduler import Violation
from tests.simulation.view import View

if TYPE_CHECKING:
    from tests.simulation.world import World


class Client(Connecting):
    """See the module. ``own`` are values that it set.

    ``observed`` are the keys that the server knows it observes, None if that is not sure.
    """

    def __init__(self, world: "World", name: str, room_id: str, token: str, *, keeps_place: bool) -> None:
        super().__init__(world, name, room_id, token)
        self.keeps_place = keeps_place
        self.view = View()
        self.observed: frozenset[str] | None = frozenset()
        self.stream: Stream | None = None
        self.own: set[str] = set()
        self.sent: dict[tuple[str, str, int], str] = {}
        self._position: int | None = None
        self._placed = self._halfway = self._asks_to_resume = False
        self._listens = 0

    @property
    def is_ready(self) -> bool:
        """Whether it is in the room and can ask for something."""
        return self.inside and self.socket is not None and self.stream is not None

    def observe(self, keys: frozenset[str]) -> None:
        """Ask for changes of these keys and no others."""
        self.observed = None  # on the socket that is open the old ones hold until it is answered
        self._listens += 1
        number = self._listens

        def answered(result: dict[str, Any]) -> None:
            if number == self._listens:
                self.observed = keys
            self.view.metadata = {key: held for key, held in self.view.metadata.items() if key in keys}
            if self.stream:
                self.stream.observe(keys, result["seq"] or None)

        self.call("listen-metadata-change", answered, keys=sorted(keys))

    def opened(self, socket: Socket) -> None:
        if socket is not self.socket:
            return
        if not self.keeps_place and self.inside:
            self.call("get-metadata")  # anything, for a server that does not know the peer any more then says so
        elif not self._asks_to_resume:
            self._join()

    def _join(self) -> None:
        place = self._place() if self.inside else None
        more: dict[str, Any] = {"resume": place} if place else {}
        if self.keeps_place and self.scheduler.chance(0.5):
            more["observe"] = sorted(self.wanted_keys())
        self.call("join", self._joined, name=self.name, **more)

    def place(self) -> dict[str, Any] | None:
        # Now and then as a client that says it with its join.
        return self._place() if self.keeps_place and self.inside and self.scheduler.chance(0.8) else None

    def begin_life(self) -> None:
        self.view, self.observed, self._halfway = View(), frozenset(), False

    def begin_socket(self, *, asks_to_resume: bool) -> None:
        self.stream, self._placed, self._asks_to_resume = None, False, asks_to_resume

    def _place(self) -> dict[str, Any] | None:
        position = self._position
        if self._halfway or position is None or not self.view.session_id:
            return None
        return {"session_id": self.view.session_id, "seq": position, "history": self.view.history}

    def _joined(self, result: dict[str, Any]) -> None:
        resumed = result.get("resumed", False)
        self.scheduler.sometimes("resumed" if resumed else "resync" if "resync" in result else "joined")
        if not self.inside or self.view.session_id != result["session_id"]:
            self.observed = frozenset() if not resumed else self.observed
        if "resync" in result and self.inside:
            self.observed = None  # it may have been taken out of the session, which forgot them
        if observed := result.get("observed"):
            self.scheduler.sometimes("observed from the join on")
            self.observed = frozenset(observed)
        self.inside = self._placed = True
        self._halfway = not resumed
        if self._halfway:
            self.view.metadata = {}
        self._turn_to(result["history"], anew=self._halfway and not observed)
        self._begin(result["session_id"], result["seq"])

    def _turn_to(self, history: str, *, anew: bool = False) -> None:
        """Take note of the run of the database; one that went back may have forgotten which keys were asked for."""
        if self.view.history and history != self.view.history:
            self.scheduler.sometimes("another history")
        if history != self.view.history or anew:
            self.observe(self.wanted_keys())
        self.view.history = history

    def wanted_keys(self) -> frozenset[str]:
        return frozenset(key for key in self.world.observed if self.scheduler.chance(0.6))

    def _begin(self, session_id: str, position: int | None) -> None:
        """What follows is of this session, and from this place on."""
        assert self.socket
        self.view.session_id = session_id
        self._position = position
        self.stream = Stream(self.world.journals, self.peer_id, session_id, position)
        self.stream.observe(self.observed, position)

    # --- Frames

    def hear(self, socket: Socket, text: str) -> None:
        frame = orjson.loads(text)
        self.scheduler.note(self.peer_id, "hears", text[:160])
        if socket is not self.socket:
            if '"code":4002' in text:
                self.scheduler.sometimes("a socket is taken over")
            return
        if f'"{SECRET}-' in text and not any(value in text for value in self.own) and self.stream:
            self.stream.check_text(text)
        if "method" not in frame:
            self._hear_answer(frame)
            return
        method, params, seq = frame["method"], frame["params"], frame.get("seq")
        if seq is not None:
            if self.stream is None:
                if self.keeps_place and not self._placed:
                    return  # comes again
                raise Violation(f"{self.peer_id} was sent an event before anything: {text}")
            self.stream.event(seq, text)
            self._position = seq
        if special := _SPECIAL.get(method):
            special(self, params, seq)
        if self.socket:
            self.view.apply(method, params)

    def _hear_answer(self, frame: dict[str, Any]) -> None:
        method, answered = self._answer(frame["id"])
        if "error" in frame:
            self._refused(method, frame["error"])
            return
        result = frame["result"]
        if method != "join" and self.stream and self._placed and result.get("seq"):
            self.stream.answer(result["seq"])
            self._position = self.stream.position
        if answered:
            answered(result)
        if method == "listen-metadata-change":
            self._halfway = False

    def _refused(self, method: str, error: dict[str, Any]) -> None:
        code = error["code"]
        self.scheduler.sometimes(f"refused with {code}")
        if method != "join":
            if method == "listen-metadata-change":
                self.scheduler.after(1, self._observe_again)
            return
        if code >= 500 or code == 429:
            self.lose(1)
        else:
            self.stay_out()

    def _observe_again(self) -> None:
        if self.inside:
            self.observe(self.wanted_keys())

    # --- What frames say

    def _on_resume(self, params: dict[str, Any], seq: int | None) -> None:
        self.scheduler.sometimes("resumed with the socket" if "resumed" in params else "resync with the socket")
        self._asks_to_resume = False
        self._heard()
        self._joined(params)

    def _on_peer_list(self, params: dict[str, Any], seq: int | None) -> None:
        session_id = params["room"]["session_id"]
        if self.keeps_place and not self._placed:
            pass  # it asks for its place yet
        elif self.stream is None or not self._placed:
            self.observed = None
            self._begin(session_id, None)
            self.scheduler.sometimes("found again without a place")
            self.observe(self.wanted_keys())
        elif session_id != self.view.session_id:
            raise Violation(f"{self.peer_id} joined {self.view.session_id} and was listed the peers of {session_id}")
        if not self._placed:
            self.view.metadata = {}

    def _on_session_info(self, params: dict[str, Any], seq: int | None) -> None:
        if self.stream and params.get("history"):
            self._turn_to(params["history"])

    def _on_metadata_change(self, params: dict[str, Any], seq: int | None) -> None:
        if seq is None and self.stream:
            self.stream.values(params["values"])

    def _on_policy_change(self, params: dict[str, Any], seq: int | None) -> None:
        if self._asks_to_resume:
            self._asks_to_resume = False
            self._join()

    def _on_peer_leave_request(self, params: dict[str, Any], seq: int | None) -> None:
        if params["room_end"] and seq is None and self.stream:
            self.world.check_end(self.peer_id, self.view.session_id)
        self.scheduler.sometimes("told of the end" if params["room_end"] else "removed")
        self.stay_out()

    def _on_error(self, params: dict[str, Any], seq: int | None) -> None:
        self.scheduler.sometimes(f"told of error {params['code']}")
        if params["code"] < 500 and params["code"] != 429:
            self.stay_out()


_SPECIAL = {
    "on-resume": Client._on_resume,
    "peer-list": Client._on_peer_list,
    "session-info": Client._on_session_info,
    "on-metadata-change": Client._on_metadata_change,
    "on-policy-change": Client._on_policy_change,
    "on-peer-leave-request": Client._on_peer_leave_request,
    "on-error": Client._on_error,
}
"""What a client does about a notification besides applying it."""
