"""What a client holds of the session that it is in, as our page and the SDK keep it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class View:
    """See the module. ``peers`` are peer objects by id, ``metadata`` version and data by key.

    ``locks`` are holder and token by name.
    """

    session_id: str = ""
    history: str = ""
    role: str = ""
    peers: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, tuple[int, Any]] = field(default_factory=dict)
    locks: dict[str, tuple[str, int]] = field(default_factory=dict)

    def apply(self, method: str, params: dict[str, Any]) -> None:
        """Take over what a notification says."""
        match method:
            case "peer-list":
                self.peers = dict(params["peers"])
                self.locks = {}  # those that there are follow
            case "on-peer-join" | "on-peer-update":
                self.peers[params["peer_id"]] = params
            case "on-peer-leave":
                self.peers.pop(params["peer_id"], None)
            case "on-peer-state":
                if peer := self.peers.get(params["peer_id"]):
                    self.peers[params["peer_id"]] = {**peer, "state": params["state"]}
            case "on-policy-change":
                self.role = params["name"]
            case "on-metadata-change":
                for value in params["values"]:
                    self.metadata[value["key"]] = value["change_version"], value["data"]
                    if not value["change_version"]:  # what it may know no longer
                        del self.metadata[value["key"]]
            case "on-lock-list":
                self.locks = {lock["name"]: (lock["holder"], lock["token"]) for lock in params["locks"]}
            case "on-lock-change":
                self.locks[params["name"]] = params["holder"], params["token"]
                if params["holder"] is None:
                    del self.locks[params["name"]]
