"""Histories written by hand: the peers alice, bob and carol in one room, whose only key is ``topic``."""

from typing import Any

from tests.support.history import History, anomalies
from tests.support.server import Message

SESSION = "session"


class Story(History):
    """What is asked returns the number of the call, by which it is answered."""

    def asks_to_set(self, process: str, data: Any, *, expected: int | None = None) -> int:
        condition = {} if expected is None else {"if_change_version": expected}
        return self.invoke(process, "set-metadata", {"key": "topic", "data": data, **condition})

    def asks_to_get(self, process: str) -> int:
        return self.invoke(process, "get-metadata", {"key": "topic"})

    def says(self, process: str, text: str, *, client_id: str = "", **to: Any) -> int:
        return self.invoke(process, "broadcast", {"info": {"message": text}, "client_id": client_id or text, **to})

    def answer(self, call: int, *, seq: int, session: str = SESSION, **result: Any) -> None:
        self.end(call, "ok", {**result, "seq": seq}, session=session)

    def refuse(self, call: int, code: int, data: Message | None = None) -> None:
        self.end(call, "fail", {"code": code, "data": data}, session=SESSION)

    def lose(self, call: int) -> None:
        self.end(call, "info")

    def sets(self, process: str, data: Any, *, version: int, seq: int, session: str = SESSION, **asked: Any) -> None:
        self.answer(self.asks_to_set(process, data, **asked), seq=seq, session=session, change_version=version)

    def gets(self, process: str, data: Any, *, version: int, seq: int) -> None:
        self.answer(self.asks_to_get(process), seq=seq, data=data, change_version=version)

    def say(self, process: str, text: str, *, seq: int, **to: Any) -> None:
        self.answer(self.says(process, text, **to), seq=seq)

    def come(self, *processes: str, seq: int = 0, role: str = "guest", session: str = SESSION) -> None:
        for process in processes:
            self.enter(process, session, seq)
            self.hold(process, session, seq, role)

    def changed(self, process: str, data: Any, *, version: int, seq: int = 0) -> None:
        values = [{"key": "topic", "data": data, "change_version": version}]
        number = {"seq": seq} if seq else {}
        self.told(process, SESSION, {"method": "on-metadata-change", "params": {"values": values}, **number})

    def hears(self, process: str, text: str, *, seq: int, by: str = "alice") -> None:
        params = {"info": {"message": text}, "peer": {"peer_id": by}}
        self.told(process, SESSION, {"method": "on-broadcast", "params": params, "seq": seq})

    def role(self, process: str, name: str, *, seq: int) -> None:
        self.told(process, SESSION, {"method": "on-policy-change", "params": {"name": name}, "seq": seq})
        self.hold(process, SESSION, seq, name)

    @property
    def wrong(self) -> set[str]:
        return {anomaly.name for anomaly in anomalies(self)}
