"""A running server keeps to docs/openapi.json, whatever it is asked."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, CheckContext, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rooms.api.rest import rest
from rooms.api.rest.description import HEADERS
from tests.support.server import ROOT, RunningServer

FILE = ROOT / "docs/openapi.json"

schema = schemathesis.openapi.from_path(FILE)
CALLS = [(method, path) for path, methods in schema.raw_schema["paths"].items() for method in methods]


def declares_its_headers(context: CheckContext, answer: Response, case: Case) -> None:
    """A check: an answer has none of the headers that the file describes where it does not say so."""
    declared = case.operation.definition.raw["responses"][str(answer.status_code)]["headers"]
    assert {name for name in HEADERS if name.lower() in answer.headers} <= set(declared)


CHECKS = [
    declares_its_headers,
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""Not that all is taken that the schema allows: a room has more to say than a schema, of sizes, names and roles."""

MAKE = """
import json
from rooms.creation.rooms import create_room
from rooms.delivery.hub import perform_now
from rooms.models import PollAnswer, PreparedPoll, Template
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.gate import METHODS
from rooms.wire.roles import DEFAULT_TEMPLATE
from rooms.webhooks import endpoints
endpoints.add("https://127.0.0.1:1/", events=["session.open.success"])
made = []
for place in range(NUMBER):
    template = Template.objects.create(name=f"of-{place}", roles=DEFAULT_TEMPLATE)
    question = {"question": {"index": 1, "text": "?", "type": "single-choice"}, "answer": {"hidden": True},
        "options": [{"index": 1, "text": "tea"}, {"index": 2, "text": "milk"}]}
    poll = PreparedPoll.objects.create(title="t", mode="userid", questions=[question])
    room = create_room(template=template, polls=[poll.pk])
    for n in range(2):
        at = {"conn_id": f"c{n}", "worker": "w", "source": "socket"}
        caller = Caller(room.id, f"peer-{n}", f"user:u{n}", f"u{n}", "host", **at)
        perform_now(METHODS["join"], caller, name=f"Alice {n}")
    perform_now(METHODS["poll-response"], caller, poll_id=poll.pk, responses=[{"question": 1, "option": 1}])
    perform_now(METHODS["set-metadata"], caller, key="topic", data={"of": ["tea"]})
    perform_now(METHODS["lock"], caller, name="board")
    perform_now(METHODS["broadcast"], caller, info={"message": "hello"})
    answer = str(PollAnswer.objects.latest("pk").pk)
    made.append({"room_id": room.id, "peer_id": "peer-1", "key": "topic", "name": "board", "poll_id": poll.pk,
        "session_id": room.sessions.get().id, "template_id": template.pk, "role": "guest", "question_id": 1,
        "option_id": 1, "response_id": answer, "result_id": answer, "code": room.codes.first().code})
print(json.dumps(made))
"""
"""Makes for each call a live room of two, with all that parameters may name of it, and prints what they may name."""

LATELY = (datetime.now(UTC) - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
WORDS = {"text": "Why?", "type": "short-answer"}
ROOM = "/v2/active-rooms/{room_id}"
POLL = "/v2/polls/{poll_id}"
BODIES: dict[tuple[str, str], Any] = {
    ("post", "/v2/rooms"): {"name": "right"},
    ("post", "/v2/rooms/{room_id}"): {"description": "right"},
    ("post", "/v2/room-codes/code"): {"enabled": False},
    ("post", f"{ROOM}/peers/{{peer_id}}"): {"metadata": "right"},
    ("post", f"{ROOM}/send-message"): {"message": "right"},
    ("post", f"{ROOM}/remove-peers"): {"peer_id": "peer-1"},
    ("post", f"{ROOM}/end-room"): {},
    ("post", f"{ROOM}/lock"): {"locked": True},
    ("post", f"{ROOM}/metadata"): {"changes": [{"key": "topic", "patch": {"of": 1}}]},
    ("put", f"{ROOM}/metadata/{{key}}"): {"data": 1},
    ("patch", f"{ROOM}/metadata/{{key}}"): {"of": 1},
    ("post", "/v2/analytics/webhooks/replay"): {"start_time": LATELY},
    ("post", "/v2/templates"): {"name": "right", "roles": {"host": {}}},
    ("post", "/v2/templates/{template_id}"): {"roles": {"host": {}, "guest": {}}},
    ("post", "/v2/templates/{template_id}/roles/{role}"): {"priority": 2},
    ("post", "/v2/templates/{template_id}/settings"): {},
    ("post", "/v2/polls"): {"title": "right"},
    ("post", POLL): {"title": "right", "questions": [WORDS]},
    ("post", f"{POLL}/questions/{{question_id}}"): WORDS,
    ("post", f"{POLL}/questions/{{question_id}}/options/{{option_id}}"): {"text": "right"},
}
"""What calls are right with, that bring a body."""


def test_the_file_is_that_of_this_code():
    told = json.loads(json.dumps(rest.get_openapi_schema(path_prefix="/v2/")))
    assert json.loads(FILE.read_text()) == told, "manage.py openapi > docs/openapi.json"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with RunningServer(server="uvicorn", PEER_GRACE="1h", REST_RATE=100_000, REST_BURST=100_000) as running:
        yield running


@pytest.fixture(scope="module")
def token(server: RunningServer) -> str:
    return server.manage("management_token")


@pytest.fixture(scope="module")
def made(server: RunningServer) -> list[dict[str, Any]]:
    """What there is for each call, by the names of parameters."""
    script = MAKE.replace("NUMBER", str(len(CALLS)))
    found: list[dict[str, Any]] = json.loads(server.manage("shell", "--no-imports", "-c", script).splitlines()[-1])
    return found


@pytest.mark.parametrize("place", range(len(CALLS)), ids=[f"{method}-{path}" for method, path in CALLS])
def test_whatever_is_asked_gets_an_answer_that_is_documented(
    place: int, server: RunningServer, token: str, made: list[dict[str, Any]]
):
    method, path = CALLS[place]
    # Its own, for some calls take away what others need.
    operation, there = schema[path][method], made[place]
    headers = {"Authorization": f"Bearer {token}"}

    if "{workflow_id}" in path:
        begin = schema["/v2/analytics/webhooks/replay"]["post"]
        begun = begin.Case(body={"start_time": LATELY}, media_type="application/json")
        there["workflow_id"] = begun.call(base_url=server.url, headers=headers).json()["workflow_id"]
    right: dict[str, Any] = {"path_parameters": {name: there[name] for name in re.findall(r"{(\w+)}", path)}}
    if (body := BODIES.get((method, path))) is not None:
        kind = "application/merge-patch+json" if method == "patch" else "application/json"
        right |= {"body": body | {"code": there["code"]} if path.endswith("/code") else body, "media_type": kind}
    if (method, path) == ("get", "/v2/analytics/webhooks"):
        right["query"] = {"start_time": LATELY}
    case = operation.Case(**right)
    answer = case.call(base_url=server.url, headers=headers)
    case.validate_response(answer, checks=CHECKS)
    assert answer.status_code in (200, 204), answer.content

    # The same each time: what else there is to be found is looked for where there is time.
    @settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def ask(case: Case) -> None:
        places = case.path_parameters or {}
        for name in places.keys() & there.keys():
            # Every other time something that is there, else only refusals would be seen.
            if len(str(places[name])) % 2:
                places[name] = there[name]
        answer = case.call(base_url=server.url, headers=headers)
        case.validate_response(answer, checks=CHECKS)

    ask()
