"""A back end that asks with a management token."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from rooms.access import keys, tokens
from rooms.api.rest import frame
from rooms.wire.rates import Buckets


class BackEnd:
    """Calls the REST API and gives back the status and the JSON of the answer."""

    def __init__(self, client: Client, key: keys.Key) -> None:
        self._client = client
        self.token = tokens.sign_management(key)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        answer = self.ask(method, path, body, **headers)
        return answer.status_code, json.loads(answer.content) if answer.content else None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The whole answer. Names of headers have ``_`` for ``-``."""
        sent = {"authorization": f"Bearer {self.token}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        return self._client.generic(method, f"/v2{path}", text, content_type="application/json", headers=sent)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "_rates", Buckets(0, 0))


@pytest.fixture
def rest(client: Client, db: None) -> BackEnd:
    return BackEnd(client, keys.own())


def is_moment(text: str) -> bool:
    """Whether a text is a moment of RFC 3339 in UTC."""
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", text) is not None
