"""A running server keeps to docs/openapi.json, whatever it is asked."""

import json
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rooms.api.rest import rest
from tests.support.server import ROOT, RunningServer

FILE = ROOT / "docs/openapi.json"

schema = schemathesis.openapi.from_path(FILE)
CALLS = [(method, path) for path, methods in schema.raw_schema["paths"].items() for method in methods]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""Not that all is taken that the schema allows: a room has more to say than a schema, of sizes, names and roles."""

MAKE = """
import json
from rooms.creation import create_room
from rooms.delivery.hub import perform_now
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.gate import METHODS
room = create_room()
for n in range(3):
    caller = Caller(room.id, f"peer-{n}", f"user:u{n}", f"u{n}", "host", conn_id=f"c{n}", worker="w", source="socket")
    perform_now(METHODS["join"], caller, name=f"Alice {n}")
perform_now(METHODS["set-metadata"], caller, key="topic", data={"of": ["tea"]})
perform_now(METHODS["lock"], caller, name="board")
perform_now(METHODS["broadcast"], caller, info={"message": "hello"})
print(json.dumps({"room_id": room.id, "peer_id": "peer-1", "key": "topic", "name": "board",
    "session_id": room.sessions.get().id, "template_id": room.template_id, "role": "guest"}))
"""
"""Makes a live room of three, with a value, a lock and a message, and prints what parameters may name of it."""


def test_the_file_is_that_of_this_code():
    told = json.loads(json.dumps(rest.get_openapi_schema(path_prefix="/v2/")))
    assert json.loads(FILE.read_text()) == told, "manage.py openapi > docs/openapi.json"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with RunningServer(server="uvicorn", PEER_GRACE="1h", REST_RATE=0) as running:
        yield running


@pytest.fixture(scope="module")
def token(server: RunningServer) -> str:
    return server.manage("management_token")


@pytest.fixture(scope="module")
def there(server: RunningServer) -> dict[str, str]:
    """What there is, by the names of parameters."""
    made: dict[str, str] = json.loads(server.manage("shell", "--no-imports", "-c", MAKE).splitlines()[-1])
    return made


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_whatever_is_asked_gets_an_answer_that_is_documented(
    method: str, path: str, server: RunningServer, token: str, there: dict[str, str]
):
    # The same each time: what else there is to be found is looked for where there is time.
    @settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=schema[path][method].as_strategy())
    def ask(case: Case) -> None:
        places = case.path_parameters or {}
        for name in places.keys() & there.keys():
            # Every other time something that is there, else only refusals would be seen.
            if len(str(places[name])) % 2:
                places[name] = there[name]
        answer = case.call(base_url=server.url, headers={"Authorization": f"Bearer {token}"})
        case.validate_response(answer, checks=CHECKS)

    ask()
